"""How many seeds would decide a claim, from the spread that its runs have shown so far.

The advantages of a claim's comparisons are taken to be normal, with the spread over seeds
seen so far and a mean as far from the bound as asked for, or as estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from descentlab.core.errors import SpecError, StoreError
from descentlab.evaluation.sequential import look_levels
from descentlab.studies.claims.evidence import FEWEST_DIVERGED, Evidence
from descentlab.studies.claims.moment import ALPHA, SEQUENTIAL
from descentlab.studies.claims.reasons import rests_on_diverged
from descentlab.studies.claims.spec import Slope
from descentlab.studies.claims.verdicts import Verdict, bounds

if TYPE_CHECKING:
    from descentlab.studies.result import StudyResult

MOST = 100_000


@dataclass(frozen=True)
class Needed:
    """What one claim needs.

    Attributes:
        verdict: where it stands.
        spread: the standard deviation over seeds of the advantage that needs most seeds.
        distance: from the bound that decides it, as asked for or as estimated.
        seeds: that would decide it with the power asked for, all counted; None where no
            number would, or more than are planned or than ``MOST``.
        seconds: of training on this machine: for all these seeds, as a new folder needs
            them, or in a folder with a plan of looks for those that are lacking.
        reason: why there is no number.
    """

    verdict: Verdict
    spread: float
    distance: float
    seeds: int | None
    seconds: float | None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what the claim needs as JSON."""
        return {
            "name": self.verdict.claim.name,
            "verdict": self.verdict.verdict,
            "spread": self.spread if math.isfinite(self.spread) else None,
            "distance": self.distance if math.isfinite(self.distance) else None,
            "seeds_so_far": self.verdict.seeds,
            "seeds": self.seeds,
            "seconds": self.seconds,
            "reason": self.reason,
        }


class Rule(NamedTuple):
    """Numbers of seeds at which claims may be decided, and at which level each.

    Without a plan of looks any number may be chosen, at one level.
    """

    looks: tuple[int, ...]
    levels: tuple[float, ...]

    def seeds(self, spread: float, distance: float, share: float, power: float) -> int | None:
        """Return the smallest number that decides with a power, at a share of its level."""
        if not self.looks:
            return seeds_for(spread, distance, self.levels[0] * share, power)
        if distance <= 0:
            return None
        pairs = zip(self.looks, self.levels, strict=True)
        found = (n for n, level in pairs if _power(n, spread, distance, level * share) >= power)
        return next(found, None)


def plan_seeds(
    result: StudyResult, *, detect: float | None = None, power: float = 0.8
) -> list[Needed]:
    """Return, claim by claim, how many seeds would decide it.

    The true distance from the deciding bound is taken to be ``detect``, or what has been
    estimated so far, which is itself uncertain with few seeds. A claim with k comparisons
    must have all of them decided, so each is given the power 1 - (1 - power)/k; levels are
    α/(claims · k), or in a folder with a plan of looks those of its looks.

    Args:
        result: a study with claims and at least two seeds of runs.
        detect: the distance from the bound that should be found, in the metric's unit.
        power: the probability of finding it.

    Raises:
        SpecError: ``detect`` is no finite positive number, ``power`` is none below 1.
        StoreError: there are no claims, or too few runs to know a spread.
    """
    if detect is not None and not 0 < detect < math.inf:
        raise SpecError(f"--detect: expected a finite number above 0, found {detect:g}")
    if not 0 < power < 1:
        raise SpecError(f"--power: expected a number between 0 and 1, found {power:g}")
    verdicts = result.claims()
    if not verdicts:
        raise StoreError(f"{result.folder} has no claims with results; add 'claims' to the study")
    cost, rule = seconds_a_seed(result), rule_of(result)
    return [_needed(verdict, len(verdicts), detect, power, cost, rule) for verdict in verdicts]


def rule_of(result: StudyResult) -> Rule:
    """Return at which numbers of seeds a folder's claims can be decided."""
    plan = result.provenance.get(SEQUENTIAL)
    if not plan:
        return Rule((), (ALPHA,))
    return Rule(tuple(plan["looks"]), tuple(look_levels(plan["looks"], plan["most"], ALPHA)))


def seconds_a_seed(result: StudyResult) -> float | None:
    """Return how long one more seed of all configurations takes, from the sessions so far."""
    spent = sum(float(s.get("seconds", 0.0)) for s in result.provenance.get("sessions", []))
    done = len(result.frame())
    return spent / done * len(result.configurations) if done and spent else None


def seeds_for(spread: float, distance: float, level: float, power: float) -> int | None:
    """Return the smallest number of seeds whose t test at ``level`` has that power.

    None beyond ``MOST``, and where there is no distance to find.
    """
    if distance <= 0:
        return None
    low, high = 1, 2
    while _power(high, spread, distance, level) < power:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = _power(middle, spread, distance, level) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def _power(n: int, spread: float, distance: float, level: float) -> float:
    """Return the power of a t test: noncentral t with noncentrality distance √n / spread."""
    from scipy.stats import nct, t

    if spread == 0:
        return 1.0
    return float(nct.sf(t.isf(level / 2, n - 1), n - 1, distance / spread * math.sqrt(n)))


def _needed(
    verdict: Verdict, claims: int, detect: float | None, power: float, cost: float | None,
    rule: Rule,
) -> Needed:  # fmt: skip
    evidence = verdict.evidence[verdict.deciding]
    n = len(evidence.seeds)
    if n < 2:
        raise StoreError(
            f"the claim '{verdict.claim.name}' has {n} seed{'s' if n != 1 else ''} so far; "
            "run the study with at least two to know how much they differ"
        )
    outside = _outside(verdict) if detect is None else []
    reason = _no_need(verdict, detect) or ("" if outside else _hopeless(verdict, detect))
    if not reason:
        share = 1 / claims / len(verdict.evidence)
        evidence, seeds = _most(verdict, outside, detect, share, power, rule)
        if seeds is not None:
            extra = max(0, seeds - n) if rule.looks else seeds
            seconds = None if cost is None else extra * cost
            distance = _distance(verdict, evidence, detect)
            return Needed(verdict, _spread(evidence), distance, seeds, seconds)
        limit = f"{rule.looks[-1]} seeds that are planned" if rule.looks else f"{MOST:,} seeds"
        reason = f"more than the {limit}"
    distance = _distance(verdict, evidence, detect)
    return Needed(verdict, _spread(evidence), distance, None, None, reason)


def _outside(verdict: Verdict) -> list[Evidence]:
    """Return the comparisons whose estimates look like a refutation."""
    above, below = bounds(verdict.claim.claim)
    means = [each.advantage.mean for each in verdict.evidence]
    return [e for e, m in zip(verdict.evidence, means, strict=True) if m < above or m > below]


def _most(
    verdict: Verdict, outside: list[Evidence], detect: float | None, share: float, power: float,
    rule: Rule,
) -> tuple[Evidence, int | None]:  # fmt: skip
    """Return the comparison on which the number of seeds hangs, and that number.

    To support a claim all must be decided, with the joint power; to refute it one is enough.
    """
    wanted = outside or list(verdict.evidence)
    each = power if outside else 1 - (1 - power) / len(wanted)
    counts = [_count(verdict, one, detect, share, each, rule) for one in wanted]
    ranks = [math.inf if count is None else count for count in counts]
    chosen = ranks.index(min(ranks) if outside else max(ranks))
    return wanted[chosen], counts[chosen]


def _no_need(verdict: Verdict, detect: float | None) -> str:
    """Return why no number of seeds is to be found, or ''."""
    if verdict.verdict == "identical":
        return "identical: no seed could tell one training from itself"
    if verdict.verdict in ("supported", "refuted") and detect is None:
        return "decided already"
    return ""


def _hopeless(verdict: Verdict, detect: float | None) -> str:
    """Return why no number of seeds would support a claim, or ''."""
    if isinstance(verdict.claim.claim, Slope) and math.isnan(verdict.evidence[0].advantage.mean):
        return "some seeds have no slope"
    if any(min(each.diverged) == 1 for each in verdict.evidence):
        return "all runs of both sides of a comparison diverged"
    if rests_on_diverged(verdict.claim.claim, verdict.evidence):
        return "runs diverged, and what they count with cannot support this claim"
    if detect is None and any(_distance(verdict, each, None) == 0 for each in verdict.evidence):
        return "the estimate lies on the bound itself; say with --detect what is to be found"
    return ""


def _count(
    verdict: Verdict, evidence: Evidence, detect: float | None, share: float, power: float,
    rule: Rule,
) -> int | None:  # fmt: skip
    """Return how many seeds decide one comparison."""
    fewest = FEWEST_DIVERGED if any(evidence.diverged) else 2
    if math.isinf(evidence.advantage.mean):  # lost by divergence alone: see evidence.py
        chance = evidence.advantage.chance
        enough = math.ceil(math.log(2 / (min(rule.levels) * share), 4)) if chance else 0
        enough = max(fewest, enough)
        return next((look for look in rule.looks if look >= enough), None if rule.looks else enough)
    distance = _distance(verdict, evidence, detect)
    seeds = rule.seeds(_spread(evidence), distance, share, power)
    return None if seeds is None else max(fewest, seeds)


def _distance(verdict: Verdict, evidence: Evidence, detect: float | None) -> float:
    above, below = bounds(verdict.claim.claim)
    if detect is not None:
        return min(detect, (below - above) / 2)  # between two bounds one is no further from both
    ends = [end for end in (above, below) if math.isfinite(end)]
    return min(abs(evidence.advantage.mean - end) for end in ends)


def _spread(evidence: Evidence) -> float:
    """Return the standard deviation over seeds, by the sample even where it is too small."""
    advantage = evidence.advantage
    if not math.isfinite(advantage.mean):
        return math.nan
    return replace(advantage, fewest=2).error * math.sqrt(len(advantage.values))
