"""A verdict in words: what was found, with its interval, and what one must know beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers
from descentlab.report.answers import lower_is_better
from descentlab.report.names import metric_name
from descentlab.report.words import count

if TYPE_CHECKING:
    from descentlab.studies.claims.evidence import Evidence
    from descentlab.studies.claims.verdicts import Verdict


def finding(verdict: Verdict) -> str:
    """Return the deciding comparison as a sentence with its interval."""
    evidence, interval = verdict.evidence[verdict.deciding], verdict.intervals[verdict.deciding]
    if verdict.verdict == "identical":
        return f"{_capital(verdict.reason)}."
    if not interval.n:
        return f"{_capital(verdict.reason)}."
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
    if verdict.verdict == "undecided" and verdict.intervals[verdict.deciding].n:
        found.append(f"Undecided: {verdict.reason}.")
    found += _diverged(verdict)
    errors = [each.test_error for each in verdict.evidence if each.test_error]
    if errors:
        found.append(
            "The examples that it is measured on leave a standard error of up to "
            f"{numbers.value(max(errors), 2)}, which more seeds do not lower: other examples "
            "could tell another story."
        )
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


def rule(verdict: Verdict) -> str:
    """Return when the claim holds, in terms of the picture."""
    claim = verdict.claim.claim
    margin = numbers.value(getattr(claim, "margin", 0.0))
    each = "every interval lies" if len(verdict.evidence) > 1 else "the interval lies"
    if claim.kind == "equivalent":  # type: ignore[attr-defined]
        return f"Supported if {each} within ±{margin}."
    if margin == "0":
        return f"Supported if {each} right of the line."
    place = f"right of {margin}" if claim.kind == "better" else f"right of −{margin}"  # type: ignore[attr-defined]
    return f"Supported if {each} {place}."


def _what(verdict: Verdict) -> str:
    when = "final" if verdict.claim.claim.at == "end" else "best"
    return f"{when} {metric_name(verdict.metric)}"


def _against_rival(verdict: Verdict, evidence: Evidence, interval: Interval, what: str) -> str:
    comparison = evidence.comparison
    if interval.mean == 0:
        return f"The mean {what} of {comparison.a} equals that of {comparison.b}"
    lower = lower_is_better(verdict.metric) == (interval.mean > 0)
    size = numbers.estimate(abs(interval.mean), interval.half)
    written = f"{size.mean} × {size.power}" if size.power else size.mean
    nearest = ""
    if len(verdict.evidence) > 1:
        nearest = f"Of {len(verdict.evidence)} comparisons the closest: "
    return (
        f"{nearest}{comparison.a} has a {what} {written} {'lower' if lower else 'higher'} than "
        f"{comparison.b}"
    )


def _against_target(verdict: Verdict, evidence: Evidence, interval: Interval, what: str) -> str:
    mean = numbers.estimate(float(evidence.a.mean()), interval.half)
    written = f"{mean.mean} × {mean.power}" if mean.power else mean.mean
    target = numbers.value(verdict.claim.claim.target)  # type: ignore[attr-defined]
    distance = numbers.value(abs(interval.mean), 3)
    way = "beyond" if interval.mean >= 0 else "short of"
    return f"The mean {what} is {written}, {distance} {way} the target {target}"


def _interval(verdict: Verdict, interval: Interval) -> str:
    seeds = count(interval.n, "seed")
    if interval.low is None or interval.high is None:
        return f"{seeds}, so no interval"
    if interval.low == interval.high:
        return f"exactly so in each of {seeds}"
    low, high = sorted((interval.low, interval.high))
    if interval.mean < 0:
        low, high = -high, -low
    ends = numbers.ends(low, high)
    return (
        f"{verdict.level:.3%}".rstrip("0%").rstrip(".")
        + f" % interval {ends[0]} to {ends[1]}, {seeds}"
    )


def _diverged(verdict: Verdict) -> list[str]:
    evidence = verdict.evidence[verdict.deciding]
    if not any(evidence.diverged):
        return []
    first, second = (f"{share:.0%}" for share in evidence.diverged)
    sides = f"{first} of the runs of {evidence.comparison.a or 'it'}"
    if evidence.comparison.b:
        sides += f" and {second} of those of {evidence.comparison.b}"
    return [
        f"{sides} diverged; a diverged run counts with the worst figure on record, so the "
        "estimate is no mean of sound runs."
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
