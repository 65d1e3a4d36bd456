"""What is found out about a solution, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from descentlab.explain.checking.results import Checked
from descentlab.explain.checking.summary import first_wrong
from descentlab.explain.language import Language


def sentences(checked: Checked, language: Language) -> Iterator[str]:
    """Yield what to look at first, what follows from it, and what is missing."""
    say, number = language.text, language.number
    first = checked.first_wrong
    if first is None:
        rest = checked.count("missing") + checked.count("unknown")
        yield say("check.right_so_far" if rest else "check.all_right")
    else:
        assert first.given is not None
        expected = "" if first.expected is None else number(f"{first.expected:.6g}")
        values = {"name": first.name, "given": number(first.given.text), "expected": expected}
        yield say("check.misread" if first.stated else "check.first", **values)
        if checked.convention is not None:
            yield say("check.convention", says=checked.convention[1])
        elif first.guess is not None:
            yield say("check.guess_is", guess=first.guess)
    coarse = [item.name for item in checked.items if item.is_coarse]
    if coarse:
        yield say("check.coarse", count=number(str(len(coarse))), names=_listed(coarse))
    for status in ("wrong", "carried", "missing", "unknown"):
        count = checked.count(status)
        count -= status == "wrong" and first is not None
        if count:
            names = [item.name for item in checked.items if item.status == status]
            names = names[1:] if status == "wrong" else names
            yield say(f"check.some_{status}", count=number(str(count)), names=_listed(names))
    score, most = number(f"{100 * checked.score:.0f}"), number("100")
    yield say("check.score_is", score=score, most=most)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (" …" if len(names) > 6 else "")


def class_summary(found: Sequence[Checked], language: Language) -> Iterator[str]:
    """Yield a class's mean score, and how many of it could not be checked."""
    scores = [checked.score for checked in found if checked.fault is None]
    number = language.number
    if scores:
        mean, most = number(f"{100 * sum(scores) / len(scores):.0f}"), number("100")
        yield language.text("check.mean", count=number(str(len(scores))), score=mean, most=most)
    if len(scores) < len(found):
        yield language.text("check.unreadable", count=number(str(len(found) - len(scores))))


def class_sentences(found: Sequence[Checked], language: Language) -> Iterator[str]:
    """Yield a class's summary, and which numbers went wrong first, the commonest first."""
    yield from class_summary(found, language)
    for name, count, guess in first_wrong(found):
        why = f" ({guess})" if guess else ""
        times = language.number(str(count))
        yield language.text("check.often", name=name, count=times, guess=why)
