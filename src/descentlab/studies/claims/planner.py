"""How many seeds would decide a claim, from the spread that its runs have shown so far."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from descentlab.core.errors import StoreError
from descentlab.evaluation.decisions import Advantage
from descentlab.studies.claims.verdicts import ALPHA, Verdict, bounds

if TYPE_CHECKING:
    from descentlab.studies.result import StudyResult

MOST = 100_000


@dataclass(frozen=True)
class Needed:
    """What one claim needs.

    Attributes:
        verdict: where it stands.
        spread: the standard deviation of the deciding advantage over seeds.
        distance: from the bound that decides it, as asked for or as estimated.
        seeds: that would decide it with the power asked for; None beyond ``MOST``.
        more_seconds: for the seeds that are lacking, on this machine.
    """

    verdict: Verdict
    spread: float
    distance: float
    seeds: int | None
    more_seconds: float | None

    def to_json(self) -> dict[str, Any]:
        """Return what the claim needs as JSON."""
        return {
            "name": self.verdict.claim.name,
            "verdict": self.verdict.verdict,
            "spread": self.spread,
            "distance": self.distance,
            "seeds_so_far": self.verdict.seeds,
            "seeds": self.seeds,
            "more_seconds": self.more_seconds,
        }


def plan_seeds(
    result: StudyResult, *, detect: float | None = None, power: float = 0.8
) -> list[Needed]:
    """Return, claim by claim, how many seeds would decide it.

    The true distance from the deciding bound is taken to be ``detect``, or what has been
    estimated so far, which is itself uncertain with few seeds.

    Args:
        result: a study with claims and at least two seeds of runs.
        detect: the distance from the bound that should be found, in the metric's unit.
        power: the probability of finding it.

    Raises:
        StoreError: there are no claims, or too few runs to know a spread.
    """
    verdicts = result.claims()
    if not verdicts:
        raise StoreError(f"{result.folder} has no claims with results; add 'claims' to the study")
    cost = seconds_a_seed(result)
    return [_needed(verdict, len(verdicts), detect, power, cost) for verdict in verdicts]


def seconds_a_seed(result: StudyResult) -> float | None:
    """Return how long one more seed of all configurations takes, from the sessions so far."""
    spent = sum(float(s.get("seconds", 0.0)) for s in result.provenance.get("sessions", []))
    done = len(result.frame())
    return spent / done * len(result.configurations) if done and spent else None


def seeds_for(spread: float, distance: float, level: float, power: float) -> int | None:
    """Return the smallest number of seeds whose t test at ``level`` has that power.

    The power is that of the noncentral t distribution with noncentrality
    distance √n / spread.
    """
    from scipy.stats import nct, t

    def enough(n: int) -> bool:
        bound = t.isf(level / 2, n - 1)
        return float(nct.sf(bound, n - 1, distance / spread * math.sqrt(n))) >= power

    if spread == 0:
        return 2
    if distance <= 0:
        return None
    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _needed(
    verdict: Verdict, claims: int, detect: float | None, power: float, cost: float | None
) -> Needed:
    evidence = verdict.evidence[verdict.deciding]
    advantage: Advantage = evidence.advantage
    n = len(advantage.values)
    if n < 2:
        raise StoreError(
            f"the claim '{verdict.claim.name}' has {n} seed{'s' if n != 1 else ''} so far; "
            "run the study with at least two to know how much they differ"
        )
    spread = advantage.error * math.sqrt(n)
    ends = [end for end in bounds(verdict.claim.claim) if math.isfinite(end)]
    distance = detect if detect is not None else min(abs(advantage.mean - end) for end in ends)
    level = ALPHA / claims / len(verdict.evidence)
    seeds = seeds_for(spread, distance, level, power)
    lacking = max(0, seeds - n) if seeds is not None else None
    more = lacking * cost if lacking is not None and cost is not None else None
    return Needed(verdict, spread, distance, seeds, more)
