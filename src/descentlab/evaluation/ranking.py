"""How well a score ranks one class above the rest: AUC, average precision, their curves.

Positives and negatives are sorted apart (plain numbers, which NumPy sorts with vector
instructions), and the positives looked up among the negatives. Everything exact follows
from two counts for each distinct positive score: negatives below it, and not above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.proportions import wilson, z_quantile
from descentlab.evaluation.results import Curve, Estimate

CURVE_POINTS = 300
FEW = 10
"""Positives (or negatives) up to which their own spread is not trusted."""
ROUNDING = 1e-26
"""A variance up to this is zero but for rounding."""


@dataclass(frozen=True)
class Ranking:
    """The distinct scores of the positives and where they stand among the negatives.

    Attributes:
        scores: distinct scores of positives, ascending.
        ties: positives with that score.
        below: negatives with a lower score.
        upto: negatives with a lower or the same score.
        negatives: number of negatives.
    """

    scores: Float[np.ndarray, " distinct"]
    ties: Int[np.ndarray, " distinct"]
    below: Int[np.ndarray, " distinct"]
    upto: Int[np.ndarray, " distinct"]
    negatives: int
    against: tuple[float, ...] = ()
    """AUC against each part of the negatives alone; 0 where the part is empty."""

    @classmethod
    def of(
        cls,
        positives: Float[np.ndarray, " positives"],
        negatives: Sequence[Float[np.ndarray, " part"]],
    ) -> Ranking:
        """Rank sorted positives among negatives, given in parts that are sorted each."""
        first = np.flatnonzero(np.diff(positives, prepend=np.nan) != 0)
        scores = positives[first]
        ties = np.diff(first, append=len(positives))
        below = np.zeros(len(scores), np.int64)
        upto = np.zeros(len(scores), np.int64)
        against = []
        for part in negatives:
            left, right = places(part, scores)
            below += left
            upto += right
            ordered = int((ties * (left + right)).sum())
            against.append(ordered / max(1, 2 * len(positives) * len(part)))
        return cls(scores, ties, below, upto, sum(map(len, negatives)), tuple(against))

    @property
    def positives(self) -> int:
        """Number of positives."""
        return int(self.ties.sum())

    @cached_property
    def auc(self) -> float:
        """The share of (positive, negative) pairs in the right order, ties counted half."""
        pairs = int((self.ties * (self.below + self.upto)).sum())
        return pairs / (2 * self.positives * self.negatives)

    @cached_property
    def above(self) -> Int[np.ndarray, " distinct"]:
        """Positives with that score or a higher one."""
        return self.ties[::-1].cumsum()[::-1]

    @cached_property
    def precision(self) -> Float[np.ndarray, " distinct"]:
        """Precision if every example with that score or a higher one counts as positive."""
        return self.above / (self.above + self.negatives - self.below)

    @cached_property
    def average_precision(self) -> float:
        """Σ (recall gained at a threshold) × (precision there), as scikit-learn has it."""
        return float((self.ties * self.precision).sum() / self.positives)

    def variance(self) -> float:
        r"""Return the variance of the AUC after DeLong.

        .. math:: S_{10}/m + S_{01}/n

        with S₁₀ the sample variance over positives of the share of negatives below them,
        S₀₁ that over negatives of the share of positives above them. With a single
        positive (or negative) its largest possible value AUC (1 - AUC) stands for S.

        Source: DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more
        correlated receiver operating characteristic curves, Biometrics 44 (1988).
        """
        m, n = self.positives, self.negatives
        positive = _squares((self.below + self.upto) / (2 * n), self.ties, self.auc)
        # Negatives between two positives have the same share of positives above them, …
        between = np.diff(self.upto, prepend=0) - (self.upto - self.below)
        negative = _squares(self.above / m, between, self.auc)
        # … so have those tied with a positive, and those above all have none.
        negative += _squares((self.above - self.ties / 2) / m, self.upto - self.below, self.auc)
        negative += (n - int(self.upto[-1])) * self.auc**2
        most = self.auc * (1 - self.auc)
        return (positive / (m - 1) if m > 1 else most) / m + (
            negative / (n - 1) if n > 1 else most
        ) / n

    def cautious_variance(self) -> float:
        r"""Return DeLong's variance, or Hanley and McNeil's where few examples make that too small.

        With ten positives (or negatives) or fewer their spread is hardly known, and
        two that agree by chance would make the interval far too narrow. Then at least

        .. math:: \frac{A(1 - A) + (m - 1)(Q_1 - A^2) + (n - 1)(Q_2 - A^2)}{m n},
                  \qquad Q_1 = \frac{A}{2 - A}, \quad Q_2 = \frac{2 A^2}{1 + A}

        is taken, which needs no spread.

        Source: Hanley and McNeil, The meaning and use of the area under a receiver
        operating characteristic (ROC) curve, Radiology 143 (1982).
        """
        a, m, n = self.auc, self.positives, self.negatives
        if min(m, n) > FEW:
            return self.variance()
        one, two = a / (2 - a), 2 * a * a / (1 + a)
        own = a * (1 - a) + (m - 1) * (one - a * a) + (n - 1) * (two - a * a)
        return max(self.variance(), own / (m * n))

    @property
    def precision_variance(self) -> float:
        """Variance of the average precision as of a proportion of the positives (Boyd)."""
        return self.average_precision * (1 - self.average_precision) / self.positives

    def precision_influence(
        self, values: Float[np.ndarray, " m"], positive: bool
    ) -> Float[np.ndarray, " m"]:
        """Return the influence on the average precision of examples with these scores.

        That is n times the change of AP by one more such example: as a positive it brings
        its own precision, and it raises that of every threshold up to its score; as a
        negative it lowers them.
        """
        n, m = self.positives + self.negatives, self.positives
        flagged = self.above + self.negatives - self.below
        place = np.searchsorted(self.scores, values, "right")  # thresholds up to the score
        if not positive:
            lost = np.append(0, np.cumsum(self.ties * self.above / flagged**2))
            return -lost[place] * n / m
        gained = np.append(0, np.cumsum(self.ties * (flagged - self.above) / flagged**2))
        own = self.precision[place - 1] - self.average_precision
        return (own + gained[place]) * n / m

    def threshold(self, recall: float) -> int:
        """Return the index of the highest threshold whose recall is at least ``recall``."""
        enough = np.flatnonzero(self.above >= recall * self.positives * (1 - 1e-12))
        return int(enough[-1]) if len(enough) else 0

    def standing(self, points: int = CURVE_POINTS) -> Standing:
        """Return some of the thresholds, enough for a plot."""
        keep = thinned(len(self.scores), points)
        return Standing(
            self.scores[keep], self.ties[keep], self.above[keep], self.below[keep],
            self.upto[keep], self.positives, self.negatives,
        )  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """Some thresholds of a ranking, ascending; every curve point drawn is an exact one.

    Attributes:
        scores: the thresholds.
        ties: positives with that score.
        above: positives with that score or a higher one.
        below: negatives with a lower score.
        upto: negatives with a lower or the same score.
        positives, negatives: how many there are in all.
    """

    scores: Float[np.ndarray, " points"]
    ties: Int[np.ndarray, " points"]
    above: Int[np.ndarray, " points"]
    below: Int[np.ndarray, " points"]
    upto: Int[np.ndarray, " points"]
    positives: int
    negatives: int

    def roc(self) -> Curve:
        """Return the ROC curve: two corners a threshold, without and with what is tied there."""
        recall = self.above / self.positives
        false = (self.negatives - self.below) / self.negatives
        higher = recall - self.ties / self.positives
        before = (self.negatives - self.upto) / self.negatives
        x = np.column_stack([before, false])[::-1].ravel()
        y = np.column_stack([higher, recall])[::-1].ravel()
        score = np.repeat(self.scores[::-1], 2).astype(np.float64)
        return Curve(
            np.concatenate([[0.0], x, [1.0]]),
            np.concatenate([[0.0], y, [1.0]]),
            np.concatenate([[np.inf], score, [-np.inf]]),
        )

    def precision_recall(self) -> Curve:
        """Return the precision–recall curve, by growing recall."""
        precision = self.above / (self.above + self.negatives - self.below)
        return Curve(
            (self.above / self.positives)[::-1],
            precision[::-1],
            self.scores[::-1].astype(np.float64),
        )


def auc_interval(
    auc: float, variance: float, fewest: int, level: float = 0.95
) -> tuple[float, float]:
    r"""Return the ends of an interval of an AUC from its variance, on the logit scale.

    .. math:: \operatorname{logit}(A) \pm z \sqrt{V} / (A (1 - A))

    which stays inside [0, 1]. Where all pairs are in order (or none) the variance is
    zero and says nothing (it may be so for a mean over classes of one example, too);
    then Wilson's interval for ``fewest`` examples stands in.

    Args:
        auc: the area.
        variance: of the area, as DeLong's.
        fewest: the smaller of the numbers of positives and negatives.
        level: the nominal coverage.

    Source: Pepe, The Statistical Evaluation of Medical Tests for Classification and
    Prediction (2003), section 5.2.
    """
    if auc * (1 - auc) <= 1e-12 or variance <= ROUNDING:
        low, high = wilson(auc * fewest, fewest, level)
        return float(low), float(high)
    return logit_interval(auc, variance**0.5 / (auc * (1 - auc)), level)


def logit_interval(value: float, error: float, level: float) -> tuple[float, float]:
    """Return the interval of a share whose standard error on the logit scale is given."""
    from scipy.special import expit, logit

    half = z_quantile(level) * error
    return float(expit(logit(value) - half)), float(expit(logit(value) + half))


def auc_estimate(ranking: Ranking, level: float = 0.95) -> Estimate:
    """Return the AUC of a ranking with DeLong's interval on the logit scale."""
    fewest = min(ranking.positives, ranking.negatives)
    low, high = auc_interval(ranking.auc, ranking.cautious_variance(), fewest, level)
    return Estimate(ranking.auc, low, high, "DeLong, logit")


def precision_interval(value: float, positives: int, level: float = 0.95) -> tuple[float, float]:
    r"""Return the ends of the logit interval of an average precision.

    The standard error of logit(AP) is (m AP (1 - AP))^(-1/2) with m positives.

    Source: Boyd, Eng and Page, Area under the precision-recall curve: point estimates
    and confidence intervals, ECML PKDD (2013), section 4.
    """
    return auc_interval(value, value * (1 - value) / positives, positives, level)


def average_precision_estimate(ranking: Ranking, level: float = 0.95) -> Estimate:
    """Return the average precision of a ranking with its logit interval."""
    value = ranking.average_precision
    return Estimate(value, *precision_interval(value, ranking.positives, level), "logit")


def places(
    ordered: Float[np.ndarray, " n"], queries: Float[np.ndarray, " m"]
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Return how many of the ordered values are below each query, and how many not above it."""
    left = np.searchsorted(ordered, queries, "left")
    if not len(ordered):
        return left, left
    tied = np.flatnonzero(ordered[np.minimum(left, len(ordered) - 1)] == queries)
    if not len(tied):
        return left, left
    right = left.copy()
    right[tied] = np.searchsorted(ordered, queries[tied], "right")
    return left, right


def _squares(values: np.ndarray, counts: np.ndarray, mean: float) -> float:
    """Return the sum of squared deviations of grouped values."""
    values -= mean
    values *= values
    values *= counts
    return float(values.sum())


def thinned(count: int, points: int = CURVE_POINTS) -> np.ndarray:
    """Return indices of at most ``points`` thresholds, dense at both ends, ascending."""
    if count <= points:
        return np.arange(count)
    even = np.linspace(0, count - 1, points // 2)
    steps = np.geomspace(1, count, points // 4) - 1
    return np.unique(np.concatenate([even, steps, count - 1 - steps]).round().astype(int))
