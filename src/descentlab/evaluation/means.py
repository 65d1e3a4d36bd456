"""Means of areas over classes, and the part that one class's column has in each of them.

The variance of a mean needs what the classes' areas have in common, since an example is a
positive of one class and a negative of all others. So each column gives, beside its
areas, the influence that sampled examples have on every mean; summed over columns, the
mean square of an example's influence is n times the variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.grouping import Sample
from descentlab.evaluation.ranking import Ranking, places

ONE_AGAINST_ONE = 100
"""With more classes than this, pairs of classes are not compared."""


@dataclass(frozen=True)
class Weights:
    """How much each class, and each ordered pair of classes, counts in the means.

    Attributes:
        classes: ``macro`` and ``weighted``: ``[classes]``.
        pairs: ``ovo_macro`` and ``ovo_weighted``, one against one: ``[classes, classes]``,
            after Hand and Till (2001); empty with too many classes.
    """

    classes: dict[str, Float[np.ndarray, " classes"]]
    pairs: dict[str, Float[np.ndarray, "classes classes"]]

    @classmethod
    def of(cls, support: Int[np.ndarray, " classes"]) -> Weights:
        """Return the weights; classes without examples have none."""
        there = (support > 0).astype(np.float64)
        classes = {"macro": there / there.sum(), "weighted": support / support.sum()}
        if len(support) > ONE_AGAINST_ONE:
            return cls(classes, {})
        both = np.outer(there, there) * (1 - np.eye(len(support)))
        sums = both * (support[:, None] + support)
        return cls(classes, {"ovo_macro": both / both.sum(), "ovo_weighted": sums / sums.sum()})


@dataclass(frozen=True)
class Column:
    """One class's column of scores, taken apart.

    Attributes:
        k: the class.
        own: sorted scores of its examples.
        others: sorted scores of each other class (or of all others, class -1).
        picked: scores of the sampled examples.
        support: examples of each class.
    """

    k: int
    own: Float[np.ndarray, " members"]
    others: list[tuple[Float[np.ndarray, " part"], int]]
    picked: Float[np.ndarray, " m"]
    support: Int[np.ndarray, " classes"]

    def ranking(self) -> Ranking:
        """Return the ranking of the class against all others."""
        return Ranking.of(self.own, [part for part, _ in self.others])


@dataclass
class Part:
    """A mean's value as far as it is summed, and the sampled examples' influence on it."""

    value: float
    influence: Float[np.ndarray, " m"]

    def __add__(self, other: Part) -> Part:
        """Return the sum of two columns' parts."""
        return Part(self.value + other.value, self.influence + other.influence)


def parts(
    column: Column, ranking: Ranking, sample: Sample, weights: Weights
) -> tuple[Float[np.ndarray, " m"], dict[str, Part], dict[str, Part]]:
    """Return the influence on the class's own AUC, and the parts in the means.

    The parts are those in the means of AUC, and those in the means of average precision.
    """
    k, n = column.k, int(column.support.sum())
    mine = sample.part(k)
    below, upto = places(column.own, column.picked)
    above = 1 - (below + upto) / (2 * len(column.own))
    counts = [_half_places(part, column.picked[mine]) for part, _ in column.others]
    influence = (above - ranking.auc) * (n / ranking.negatives)
    influence[mine] = (sum(counts) / ranking.negatives - ranking.auc) * (n / ranking.positives)
    _scale(influence, ranking.cautious_variance(), mine, sample, n)
    precise = ranking.precision_influence(column.picked, positive=False)
    precise[mine] = ranking.precision_influence(column.picked[mine], positive=True)
    # Boyd's variance is the better one for few positives; the influences tell what classes share.
    _scale(precise, ranking.precision_variance, mine, sample, n)
    area: dict[str, Part] = {}
    precision: dict[str, Part] = {}
    for name, w in weights.classes.items():
        area[name] = Part(float(w[k] * ranking.auc), w[k] * influence)
        precision[name] = Part(float(w[k] * ranking.average_precision), w[k] * precise)
    for name, w in weights.pairs.items():
        area[name] = _pairs(column, ranking, w[k], above, counts, sample)
    return influence, area, precision


def _scale(influence: np.ndarray, variance: float, mine: slice, sample: Sample, n: int) -> None:
    """Scale an influence so that it has a variance; the class's own examples bear what it lacks."""
    known = sample.variance_of_mean(influence, n)
    if known > 0 and influence[mine].any():
        influence *= (variance / known) ** 0.5
    elif len(influence[mine]) and variance > known:  # a single positive has no spread of its own
        influence[mine] = ((variance - known) * n / sample.weight[mine].sum()) ** 0.5


def _half_places(part: np.ndarray, values: np.ndarray) -> np.ndarray:
    below, upto = places(part, values)
    return (below + upto) / 2


def _pairs(
    column: Column, ranking: Ranking, weight: np.ndarray, above: np.ndarray,
    counts: list[np.ndarray], sample: Sample,
) -> Part:  # fmt: skip
    """Return a column's part in a mean over pairs: its class against each other one alone."""
    mine, n = sample.part(column.k), column.support.sum()
    found = Part(0.0, np.zeros(len(above)))
    for (part, other), count, area in zip(column.others, counts, ranking.against, strict=True):
        if not len(part):
            continue
        theirs, share = sample.part(other), weight[other]
        found.value += float(share * area)
        found.influence[mine] += share * (count / len(part) - area) * (n / len(column.own))
        found.influence[theirs] = share * (above[theirs] - area) * (n / len(part))
    return found
