"""Count figures are scikit-learn's: on every small confusion matrix, and on random large ones."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from descentlab.evaluation import counts
from descentlab.evaluation.counts import Cells, Margins, count_cells

LABELS = [0, 1, 2]
PAIRS = list(itertools.product(LABELS, LABELS))


def is_first(pairs) -> bool:
    """Tell whether no renaming of the classes gives an earlier list of pairs."""
    renamings = itertools.permutations(LABELS)
    return all(pairs <= tuple(sorted((r[a], r[b]) for a, b in pairs)) for r in renamings)


# All confusion matrices of 1 to 4 examples over 3 classes, as lists of (label, prediction);
# those of 4 examples up to the classes' names.
SMALL = [
    pairs
    for n in range(1, 5)
    for pairs in itertools.combinations_with_replacement(PAIRS, n)
    if n < 4 or is_first(pairs)
]


def reference(labels, predictions, classes, averages=(None, "macro", "weighted")):
    """Return scikit-learn's figures; classes without value are left out of means."""
    names = list(range(classes))
    with warnings.catch_warnings(), sklearn.config_context(skip_parameter_validation=True):
        warnings.simplefilter("ignore")
        shared = {"labels": names, "zero_division": np.nan}
        both = (labels, predictions)
        matrix = metrics.confusion_matrix(*both, labels=names)
        found = {
            "accuracy": metrics.accuracy_score(*both),
            "balanced_accuracy": metrics.balanced_accuracy_score(*both),
            "matthews": metrics.matthews_corrcoef(*both),
            "kappa": metrics.cohen_kappa_score(*both, labels=names),
        }
        for average in averages:
            triple = metrics.precision_recall_fscore_support(*both, average=average, **shared)
            prefix = "" if average is None else f"{average}_"
            for name, value in zip(("precision", "recall", "f1"), triple, strict=False):
                found[prefix + name] = value
    return matrix, found


def ours(m: Margins):
    """Return the same figures of ours."""
    found = {
        "accuracy": counts.accuracy(m),
        "balanced_accuracy": counts.balanced_accuracy(m),
        "matthews": counts.matthews(m),
        "kappa": counts.kappa(m),
    }
    for name in ("precision", "recall", "f1"):
        values = getattr(counts, name)(m)
        found |= {
            name: values,
            f"macro_{name}": counts.macro(values),
            f"weighted_{name}": counts.weighted(values, m.support),
            f"micro_{name}": counts.accuracy(m),
        }
    return found


def assert_same(labels, predictions, classes, **options):
    """Compare every figure; where the two conventions differ, say which one is ours."""
    matrix, expected = reference(labels, predictions, classes, **options)
    cells = count_cells(labels, predictions, classes)
    np.testing.assert_array_equal(cells.matrix(), matrix)
    found = ours(cells.margins())
    if len(set(labels)) == 1 or len(set(predictions)) == 1:
        expected["matthews"] = np.nan  # scikit-learn puts 0 where it is 0 / 0
    if not (np.isfinite(expected["precision"]) & (matrix.sum(axis=1) > 0)).any():
        expected["weighted_precision"] = np.nan  # all weights are 0; scikit-learn drops them
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_every_small_confusion_matrix_has_scikit_learns_figures() -> None:
    assert len(SMALL) == 9 + 45 + 165 + 90
    for pairs in SMALL:
        labels, predictions = np.array(pairs).T
        assert_same(labels, predictions, 3)


def test_every_pair_of_short_vectors_is_counted() -> None:
    for n in range(1, 5):
        vectors = np.array(list(itertools.product(LABELS, repeat=2 * n)), int).reshape(-1, 2, n)
        for labels, predictions in vectors[:: 1 if n < 4 else 7]:
            expected = np.zeros((3, 3), int)
            np.add.at(expected, (labels, predictions), 1)
            np.testing.assert_array_equal(counts.confusion_matrix(labels, predictions, 3), expected)


@pytest.mark.parametrize("seed", range(12))
def test_random_large_cases_too(seed: int) -> None:
    random = np.random.default_rng(seed)
    classes = int(random.integers(2, 30))
    n = int(random.integers(50, 20_000))
    share = random.dirichlet(np.full(classes, 0.3))  # some classes are rare or absent
    labels = random.choice(classes, n, p=share)
    right = random.random(n) < random.random()
    predictions = np.where(right, labels, random.choice(classes, n, p=share[::-1]))
    assert_same(labels, predictions, classes, averages=(None, "macro", "weighted", "micro"))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_classes_may_be_any_whole_numbers(dtype: type) -> None:
    random = np.random.default_rng(1)
    labels, predictions = random.integers(0, 120, (2, 5000))
    found = counts.confusion_matrix(labels.astype(dtype), predictions.astype(dtype), 120)
    np.testing.assert_array_equal(found, metrics.confusion_matrix(labels, predictions))


def test_counting_goes_on_over_block_borders() -> None:
    random = np.random.default_rng(2)
    for n in (counts.BLOCK - 1, counts.BLOCK, counts.BLOCK + 1, 2 * counts.BLOCK + 3):
        labels, predictions = random.integers(0, 4, (2, n))
        found = counts.confusion_matrix(labels, predictions, 4)
        np.testing.assert_array_equal(found, metrics.confusion_matrix(labels, predictions))


def test_very_many_classes_are_counted_by_filled_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    labels, predictions = random.integers(0, 50, (2, 3000))
    dense = count_cells(labels, predictions, 50)
    monkeypatch.setattr(counts, "DENSE_CLASSES", 10)
    sparse = count_cells(labels.astype(np.uint8), predictions.astype(np.uint8), 50)
    for name in ("row", "column", "count"):
        np.testing.assert_array_equal(getattr(sparse, name), getattr(dense, name))
    np.testing.assert_array_equal(sparse.matrix(), dense.matrix())


vectors = st.lists(st.sampled_from(PAIRS), min_size=1, max_size=40)


@given(vectors, st.permutations(LABELS), st.randoms())
def test_order_of_examples_and_names_of_classes_do_not_matter(pairs, renamed, shuffler) -> None:
    labels, predictions = np.array(pairs).T
    before = ours(count_cells(labels, predictions, 3).margins())
    order = list(range(len(pairs)))
    shuffler.shuffle(order)
    new = np.array(renamed)
    after = ours(count_cells(new[labels[order]], new[predictions[order]], 3).margins())
    for name, value in before.items():
        again = after[name][new] if np.ndim(value) else after[name]
        np.testing.assert_allclose(again, value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_leading_axes_are_draws() -> None:
    random = np.random.default_rng(4)
    matrices = random.integers(0, 4, (7, 3, 3))
    each = [ours(Cells.of(matrix).margins()) for matrix in matrices]
    stacked = Margins(np.einsum("dkk->dk", matrices), matrices.sum(2), matrices.sum(1))
    for name, values in ours(stacked).items():
        np.testing.assert_allclose(values, [figures[name] for figures in each], err_msg=name)


def test_matrix_and_cells_are_each_others_inverse() -> None:
    matrix = np.array([[3, 0, 1], [0, 0, 0], [0, 2, 0]])
    cells = Cells.of(matrix)
    assert len(cells.count) == 3
    np.testing.assert_array_equal(cells.matrix(), matrix)
    margins = cells.margins()
    np.testing.assert_array_equal(margins.hits, [3, 0, 0])
    np.testing.assert_array_equal(margins.support, [4, 0, 2])
    np.testing.assert_array_equal(margins.predicted, [3, 2, 1])


def test_undefined_is_nan_and_never_zero() -> None:
    m = Cells.of(np.array([[2, 0, 0], [1, 0, 0], [0, 0, 0]])).margins()
    np.testing.assert_array_equal(np.isnan(counts.precision(m)), [False, True, True])
    np.testing.assert_array_equal(np.isnan(counts.recall(m)), [False, False, True])
    np.testing.assert_array_equal(np.isnan(counts.f1(m)), [False, False, True])
    assert counts.f1(m)[1] == 0
    assert np.isnan(counts.matthews(m))
    nothing = Cells.of(np.zeros((3, 3), int)).margins()
    assert all(np.isnan(value).all() for value in ours(nothing).values())


def test_a_mean_can_be_kept_to_some_classes() -> None:
    values = np.array([0.2, 0.4, np.nan, 0.9])
    assert counts.macro(values, np.array([True, False, True, True])) == pytest.approx(0.55)


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([0, 1], [0], r"one label and one prediction.*\(2,\) and \(1,\)"),
        ([[0, 1]], [[0, 1]], r"one label and one prediction.*\(1, 2\)"),
        ([0, 3, 1], [0, 1, 1], r"classes 0 … 2; label 1 is 3"),
        ([0, 1, 1], [0, 1, -1], r"classes 0 … 2; prediction 2 is -1"),
    ],
)
def test_what_is_no_class_is_refused(labels, predictions, message) -> None:
    with pytest.raises(ValueError, match=message):
        count_cells(np.array(labels), np.array(predictions), 3)
