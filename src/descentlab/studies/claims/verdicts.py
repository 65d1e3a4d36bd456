"""The verdicts on a study's claims, decided together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from descentlab.core.errors import SpecError, unknown
from descentlab.evaluation.decisions import Decided, Statement, decide
from descentlab.evaluation.intervals import Interval
from descentlab.evaluation.sequential import look_levels
from descentlab.studies.claims.comparisons import Planned, plan_claims
from descentlab.studies.claims.evidence import Evidence, Figures, gather

if TYPE_CHECKING:
    from descentlab.studies.claims.spec import Claim
    from descentlab.studies.records import Records

ALPHA = 0.05
SEQUENTIAL = "sequential"
"""Where a folder's provenance keeps the plan of looks at growing numbers of seeds."""

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
        """The comparison that the verdict hangs on: that with the smallest advantage.

        For equivalence it is the one furthest from zero.
        """
        means = [each.mean for each in self.intervals]
        if math.isfinite(bounds(self.claim.claim)[1]):
            return max(range(len(means)), key=lambda i: abs(means[i]))
        return min(range(len(means)), key=lambda i: means[i])

    @property
    def seeds(self) -> int:
        """Seeds that the deciding comparison is over."""
        return len(self.evidence[self.deciding].seeds)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as ``descentlab show --json`` prints it.

        ``estimate`` is the advantage of the first side (positive: better) in the
        deciding comparison; for ``reaches`` it is the distance beyond the target.
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
    figures: dict[tuple[str, str], Figures] = {}
    evidence = []
    for each in planned:
        key = metric_of(each, result), each.claim.at
        if key not in figures:
            figures[key] = Figures(result, *key)
        evidence.append([gather(each.claim, c, figures[key]) for c in each.comparisons])
    statements = [
        Statement([e.advantage for e in found], *bounds(each.claim))
        for each, found in zip(planned, evidence, strict=True)
    ]
    alpha, sequential = share_of_alpha(result, ALPHA)
    decided = decide(statements, alpha, step_down=not sequential)
    stated = result.provenance.get("claims", {})
    return [
        _verdict(each, metric_of(each, result), found, decision, stated.get(each.claim.key))
        for each, found, decision in zip(planned, evidence, decided, strict=True)
    ]


def share_of_alpha(result: Records, alpha: float) -> tuple[float, bool]:
    """Return the level of this moment's look, and whether looks were planned at all."""
    plan = result.provenance.get(SEQUENTIAL)
    if not plan:
        return alpha, False
    done = len(result.study.seeds)
    at = [look for look in plan["looks"] if look <= done]
    return (look_levels(at, plan["most"], alpha)[-1] if at else 0.0), True


def metric_of(planned: Planned, result: Records) -> str:
    """Return the metric that a claim is about."""
    metric = planned.claim.metric
    if metric is None:
        return result.primary
    if metric not in result.metrics:
        raise SpecError(f"{planned.where}.metric: {unknown('metric', metric, result.metrics)}")
    return metric


def bounds(claim: Claim) -> tuple[float, float]:
    """Return what every mean advantage must lie between for the claim to hold."""
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
    stated: dict[str, Any] | None,
) -> Verdict:
    word: Word = decided.decision
    if evidence and all(each.identical for each in evidence):
        word = "identical"
    elif any(all(each.diverged) and min(each.diverged) == 1 for each in evidence):
        word = "undecided"
    return Verdict(
        planned,
        metric,
        word,
        tuple(evidence),
        tuple(decided.intervals),
        decided.level,
        _reason(word, evidence),
        stated["finished_runs"] if stated else None,
    )


def _reason(word: Word, evidence: Sequence[Evidence]) -> str:
    fewest = min(len(each.seeds) for each in evidence)
    if word == "identical":
        return "the curves are equal to the bit, so these are one and the same training"
    if word != "undecided":
        return ""
    if fewest == 0:
        return "no seed has finished runs on both sides yet"
    if fewest == 1:
        return "one seed cannot tell how much runs differ; run the study with more seeds"
    if any(min(each.diverged) == 1 for each in evidence):
        return "all runs of both sides diverged"
    return "the interval holds both answers; more seeds would narrow it"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
