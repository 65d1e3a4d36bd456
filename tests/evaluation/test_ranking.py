"""One class against the rest: areas, their variance and their curves, against definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn import metrics

from descentlab.evaluation.proportions import wilson
from descentlab.evaluation.ranking import (
    CURVE_POINTS,
    Ranking,
    auc_estimate,
    auc_interval,
    average_precision_estimate,
    places,
    precision_interval,
    thinned,
)


def case(seed: int, n: int = 300, *, decimals: int = 1, share: float = 0.3, parts: int = 3):
    """Return positives, negatives in parts, and all of them as labels with scores; with ties."""
    random = np.random.default_rng(seed)
    labels = random.random(n) < share
    labels[:2] = True, False
    scores = random.normal(labels.astype(float), 1).round(decimals)
    negatives = np.array_split(scores[~labels], parts)
    return np.sort(scores[labels]), [np.sort(part) for part in negatives], labels, scores


def delong(positives, negatives) -> float:
    """Return DeLong's variance from every placement, as the paper has it."""
    psi = (positives[:, None] > negatives) + (positives[:, None] == negatives) / 2
    first, second = psi.mean(axis=1), psi.mean(axis=0)
    return first.var(ddof=1) / len(positives) + second.var(ddof=1) / len(negatives)


cases = pytest.mark.parametrize(
    ("seed", "options"),
    [
        (0, {}),
        (1, {"decimals": 6}),
        (2, {"decimals": 0}),
        (3, {"share": 0.02}),
        (4, {"share": 0.98, "parts": 2}),
        (5, {"n": 4000, "decimals": 2, "parts": 9}),
        (6, {"n": 5, "parts": 4}),
    ],
)


@cases
def test_areas_are_scikit_learns(seed: int, options) -> None:
    positives, negatives, labels, scores = case(seed, **options)
    ranking = Ranking.of(positives, negatives)
    assert ranking.auc == pytest.approx(metrics.roc_auc_score(labels, scores), rel=1e-12)
    expected = metrics.average_precision_score(labels, scores)
    assert ranking.average_precision == pytest.approx(expected, rel=1e-12)
    assert (ranking.positives, ranking.negatives) == (labels.sum(), (~labels).sum())
    for part, found in zip(negatives, ranking.against, strict=True):
        u = stats.mannwhitneyu(positives, part).statistic if len(part) else 0
        assert found == pytest.approx(u / max(1, len(positives) * len(part)), abs=1e-12)


@cases
def test_the_variance_is_delongs(seed: int, options) -> None:
    positives, negatives, labels, scores = case(seed, **options)
    if min(labels.sum(), (~labels).sum()) > 1:
        expected = delong(scores[labels], scores[~labels])
        assert Ranking.of(positives, negatives).variance() == pytest.approx(expected, rel=1e-9)


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=12),
    st.lists(st.integers(0, 4), min_size=2, max_size=12),
)
def test_the_variance_is_delongs_however_scores_are_tied(own, rest) -> None:
    positives, negatives = np.sort(own).astype(float), np.sort(rest).astype(float)
    ranking = Ranking.of(positives, [negatives])
    assert ranking.variance() == pytest.approx(delong(positives, negatives), abs=1e-12)
    psi = (positives[:, None] > negatives) + (positives[:, None] == negatives) / 2
    assert ranking.auc == pytest.approx(psi.mean(), abs=1e-12)


def test_a_single_positive_has_the_largest_variance_possible() -> None:
    ranking = Ranking.of(np.array([1.5]), [np.array([0.0, 1.0, 2.0])])
    area, placements = 2 / 3, np.array([1, 1, 0])
    expected = area * (1 - area) + placements.var(ddof=1) / 3
    assert ranking.variance() == pytest.approx(expected)


@given(st.integers(0, 10**6), st.sampled_from([np.exp, np.cbrt, lambda x: 7 * x - 3]))
def test_a_monotone_transform_of_the_scores_changes_nothing(seed: int, transform) -> None:
    positives, negatives, _, _ = case(seed, 60, decimals=1)
    one = Ranking.of(positives, negatives)
    other = Ranking.of(transform(positives), [transform(part) for part in negatives])
    assert (one.auc, one.average_precision) == (other.auc, other.average_precision)
    assert one.variance() == other.variance()
    mirrored = Ranking.of(-positives[::-1], [-part[::-1] for part in negatives])
    assert mirrored.auc == pytest.approx(1 - one.auc)


@cases
@pytest.mark.parametrize("points", [CURVE_POINTS, 12])
def test_every_point_of_a_roc_lies_on_scikit_learns(seed: int, options, points: int) -> None:
    positives, negatives, labels, scores = case(seed, **options)
    curve = Ranking.of(positives, negatives).standing(points).roc()
    x, y, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    corners = set(zip(x.round(9), y.round(9), strict=True))
    assert set(zip(curve.x.round(9), curve.y.round(9), strict=True)) <= corners
    assert (np.diff(curve.x) >= -1e-12).all() and (np.diff(curve.y) >= -1e-12).all()
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert curve.threshold[0] == math.inf and (np.diff(curve.threshold) <= 0).all()
    if len(np.unique(positives)) <= points:
        area = float(np.trapezoid(curve.y, curve.x))
        assert area == pytest.approx(metrics.roc_auc_score(labels, scores), rel=1e-12)


@cases
def test_every_point_of_a_precision_recall_curve_is_that_of_its_threshold(
    seed: int, options
) -> None:
    positives, negatives, labels, scores = case(seed, **options)
    curve = Ranking.of(positives, negatives).standing(50).precision_recall()
    for recall, precision, threshold in zip(curve.x, curve.y, curve.threshold, strict=True):
        flagged = scores >= threshold
        assert recall == pytest.approx(metrics.recall_score(labels, flagged))
        assert precision == pytest.approx(metrics.precision_score(labels, flagged))
    assert curve.x[-1] == 1 and (np.diff(curve.x) > 0).all()


@cases
@pytest.mark.parametrize("recall", [1e-9, 0.3, 0.5, 0.8, 1.0])
def test_a_threshold_is_the_highest_that_reaches_the_recall(seed, options, recall) -> None:
    positives, negatives, labels, scores = case(seed, **options)
    ranking = Ranking.of(positives, negatives)
    threshold = ranking.scores[ranking.threshold(recall)]
    assert metrics.recall_score(labels, scores >= threshold) >= recall
    assert metrics.recall_score(labels, scores > threshold, zero_division=0) < recall


@pytest.mark.parametrize("positive", [True, False])
def test_the_influence_on_average_precision_is_its_slope(positive: bool) -> None:
    positives, negatives, labels, scores = case(7, 400, decimals=6)
    ranking = Ranking.of(positives, negatives)
    values = scores[labels == positive][:40]
    found = ranking.precision_influence(values, positive=positive)
    weight = 1e-6
    for value, influence in zip(values, found, strict=True):
        weights = np.where((scores == value) & (labels == positive), 1 + weight, 1.0)
        more = metrics.average_precision_score(labels, scores, sample_weight=weights)
        slope = (more - ranking.average_precision) / weight * len(labels)
        assert influence == pytest.approx(slope, rel=2e-3, abs=2e-3)


def test_an_interval_is_on_the_logit_scale() -> None:
    positives, negatives, labels, scores = case(8)
    found = auc_estimate(Ranking.of(positives, negatives), 0.9)
    area = metrics.roc_auc_score(labels, scores)
    error = delong(scores[labels], scores[~labels]) ** 0.5 / (area * (1 - area))
    ends = expit(logit(area) + stats.norm.ppf(0.95) * error * np.array([-1, 1]))
    assert found.value == pytest.approx(area)
    assert (found.low, found.high) == pytest.approx(tuple(ends))


def test_an_average_precision_has_boyds_interval() -> None:
    positives, negatives, labels, scores = case(9)
    found = average_precision_estimate(Ranking.of(positives, negatives))
    value = metrics.average_precision_score(labels, scores)
    error = (labels.sum() * value * (1 - value)) ** -0.5
    ends = expit(logit(value) + stats.norm.ppf(0.975) * error * np.array([-1, 1]))
    assert (found.low, found.high) == pytest.approx(tuple(ends))
    assert precision_interval(value, int(labels.sum())) == pytest.approx(tuple(ends))


def test_a_perfect_or_hopeless_order_has_wilsons_interval() -> None:
    perfect = auc_estimate(Ranking.of(np.array([2.0, 3.0]), [np.array([0.0, 1.0, 1.5])]))
    assert perfect.value == 1
    assert (perfect.low, perfect.high) == pytest.approx(tuple(map(float, wilson(2, 2))))
    assert auc_interval(0.0, 0.0, 7) == pytest.approx(tuple(map(float, wilson(0, 7))))
    assert auc_interval(0.3, 0.0, 10) == pytest.approx(tuple(map(float, wilson(3, 10))))


def test_an_interval_covers_the_true_area() -> None:
    random = np.random.default_rng(10)
    true = stats.norm.cdf(1.5 / 2**0.5)
    covered = 0
    for _ in range(600):
        positives, negatives = random.normal(1.5, 1, 15), random.normal(0, 1, 60)
        found = auc_estimate(Ranking.of(np.sort(positives), [np.sort(negatives)]))
        assert found.low is not None and found.high is not None
        covered += found.low <= true <= found.high
    assert 0.92 < covered / 600 < 0.98


@given(st.lists(st.integers(-3, 3), max_size=20), st.lists(st.integers(-4, 4), max_size=20))
def test_places_count_what_is_below_and_not_above(ordered, queries) -> None:
    values, asked = np.sort(np.array(ordered, float)), np.array(queries, float)
    below, upto = places(values, asked)
    np.testing.assert_array_equal(below, [(values < q).sum() for q in asked])
    np.testing.assert_array_equal(upto, [(values <= q).sum() for q in asked])


@pytest.mark.parametrize("count", [1, 2, 299, 300, 301, 10**6])
def test_thinning_keeps_both_ends(count: int) -> None:
    kept = thinned(count)
    assert len(kept) <= CURVE_POINTS and kept[0] == 0 and kept[-1] == count - 1
    assert (np.diff(kept) > 0).all()
