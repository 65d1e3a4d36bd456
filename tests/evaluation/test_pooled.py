"""All (example, class) pairs as one problem: scikit-learn's micro figures, however it is parted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from descentlab.evaluation import pooled
from descentlab.evaluation.grouping import Groups, Sample
from descentlab.evaluation.pooled import Micro, Pool
from descentlab.evaluation.scores import Scores
from tests.evaluation.test_scores import sample, softmax


def micro(labels: Any, p: Any, order: Any = None) -> Micro:
    """Add the negatives class by class, in any order."""
    n, classes = p.shape
    groups = Groups.of(labels, classes)
    chosen = Sample.of(groups)
    pool = Pool.of(Scores.of("probabilities", p), labels, chosen)
    shares = np.zeros(len(chosen.index))
    for k in range(classes) if order is None else order:
        found = groups.split(p[groups.order, k])
        pool.add([part for other, part in enumerate(found) if other != k])
        above = pool.shares_above(p[chosen.index, k])
        above[chosen.part(k)] = 0
        shares += above
    assert pool.negatives == n * (classes - 1)
    return pool.finish(chosen, shares, classes, 0.95)


@pytest.mark.parametrize("decimals", [1, 2, 12])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_figures_are_scikit_learns(classes: int, decimals: int, monkeypatch) -> None:
    labels, logits = sample(classes, 400, classes)
    p, one = softmax(logits).round(decimals), np.eye(classes)[labels]
    found = micro(labels, p)
    assert found.auc.value == pytest.approx(metrics.roc_auc_score(one.ravel(), p.ravel()))
    expected = metrics.average_precision_score(one.ravel(), p.ravel())
    assert found.average_precision.value == pytest.approx(expected)
    monkeypatch.setattr(pooled, "CHUNK", 16)
    parted = micro(labels, p, order=range(classes - 1, -1, -1))
    assert parted.auc == found.auc
    assert parted.average_precision.value == pytest.approx(expected)


@pytest.mark.parametrize("decimals", [1, 12])
@pytest.mark.parametrize("n", [100, 2000])
def test_curves_lie_on_scikit_learns(n: int, decimals: int) -> None:
    labels, logits = sample(3, n, 4)
    p, one = softmax(logits).round(decimals), np.eye(4)[labels].ravel()
    found = micro(labels, p)
    x, y, _ = metrics.roc_curve(one, p.ravel(), drop_intermediate=False)
    corners = set(zip(x.round(9), y.round(9), strict=True))
    assert set(zip(found.roc.x.round(9), found.roc.y.round(9), strict=True)) <= corners
    precision, recall, _ = metrics.precision_recall_curve(one, p.ravel())
    points = set(zip(recall.round(9), precision.round(9), strict=True))
    curve = found.precision_recall
    assert set(zip(curve.x.round(9), curve.y.round(9), strict=True)) <= points
    if n == 100:
        area = float(np.trapezoid(found.roc.y, found.roc.x))
        assert area == pytest.approx(found.auc.value)


def test_a_perfect_model_has_an_area_of_1_and_an_interval() -> None:
    labels = np.arange(30) % 3
    found = micro(labels, np.eye(3)[labels])
    assert found.auc.value == found.average_precision.value == found.auc.high == 1
    assert found.auc.low is not None and 0.8 < found.auc.low < 1


def test_a_model_that_says_nothing_has_an_area_of_a_half() -> None:
    labels = np.arange(30) % 3
    found = micro(labels, np.full((30, 3), 1 / 3))
    assert found.auc.value == 0.5
    assert found.average_precision.value == pytest.approx(1 / 3)


def test_more_pairs_than_32_bits_count_are_counted_in_64() -> None:
    class Many(Scores):
        @property
        def classes(self) -> int:
            return 2**30

    labels, p = np.array([0, 1, 0]), np.full((3, 2), 0.5)
    chosen = Sample.of(Groups.of(labels, 2))
    pool = Pool.of(Many("probabilities", (p,)), labels, chosen)
    assert pool.reached.dtype == np.int64
    few = Pool.of(Scores("probabilities", (p,)), labels, chosen)
    assert few.reached.dtype == np.int32
