"""Draws of confusion matrices: a posterior, and a bootstrap, at a cost without n.

Both work on the matrix's cells, so ten million examples cost as much as a thousand.
Draws are made in blocks and go through the figures of :mod:`.counts` at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Float

from descentlab.evaluation.counts import Cells, Margins

DRAWS = 10_000
FEW_CLASSES = 8
"""Up to this many classes the prior is taken as it is, and every cell drawn on its own."""

RIGHT = WRONG = 0.25
"""Examples of each class that the prior is worth: on the diagonal, and beside it."""

WORK = 20_000_000
BLOCK = 2_000_000


def posterior_interval(
    cells: Cells,
    figures: Mapping[str, Callable[[Margins], np.ndarray]],
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return equal-tailed posterior intervals of figures under a Dirichlet prior.

    The joint distribution of (label, prediction) has a Dirichlet prior that is worth half
    an example of each class: a quarter right, and a quarter wrong, spread evenly over
    the other classes. (A prior of 1/K on every cell is worth more wrong examples the
    more classes there are, and draws macro figures of good classifiers down.) With more
    than eight classes the draws of a figure are moved so that their mean is the figure
    itself: with ten examples in each of twelve classes even half an example adds up
    (simulated: intervals of guesses would lie above chance in a tenth of cases with
    twelve classes, in half of them with thirty). A row's empty cells are then drawn as
    one and spread over the columns. The interval always holds the figure.

    Args:
        cells: the confusion matrix.
        figures: by name, functions of margins as in :mod:`.counts`.
        level: the nominal coverage.
        draws: number of draws (fewer where the matrix has very many filled cells).
        seed: of the draws.
    """
    margins = cells.margins()
    found = {}
    for name, values in _drawn(_posterior(cells, draws, seed), figures).items():
        figure = float(figures[name](margins))
        if cells.classes > FEW_CLASSES and np.isfinite(figure):
            floor = -1.0 if np.nanmin(values) < 0 else 0.0  # Matthews and kappa have signs
            values = np.clip(values + (figure - np.nanmean(values)), min(floor, figure), 1)
        low, high = quantiles(values, level)
        found[name] = (float(np.fmin(low, figure)), float(np.fmax(high, figure)))
    return found


def bootstrap_interval(
    cells: Cells,
    figures: Mapping[str, Callable[[Margins], np.ndarray]],
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return percentile bootstrap intervals of figures of a confusion matrix.

    Resampling n examples with replacement is a multinomial draw over the filled cells,
    exactly; replicates in which a figure is undefined are left out.

    Args:
        cells: the confusion matrix.
        figures: by name, functions of margins as in :mod:`.counts`.
        level: the nominal coverage.
        draws: number of replicates.
        seed: of the draws.

    Source: Efron, Bootstrap methods: another look at the jackknife, Annals of
    Statistics 7 (1979).
    """
    drawn = _drawn(_bootstrap(cells, draws, seed), figures)
    return {name: quantiles(values, level) for name, values in drawn.items()}


def _drawn(
    blocks: Iterator[Margins], figures: Mapping[str, Callable[[Margins], np.ndarray]]
) -> dict[str, Float[np.ndarray, " draws"]]:
    found: dict[str, list[np.ndarray]] = {name: [] for name in figures}
    for margins in blocks:
        for name, figure in figures.items():
            found[name].append(figure(margins))
    return {name: np.concatenate(values) for name, values in found.items()}


def quantiles(values: Float[np.ndarray, " draws"], level: float) -> tuple[float, float]:
    """Return the quantiles that leave out the same share at both ends; NaN values are left out."""
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


class Sums:
    """Sums of draws over cells into margins; the cells are sorted by true class."""

    def __init__(self, row: np.ndarray, column: np.ndarray, classes: int) -> None:
        """Take the true and the predicted class of each cell; several cells may have the same."""
        right = np.flatnonzero(row == column)
        by_column = np.argsort(column, kind="stable")
        self.classes = classes
        self.parts = [
            (right, *_edges(row[right])),
            (slice(None), *_edges(row)),
            (by_column, *_edges(column[by_column])),
        ]

    def margins(self, draws: np.ndarray) -> Margins:
        """Return the margins of draws ``[draws, cells]``."""
        found = []
        for chosen, index, first in self.parts:
            total = np.zeros((len(draws), self.classes))
            if len(index):
                total[:, index] = np.add.reduceat(draws[:, chosen], first, axis=1)
            found.append(total)
        return Margins(*found)


def _edges(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first = np.flatnonzero(np.diff(index.astype(np.int64), prepend=-1))
    return index[first], first


def blocks(draws: int, width: int) -> Iterator[int]:
    """Yield sizes of blocks of draws over that many cells; fewer draws where cells are many."""
    draws = min(draws, max(200, WORK // max(1, width)))
    most = max(1, BLOCK // max(1, width))
    for start in range(0, draws, most):
        yield min(most, draws - start)


def _bootstrap(cells: Cells, draws: int, seed: int) -> Iterator[Margins]:
    generator = np.random.default_rng(seed)
    sums = Sums(cells.row, cells.column, cells.classes)
    n = int(cells.count.sum())
    for size in blocks(draws, len(cells.count)):
        yield sums.margins(generator.multinomial(n, cells.count / n, size=size))


def _posterior(cells: Cells, draws: int, seed: int) -> Iterator[Margins]:
    generator = np.random.default_rng(seed)
    classes = cells.classes
    if classes <= FEW_CLASSES:
        row, column = np.divmod(np.arange(classes * classes), classes)
        weight = cells.matrix().ravel() + np.where(row == column, RIGHT, WRONG / (classes - 1 or 1))
        sums = Sums(row, column, classes)
        for size in blocks(draws, len(weight)):
            yield sums.margins(generator.standard_gamma(weight, size=(size, len(weight))))
        return
    row, column, weight, unseen = _filled(cells)
    sums = Sums(row, column, classes)
    for size in blocks(draws, len(weight)):
        margins = sums.margins(generator.standard_gamma(weight, size=(size, len(weight))))
        rest = generator.standard_gamma(unseen, size=(size, classes))
        predicted = margins.predicted + rest.sum(axis=1, keepdims=True) / classes
        yield Margins(margins.hits, margins.support + rest, predicted)


def _filled(cells: Cells) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the filled and the diagonal cells with their weights, and each row's other weight."""
    classes = cells.classes
    missing = np.setdiff1d(np.arange(classes), cells.row[cells.row == cells.column])
    row, column = np.append(cells.row, missing), np.append(cells.column, missing)
    count = np.append(cells.count, np.zeros(len(missing), cells.count.dtype))
    order = np.lexsort((column, row))
    row, column = row[order], column[order]
    prior = np.where(row == column, RIGHT, WRONG / (classes - 1))
    unseen = (classes - np.bincount(row, minlength=classes)) * WRONG / (classes - 1)
    return row, column, count[order] + prior, unseen
