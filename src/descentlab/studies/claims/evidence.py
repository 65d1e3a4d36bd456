"""What runs say about a claim: an advantage a seed for every comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from descentlab.evaluation.decisions import Advantage
from descentlab.studies.claims.comparisons import Comparison

if TYPE_CHECKING:
    from descentlab.studies.claims.spec import Claim
    from descentlab.studies.records import Records


@dataclass(frozen=True)
class Evidence:
    """What one comparison's runs say.

    Attributes:
        comparison: what is set against what.
        seeds: seeds for which every run of the comparison is done.
        advantage: how much better the first side is, by these seeds, in the metric's unit.
        a, b: the sides' own figures by seed (b is empty where there is a target alone).
        diverged: the share of runs that diverged, by side.
        identical: whether the curves of both sides are equal to the bit.
        test_error: the standard error that the examples measured on leave in the
            difference, if the metric is an accuracy: more seeds do not lower it.
    """

    comparison: Comparison
    seeds: tuple[int, ...]
    advantage: Advantage
    a: np.ndarray
    b: np.ndarray
    diverged: tuple[float, float]
    identical: bool
    test_error: float | None


class Figures:
    """A metric of every run, one figure a run, those that diverged with the worst one.

    A diverged run counts with the worst figure that any run of the study ever recorded,
    its start included: it is never dropped, and it loses.
    """

    def __init__(self, result: Records, metric: str, at: str) -> None:
        self.result, self.metric = result, metric
        self.sign = -1.0 if metric.endswith("_loss") else 1.0
        frame = result.frame() if at == "end" else result.best_records(metric)
        runs = zip(frame["configuration"], frame["seed"], strict=True)
        self._keys = {(str(c), int(s)): i for i, (c, s) in enumerate(runs)}
        self._diverged = frame["diverged"].to_numpy(bool)
        self._values = np.where(self._diverged, np.nan, frame[metric].to_numpy(float))

    @cached_property
    def worst(self) -> float:
        """The worst figure on record."""
        low, high = self.result.extremes(self.metric)
        return high if self.sign < 0 else low

    def seeds(self, ids: Sequence[str]) -> list[int]:
        """Return the seeds for which all these configurations are done and have the metric."""
        wanted = set(ids)
        count: dict[int, int] = {}
        for (name, seed), row in self._keys.items():
            if name in wanted and (self._diverged[row] or np.isfinite(self._values[row])):
                count[seed] = count.get(seed, 0) + 1
        return [seed for seed in self.result.study.seeds if count.get(seed) == len(wanted)]

    def side(self, ids: Sequence[str], seeds: Sequence[int]) -> tuple[np.ndarray, float]:
        """Return the mean over configurations by seed, and the share of runs that diverged."""
        rows = np.array([[self._keys[name, seed] for name in ids] for seed in seeds], int)
        rows = rows.reshape(len(seeds), len(ids))
        diverged = self._diverged[rows]
        values = np.where(diverged, self.worst if diverged.any() else 0.0, self._values[rows])
        return values.mean(axis=1), float(diverged.mean()) if diverged.size else 0.0


def gather(claim: Claim, comparison: Comparison, figures: Figures) -> Evidence:
    """Return what a comparison's finished runs say.

    Each side is averaged over its configurations within a cell and over the cells
    within a seed, so that the seed is the unit.
    """
    seeds = figures.seeds(comparison.ids)
    target = getattr(claim, "target", None)
    cells = [[figures.side(side, seeds) for side in cell if side] for cell in comparison.cells]
    a = np.mean([cell[0][0] for cell in cells], axis=0)
    if target is None:
        b = np.mean([cell[1][0] for cell in cells], axis=0)
        values, shares = figures.sign * (a - b), [_share(cells, 0), _share(cells, 1)]
    else:
        b = np.zeros(0)
        values, shares = figures.sign * (a - target), [_share(cells, 0), 0.0]
    examples = figures.result.examples(figures.metric)
    runs = min(len(side) for cell in comparison.cells for side in cell if side)
    return Evidence(
        comparison,
        tuple(seeds),
        Advantage(values, _resolution(examples, len(cells) * runs, two_sided=target is None)),
        a,
        b,
        (shares[0], shares[1]),
        target is None and bool(seeds) and _identical(comparison, figures, values),
        _test_error(a, b, examples),
    )


def _share(cells: Sequence[Sequence[tuple[np.ndarray, float]]], side: int) -> float:
    return float(np.mean([cell[side][1] for cell in cells]))


def _resolution(examples: int | None, runs: int, *, two_sided: bool) -> float:
    """Return the standard deviation of rounding to steps of 1/n: n^-1 / √12 a figure."""
    if not examples:
        return 0.0
    return float(np.sqrt((2 if two_sided else 1) / (12 * runs)) / examples)


def _test_error(a: np.ndarray, b: np.ndarray, examples: int | None) -> float | None:
    """Return √Σ p(1 - p)/n over the sides: at most so much for sides measured on one test set."""
    if not examples or not len(a):
        return None
    shares = [np.clip(side.mean(), 0, 1) for side in (a, b) if len(side)]
    return float(np.sqrt(sum(p * (1 - p) for p in shares) / examples))


def _identical(comparison: Comparison, figures: Figures, values: np.ndarray) -> bool:
    """Return whether every curve of one side equals its partner's to the bit."""
    if values.any() or not all(len(cell.a) == len(cell.b) == 1 for cell in comparison.cells):
        return False
    return all(figures.result.same_curves(cell.a[0], cell.b[0]) for cell in comparison.cells)
