"""AUC and average precision of all classes: one against the rest, one against one, and means."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

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
    thresholds: Mapping[int, Threshold]
    """Of each class, if a recall was asked for."""
    influence: Mapping[int | str, Float[np.ndarray, " m"]]
    """Of sampled examples on the AUC of each class and on the means; none with many classes."""
    sample: Sample | None


@dataclass(frozen=True)
class Threshold:
    """The highest score from which on examples must be given a class to reach a recall.

    Attributes:
        score: that threshold.
        hits: examples of the class with that score or a higher one.
        flagged: all examples with it.
    """

    score: float
    hits: int
    flagged: int


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
        return _column(groups, scores, k).ranking().auc

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return np.array(list(pool.map(one, range(scores.classes))))


def areas(
    labels: Int[np.ndarray, " n"],
    scores: Scores,
    level: float = 0.95,
    *,
    recall: float | None = None,
) -> Areas:
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
        recall: a recall for which each class's threshold is wanted.
    """
    groups = Groups.of(labels, scores.classes)
    if (groups.support > 0).sum() < 2:
        return _undefined(groups)
    sample = Sample.of(groups)
    pool = Pool.of(scores, labels, sample)
    shares = np.zeros(len(sample.index))
    classes: dict[int, _Class] = {}
    sums: tuple[dict[str, Part], dict[str, Part]] = {}, {}
    for k, (each, share) in enumerate(_by_class(groups, scores, sample, pool, level, recall)):
        shares += share
        if each is not None:
            for total, found in zip(sums, each.parts, strict=True):
                for name, part in found.items():
                    total[name] = total[name] + part if name in total else part
            classes[k] = each.without_parts()
    auc, precision = (_means(total, sample, groups, level) for total in sums)
    left_out = Estimate.undefined(f"left out above {ONE_AGAINST_ONE} classes")
    micro = pool.finish(sample, shares, scores.classes, level)
    auc["micro"], precision["micro"] = micro.auc, micro.average_precision
    roc: dict[int | str, Curve] = {k: each.roc for k, each in classes.items()}
    recalls: dict[int | str, Curve] = {k: each.recalls for k, each in classes.items()}
    missing = [Estimate.undefined(NO_REST if n else EMPTY) for n in groups.support]
    influence: dict[int | str, np.ndarray] = {n: p.influence for n, p in sums[0].items()}
    if scores.classes <= ONE_AGAINST_ONE:
        influence |= {k: each.influence for k, each in classes.items()}
    return Areas(
        tuple(classes[k].auc if k in classes else e for k, e in enumerate(missing)),
        tuple(classes[k].precision if k in classes else e for k, e in enumerate(missing)),
        dict.fromkeys(MEANS, left_out) | auc,
        precision,
        roc | {"macro": _mean_roc(list(roc.values())), "micro": micro.roc},
        recalls | {"micro": micro.precision_recall},
        {k: each.threshold for k, each in classes.items() if each.threshold},
        influence,
        sample,
    )


@dataclass(frozen=True)
class _Class:
    """What one class's column gives."""

    auc: Estimate
    precision: Estimate
    roc: Curve
    recalls: Curve
    threshold: Threshold | None
    influence: Float[np.ndarray, " m"]
    parts: tuple[dict[str, Part], dict[str, Part]]

    @classmethod
    def of(
        cls, column: Column, sample: Sample, weights: Weights, level: float, recall: float | None
    ) -> _Class:
        ranking = column.ranking()
        influence, area, precision = parts(column, ranking, sample, weights)
        standing = ranking.standing()
        return cls(
            auc_estimate(ranking, level), average_precision_estimate(ranking, level),
            standing.roc(), standing.precision_recall(),
            None if recall is None else _threshold(ranking, recall),
            influence if len(column.support) <= ONE_AGAINST_ONE else influence[:0],
            (area, precision),
        )  # fmt: skip

    def without_parts(self) -> _Class:
        return replace(self, parts=({}, {}))


def _threshold(ranking: Ranking, recall: float) -> Threshold:
    at = ranking.threshold(recall)
    hits = int(ranking.above[at])
    return Threshold(
        float(ranking.scores[at]), hits, hits + int(ranking.negatives - ranking.below[at])
    )


def _by_class(
    groups: Groups, scores: Scores, sample: Sample, pool: Pool, level: float, recall: float | None
) -> Iterator[tuple[_Class | None, Float[np.ndarray, " m"]]]:
    """Yield what each column gives, and the share of positives above the sample's negatives."""
    weights = Weights.of(groups.support)

    def one(k: int) -> tuple[_Class | None, np.ndarray]:
        column = _column(groups, scores, k, sample)
        pool.add([part for part, _ in column.others])
        shares = pool.shares_above(column.picked)
        shares[sample.part(k)] = 0  # an example's own class is no negative
        if not 0 < groups.support[k] < len(groups):
            return None, shares
        return _Class.of(column, sample, weights, level, recall), shares

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        yield from threads.map(one, range(scores.classes))


def _column(groups: Groups, scores: Scores, k: int, sample: Sample | None = None) -> Column:
    """Take a column of scores apart; with many classes all others are one part, of class -1."""
    values = scores.column(k)
    picked = values[:0] if sample is None else values[sample.index]
    if len(groups.support) > ONE_AGAINST_ONE:
        own, rest = groups.in_two(values, k)
        return Column(k, own, [(rest, -1)], picked, groups.support)
    values = values[groups.order]
    found = groups.split(values)
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
