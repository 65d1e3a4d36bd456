"""The command ``check``: somebody's numbers in, the first wrong one out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from descentlab.cli.text import late_progress, print_json, print_table, say, writing
from descentlab.core.errors import SpecError, StoreError, unknown

if TYPE_CHECKING:
    from descentlab.explain.checking.key import AnswerKey
    from descentlab.explain.checking.results import Checked
    from descentlab.explain.language import Language


def language(code: str, persian_digits: bool) -> Language:
    """Return the language of a name.

    Raises:
        SpecError: there is none of that name.
    """
    from descentlab.explain.language import LANGUAGES, Language

    for known in LANGUAGES:
        if code == known:
            return Language(known, persian_digits)
    raise SpecError("--language: " + unknown("language", code, LANGUAGES))


def check(
    exercise: str,
    paths: Sequence[str],
    *,
    json: bool,
    csv: Path | None,
    html: Path | None,
    spoken: Language,
) -> int:
    """Check solutions and print what is found; return the exit status."""
    from descentlab.engine.platform import enable_cache
    from descentlab.explain.checking.check import Checker
    from descentlab.explain.checking.solution import read_class, read_solutions

    for output in (csv, html):
        if output is not None and any(Path(p).resolve() == output.resolve() for p in paths):
            raise StoreError(f"cannot write {output}: it holds a solution; name another file")
    enable_cache()
    checker = Checker.of(exercise, spoken)
    solutions = read_solutions(paths[0]) if len(paths) == 1 else read_class(paths)
    if not solutions:
        raise SpecError(f"{paths[0]}: no solutions in it")
    alone = len(paths) == len(solutions) == 1 and not Path(paths[0]).is_dir()
    if alone:
        found = [checker.check(solutions[0])]
    else:
        with late_progress(f"checking {len(solutions):,} solutions") as progress:
            found = checker.check_all(solutions, progress)
    _write(checker.key, found, csv, html)
    if json:
        from descentlab.explain.checking.summary import to_json

        print_json(found[0].to_json() if alone else to_json(checker.key.name, found))
    elif alone:
        _print_one(found[0], spoken)
    else:
        _print_class(found, spoken)
    if any(checked.fault for checked in found):
        return 2
    return 1 if any(checked.first_wrong for checked in found) else 0


def _write(key: AnswerKey, found: Sequence[Checked], csv: Path | None, html: Path | None) -> None:
    from descentlab.explain.checking.summary import as_csv

    if csv is not None:
        with writing(csv):
            csv.write_text(as_csv(found), encoding="utf-8")
        say(f"{csv}: written")
    if html is not None:
        from descentlab.explain.checking.page import checked_page

        with writing(html):
            html.write_text(checked_page(key, found), encoding="utf-8")
        say(f"{html}: written")


def _print_one(checked: Checked, spoken: Language) -> None:
    """Print every number with its verdict, and what to look at first."""
    from descentlab.explain.checking.verdict import sentences

    rows = [
        [
            item.name,
            "" if item.given is None else spoken.number(item.given.text),
            "" if item.expected is None else spoken.number(f"{item.expected:.6g}"),
            spoken.text(f"status.{item.status}"),
            item.guess or "",
        ]
        for item in checked.items
    ]
    print_table(_heads(spoken, "name", "given", "expected", "verdict", "guess"), rows)
    print()
    for sentence in sentences(checked, spoken):
        print(sentence)


def _print_class(found: Sequence[Checked], spoken: Language) -> None:
    """Print one line a solution, and which numbers went wrong most often."""
    from descentlab.explain.checking.summary import row
    from descentlab.explain.checking.verdict import class_sentences

    rows = []
    for checked in found:
        shown = row(checked)
        score = "" if checked.fault else spoken.number(f"{100 * checked.score:.0f}")
        counts = [spoken.number(str(shown[s])) for s in ("wrong", "carried", "missing")]
        why = shown["fault"] or shown["guess"] or ""
        rows.append([checked.solution, score, *counts, shown["first_wrong"] or "", why])
    heads = ("solution", "score", "wrong", "carried", "missing", "first_wrong", "guess")
    print_table(_heads(spoken, *heads), rows)
    print()
    for sentence in class_sentences(found, spoken):
        print(sentence)


def _heads(spoken: Language, *keys: str) -> list[str]:
    return [spoken.text(f"check.{key}") for key in keys]
