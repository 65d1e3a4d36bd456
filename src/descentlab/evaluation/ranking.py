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
        for part in negatives:
            left, right = places(part, scores)
            below += left
            upto += right
        return cls(scores, ties, below, upto, sum(map(len, negatives)))

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
        own = (self.below + self.upto) / (2 * n)
        # Negatives between two positives have the same share of positives above them.
        before = np.append(0, self.upto[:-1])
        after = self.above - self.ties
        groups = np.concatenate([self.below - before, self.upto - self.below])
        shares = np.concatenate([self.above, after + self.ties / 2]) / m
        rest = n - self.upto[-1]  # above every positive: a share of 0
        of_positives = _variance(own, self.ties, self.auc)
        of_negatives = _variance(np.append(shares, 0), np.append(groups, rest), self.auc)
        return of_positives / m + of_negatives / n

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

    def roc(self, points: int = CURVE_POINTS) -> Curve:
        """Return the ROC curve, thinned: every drawn point is a point of the exact one."""
        keep = _thinned(len(self.scores), points)[::-1]
        # Two corners a threshold: just above the negatives tied with it, and with them.
        recall = self.above / self.positives
        false = (self.negatives - self.below) / self.negatives
        before = (self.negatives - self.upto) / self.negatives
        higher = recall - self.ties / self.positives
        x = np.column_stack([before[keep], false[keep]]).ravel()
        y = np.column_stack([higher[keep], recall[keep]]).ravel()
        score = np.repeat(self.scores[keep], 2).astype(np.float64)
        return Curve(
            np.concatenate([[0.0], x, [1.0]]),
            np.concatenate([[0.0], y, [1.0]]),
            np.concatenate([[np.inf], score, [-np.inf]]),
        )

    def precision_recall(self, points: int = CURVE_POINTS) -> Curve:
        """Return the precision–recall curve, thinned, by growing recall."""
        keep = _thinned(len(self.scores), points)[::-1]
        return Curve(
            self.above[keep] / self.positives,
            self.precision[keep],
            self.scores[keep].astype(np.float64),
        )


def auc_interval(
    auc: float, variance: float, fewest: int, level: float = 0.95
) -> tuple[float, float]:
    r"""Return the ends of an interval of an AUC from its variance, on the logit scale.

    .. math:: \operatorname{logit}(A) \pm z \sqrt{V} / (A (1 - A))

    which stays inside [0, 1]. Where all pairs are in order (or none) the variance is
    zero and says nothing; then Wilson's interval of that many examples, ``fewest``, all
    in order stands in.

    Args:
        auc: the area.
        variance: of the area, as DeLong's.
        fewest: the smaller of the numbers of positives and negatives.
        level: the nominal coverage.

    Source: Pepe, The Statistical Evaluation of Medical Tests for Classification and
    Prediction (2003), section 5.2.
    """
    if auc * (1 - auc) <= 1e-12 or variance <= 0:
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
    low, high = auc_interval(ranking.auc, ranking.variance(), fewest, level)
    return Estimate(ranking.auc, low, high, "DeLong, logit")


def average_precision_estimate(ranking: Ranking, level: float = 0.95) -> Estimate:
    r"""Return the average precision with its logit interval.

    The standard error of logit(AP) is (m AP (1 - AP))^(-1/2) with m positives.

    Source: Boyd, Eng and Page, Area under the precision-recall curve: point estimates
    and confidence intervals, ECML PKDD (2013), section 4.
    """
    value, m = ranking.average_precision, ranking.positives
    low, high = auc_interval(value, ranking.precision_variance, m, level)
    return Estimate(value, low, high, "logit")


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


def _variance(values: np.ndarray, counts: np.ndarray, mean: float) -> float:
    """Return the sample variance of grouped values; the largest possible one of a single value."""
    total = int(counts.sum())
    if total < 2:
        return mean * (1 - mean)
    return float((counts * (values - mean) ** 2).sum() / (total - 1))


def _thinned(count: int, points: int) -> np.ndarray:
    """Return indices of at most ``points`` thresholds, dense at both ends, ascending."""
    if count <= points:
        return np.arange(count)
    even = np.linspace(0, count - 1, points // 2)
    steps = np.geomspace(1, count, points // 4) - 1
    return np.unique(np.concatenate([even, steps, count - 1 - steps]).round().astype(int))
