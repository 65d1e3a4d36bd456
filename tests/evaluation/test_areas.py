"""Areas of all classes: scikit-learn's, and variances of means that a jackknife confirms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import norm
from sklearn import metrics

from descentlab.evaluation import areas as module
from descentlab.evaluation.areas import EMPTY, NO_REST, ONE_CLASS, areas, auc_by_class
from descentlab.evaluation.results import Estimate
from descentlab.evaluation.scores import Scores
from tests.evaluation.test_scores import exact_log_odds, sample, softmax

MEANS = [
    *((mean, "ovr") for mean in ("macro", "weighted", "micro")),
    *((mean, "ovo") for mean in ("macro", "weighted")),
]


def name_of(average: str, kind: str) -> str:
    return average if kind == "ovr" else f"ovo_{average}"


def of(labels: Any, p: Any, **options: Any):
    return areas(np.asarray(labels), Scores.of("probabilities", np.asarray(p)), **options)


def standard_error(estimate: Estimate) -> float:
    """Return the standard error that an interval on the logit scale was made from."""
    assert estimate.value is not None
    width = logit(estimate.high) - logit(estimate.low)
    return width / (2 * norm.ppf(0.975)) * estimate.value * (1 - estimate.value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [3, 5])
@pytest.mark.parametrize("decimals", [1, 8])
def test_areas_are_scikit_learns_with_ties_too(dtype: type, classes: int, decimals: int) -> None:
    labels, logits = sample(classes, 500, classes, decimals=decimals)
    p = softmax(logits).astype(dtype)
    if decimals == 1:  # coarse probabilities that still sum to 1
        p = p.astype(np.float64).round(1)
        p[:, 0] = (1 - p[:, 1:].sum(axis=1)).round(1)
        labels, p = labels[p[:, 0] >= 0], p[p[:, 0] >= 0].astype(dtype)
    found = of(labels, p)
    one = np.eye(classes)[labels]
    exact = p.astype(np.float64)
    by_class = metrics.roc_auc_score(one, exact, average=None)
    values = [estimate.value for estimate in found.auc_by_class]
    np.testing.assert_allclose(values, by_class, rtol=1e-12)
    again = auc_by_class(labels, Scores.of("probabilities", p), threads=1)
    np.testing.assert_allclose(again, by_class, rtol=1e-12)
    precisions = [estimate.value for estimate in found.precision_by_class]
    expected = metrics.average_precision_score(one, exact, average=None)
    np.testing.assert_allclose(precisions, expected, rtol=1e-12)
    for average in ("macro", "weighted", "micro"):
        ours, theirs = found.average_precision[average], metrics.average_precision_score
        assert ours.value == pytest.approx(theirs(one, exact, average=average), rel=1e-12)
        assert found.auc[average].value == pytest.approx(
            metrics.roc_auc_score(one, exact, average=average), rel=1e-12
        )


@pytest.mark.parametrize("classes", [3, 4, 9])
@pytest.mark.parametrize(("average", "kind"), MEANS)
def test_means_are_scikit_learns_multiclass_ones(classes: int, average: str, kind: str) -> None:
    labels, logits = sample(classes + 20, 800, classes)
    p = softmax(logits)
    expected = metrics.roc_auc_score(labels, p, multi_class=kind, average=average)
    found = of(labels, p).auc[name_of(average, kind)]
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.low is not None and found.high is not None
    assert 0 <= found.low < expected < found.high <= 1


SMALL = [(labels, step) for labels in np.ndindex(3, 3, 3, 3) for step in range(3)]


def test_every_labelling_of_four_examples_has_scikit_learns_areas() -> None:
    random = np.random.default_rng(0)
    tables = random.dirichlet([1, 1, 1], (3, 4)).round(1)
    for labels, step in SMALL:
        p, one = tables[step], np.eye(3)[list(labels)]
        p[:, 0] = 1 - p[:, 1:].sum(axis=1)
        found = of(labels, p)
        there = sorted(set(labels))
        for k, (auc, precision) in enumerate(
            zip(found.auc_by_class, found.precision_by_class, strict=True)
        ):
            if len(there) == 1 or k not in there:
                reason = NO_REST if k in there else EMPTY
                assert (auc.value, auc.reason, precision.reason) == (None, reason, reason)
                continue
            assert auc.value == pytest.approx(metrics.roc_auc_score(one[:, k], p[:, k]))
            expected = metrics.average_precision_score(one[:, k], p[:, k])
            assert precision.value == pytest.approx(expected)
        if len(there) == 1:
            assert {e.reason for e in found.auc.values()} == {ONE_CLASS}
            continue
        shown = [found.auc_by_class[k].value for k in there]
        assert found.auc["macro"].value == pytest.approx(np.mean(shown))
        weights = one.sum(axis=0)[there]
        assert found.auc["weighted"].value == pytest.approx(np.average(shown, weights=weights))
        assert found.auc["micro"].value == pytest.approx(
            metrics.roc_auc_score(one.ravel(), p.ravel())
        )
        assert found.auc["macro"].over == (None if len(there) == 3 else tuple(there))


def test_absent_classes_are_left_out_of_one_against_one_too() -> None:
    labels, logits = sample(1, 400, 5)
    keep = labels != 2
    labels, p = labels[keep], softmax(logits[keep])
    found = of(labels, p)
    for average in ("macro", "weighted"):
        expected = metrics.roc_auc_score(
            labels, p, multi_class="ovo", average=average, labels=range(5)
        )
        estimate = found.auc[f"ovo_{average}"]
        assert estimate.value == pytest.approx(expected, rel=1e-12)
        assert estimate.over == (0, 1, 3, 4)


def test_two_classes_have_one_area() -> None:
    labels, logits = sample(2, 200, 2)
    p = softmax(logits)
    found = of(labels, p)
    expected = metrics.roc_auc_score(labels, p[:, 1])
    for name in ("macro", "weighted", "ovo_macro", "ovo_weighted"):
        assert found.auc[name].value == pytest.approx(expected)
        one = found.auc_by_class[1]
        # Influences are divided by n where DeLong has n - 1.
        assert standard_error(found.auc[name]) == pytest.approx(standard_error(one), rel=0.02)
    binary = of(labels, p[:, ::-1]).auc["macro"].value
    assert binary == pytest.approx(1 - expected)


def jackknife(figure: Any, labels: Any, p: Any) -> float:
    """Return the standard error of a figure from leaving out every example once."""
    n = len(labels)
    left = [figure(np.delete(labels, i), np.delete(p, i, axis=0)) for i in range(n)]
    return (np.var(left) * (n - 1)) ** 0.5


def areas_of(labels: Any, p: Any) -> np.ndarray:
    one = np.eye(p.shape[1], dtype=bool)[labels]
    found = []
    for k in range(p.shape[1]):
        own, rest = p[one[:, k], k], np.sort(p[~one[:, k], k])
        below, upto = (np.searchsorted(rest, own, side) for side in ("left", "right"))
        found.append((below + upto).mean() / 2 / len(rest))
    return np.array(found)


def micro(labels: Any, p: Any) -> float:
    one = np.eye(p.shape[1], dtype=bool)[labels]
    own, rest = p[one], np.sort(p[~one])
    below, upto = (np.searchsorted(rest, own, side) for side in ("left", "right"))
    return (below + upto).mean() / 2 / len(rest)


@pytest.mark.parametrize("seed", [3, 4, 5])
@pytest.mark.parametrize("decimals", [1, 8])
def test_variances_of_means_are_the_jackknifes(seed: int, decimals: int) -> None:
    labels, logits = sample(seed, 800, 4, decimals=decimals)
    assert np.bincount(labels).min() > 10  # of fewer the spread is not believed
    p = softmax(logits)
    share = np.bincount(labels, minlength=4) / len(labels)
    auc = of(labels, p).auc
    for name, figure in {
        "macro": lambda y, q: areas_of(y, q).mean(),
        "weighted": lambda y, q: areas_of(y, q) @ share,
        "micro": micro,
    }.items():
        expected = jackknife(figure, labels, p)
        assert standard_error(auc[name]) ** 2 == pytest.approx(expected**2, rel=0.15), name


def hand_and_till(labels: Any, p: Any, weights: Any) -> float:
    classes, total = p.shape[1], 0.0
    for j, k in zip(*np.nonzero(1 - np.eye(classes)), strict=True):
        own, rest = p[labels == j, j], np.sort(p[labels == k, j])
        below, upto = (np.searchsorted(rest, own, side) for side in ("left", "right"))
        total += weights[j, k] * (below + upto).mean() / 2 / len(rest)
    return total


def test_variances_of_pairwise_means_are_the_jackknifes() -> None:
    labels, logits = sample(6, 300, 3)
    p = softmax(logits)
    auc = of(labels, p).auc
    support = np.bincount(labels)
    both = 1 - np.eye(3)
    for name, weights in (("macro", both), ("weighted", both * (support[:, None] + support))):
        weights = weights / weights.sum()
        expected = jackknife(lambda y, q, w=weights: hand_and_till(y, q, w), labels, p)
        found = standard_error(auc[f"ovo_{name}"])
        assert found**2 == pytest.approx(expected**2, rel=0.15), name


def test_a_mean_of_average_precisions_has_the_spread_that_redrawn_examples_have() -> None:
    random = np.random.default_rng(7)
    labels, logits = sample(7, 500, 3)
    p = softmax(logits)
    found = standard_error(of(labels, p).average_precision["macro"])
    drawn = []
    for _ in range(200):
        chosen = random.integers(0, 500, 500)
        one = np.eye(3)[labels[chosen]]
        drawn.append(metrics.average_precision_score(one, p[chosen], average="macro"))
    assert found == pytest.approx(np.std(drawn), rel=0.3)


def test_a_sample_of_the_examples_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, logits = sample(8, 6000, 4)
    p = softmax(logits)
    whole = of(labels, p).auc
    monkeypatch.setattr("descentlab.evaluation.areas.Sample", Fewer)
    part = of(labels, p).auc
    for name in MEANS:
        one, other = whole[name_of(*name)], part[name_of(*name)]
        assert other.value == one.value
        assert standard_error(other) == pytest.approx(standard_error(one), rel=0.1)


class Fewer:
    """A sample of a thousand examples."""

    @staticmethod
    def of(groups: Any) -> Any:
        from descentlab.evaluation.grouping import Sample

        found = Sample.of(groups, most=1000)
        assert len(found.index) <= 1000 and found.weight.sum() == pytest.approx(1)
        return found


@pytest.mark.parametrize("classes", [3, 6])
def test_more_classes_than_are_compared_in_pairs_have_the_same_areas(
    classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, logits = sample(9, 500, classes)
    p = softmax(logits)
    few = of(labels, p, recall=0.8)
    for place in ("areas", "means"):
        monkeypatch.setattr(f"descentlab.evaluation.{place}.ONE_AGAINST_ONE", 2)
    many = of(labels, p, recall=0.8)
    for one, other in zip(few.auc_by_class, many.auc_by_class, strict=True):
        assert (one.value, one.low) == pytest.approx((other.value, other.low))
    assert few.thresholds == many.thresholds
    for name in ("macro", "weighted", "micro"):
        for one, other in zip((few.auc, few.average_precision),
                              (many.auc, many.average_precision), strict=True):  # fmt: skip
            values = (one[name].value, one[name].low, one[name].high)
            assert values == pytest.approx((other[name].value, other[name].low, other[name].high))
    assert many.auc["ovo_macro"].reason == "left out above 2 classes"


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_logits_give_the_areas_of_exact_log_odds(size: float) -> None:
    labels, logits = sample(10, 500, 4)
    found = areas(labels, Scores.of("logits", logits * size))
    odds = exact_log_odds(logits * size)
    one = np.eye(4)[labels]
    for average in ("macro", "weighted", "micro"):
        expected = metrics.roc_auc_score(one, odds, average=average)
        assert found.auc[average].value == pytest.approx(expected, abs=1e-12)
        expected = metrics.average_precision_score(one, odds, average=average)
        assert found.average_precision[average].value == pytest.approx(expected, abs=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.permutations(range(4)), st.sampled_from([1, 2, 7]))
def test_order_of_examples_and_names_of_classes_do_not_matter(seed, renamed, decimals) -> None:
    random = np.random.default_rng(seed)
    labels, p = random.integers(0, 4, 60), random.dirichlet(np.ones(4), 60).round(decimals)
    order, new = random.permutation(60), np.argsort(renamed)
    before, after = of(labels, p), of(new[labels[order]], p[order][:, renamed])
    for name, estimate in before.auc.items():
        again = after.auc[name]
        assert again.value == pytest.approx(estimate.value, abs=1e-12), name
        assert (again.low, again.high) == pytest.approx((estimate.low, estimate.high)), name
    for k, estimate in enumerate(before.auc_by_class):
        assert after.auc_by_class[new[k]].value == estimate.value


def test_curves_of_all_classes_and_their_means_are_kept() -> None:
    labels, logits = sample(11, 300, 3)
    p = softmax(logits)
    found = of(labels, p)
    assert set(found.roc) == {0, 1, 2, "macro", "micro"}
    assert set(found.precision_recall) == {0, 1, 2, "micro"}
    mean = found.roc["macro"]
    expected = []
    for k in range(3):
        x, y, _ = metrics.roc_curve(labels == k, p[:, k], drop_intermediate=False)
        expected.append(np.interp(mean.x[30:], x, y))
    np.testing.assert_allclose(mean.y[30:], np.mean(expected, axis=0), atol=0.02)
    value = found.auc["macro"].value
    assert float(np.trapezoid(mean.y, mean.x)) == pytest.approx(value, abs=5e-3)


def test_no_threads_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    labels, logits = sample(12, 100, 3)
    assert of(labels, softmax(logits)).auc["macro"].value is not None


@pytest.mark.parametrize("few", [1, 2, 3, 5])
def test_a_class_of_a_few_examples_does_not_make_intervals_narrow(few: int) -> None:
    """Their own spread is hardly known: two that agree by chance look certain."""
    random, support = np.random.default_rng(few), np.array([100, 100, few])
    labels = np.repeat([0, 1, 2], support)

    def drawn(labels: Any) -> np.ndarray:
        logits = random.normal(size=(len(labels), 3))
        logits[np.arange(len(labels)), labels] += 1
        return softmax(logits)

    # The third class is 1 of 200 in both, so that "all others" are the same mixture.
    many = np.repeat([0, 1, 2], [20_000, 20_000, 20_000])
    p = drawn(many)
    true = np.mean([_mixed_auc(many, p, k, support) for k in range(3)])
    covered = [
        (e := of(labels, drawn(labels)).auc["macro"]).low <= true <= e.high for _ in range(120)
    ]
    assert np.mean(covered) > 0.83


def _mixed_auc(labels: Any, p: Any, k: int, support: np.ndarray) -> float:
    others = [j for j in range(3) if j != k]
    parts = []
    for j in others:
        own, rest = p[labels == k, k], np.sort(p[labels == j, k])
        parts.append(np.searchsorted(rest, own).mean() / len(rest))
    return float(np.average(parts, weights=support[others]))
