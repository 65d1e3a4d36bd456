"""Figures of a classifier that depend on counts alone: the confusion matrix and its margins.

Accuracy, precision, recall, F1, Matthews and kappa need no more of a confusion matrix
than its diagonal and its margins, so :class:`Margins` holds these, with any number of
leading axes: the same functions serve the data, the draws of a posterior and the
replicates of a bootstrap.

A figure that is not defined is NaN here; :mod:`descentlab.evaluation.evaluate` says why.
Where scikit-learn defines a figure ours is equal to it; where it would put 0 with a
warning (``zero_division``), a class is left out of means instead, which is equal to its
``zero_division=np.nan``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Num

BLOCK = 1 << 16
DENSE_CLASSES = 1000

Figure = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Cells:
    """The filled cells of a confusion matrix, row by row.

    Attributes:
        row: true classes.
        column: predicted classes.
        count: examples in the cell.
        classes: number of classes.
    """

    row: Int[np.ndarray, " cells"]
    column: Int[np.ndarray, " cells"]
    count: Int[np.ndarray, " cells"]
    classes: int

    @classmethod
    def of(cls, matrix: Int[np.ndarray, "classes classes"]) -> Cells:
        """Return the filled cells of a matrix."""
        row, column = np.nonzero(matrix)
        return cls(row, column, matrix[row, column], len(matrix))

    def matrix(self) -> Int[np.ndarray, "classes classes"]:
        """Return the whole matrix."""
        found = np.zeros((self.classes, self.classes), np.int64)
        found[self.row, self.column] = self.count
        return found

    def margins(self) -> Margins:
        """Return diagonal and margins."""
        count = self.count.astype(np.float64)
        right = self.row == self.column

        def summed(index: np.ndarray, weight: np.ndarray) -> np.ndarray:
            return np.bincount(index, weight, minlength=self.classes)

        return Margins(
            summed(self.row[right], count[right]),
            summed(self.row, count),
            summed(self.column, count),
        )


@dataclass(frozen=True)
class Margins:
    """What count figures depend on; leading axes are draws or replicates.

    Attributes:
        hits: the diagonal, examples of a class that were given it.
        support: row sums, examples of a class.
        predicted: column sums, examples that were given a class.
    """

    hits: Num[np.ndarray, "*draws classes"]
    support: Num[np.ndarray, "*draws classes"]
    predicted: Num[np.ndarray, "*draws classes"]


def count_cells(
    labels: Int[np.ndarray, " n"], predictions: Int[np.ndarray, " n"], classes: int
) -> Cells:
    """Count (label, prediction) pairs of classes 0 … classes - 1.

    Raises:
        ValueError: lengths differ, or a value is not a class.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError(
            "expected one label and one prediction an example; "
            f"found shapes {labels.shape} and {predictions.shape}"
        )
    for name, values in (("label", labels), ("prediction", predictions)):
        if len(values) and not (values.min() >= 0 and values.max() < classes):
            wrong = int(np.flatnonzero((values < 0) | (values >= classes))[0])
            raise ValueError(
                f"expected classes 0 … {classes - 1}; {name} {wrong} is {values[wrong]}"
            )
    if classes > DENSE_CLASSES:
        codes = labels.astype(np.int64) * classes + predictions.astype(np.int64)
        cells, count = np.unique(codes, return_counts=True)
        return Cells(cells // classes, cells % classes, count, classes)
    total = np.zeros(classes * classes, np.int64)
    for start in range(0, len(labels), BLOCK):
        code = labels[start : start + BLOCK].astype(np.intp)
        code *= classes
        code += predictions[start : start + BLOCK].astype(np.intp, copy=False)
        total += np.bincount(code, minlength=len(total))
    return Cells.of(total.reshape(classes, classes))


def confusion_matrix(
    labels: Int[np.ndarray, " n"], predictions: Int[np.ndarray, " n"], classes: int
) -> Int[np.ndarray, "classes classes"]:
    """Return the counts: a row a true class, a column a predicted one, as scikit-learn has it.

    Raises:
        ValueError: lengths differ, or a value is not one of 0 … classes - 1.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    return count_cells(labels, predictions, classes).matrix()


def shares(
    matrix: Int[np.ndarray, "classes classes"], by: Literal["row", "column"]
) -> Float[np.ndarray, "classes classes"]:
    """Return a confusion matrix as shares of its rows or columns, NaN where one is empty.

    By row the diagonal holds the recalls (scikit-learn's ``normalize="true"``), by column
    the precisions (``normalize="pred"``).
    """
    total = matrix.sum(axis=1, keepdims=True) if by == "row" else matrix.sum(axis=0, keepdims=True)
    return _ratio(matrix, np.broadcast_to(total, matrix.shape))


def accuracy(m: Margins) -> Figure:
    """Return Σ hits / n; the micro means of precision, recall and F1 are the same number."""
    return _ratio(m.hits.sum(-1), m.support.sum(-1))


def recall(m: Margins) -> Figure:
    """Return hits / support of each class, NaN for a class without examples."""
    return _ratio(m.hits, m.support)


def precision(m: Margins) -> Figure:
    """Return hits / predicted of each class, NaN for a class that was never predicted."""
    return _ratio(m.hits, m.predicted)


def f1(m: Margins) -> Figure:
    """Return 2 hits / (support + predicted) of each class, NaN where both are 0.

    That is the harmonic mean of precision and recall, and 0 where one of them is
    undefined, as in scikit-learn.
    """
    return _ratio(2 * m.hits, m.support + m.predicted)


def macro(values: Figure, over: np.ndarray | None = None) -> Figure:
    """Return the mean over classes; NaN values, and classes not in ``over``, are left out."""
    kept = np.isfinite(values) if over is None else np.isfinite(values) & over
    return _ratio(np.where(kept, values, 0).sum(-1), kept.sum(-1))


def weighted(values: Figure, support: Num[np.ndarray, "*draws classes"]) -> Figure:
    """Return the mean over classes weighted by their support; NaN values are left out."""
    kept = np.isfinite(values) * support
    return _ratio((np.where(np.isfinite(values), values, 0) * support).sum(-1), kept.sum(-1))


def balanced_accuracy(m: Margins) -> Figure:
    """Return the mean recall of the classes that have examples."""
    return macro(recall(m))


def matthews(m: Margins) -> Figure:
    r"""Return the Matthews correlation coefficient of many classes, in [-1, 1].

    .. math:: \frac{c\,n - \sum_k t_k p_k}
              {\sqrt{n^2 - \sum_k p_k^2}\,\sqrt{n^2 - \sum_k t_k^2}}

    with c right answers of n, t supports and p predicted counts. NaN where all
    examples, or all predictions, are of one class (scikit-learn puts 0).

    Source: Gorodkin, Comparing two K-category assignments by a K-category
    correlation coefficient, Computational Biology and Chemistry 28 (2004).
    """
    share, found = _shares(m)
    right = _ratio(m.hits.sum(-1), m.support.sum(-1))
    spread = np.sqrt((1 - (share**2).sum(-1)).clip(0) * (1 - (found**2).sum(-1)).clip(0))
    return _ratio(right - (share * found).sum(-1), np.where(spread > 1e-9, spread, 0))


def kappa(m: Margins) -> Figure:
    """Return Cohen's κ = (p - e) / (1 - e), e the agreement expected by chance.

    NaN where chance alone agrees always: one class in labels and predictions.

    Source: Cohen, A coefficient of agreement for nominal scales, Educational and
    Psychological Measurement 20 (1960).
    """
    share, found = _shares(m)
    chance = (share * found).sum(-1)
    right = _ratio(m.hits.sum(-1), m.support.sum(-1))
    return _ratio(right - chance, np.where(1 - chance > 1e-12, 1 - chance, 0))


def _shares(m: Margins) -> tuple[np.ndarray, np.ndarray]:
    total = m.support.sum(-1)[..., None]
    return _ratio(m.support, total), _ratio(m.predicted, total)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    above, below = np.asarray(above, np.float64), np.asarray(below, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)
