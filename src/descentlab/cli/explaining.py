"""``descentlab explain``: an exercise, or a study's run, with every number."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from descentlab.cli.text import late_progress, print_json, say, writable, writing
from descentlab.core.errors import SpecError, StoreError
from descentlab.explain.exercise import library, load_exercise

if TYPE_CHECKING:
    from descentlab.explain.language import Language
    from descentlab.explain.showing.calculation import Calculation


def explain(
    what: str, *, run: str | None, step: int | None, json: bool, html: Path | None,
    language: Language, digits: int | None,
) -> None:  # fmt: skip
    """Print a calculation; write a page of it if asked to.

    Raises:
        SpecError: the options do not go together, or the exercise is none.
        StoreError: the page cannot be written.
    """
    from descentlab.engine.platform import enable_cache
    from descentlab.explain.showing.calculation import to_json, worked

    if html is not None and Path(what).is_file() and html.resolve() == Path(what).resolve():
        raise StoreError(f"cannot write {html}: it holds the exercise; name another file")
    if html is not None:
        with writing(html):
            writable(html)
    enable_cache()
    if run is not None or step is not None or (what not in library() and Path(what).is_dir()):
        shown = _of_run(what, run, step, digits)
    else:
        shown = worked(load_exercise(what), language.code, digits)
    if html is not None:
        from descentlab.explain.showing.page import page

        with writing(html):
            html.write_text(page(shown, language), encoding="utf-8")
    if json:
        print_json(to_json(shown, language.code))
    else:
        from descentlab.explain.showing.terminal import show

        show(shown, language)
    if html is not None:
        say(f"{html}: written")


def _of_run(folder: str, run: str | None, step: int | None, digits: int | None) -> Calculation:
    """Return the calculation of a study's run at a step."""
    option = "--step" if run is None else "--run"
    if folder in library() and not Path(folder).is_dir():
        raise SpecError(f"{option}: '{folder}' is an exercise; a results folder has runs")
    if Path(folder).is_file():
        raise SpecError(f"{option}: {folder} is a file; a results folder has runs")
    from descentlab.explain.network.run import explain_run
    from descentlab.explain.showing.calculation import calculation

    with late_progress("training up to there") as progress:
        found = explain_run(folder, run, step, progress=progress)
    return calculation(
        found.run, found.title, found.text, found.numbers, digits or found.digits,
        notes=found.notes, solvable=False,
        command=f"explain {shlex.quote(folder)} --run {found.run} --step {found.step}",
    )  # fmt: skip


def exercises() -> dict[str, str]:
    """Return the titles of the exercises that come with the lab, by name."""
    return {name: load_exercise(name).exercise.title.text("en") for name in library()}
