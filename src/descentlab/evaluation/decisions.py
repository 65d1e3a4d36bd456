"""Decisions about means over seeds: one rule that reads a verdict off simultaneous intervals.

A statement is about one or more *advantages*, a value a seed each, and holds if every
advantage lies above a bound (and, for equivalence, below another). It is supported if
the intervals of all advantages lie inside the bounds, refuted if one lies outside
(whatever the others do), and undecided otherwise. The intervals of one statement are
simultaneous (Bonferroni), and their levels are chosen over all statements of a study by
Holm's step-down rule, so that the probability of any false verdict is at most α if the
advantages of independent seeds are about normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float

from descentlab.evaluation.intervals import Interval

Decision = Literal["supported", "refuted", "undecided"]


@dataclass(frozen=True)
class Advantage:
    """How much better one side is, seed by seed.

    Attributes:
        values: one a seed; positive where the first side is better.
            Infinite, and all of one sign, where one side failed in every seed and the
            other in none; NaN where nothing can be said.
        resolution: the standard deviation that rounding alone gives each value (of an
            accuracy, which comes in steps of 1/n), below which no spread is believed.
        fewest: seeds below which there is no interval.
        chance: for infinite values, the probability that equal sides would look so.
    """

    values: Float[np.ndarray, " seeds"]
    resolution: float = 0.0
    fewest: int = 2
    chance: float = 0.0

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.values)) if len(self.values) else math.nan

    @property
    def error(self) -> float:
        """The standard error of the mean; NaN with too few seeds, 0 for infinite values."""
        n = len(self.values)
        if n < max(2, self.fewest):
            return math.nan
        equal = (self.values == self.values[0]).all()  # where summing would leave a rounding error
        spread = 0.0 if equal else float(np.std(self.values, ddof=1))
        return max(spread, self.resolution) / math.sqrt(n)

    def interval(self, level: float) -> Interval:
        """Return Student's t interval of the mean; of an infinite one, if chance allows it."""
        n, error = len(self.values), self.error
        if not math.isfinite(error) or (math.isinf(self.mean) and self.chance > 1 - level):
            return Interval(self.mean, None, None, n)
        if math.isinf(self.mean):
            return Interval(self.mean, self.mean, self.mean, n)
        from scipy.special import stdtrit

        half = float(-stdtrit(n - 1, (1 - level) / 2)) * error
        return Interval(self.mean, self.mean - half, self.mean + half, n)

    def p_value(self, bound: float) -> float:
        """Return the two-sided p-value of the mean being ``bound``; 1 where nothing is known."""
        error = self.error
        if not math.isfinite(error) or self.mean == bound:
            return 1.0
        if math.isinf(self.mean):
            return self.chance
        if error == 0:
            return 0.0
        from scipy.special import stdtr

        return float(2 * stdtr(len(self.values) - 1, -abs(self.mean - bound) / error))


@dataclass(frozen=True)
class Statement:
    """Advantages that must all lie between bounds.

    Attributes:
        advantages: one a comparison.
        above: every mean must be larger than this.
        below: and smaller than this.
    """

    advantages: Sequence[Advantage]
    above: float = 0.0
    below: float = math.inf

    @property
    def p_value(self) -> float:
        """The smallest α at which this statement alone would be decided."""
        count = len(self.advantages)
        if not count:
            return 1.0
        inside = max(self._p_inside(each) for each in self.advantages)
        outside = min(self._p_outside(each) for each in self.advantages)
        return min(1.0, count * min(inside, outside))

    def holds(self, low: float, high: float) -> bool:
        """Return whether all between two values lies inside the bounds; no bound is infinite."""
        return self.above < low and (high < self.below or self.below == math.inf)

    def _p_inside(self, each: Advantage) -> float:
        if not self.holds(each.mean, each.mean):
            return 1.0
        return max(
            each.p_value(bound) for bound in (self.above, self.below) if abs(bound) < math.inf
        )

    def _p_outside(self, each: Advantage) -> float:
        if self.above <= each.mean <= self.below or math.isnan(each.mean):
            return 1.0
        return each.p_value(self.above if each.mean < self.above else self.below)


@dataclass(frozen=True)
class Decided:
    """A decision, with the simultaneous intervals that it was read off.

    Attributes:
        decision: supported, refuted or undecided.
        intervals: one an advantage.
        level: the level of each of them.
    """

    decision: Decision
    intervals: list[Interval] = field(default_factory=list)
    level: float = 0.95


def decide(
    statements: Sequence[Statement], alpha: float = 0.05, *, step_down: bool = True
) -> list[Decided]:
    """Decide statements together; the probability of any false verdict is at most ``alpha``.

    With ``step_down`` levels follow Holm's rule, without it every statement has the same
    share (Bonferroni), as several looks at growing data need it.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian
    Journal of Statistics 6 (1979).
    """
    shares = [alpha / len(statements)] * len(statements) if statements else []
    if step_down:
        shares = holm_shares([statement.p_value for statement in statements], alpha)
    return [_decided(each, share) for each, share in zip(statements, shares, strict=True)]


def holm_shares(p_values: Sequence[float], alpha: float = 0.05) -> list[float]:
    r"""Return the share of α that Holm's rule gives each of m hypotheses.

    The i-th smallest p-value is compared with :math:`\alpha/(m - i + 1)`; from the first
    one that fails on, all others get that one's share, and fail too. So a hypothesis is
    rejected exactly if its p-value is at most its share.

    >>> holm_shares([0.2, 0.001, 0.04], 0.06)
    [0.03, 0.02, 0.03]
    """
    shares = [0.0] * len(p_values)
    failed: float | None = None
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        share = failed if failed is not None else alpha / (len(p_values) - rank)
        if p_values[index] > share:
            failed = share
        shares[index] = share
    return shares


def _decided(statement: Statement, alpha: float) -> Decided:
    level = 1 - alpha / max(1, len(statement.advantages))
    intervals = [each.interval(level) for each in statement.advantages]
    ends = [(i.low, i.high) for i in intervals if i.low is not None and i.high is not None]
    known = bool(intervals) and len(ends) == len(intervals)
    if known and all(statement.holds(low, high) for low, high in ends):
        return Decided("supported", intervals, level)
    if any(high < statement.above or low > statement.below for low, high in ends):
        return Decided("refuted", intervals, level)
    return Decided("undecided", intervals, level)
