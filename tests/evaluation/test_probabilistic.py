"""Log loss, Brier score, top k and calibration against scikit-learn and their definitions."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from descentlab.evaluation import evaluate, probabilistic
from descentlab.evaluation.probabilistic import (
    BINS,
    Sums,
    calibration,
    example_losses,
    mean_estimate,
    summarise,
)
from descentlab.evaluation.scores import Scores
from tests.evaluation.test_scores import sample, softmax

PRECISION = {np.float16: 3e-3, np.float32: 2e-6, np.float64: 1e-12}
dtypes = pytest.mark.parametrize("dtype", list(PRECISION))


def of_probabilities(p: Any, labels: Any) -> Sums:
    return summarise(Scores.of("probabilities", p), np.asarray(labels))[1]


@dtypes
@pytest.mark.parametrize("classes", [2, 3, 12])
def test_log_loss_and_brier_score_are_scikit_learns(dtype: type, classes: int) -> None:
    labels, logits = sample(classes, 700, classes)
    p = softmax(logits).astype(dtype)
    rounded = p.astype(np.float64)
    sums = of_probabilities(p, labels)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The y_pred values do not sum to one")  # half precision
        expected = metrics.log_loss(labels, p, labels=range(classes))
    assert sums.loss[0] / 700 == pytest.approx(expected, rel=PRECISION[dtype])
    tolerance = 5e-6 if dtype == np.float16 else PRECISION[dtype]  # scikit-learn sums in halves
    least = np.finfo(dtype).eps
    loss = -np.log(rounded[np.arange(700), labels].clip(least, 1 - least))
    assert sums.loss[0] / 700 == pytest.approx(loss.mean(), rel=tolerance)
    target = np.eye(classes)[labels]
    brier = ((rounded - target) ** 2).sum(axis=1)
    np.testing.assert_allclose(
        sums.brier, [brier.sum(), (brier**2).sum()], rtol=max(tolerance, 1e-11)
    )
    if dtype == np.float64 and classes == 2:
        halved = metrics.brier_score_loss(labels, p[:, 1])
        assert sums.brier[0] / 700 / 2 == pytest.approx(halved, rel=1e-11)
    elif dtype == np.float64:
        whole = metrics.brier_score_loss(labels, p, labels=range(classes))
        assert sums.brier[0] / 700 == pytest.approx(whole, rel=1e-11)


@dtypes
def test_a_probability_of_0_counts_as_scikit_learn_has_it(dtype: type) -> None:
    p = np.array([[1, 0, 0], [0.25, 0.25, 0.5], [0, 0, 1], [0, 1, 0]], dtype)
    labels = np.array([1, 2, 0, 1])
    sums = of_probabilities(p, labels)
    expected = metrics.log_loss(labels, p, labels=range(3))
    assert sums.loss[0] / 4 == pytest.approx(expected, rel=PRECISION[dtype])
    assert np.isfinite(sums.loss).all() and sums.raised == 2


@dtypes
def test_every_probability_that_log_loss_raises_is_counted_and_said(dtype: type) -> None:
    step = np.finfo(dtype).eps
    true = np.array([step, step / 2, step / 4, 0, 0.5], dtype)
    p = np.stack([true, 1 - true], axis=1)
    assert of_probabilities(p, np.zeros(5, int)).raised == 3
    notes = evaluate(np.zeros(5, int), probabilities=p).notes
    assert f"3 of the true classes' probabilities lie below {step:.2g}, " in notes[0]
    assert f"tells apart in {np.dtype(dtype)}, and count as that" in notes[0]
    assert (
        "1 of the true classes' probabilities lies" in evaluate([0], probabilities=p[3:4]).notes[0]
    )
    assert len(evaluate([0], probabilities=p[:1]).notes) == 1


@dtypes
@pytest.mark.parametrize("size", [0.1, 1.0, 1000.0])
def test_logits_give_what_their_softmax_in_float64_gives(dtype: type, size: float) -> None:
    labels, logits = sample(3, 500, 4)
    logits = (logits * size).astype(dtype)
    exact = logits.astype(np.float64)
    highest = exact.max(axis=1)
    loss = highest + np.log(np.exp(exact - highest[:, None]).sum(axis=1))
    loss -= exact[np.arange(500), labels]  # finite where the softmax is 0
    brier = ((softmax(exact) - np.eye(4)[labels]) ** 2).sum(axis=1)
    scores = Scores.of("logits", logits)
    best, sums = summarise(scores, labels)
    tolerance = 1e-11 if dtype == np.float64 else 5e-6
    np.testing.assert_array_equal(best, exact.argmax(axis=1))
    np.testing.assert_allclose(sums.loss, [loss.sum(), (loss**2).sum()], rtol=tolerance)
    np.testing.assert_allclose(sums.brier, [brier.sum(), (brier**2).sum()], rtol=tolerance)
    np.testing.assert_allclose(example_losses(scores, labels), loss, rtol=1e-4, atol=1e-6)
    assert sums.raised == 0


def test_logits_that_are_too_far_apart_for_float32_have_their_loss() -> None:
    most = np.finfo(np.float32).max
    scores = Scores.of("logits", np.array([[most, -most], [-most / 2, most]], np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best, sums = summarise(scores, np.array([1, 0]))
        losses = example_losses(scores, np.array([1, 0]))
    expected = np.array([2, 1.5]) * float(most)
    assert best.tolist() == [0, 1] and sums.loss[0] == pytest.approx(expected.sum())
    np.testing.assert_allclose(losses, expected)
    np.testing.assert_allclose(sums.brier, [4, 8])


def test_a_loss_beyond_float64_is_infinite_and_json_says_so() -> None:
    logits = np.array([[1e300, -1e300], [1e308, -1e308], [-1.7e308, 1.7e308]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate([0, 1, 1], logits=logits)
    assert found.figures["log_loss"].value == np.inf
    assert found.to_json()["log_loss"] == {"value": None, "reason": "infinite"}
    assert found.figures["accuracy"].value == pytest.approx(2 / 3)
    assert found.figures["brier"].value == pytest.approx(1 / 3)
    assert found.per_class[1].auc.value == 0.5  # one pair of two is in order
    assert found.auc["micro"].value == pytest.approx(6 / 9)  # -3.4e308 is below -2e308


@dtypes
def test_losses_by_example_sum_to_the_log_loss(dtype: type) -> None:
    labels, logits = sample(4)
    p = softmax(logits * 4).astype(dtype)
    scores = Scores.of("probabilities", p)
    assert (p == 0).any() or dtype != np.float16
    sums = summarise(scores, labels)[1]
    assert example_losses(scores, labels).sum() == pytest.approx(sums.loss[0], rel=1e-6)


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_top_k_is_scikit_learns_with_ties_too(decimals: int) -> None:
    labels, logits = sample(5, 600, 6)
    logits = logits.round(decimals)
    sums = summarise(Scores.of("logits", logits), labels)[1]
    for k in range(1, 6):
        expected = metrics.top_k_accuracy_score(labels, logits, k=k, labels=range(6))
        assert sums.ranks[:k].sum() / 600 == pytest.approx(expected), k
    assert sums.ranks.sum() == 600


def test_ranks_beyond_the_tenth_are_counted_as_one() -> None:
    labels, logits = sample(6, 500, 30, spread=0.1)
    sums = summarise(Scores.of("logits", logits), labels)[1]
    rank = (logits > logits[np.arange(500), labels][:, None]).sum(axis=1)
    np.testing.assert_array_equal(sums.ranks, np.bincount(np.minimum(rank, 10), minlength=11))


def test_bins_of_confidence_are_right_closed_and_count_right_answers() -> None:
    labels, logits = sample(7, 900, 3)
    p = softmax(logits)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    edges = np.linspace(0, 1, BINS + 1)
    expected = [
        [inside.sum(), confidence[inside].sum(), right[inside].sum()]
        for low, high in itertools.pairwise(edges)
        for inside in [(confidence > low) & (confidence <= high)]
    ]
    for scores in (Scores.of("probabilities", p), Scores.of("logits", logits)):
        np.testing.assert_allclose(summarise(scores, labels)[1].bins, np.transpose(expected))


def test_the_calibration_error_is_its_definition() -> None:
    labels, logits = sample(8, 900, 3)
    p = softmax(2 * logits)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    place = np.digitize(confidence, np.linspace(0, 1, BINS + 1)[1:-1], right=True)
    gap = sum(
        abs(right[place == b].mean() - confidence[place == b].mean()) * (place == b).mean()
        for b in np.unique(place)
    )
    found = calibration(of_probabilities(p, labels).bins, draws=500)
    assert found.error.value == pytest.approx(gap)
    assert found.count.sum() == 900 and len(found.edges) == BINS + 1
    filled = found.count > 0
    np.testing.assert_array_equal(np.isnan(found.confidence), ~filled)
    for each, count in zip(found.accuracy, found.count, strict=True):
        assert (each.reason == "undefined (n = 0)") == (count == 0)
    np.testing.assert_allclose(
        found.confidence[filled],
        [confidence[place == b].mean() for b in np.flatnonzero(filled)],
    )


def test_a_calibrated_models_error_is_told_apart_from_chance() -> None:
    random = np.random.default_rng(9)
    p = random.dirichlet(np.ones(3), 2000)
    answers = [random.multinomial(1, row).argmax() for row in p]
    fine = calibration(of_probabilities(p, answers).bins, draws=1000).error
    assert fine.value is not None and fine.low is not None and fine.high is not None
    assert fine.low < 0.005 and fine.high < 0.05
    worse = calibration(of_probabilities(p**3 / (p**3).sum(1, keepdims=True), answers).bins).error
    assert worse.low is not None and worse.low > 0.1


def test_sums_of_blocks_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, logits = sample(10, 333, 4)
    scores = Scores.of("logits", logits)
    whole = summarise(scores, labels)
    monkeypatch.setattr(probabilistic, "BLOCK", 50)
    parts = summarise(scores, labels)
    np.testing.assert_array_equal(whole[0], parts[0])
    for name, value in vars(whole[1]).items():
        np.testing.assert_allclose(getattr(parts[1], name), value, rtol=1e-12, err_msg=name)


def test_a_mean_has_students_interval_on_the_logarithms_scale() -> None:
    values = np.random.default_rng(11).gamma(2, 1, 80)
    found = mean_estimate(np.array([values.sum(), (values**2).sum()]), 80, 0.9)
    low, high = stats.t.interval(0.9, 79, 0, stats.sem(values) / values.mean())
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() * np.exp(low))
    assert found.high == pytest.approx(values.mean() * np.exp(high))
    capped = mean_estimate(np.array([values.sum(), (values**2).sum()]), 80, 0.9, values.mean())
    assert capped.high == capped.value


def test_one_example_has_no_interval_of_its_loss() -> None:
    found = mean_estimate(np.array([2.0, 4.0]), 1, 0.95)
    assert (found.value, found.low, found.high) == (2, None, None)
