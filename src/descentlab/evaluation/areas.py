"""AUC and average precision of all classes: one against the rest, one against one, and means."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.grouping import Groups, Sample
from descentlab.evaluation.means import ONE_AGAINST_ONE, Column, Part, Weights, parts
from descentlab.evaluation.pooled import Pool
from descentlab.evaluation.ranking import (
    Ranking,
    auc_estimate,
    auc_interval,
    average_precision_estimate,
)
from descentlab.evaluation.results import Curve, Estimate
from descentlab.evaluation.scores import Scores

NO_REST = "undefined (every example is of this class)"
EMPTY = "undefined (n = 0)"
ONE_CLASS = "undefined (one class only)"
MEANS: tuple[str, ...] = ("macro", "weighted", "micro", "ovo_macro", "ovo_weighted")


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
    influence: Mapping[int | str, Float[np.ndarray, " m"]]
    """Of sampled examples on the AUC of each class and on the means; none with many classes."""
    sample: Sample | None


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
        return _column(groups, scores.column(k), k).ranking().auc

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
        return _undefined(groups)
    sample = Sample.of(groups)
    pool = Pool.of(scores, labels, sample)
    rankings: dict[int, Ranking] = {}
    influence: dict[int | str, np.ndarray] = {}
    shares = np.zeros(len(sample.index))
    sums: tuple[dict[str, Part], dict[str, Part]] = {}, {}
    for k, each in enumerate(_by_class(groups, scores, sample, pool)):
        shares += each.shares
        if each.ranking is not None:
            rankings[k] = each.ranking
            if scores.classes <= ONE_AGAINST_ONE:
                influence[k] = each.influence
            for total, found in zip(sums, each.parts, strict=True):
                total |= {
                    name: total[name] + p if name in total else p for name, p in found.items()
                }
    everything = pool.ranking()
    variance = pool.variance(everything, sample, shares, scores.classes)
    auc, precision = (_means(total, sample, groups, level) for total in sums)
    left_out = Estimate.undefined(f"left out above {ONE_AGAINST_ONE} classes")
    auc["micro"] = _mean(everything.auc, variance, groups, level)
    precision["micro"] = average_precision_estimate(everything, level)
    influence |= {name: part.influence for name, part in sums[0].items()}
    by_class = _by_class_estimates(groups, rankings, level)
    means = dict.fromkeys(MEANS, left_out) | auc, precision
    return Areas(*by_class, *means, *_curves(rankings, everything), rankings, influence, sample)


@dataclass(frozen=True)
class _Class:
    """What one class's column gives: its ranking, and its part in every mean."""

    ranking: Ranking | None
    shares: Float[np.ndarray, " m"]
    influence: Float[np.ndarray, " m"]
    parts: tuple[dict[str, Part], dict[str, Part]]


def _by_class(groups: Groups, scores: Scores, sample: Sample, pool: Pool) -> Iterator[_Class]:
    weights = Weights.of(groups.support)

    def one(k: int) -> _Class:
        column = _column(groups, scores.column(k), k, sample)
        pool.add([part for part, _ in column.others])
        shares = pool.shares_above(column.picked)
        shares[sample.part(k)] = 0  # an example's own class is no negative
        if not 0 < groups.support[k] < len(groups):
            return _Class(None, shares, shares, ({}, {}))
        ranking = column.ranking()
        influence, *found = parts(column, ranking, sample, weights)
        return _Class(ranking, shares, influence, (found[0], found[1]))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        yield from threads.map(one, range(scores.classes))


def _column(groups: Groups, values: np.ndarray, k: int, sample: Sample | None = None) -> Column:
    """Take a column of scores apart; with many classes all others are one part, of class -1."""
    picked = values[:0] if sample is None else values[sample.index]
    if len(groups.support) > ONE_AGAINST_ONE:
        own, rest = groups.in_two(values, k)
        return Column(k, own, [(rest, -1)], picked, groups.support)
    found = groups.by_class(values)
    others = [(part, other) for other, part in enumerate(found) if other != k]
    return Column(k, found[k], others, picked, groups.support)


def _means(
    total: dict[str, Part], sample: Sample, groups: Groups, level: float
) -> dict[str, Estimate]:
    return {
        name: _mean(part.value, sample.variance_of_mean(part.influence, len(groups)), groups, level)
        for name, part in total.items()
    }


def _mean(value: float, variance: float, groups: Groups, level: float) -> Estimate:
    support = groups.support
    over = None if (support > 0).all() else tuple(np.flatnonzero(support).tolist())
    low, high = auc_interval(value, variance, int(support[support > 0].min()), level)
    return Estimate(value, low, high, "DeLong, logit", over=over)


def _by_class_estimates(
    groups: Groups, rankings: dict[int, Ranking], level: float
) -> tuple[tuple[Estimate, ...], tuple[Estimate, ...]]:
    """Return AUC and average precision of each class, or why they are undefined."""
    areas: list[Estimate] = []
    precisions: list[Estimate] = []
    for k, n in enumerate(groups.support):
        missing = Estimate.undefined(NO_REST if n else EMPTY)
        ranking = rankings.get(k)
        areas.append(auc_estimate(ranking, level) if ranking else missing)
        precisions.append(average_precision_estimate(ranking, level) if ranking else missing)
    return tuple(areas), tuple(precisions)


def _curves(
    rankings: dict[int, Ranking], everything: Ranking
) -> tuple[dict[int | str, Curve], dict[int | str, Curve]]:
    roc: dict[int | str, Curve] = {k: ranking.roc() for k, ranking in rankings.items()}
    recalls: dict[int | str, Curve] = {k: r.precision_recall() for k, r in rankings.items()}
    roc |= {"macro": _mean_roc(list(roc.values())), "micro": everything.roc()}
    recalls["micro"] = everything.precision_recall()
    return roc, recalls


def _mean_roc(curves: list[Curve]) -> Curve:
    """Return the mean of true positive rates at the same false positive rate."""
    x = np.unique(np.concatenate([np.linspace(0, 1, 201), np.geomspace(1e-4, 1, 60)]))
    y = np.mean([np.interp(x, curve.x, curve.y) for curve in curves], axis=0)
    ends = np.concatenate([[0.0], x]), np.concatenate([[0.0], y])
    return Curve(*ends, np.full(len(x) + 1, np.nan))


def _undefined(groups: Groups) -> Areas:
    by_class = tuple(Estimate.undefined(NO_REST if n else EMPTY) for n in groups.support)
    none = Estimate.undefined(ONE_CLASS)
    auc, precision = dict.fromkeys(MEANS, none), dict.fromkeys(MEANS[:3], none)
    return Areas(by_class, by_class, auc, precision, {}, {}, {}, {}, None)
