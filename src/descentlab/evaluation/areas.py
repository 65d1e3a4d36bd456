"""AUC and average precision of all classes: one against the rest, one against one, and means."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.grouping import Groups, Sample
from descentlab.evaluation.pooled import Pool
from descentlab.evaluation.ranking import (
    Ranking,
    auc_estimate,
    auc_interval,
    average_precision_estimate,
    places,
)
from descentlab.evaluation.results import Curve, Estimate
from descentlab.evaluation.scores import Scores

ONE_AGAINST_ONE = 100
"""With more classes than this, pairs of classes are not compared."""

NO_REST = "undefined (every example is of this class)"
EMPTY = "undefined (n = 0)"
ONE_CLASS = "undefined (one class only)"


@dataclass(frozen=True)
class Areas:
    """What the scores' order says; see :class:`~descentlab.evaluation.results.Evaluation`."""

    auc_by_class: tuple[Estimate, ...]
    precision_by_class: tuple[Estimate, ...]
    auc: Mapping[str, Estimate]
    average_precision: Mapping[str, Estimate]
    roc: Mapping[int | str, Curve]
    precision_recall: Mapping[int | str, Curve]
    rankings: Mapping[int, Ranking]


def auc_by_class(
    labels: Int[np.ndarray, " n"], scores: Scores, *, threads: int | None = None
) -> Float[np.ndarray, " classes"]:
    """Return the exact one-against-rest AUC of every class, NaN for one that has no examples.

    Equal to ``sklearn.metrics.roc_auc_score(..., multi_class="ovr", average=None)``;
    ties count half.

    Args:
        labels: true classes 0 … K-1.
        scores: of every class for every example.
        threads: classes looked at side by side; the number of cores by default.
    """
    groups = Groups.of(labels, scores.classes)

    def one(k: int) -> float:
        if not 0 < groups.support[k] < len(groups):
            return float("nan")
        own, others = _parts(groups, scores.column(k), k, scores.classes)
        return Ranking.of(own, [part for part, _ in others]).auc

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return np.array(list(pool.map(one, range(scores.classes))))


def areas(labels: Int[np.ndarray, " n"], scores: Scores, level: float = 0.95) -> Areas:
    """Return areas, their intervals and curves for all classes.

    Means over classes take those that have examples. ``macro`` and ``weighted`` are
    means of one-against-rest areas, equal or weighted by support; ``micro`` is the area
    over all (example, class) pairs. The variances of means come from the influence of
    single examples on each class's area (their placements, as in DeLong's), summed over
    classes, so that what the classes share is counted.

    Args:
        labels: true classes 0 … K-1.
        scores: of every class for every example.
        level: the nominal coverage.
    """
    groups = Groups.of(labels, scores.classes)
    if (groups.support > 0).sum() < 2:
        return _undefined(groups, scores.classes)
    sample = Sample.of(groups)
    pool = Pool.of(scores, labels, sample)
    weights, m = Weights.of(groups.support), len(sample.index)
    rankings: dict[int, Ranking] = {}
    values = dict.fromkeys(weights.names, 0.0)
    influences = {name: np.zeros(m) for name in weights.names}
    shares = np.zeros(m)
    for k, each in enumerate(_by_class(groups, scores, sample, pool, weights)):
        shares += each.shares
        if each.ranking is not None:
            rankings[k] = each.ranking
            for name in weights.names:
                values[name] += each.values[name]
                influences[name] += each.influences[name]
    auc = {
        name: _mean(values[name], sample.variance_of_mean(found, len(groups)), groups, level)
        for name, found in influences.items()
    }
    if not weights.pairs:
        left_out = Estimate.undefined(f"left out above {ONE_AGAINST_ONE} classes")
        auc |= dict.fromkeys(("ovo_macro", "ovo_weighted"), left_out)
    everything = pool.ranking()
    variance = pool.variance(everything, sample, shares, scores.classes)
    auc["micro"] = _mean(everything.auc, variance, groups, level)
    return _collect(groups, rankings, everything, auc, level)


@dataclass(frozen=True)
class Weights:
    """How much each class, and each ordered pair of classes, counts in the means.

    Attributes:
        classes: ``macro`` and ``weighted``, one against the rest: ``[classes]``.
        pairs: ``ovo_macro`` and ``ovo_weighted``, one against one: ``[classes, classes]``,
            after Hand and Till (2001); empty with too many classes.
    """

    classes: dict[str, Float[np.ndarray, " classes"]]
    pairs: dict[str, Float[np.ndarray, "classes classes"]]

    @property
    def names(self) -> list[str]:
        """Names of the means."""
        return [*self.classes, *self.pairs]

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


@dataclass
class _Class:
    """What one class's column gives: its ranking, and its part in every mean."""

    ranking: Ranking | None
    shares: Float[np.ndarray, " m"]
    values: dict[str, float]
    influences: dict[str, Float[np.ndarray, " m"]]


def _by_class(
    groups: Groups, scores: Scores, sample: Sample, pool: Pool, weights: Weights
) -> Iterator[_Class]:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        yield from threads.map(
            lambda k: _one_class(k, groups, scores, sample, pool, weights), range(scores.classes)
        )


def _one_class(
    k: int, groups: Groups, scores: Scores, sample: Sample, pool: Pool, weights: Weights
) -> _Class:
    column, mine = scores.column(k), sample.part(k)
    picked = column[sample.index]
    own, others = _parts(groups, column, k, scores.classes)
    del column
    pool.add([part for part, _ in others])
    shares = pool.shares_above(picked)
    shares[mine] = 0  # an example's own class is no negative
    if not 0 < groups.support[k] < len(groups):
        return _Class(None, shares, {}, {})
    ranking = Ranking.of(own, [part for part, _ in others])
    below, upto = places(own, picked)
    above = 1 - (below + upto) / (2 * len(own))
    counts = [sum(places(part, picked[mine])) / 2 for part, _ in others]
    influence = (above - ranking.auc) * (len(groups) / ranking.negatives)
    under = sum(counts) / ranking.negatives
    influence[mine] = (under - ranking.auc) * (len(groups) / len(own))
    values = {name: float(w[k] * ranking.auc) for name, w in weights.classes.items()}
    influences = {name: w[k] * influence for name, w in weights.classes.items()}
    for name, w in weights.pairs.items():
        values[name], influences[name] = 0.0, np.zeros(len(picked))
        for (part, other), count in zip(others, counts, strict=True):
            theirs = sample.part(other)
            area = Ranking.of(own, [part]).auc if len(part) else 0.0
            values[name] += float(w[k, other] * area)
            influences[name][mine] += (
                w[k, other] * (count / max(1, len(part)) - area) * len(groups) / len(own)
            )
            influences[name][theirs] = (
                w[k, other] * (above[theirs] - area) * len(groups) / max(1, len(part))
            )
    return _Class(ranking, shares, values, influences)


def _parts(
    groups: Groups, column: np.ndarray, k: int, classes: int
) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
    """Return the sorted scores for class ``k`` of its examples, and of each other class.

    With many classes all others are one part, of class -1.
    """
    if classes > ONE_AGAINST_ONE:
        own, rest = groups.in_two(column, k)
        return own, [(rest, -1)]
    parts = groups.by_class(column)
    return parts[k], [(part, other) for other, part in enumerate(parts) if other != k]


def _mean(value: float, variance: float, groups: Groups, level: float) -> Estimate:
    support = groups.support
    over = None if (support > 0).all() else tuple(np.flatnonzero(support).tolist())
    low, high = auc_interval(value, variance, int(support[support > 0].min()), level)
    return Estimate(value, low, high, "DeLong, logit", over=over)


def _collect(
    groups: Groups, rankings: dict[int, Ranking], everything: Ranking, auc: dict[str, Estimate],
    level: float,
) -> Areas:  # fmt: skip
    by_class: list[Estimate] = []
    precisions: list[Estimate] = []
    for k, n in enumerate(groups.support):
        missing = Estimate.undefined(NO_REST if n else EMPTY)
        ranking = rankings.get(k)
        by_class.append(auc_estimate(ranking, level) if ranking else missing)
        precisions.append(average_precision_estimate(ranking, level) if ranking else missing)
    over = None if (groups.support > 0).all() else tuple(rankings)
    average = {
        name: _mean_precision(rankings, weight, over, level)
        for name, weight in Weights.of(groups.support).classes.items()
    } | {"micro": average_precision_estimate(everything, level)}
    roc: dict[int | str, Curve] = {k: ranking.roc() for k, ranking in rankings.items()}
    roc |= {"macro": _mean_roc(list(roc.values())), "micro": everything.roc()}
    recalls: dict[int | str, Curve] = {k: r.precision_recall() for k, r in rankings.items()}
    recalls["micro"] = everything.precision_recall()
    return Areas(tuple(by_class), tuple(precisions), auc, average, roc, recalls, rankings)


def _mean_precision(
    rankings: dict[int, Ranking], weight: np.ndarray, over: tuple[int, ...] | None, level: float
) -> Estimate:
    """Return a mean of average precisions; those of different classes count as independent."""
    value = variance = 0.0
    for k, ranking in rankings.items():
        area = ranking.average_precision
        value += weight[k] * area
        variance += weight[k] ** 2 * area * (1 - area) / ranking.positives
    fewest = min(ranking.positives for ranking in rankings.values())
    low, high = auc_interval(value, variance, fewest, level)
    return Estimate(float(value), low, high, "logit", over=over)


def _mean_roc(curves: list[Curve]) -> Curve:
    """Return the mean of true positive rates at the same false positive rate."""
    x = np.unique(np.concatenate([np.linspace(0, 1, 201), np.geomspace(1e-4, 1, 60)]))
    y = np.mean([np.interp(x, curve.x, curve.y) for curve in curves], axis=0)
    ends = np.concatenate([[0.0], x]), np.concatenate([[0.0], y])
    return Curve(*ends, np.full(len(x) + 1, np.nan))


def _undefined(groups: Groups, classes: int) -> Areas:
    by_class = tuple(Estimate.undefined(NO_REST if n else EMPTY) for n in groups.support)
    none = Estimate.undefined(ONE_CLASS)
    names = ("macro", "weighted", "micro", "ovo_macro", "ovo_weighted")
    return Areas(
        by_class, by_class, dict.fromkeys(names, none), dict.fromkeys(names[:3], none), {}, {}, {}
    )
