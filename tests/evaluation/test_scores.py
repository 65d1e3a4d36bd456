"""Scores: what examples are ranked by, in pieces or in one, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, logsumexp

from descentlab.evaluation import scores as module
from descentlab.evaluation.probabilistic import summarise
from descentlab.evaluation.ranking import Ranking
from descentlab.evaluation.scores import Scores, best_class


def exact_log_odds(logits: Any) -> np.ndarray:
    """Return ln p/(1-p) of every class by definition, in float64."""
    logits = np.asarray(logits, np.float64)
    columns = []
    for k in range(logits.shape[1]):
        rest = np.sort(np.delete(logits, k, axis=1), axis=1)  # equal rests sum to equal numbers
        columns.append(logits[:, k] - logsumexp(rest, axis=1))
    return np.column_stack(columns)


def softmax(logits: Any) -> np.ndarray:
    """Return probabilities in float64."""
    return np.exp(log_softmax(np.asarray(logits, np.float64), axis=1))


def sample(seed: int, n: int = 400, classes: int = 4, *, spread: float = 1.5, decimals: int = 6):
    """Return labels of unequal classes and logits that know something about them."""
    random = np.random.default_rng(seed)
    labels = random.choice(classes, n, p=random.dirichlet(np.full(classes, 3.0)))
    logits = random.normal(0, spread, (n, classes))
    logits[np.arange(n), labels] += spread
    return labels, logits.round(decimals)


def column_auc(values: Any, labels: Any, k: int) -> float:
    """Return the share of pairs in order of scores, straight from its definition."""
    own, rest = np.asarray(values)[labels == k], np.asarray(values)[labels != k]
    return float(np.mean((own[:, None] > rest) + (own[:, None] == rest) / 2))


def our_auc(scores: Scores, labels: Any, k: int) -> float:
    column = scores.column(k)
    return Ranking.of(np.sort(column[labels == k]), [np.sort(column[labels != k])]).auc


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 3e-6)])
def test_logits_are_ranked_by_log_odds(dtype: type, tolerance: float) -> None:
    logits = sample(0)[1].astype(dtype)
    found, exact = Scores.of("logits", logits), exact_log_odds(logits)
    for k in range(4):
        assert found.column(k).dtype == dtype
        np.testing.assert_allclose(found.column(k), exact[:, k], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, 1e4])
def test_neither_half_precision_nor_huge_logits_corrupt_auc(dtype: type, size: float) -> None:
    labels, logits = sample(1, 600, 5)
    logits = (logits * size / 6).astype(dtype)
    exact, found = exact_log_odds(logits), Scores.of("logits", logits)
    for k in range(5):
        expected = column_auc(exact[:, k], labels, k)
        # Rounding can only part or swap log-odds that are next to each other.
        assert our_auc(found, labels, k) == pytest.approx(expected, abs=2e-4), k
        if dtype == np.float64:
            assert our_auc(found, labels, k) == pytest.approx(expected, abs=1e-12), k


def test_what_is_1_as_a_probability_is_still_ordered() -> None:
    labels, logits = sample(2, 500, 3)
    logits = logits * 2000
    assert (softmax(logits).max(axis=1) == 1).mean() > 0.98  # nothing is left of their order
    exact, found = exact_log_odds(logits), Scores.of("logits", logits)
    for k in range(3):
        assert our_auc(found, labels, k) == column_auc(exact[:, k], labels, k)
        assert our_auc(found, labels, k) != column_auc(softmax(logits)[:, k], labels, k)


def test_equal_log_odds_stay_equal_whatever_the_order_of_the_other_classes() -> None:
    labels, logits = sample(3, 2000, 4, decimals=0)  # whole numbers: ties all over
    exact, found = exact_log_odds(logits), Scores.of("logits", logits.astype(np.float16))
    for k in range(4):
        expected = column_auc(exact[:, k].round(9), labels, k)
        assert our_auc(found, labels, k) == pytest.approx(expected, abs=1e-3), k


def test_probabilities_are_ranked_as_they_are() -> None:
    labels, logits = sample(4)
    p = softmax(logits).astype(np.float32)
    found = Scores.of("probabilities", p)
    np.testing.assert_array_equal(found.column(2), p[:, 2])
    np.testing.assert_array_equal(found.own(labels), p[np.arange(len(labels)), labels])
    assert found.classes == 4 and len(found) == 400
    half = Scores.of("probabilities", p.astype(np.float16)).column(0)
    np.testing.assert_array_equal(half, p.astype(np.float16)[:, 0].astype(np.float64))


@pytest.mark.parametrize("scale", ["logits", "probabilities"])
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_pieces_are_the_same_as_one(scale: Any, dtype: type, monkeypatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 64)
    labels, logits = sample(5)
    array = (logits if scale == "logits" else softmax(logits)).astype(dtype)
    whole = Scores.of(scale, array)
    parted = Scores(scale, (array[:1], array[1:130], array[130:130], array[130:]))
    assert len(parted) == len(whole) and parted.starts == [0, 1, 130, 130]
    np.testing.assert_array_equal(parted.own(labels), whole.own(labels))
    for k in range(4):
        np.testing.assert_array_equal(parted.column(k), whole.column(k))
    (best, sums), (again, others) = (summarise(each, labels) for each in (whole, parted))
    np.testing.assert_array_equal(best, again)
    for name, value in vars(sums).items():
        np.testing.assert_allclose(getattr(others, name), value, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("scale", ["logits", "probabilities"])
def test_own_is_the_column_of_the_label(scale: Any) -> None:
    labels, logits = sample(6)
    found = Scores.of(scale, logits if scale == "logits" else softmax(logits))
    expected = np.choose(labels, [found.column(k) for k in range(4)])
    np.testing.assert_allclose(found.own(labels), expected, rtol=1e-12)


@given(st.integers(0, 10**6), st.floats(-500, 500))
def test_a_constant_added_to_a_row_changes_nothing(seed: int, shift: float) -> None:
    logits = np.random.default_rng(seed).normal(size=(5, 3))
    before, after = (Scores.of("logits", logits + add) for add in (0, shift))
    for k in range(3):
        np.testing.assert_allclose(after.column(k), before.column(k), atol=1e-10)


def test_the_answer_is_the_first_of_equal_scores() -> None:
    block = np.array([[1, 0, 2, 5], [1, 3, 2, 4], [0, 3, 2, 5]], np.float32)
    best, highest = best_class(block)
    np.testing.assert_array_equal(best, block.argmax(axis=0))
    np.testing.assert_array_equal(highest, block.max(axis=0))
    assert best_class(np.eye(300))[0][299] == 299  # more classes than one byte counts


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3), r"logits as numbers \[examples, classes\]; found float64 of shape \(3,\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)$"),
        (np.zeros(3), r"one column; for two classes give both: np.column_stack\(\[np.zeros_like"),
        (np.array([["a", "b"]]), "found <U1"),
        (np.array([[True, False]]), "found bool"),
        (np.array([[1, 1j]]), "found complex128"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scores.of("logits", array)


def test_whole_numbers_are_scores_too() -> None:
    assert Scores.of("logits", np.array([[1, 2]], np.uint8)).pieces[0].dtype == np.float64


FAULTS = [
    ("probabilities", [0.5, 0.4], r"sum to 1; example 70 breaks that \(its sum is 0.9\)"),
    ("probabilities", [1.5, -0.5], "between 0 and 1; logits are given as logit_.*"),
    ("probabilities", [2.0, -3.0], r"sum to 1; logits are given as logit_… \(logits=…\); example"),
    ("probabilities", [np.nan, 0.5], "probabilities are numbers, none is NaN; example 70"),
    ("probabilities", [np.inf, 0.5], "sum to 1; example 70"),
    ("probabilities", [np.inf, -np.inf], "example 70"),
    ("logits", [np.nan, 0.5], "logits are finite numbers; example 70"),
    ("logits", [0.5, np.inf], "logits are finite numbers; example 70"),
    ("logits", [-np.inf, np.inf], "logits are finite numbers; example 70"),
]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("scale", "row", "message"), FAULTS)
def test_impossible_scores_are_refused_with_their_example(
    dtype: type, scale: Any, row: list[float], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("descentlab.evaluation.probabilistic.BLOCK", 16)
    array = np.full((100, 2), 0.5, dtype)
    array[70] = row
    message = message.replace("0.9", r"0\.(9|89\d+)")  # in half precision 0.4 is less
    with pytest.raises(ValueError, match=message):
        summarise(Scores(scale, (array[:30], array[30:])), np.zeros(100, int))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("decimals", "classes"), [(2, 5), (3, 4), (3, 90), (4, 9), (4, 500)])
def test_probabilities_rounded_to_a_few_decimals_are_accepted(dtype, decimals, classes) -> None:
    rounded = softmax(sample(9, 400, classes)[1]).round(decimals)
    gap = np.abs(rounded.sum(axis=1) - 1).max()
    assert gap > 1e-4  # they would not be, were they not rounded
    summarise(Scores.of("probabilities", rounded.astype(dtype)), np.zeros(400, int))
    rounded[7, 0] += 0.0123456  # no longer rounded
    with pytest.raises(ValueError, match="sum to 1; example"):
        summarise(Scores.of("probabilities", rounded.astype(dtype)), np.zeros(400, int))


SUMS = [
    ([70.0, 30.0], r"is 100\); are they percentages\? Divide them by 100"),
    ([33.3, 66.6], r"is 99.9\); are they percentages"),
    ([0.5, 0.4], r"is 0.9\); are they rounded\? Write more digits"),
    ([0.12, 0.9], r"is 1.02\); are they rounded"),  # off by more than 2 decimals explain
    ([0.003, 0.0], r"is 0.003\)$"),
    ([0.001] * 900, r"is 0.9\); are they rounded"),  # 900 classes would excuse sums up to 1.45
    ([0.2], r"is 0.2\); one column; for two classes give both: np.column_stack\(\[1 - p, p\]\)"),
]


@pytest.mark.parametrize(("row", "message"), SUMS)
def test_sums_that_rounding_does_not_explain_are_refused(row: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        summarise(Scores.of("probabilities", np.array([row])), np.zeros(1, int))


@pytest.mark.parametrize(("dtype", "share"), [(np.float64, 1), (np.float32, 1), (np.float32, 0.49)])
def test_logits_at_the_end_of_their_precision_keep_their_order(dtype: Any, share: float) -> None:
    most = np.finfo(dtype).max * share
    size = np.array([-1, -0.9, -0.6, -0.5, -0.4, -0.2, -1e-300, 0.2, 0.3, 0.5, 0.8, 0.9, 1])
    logits = np.outer(size, [most, -most]).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        columns = [Scores("logits", (logits[:4], logits[4:])).column(k) for k in (0, 1)]
        own = Scores("logits", (logits[:4], logits[4:])).own(np.zeros(13, int))
        assert (np.diff(columns[0]) > 0).all() and np.isfinite(columns).all()
    np.testing.assert_array_equal(own, columns[0])
    np.testing.assert_allclose(columns[1], -columns[0], rtol=1e-6)
    assert columns[0][6] == pytest.approx(2 * logits[6, 0])
    assert columns[0][-2:].max() / np.finfo(np.float64).max < 0.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_a_softmax_rounded_to_its_precision_is_accepted(dtype: type, classes: int) -> None:
    logits = np.random.default_rng(7).normal(0, 3, (500, classes))
    summarise(Scores.of("probabilities", softmax(logits).astype(dtype)), np.zeros(500, int))


def test_finite_logits_whose_sum_overflows_are_fine() -> None:
    array = np.full((3, 4), 60_000, np.float16)
    best, sums = summarise(Scores.of("logits", array), np.zeros(3, int))
    assert (best == 0).all() and sums.loss[0] == pytest.approx(3 * np.log(4))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_classes_masked_by_the_least_number_there_is_are_fine(dtype: type) -> None:
    logits = sample(8, 50, 4)[1].astype(dtype)
    logits[:, 2:] = np.finfo(dtype).min
    labels = np.arange(50) % 2
    best, sums = summarise(Scores.of("logits", logits), labels)
    expected = -log_softmax(logits[:, :2].astype(np.float64), axis=1)[np.arange(50), labels]
    np.testing.assert_array_equal(best, logits.argmax(axis=1))
    assert sums.loss[0] == pytest.approx(expected.sum(), rel=1e-3)
