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
        whole = "check.all_right" if not checked.count("missing") else "check.right_so_far"
        yield say(whole)
    else:
        assert first.given is not None
        expected = "" if first.expected is None else number(f"{first.expected:.6g}")
        values = {"name": first.name, "given": number(first.given.text), "expected": expected}
        yield say("check.first", **values)
        if checked.convention is not None:
            yield say("check.convention", says=checked.convention[1])
        elif first.guess is not None:
            yield say("check.guess_is", guess=first.guess)
    for status in ("wrong", "carried", "missing", "unknown"):
        count = checked.count(status)
        count -= status == "wrong" and first is not None
        if count:
            names = [item.name for item in checked.items if item.status == status]
            names = names[1:] if status == "wrong" else names
            shown = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
            yield say(f"check.some_{status}", count=number(str(count)), names=shown)
    yield say("check.score_is", score=number(f"{100 * checked.score:.0f}"))


def class_sentences(found: Sequence[Checked], language: Language) -> Iterator[str]:
    """Yield a class's mean score, and which numbers went wrong first, the commonest first."""
    scores = [checked.score for checked in found if checked.fault is None]
    if scores:
        mean = language.number(f"{100 * sum(scores) / len(scores):.0f}")
        yield language.text("check.mean", count=language.number(str(len(found))), score=mean)
    for name, count, guess in first_wrong(found):
        why = f" ({guess})" if guess else ""
        times = language.number(str(count))
        yield language.text("check.often", name=name, count=times, guess=why)
