"""A verdict in words: what was found, with its interval, and what one must know beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers
from descentlab.report.answers import lower_is_better
from descentlab.report.names import metric_name
from descentlab.report.words import count

if TYPE_CHECKING:
    from descentlab.studies.claims.evidence import Evidence
    from descentlab.studies.claims.verdicts import Verdict

PERCENT = "\u00a0%"
MOST_DIVERGED = 3  # comparisons of which the shares of diverged runs are told


def finding(verdict: Verdict) -> str:
    """Return the deciding comparison as a sentence with its interval."""
    evidence, interval = verdict.evidence[verdict.deciding], verdict.intervals[verdict.deciding]
    if verdict.verdict == "identical" or not interval.n:
        return f"{_capital(verdict.reason)}."
    if verdict.slope:
        return _slope(verdict, interval)
    if not math.isfinite(interval.mean):
        return _capital(f"{_worst_of(verdict)}{_lost(evidence)} ({count(interval.n, 'seed')}).")
    what = _what(verdict)
    text = (
        _against_target(verdict, evidence, interval, what)
        if not evidence.comparison.b
        else _against_rival(verdict, evidence, interval, what)
    )
    margin = getattr(verdict.claim.claim, "margin", 0.0)
    allowed = f"; the claim's margin is {numbers.value(margin)}" if margin else ""
    return f"{text} ({_interval(verdict, interval)}{allowed})."


def notes(verdict: Verdict) -> list[str]:
    """Return what one must know beside the interval."""
    found = []
    interval = verdict.intervals[verdict.deciding]
    if verdict.verdict == "undecided" and interval.n:
        found.append(f"Undecided: {verdict.reason}.")
    if interval.n == 2 and interval.low is not None and verdict.verdict != "identical":
        found.append("Two seeds hardly tell how much runs differ.")
    found += _diverged(verdict)
    if verdict.verdict != "identical" and math.isfinite(interval.mean) and not verdict.slope:
        found += _other_examples(verdict)
    left_out = len({name for each in verdict.evidence for name in each.comparison.left_out})
    if left_out:
        have = "has" if left_out == 1 else "have"
        found.append(f"{count(left_out, 'configuration')} {have} no partner and are left out.")
    if verdict.stated_after:
        found.append(
            f"The claim was stated when {count(verdict.stated_after, 'run')} had finished, so it "
            "may have been chosen after seeing them; fresh seeds would test it."
        )
    return found


def _other_examples(verdict: Verdict) -> list[str]:
    """Say what the examples measured on leave open, or why that is not known."""
    errors = [each.test_error for each in verdict.evidence if each.test_error]
    if errors:
        return [
            "The examples that it is measured on leave a standard error of up to "
            f"{numbers.value(max(errors), 2)}, which more seeds do not lower: other examples "
            "could tell another story."
        ]
    if verdict.metric.endswith("_loss") and not verdict.metric.startswith("train_"):
        return [
            "How much other examples would change it is not known: of a loss the mean over the "
            "examples is recorded, and not each one's."
        ]
    return []


def rule(verdict: Verdict) -> str:
    """Return when the claim holds, in terms of the picture."""
    claim = verdict.claim.claim
    if verdict.slope:
        return f"Supported if the interval of the slope lies {_allowed(verdict)}."
    margin = numbers.value(getattr(claim, "margin", 0.0))
    each = "every interval lies" if len(verdict.evidence) > 1 else "the interval lies"
    if claim.kind == "equivalent":  # type: ignore[attr-defined]
        return f"Supported if {each} within ±{margin}."
    if margin == "0":
        return f"Supported if {each} right of the line."
    place = f"right of {margin}" if claim.kind == "better" else f"right of −{margin}"  # type: ignore[attr-defined]
    return f"Supported if {each} {place}."


def _slope(verdict: Verdict, interval: Interval) -> str:
    claim: Any = verdict.claim.claim
    less = taken_off(claim.minus)
    which = verdict.evidence[0].comparison.a
    line = f"ln({_what(verdict)}{less}) against ln({claim.over}){' of ' + which if which else ''}"
    if not math.isfinite(interval.mean):
        return f"The slope of {line} is not known in every one of {count(interval.n, 'seed')}."
    mean = _written(interval.mean, interval.half)
    how = _interval(verdict, interval)
    return f"The slope of {line} is {mean} ({how}; the claim: {_allowed(verdict)})."


def taken_off(minus: float) -> str:
    """Return what follows a metric's name where something is taken off it."""
    if not minus:
        return ""
    return f" {'−' if minus > 0 else '+'} {numbers.value(abs(minus))}"


def _allowed(verdict: Verdict) -> str:
    claim: Any = verdict.claim.claim
    if claim.low is None:
        return f"below {numbers.value(claim.high)}"
    if claim.high is None:
        return f"above {numbers.value(claim.low)}"
    return f"between {numbers.value(claim.low)} and {numbers.value(claim.high)}"


def _what(verdict: Verdict) -> str:
    when = "final" if verdict.claim.claim.at == "end" else "best"
    return f"{when} {metric_name(verdict.metric)}"


def _worst_of(verdict: Verdict) -> str:
    number = len(verdict.evidence)
    return f"Of {number} comparisons the least favourable: " if number > 1 else ""


def _lost(evidence: Evidence) -> str:
    """Say which runs diverged, where that alone is the difference."""
    a, b = evidence.comparison.a or "this", evidence.comparison.b
    if not b or min(evidence.diverged) == 1:
        return f"all runs of {a}{' and ' + b if b else ''} diverged"
    lost, sound = (a, b) if evidence.diverged[0] else (b, a)
    return f"all runs of {lost} diverged and none of those of {sound}"


def _against_rival(verdict: Verdict, evidence: Evidence, interval: Interval, what: str) -> str:
    comparison = evidence.comparison
    if interval.mean == 0:
        return (
            f"{_worst_of(verdict)}The mean {what} of {comparison.a} equals that of {comparison.b}"
        )
    lower = lower_is_better(verdict.metric) == (interval.mean > 0)
    return (
        f"{_worst_of(verdict)}{comparison.a} has a {what} "
        f"{_written(abs(interval.mean), interval.half)} {'lower' if lower else 'higher'} than "
        f"{comparison.b}"
    )


def _against_target(verdict: Verdict, evidence: Evidence, interval: Interval, what: str) -> str:
    target = numbers.value(verdict.claim.claim.target)  # type: ignore[attr-defined]
    mean = _written(float(evidence.a.mean()), interval.half)
    distance = numbers.value(abs(interval.mean), 3)
    way = "beyond" if interval.mean >= 0 else "short of"
    return f"The mean {what} is {mean}, {distance} {way} the target {target}"


def _written(mean: float, half: float | None) -> str:
    """Write an estimate with the digits that its interval supports, and two at the least."""
    found = numbers.estimate(mean, half)
    written = float(found.mean.replace(numbers.MINUS, "-"))
    scale = 10.0 ** math.floor(math.log10(abs(mean))) if mean and found.power else 1.0
    if _digits(found.mean) >= 2 and abs(written * scale - mean) <= 0.05 * abs(mean):
        return f"{found.mean} × {found.power}" if found.power else found.mean
    short = numbers.value(mean, 2)
    return short if _digits(short) >= 2 else numbers.value(mean, 3)  # 5.01 would become 5


def _digits(text: str) -> int:
    """Return how many significant digits a number has as it is written."""
    return len(text.strip(numbers.MINUS).replace(".", "").lstrip("0"))


def _interval(verdict: Verdict, interval: Interval) -> str:
    seeds = count(interval.n, "seed")
    if interval.low is None or interval.high is None:
        return (
            f"{seeds}, so no interval" if interval.n == 1 else f"{seeds}, too few for an interval"
        )
    if interval.low == interval.high:
        return f"exactly so in each of {seeds}"
    low, high = sorted((interval.low, interval.high))
    target = getattr(verdict.claim.claim, "target", None)
    if target is not None:  # of the mean, as the sentence has it, not of its distance
        sign = -1 if lower_is_better(verdict.metric) else 1
        low, high = sorted((target + sign * low, target + sign * high))
    elif interval.mean < 0 and not verdict.slope:
        low, high = -high, -low
    ends = numbers.ends(low, high)
    level = f"{100 * verdict.level:.3f}".rstrip("0").rstrip(".")
    whose = " of the mean" if target is not None else ""
    return f"{level}{PERCENT} interval{whose} {ends[0]} to {ends[1]}, {seeds}"


def _diverged(verdict: Verdict) -> list[str]:
    found = []
    for index, evidence in enumerate(verdict.evidence):
        finite = math.isfinite(verdict.intervals[index].mean)
        if not any(evidence.diverged) or (index == verdict.deciding and not finite):
            continue
        found.append(f"{_shares(evidence)} diverged{_counted(evidence) if finite else ''}.")
    more = len(found) - MOST_DIVERGED
    if more > 0:
        found = [*found[:MOST_DIVERGED], f"Runs of {count(more, 'more comparison')} diverged too."]
    return found


def _shares(evidence: Evidence) -> str:
    first, second = (f"{100 * share:.0f}{PERCENT}" for share in evidence.diverged)
    sides = f"{first} of the runs of {evidence.comparison.a or 'it'}"
    if evidence.comparison.b:
        sides += f" and {second} of those of {evidence.comparison.b}"
    return sides


def _counted(evidence: Evidence) -> str:
    if not evidence.comparison.b:
        return (
            "; one counts with the worst sound figure, and as not beyond the target, so the mean "
            "is not that of sound runs"
        )
    return (
        "; one counts with the worst sound figure of both sides, so the estimate is no mean of "
        "sound runs"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
