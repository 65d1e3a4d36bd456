"""What runs say about a claim: an advantage a seed for every comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from descentlab.evaluation.decisions import Advantage
from descentlab.studies.claims.comparisons import Comparison

if TYPE_CHECKING:
    from descentlab.studies.claims.spec import Claim
    from descentlab.studies.records import Records

FEWEST_DIVERGED = 3
"""Seeds below which a comparison with diverged runs says nothing."""


@dataclass(frozen=True)
class Evidence:
    """What one comparison's runs say.

    Attributes:
        comparison: what is set against what.
        seeds: seeds for which every run of the comparison is done.
        advantage: how much better the first side is, by these seeds, in the metric's unit.
        a, b: the sides' own figures by seed, diverged runs with the worst sound figure
            among those compared (b is empty where there is a target alone).
        diverged: the share of runs that diverged, by side (of a target: 0).
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
    """A metric of every run, one figure a run; those that diverged have none.

    Args:
        result: the records.
        metric: a recorded metric.
        at: the last record of each curve (``end``) or the best one (``best``).
        seeds: the seeds that may be looked at.
    """

    def __init__(self, result: Records, metric: str, at: str, seeds: Sequence[int]) -> None:
        self.result, self.metric, self.allowed = result, metric, seeds
        self.sign = -1.0 if metric.endswith("_loss") else 1.0
        frame = result.frame() if at == "end" else result.best_records(metric)
        runs = zip(frame["configuration"], frame["seed"], strict=True)
        self._keys = {(str(c), int(s)): i for i, (c, s) in enumerate(runs)}
        values = frame[metric].to_numpy(float)
        # a metric that overflowed is a failure too, whether or not training went on
        self._diverged = frame["diverged"].to_numpy(bool) | np.isinf(values)
        self._values = np.where(self._diverged, np.nan, values)

    def seeds(self, ids: Sequence[str]) -> list[int]:
        """Return the seeds for which all these configurations are done and have the metric."""
        wanted = set(ids)
        count: dict[int, int] = {}
        for (name, seed), row in self._keys.items():
            if name in wanted and (self._diverged[row] or np.isfinite(self._values[row])):
                count[seed] = count.get(seed, 0) + 1
        return [seed for seed in self.allowed if count.get(seed) == len(wanted)]

    def side(self, ids: Sequence[str], seeds: Sequence[int]) -> Side:
        """Return the figures of some configurations, ``[seeds, configurations]``."""
        rows = np.array([[self._keys[name, seed] for name in ids] for seed in seeds], int)
        rows = rows.reshape(len(seeds), len(ids))
        return Side(self._values[rows], self._diverged[rows])

    def trained(self, ids: Sequence[str], seeds: Sequence[int]) -> bool:
        """Return whether each configuration has a sound record after its start."""
        curves = self.result.curves(self.metric, ids)
        after = curves[(curves["step"] > 0) & curves["seed"].isin(seeds)]
        return set(ids) <= set(after["configuration"])


class Side(NamedTuple):
    """Figures of runs, ``[seeds, configurations]``, NaN where a run diverged."""

    values: np.ndarray
    diverged: np.ndarray


def gather(claim: Claim, comparison: Comparison, figures: Figures) -> Evidence:
    """Return what a comparison's finished runs say.

    Each side is averaged over its configurations within a cell and over the cells
    within a seed, so that the seed is the unit.
    """
    seeds = figures.seeds(comparison.ids)
    target = getattr(claim, "target", None)
    cells = [[figures.side(side, seeds) for side in cell if side] for cell in comparison.cells]
    worst = _worst([side for cell in cells for side in cell], figures.sign, target)
    a = np.mean([_by_seed(cell[0], worst) for cell in cells], axis=0)
    if target is None:
        b = np.mean([_by_seed(cell[1], worst) for cell in cells], axis=0)
        values, shares = figures.sign * (a - b), (_share(cells, 0), _share(cells, 1))
    else:
        b = np.zeros(0)
        values, shares = figures.sign * (a - target), (_share(cells, 0), 0.0)
    examples = figures.result.examples(figures.metric)
    runs = min(len(side) for cell in comparison.cells for side in cell if side)
    resolution = _resolution(examples, len(cells) * runs, two_sided=target is None)
    return Evidence(
        comparison,
        tuple(seeds),
        _advantage(values, shares, resolution, alone=target is not None),
        a,
        b,
        shares,
        target is None and bool(seeds) and _identical(comparison, figures, values, seeds),
        _test_error(a, b, examples),
    )


def _worst(sides: Sequence[Side], sign: float, target: float | None) -> float:
    """Return what a diverged run counts with: the worst sound figure of the runs compared.

    So it is last among them, as by rank, and no unrelated run and no size of an explosion
    has a say. Against a target it is at best at the target, not beyond it.
    """
    sound = np.concatenate([side.values[~side.diverged] for side in sides])
    goal = [] if target is None else [sign * target]
    found = [*(sign * sound[np.isfinite(sound)]), *goal]
    return sign * float(min(found)) if found else np.nan


def _by_seed(side: Side, worst: float) -> np.ndarray:
    return np.where(side.diverged, worst, side.values).mean(axis=1)


def _advantage(
    values: np.ndarray, shares: tuple[float, float], resolution: float, *, alone: bool
) -> Advantage:
    """Return the advantage; where runs diverged, two seeds are not enough to tell.

    A side of which every run diverged has lost to one of which none did, by more than any
    margin. If both sides diverge with one probability p, either looks so in n seeds with
    probability 2 pⁿ(1 - p)ⁿ, which is at most 2/4ⁿ.
    """
    fewest = FEWEST_DIVERGED if any(shares) else 2
    if shares == (1.0, 1.0):
        return Advantage(np.full(len(values), np.nan), fewest=fewest)
    if shares in ((1.0, 0.0), (0.0, 1.0)):
        lost = np.full(len(values), -np.inf if shares[0] else np.inf)
        chance = 0.0 if alone else 2 / 4.0 ** len(values)
        return Advantage(lost, fewest=fewest, chance=chance)
    return Advantage(values, resolution, fewest)


def _share(cells: Sequence[Sequence[Side]], side: int) -> float:
    shares = [cell[side].diverged.mean() for cell in cells if cell[side].diverged.size]
    return float(np.mean(shares)) if shares else 0.0


def _resolution(examples: int | None, runs: int, *, two_sided: bool) -> float:
    """Return the standard deviation of rounding to steps of 1/n: n^-1 / √12 a figure."""
    if not examples:
        return 0.0
    return float(np.sqrt((2 if two_sided else 1) / (12 * runs)) / examples)


def _test_error(a: np.ndarray, b: np.ndarray, examples: int | None) -> float | None:
    """Return √Σ p(1 - p)/n over the sides: at most so much for sides measured on one test set."""
    shares = [np.clip(side.mean(), 0, 1) for side in (a, b) if len(side)]
    if not examples or not shares or not np.isfinite(shares).all():
        return None
    return float(np.sqrt(sum(p * (1 - p) for p in shares) / examples))


def _identical(
    comparison: Comparison, figures: Figures, values: np.ndarray, seeds: Sequence[int]
) -> bool:
    """Return whether every curve of one side equals its partner's to the bit.

    Runs that diverge before their first record share the start alone, and it is no training.
    """
    if np.nan_to_num(values).any() or not all(len(c.a) == len(c.b) == 1 for c in comparison.cells):
        return False
    if not figures.trained(comparison.ids, seeds):
        return False
    return all(figures.result.same_curves(c.a[0], c.b[0], seeds) for c in comparison.cells)
