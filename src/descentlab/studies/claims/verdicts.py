"""The verdicts on a study's claims, decided together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from descentlab.core.errors import SpecError, unknown
from descentlab.evaluation.decisions import Decided, Statement, decide
from descentlab.evaluation.intervals import Interval
from descentlab.studies.claims.comparisons import Comparison, Planned, plan_claims
from descentlab.studies.claims.evidence import Evidence, Figures, gather
from descentlab.studies.claims.moment import Moment, moment
from descentlab.studies.claims.reasons import IDENTICAL, rests_on_diverged, why_undecided
from descentlab.studies.claims.slopes import gather_slope
from descentlab.studies.claims.spec import Slope

if TYPE_CHECKING:
    from descentlab.studies.claims.spec import Claim
    from descentlab.studies.records import Records

Word = Literal["supported", "refuted", "undecided", "identical"]


@dataclass(frozen=True)
class Verdict:
    """What the runs say about one claim.

    Attributes:
        claim: the claim, with its name and comparisons.
        metric: what was compared.
        verdict: supported, refuted, undecided or identical.
        evidence: one a comparison.
        intervals: of their advantages, simultaneous, at ``level`` each.
        level: chosen by Holm's rule over all claims of the study.
        reason: why it is undecided, or what else must be known.
        stated_after: finished runs that the folder had when the claim was first stated;
            0 for a claim that was made before anything was seen.
    """

    claim: Planned
    metric: str
    verdict: Word
    evidence: tuple[Evidence, ...]
    intervals: tuple[Interval, ...]
    level: float
    reason: str = ""
    stated_after: int | None = None

    @property
    def deciding(self) -> int:
        """The comparison that the verdict hangs on, by the ends of the intervals.

        If the claim is refuted it is the one furthest outside the bounds, else the one
        with the least room inside them; one without an interval has the least.
        """
        above, below = bounds(self.claim.claim)

        def room(index: int) -> float:
            low, high = self.intervals[index].low, self.intervals[index].high
            if low is None or high is None:
                return math.inf if self.verdict == "refuted" else -math.inf
            bounded = below < math.inf
            if self.verdict == "refuted":
                return min(high - above, below - low) if bounded else high - above
            return min(low - above, below - high) if bounded else low - above

        return min(range(len(self.intervals)), key=room)

    @property
    def slope(self) -> bool:
        """Whether the claim is about a slope, and its estimate is no difference."""
        return isinstance(self.claim.claim, Slope)

    @property
    def seeds(self) -> int:
        """Seeds that the deciding comparison is over."""
        return len(self.evidence[self.deciding].seeds)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as ``descentlab show --json`` prints it.

        ``estimate`` is the advantage of the first side (positive: better) in the
        deciding comparison; for ``reaches`` it is the distance beyond the target, for
        ``slope`` the slope. It and
        the ends of its interval are None where there is none, and where a side of which
        every run diverged lost.
        """
        interval, evidence = self.intervals[self.deciding], self.evidence[self.deciding]
        return {
            "name": self.claim.name,
            "kind": self.claim.claim.kind,  # type: ignore[attr-defined]
            "metric": self.metric,
            "verdict": self.verdict,
            "estimate": _finite(interval.mean),
            "low": _finite(interval.low),
            "high": _finite(interval.high),
            "level": self.level,
            "seeds": self.seeds,
            "against": evidence.comparison.b,
            "comparisons": len(self.evidence),
            "diverged": list(evidence.diverged),
            "test_error": evidence.test_error,
            "stated_after_runs": self.stated_after,
            "reason": self.reason,
        }


def judge(result: Records) -> list[Verdict]:
    """Return a verdict on every claim of a study, from the runs that are finished.

    Raises:
        SpecError: a claim cannot be judged by what the study records.
        StoreError: nothing has been recorded yet.
    """
    planned = plan_claims(result.study, result.configurations)
    if not planned:
        return []
    now = moment(result)
    figures: dict[tuple[str, str], Figures] = {}
    evidence = []
    for each in planned:
        key = metric_of(each, result), each.claim.at
        if key not in figures:
            figures[key] = Figures(result, *key, now.seeds)
        evidence.append([_gathered(each.claim, c, figures[key]) for c in each.comparisons])
    statements = [
        Statement([e.advantage for e in found], *bounds(each.claim))
        for each, found in zip(planned, evidence, strict=True)
    ]
    decided = decide(statements, now.alpha, step_down=not now.looks)
    stated = result.provenance.get("claims", {})
    return [
        _verdict(each, metric_of(each, result), found, decision, now, stated.get(each.claim.key))
        for each, found, decision in zip(planned, evidence, decided, strict=True)
    ]


def _gathered(claim: Claim, comparison: Comparison, figures: Figures) -> Evidence:
    if isinstance(claim, Slope):
        return gather_slope(claim, comparison, figures)
    return gather(claim, comparison, figures)


def metric_of(planned: Planned, result: Records) -> str:
    """Return the metric that a claim is about."""
    metric = planned.claim.metric
    if metric is None:
        return result.primary
    if metric not in (known := [*result.metrics, *result.readings]):
        raise SpecError(f"{planned.where}.metric: {unknown('metric', metric, known)}")
    return metric


def bounds(claim: Claim) -> tuple[float, float]:
    """Return what every mean advantage (or slope) must lie between for the claim to hold."""
    if isinstance(claim, Slope):
        low, high = claim.low, claim.high
        return (-math.inf if low is None else low), (math.inf if high is None else high)
    margin = getattr(claim, "margin", 0.0)
    kind = claim.kind  # type: ignore[attr-defined]
    if kind == "equivalent":
        return -margin, margin
    if kind == "better":
        return margin, math.inf
    return -margin, math.inf


def _verdict(
    planned: Planned,
    metric: str,
    evidence: Sequence[Evidence],
    decided: Decided,
    now: Moment,
    stated: dict[str, Any] | None,
) -> Verdict:
    word: Word = decided.decision
    if evidence and all(each.identical for each in evidence):
        word = "identical"
    elif word == "supported" and rests_on_diverged(planned.claim, evidence):
        word = "undecided"
    reason = IDENTICAL if word == "identical" else ""
    if word == "undecided":
        reason = why_undecided(planned.claim, evidence, decided, bounds(planned.claim), now)
    return Verdict(
        planned,
        metric,
        word,
        tuple(evidence),
        tuple(decided.intervals),
        decided.level,
        reason,
        stated["finished_runs"] if stated else None,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
