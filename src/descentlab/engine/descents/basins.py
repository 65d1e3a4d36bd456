"""Basins: which minimum each of many starts comes to."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.engine.descents.checks import checked_count, checked_seed, checked_steps
from descentlab.engine.descents.method import Method
from descentlab.engine.descents.minima import find_minima, grid
from descentlab.engine.descents.sweep import Progress, sweep
from descentlab.objectives.landscape_catalogue import Domain, LandscapeInfo, Minimum

NONE, DIVERGED = -1, -2
NEAR = 0.01
"""A minimum is reached within this share of the domain's longer side."""

FAR = 100.0
"""Diagonals of the domain from its centre beyond which a descent has run away."""

MOST_STARTS = 4_000_000
MOST_STEPS = 5000
MOST_UPDATES = 2_000_000_000


@dataclasses.dataclass(frozen=True)
class Basins:
    """Which minimum each start of a grid reaches.

    Attributes:
        landscape: what was descended.
        method: how.
        steps: updates of each descent.
        domain: of the grid.
        minima: the local minima, in the order of their numbers.
        index: ``[rows, columns]`` int8, w2 by row from its lower end, w1 by column: the number
            of the minimum, -1 for none, -2 where it diverged.
        radius: how near a minimum is reached.
    """

    landscape: LandscapeInfo
    method: Method
    steps: int
    domain: Domain
    minima: tuple[Minimum, ...]
    index: np.ndarray
    radius: float

    @property
    def starts(self) -> int:
        """Number of starts."""
        return self.index.size

    @property
    def counts(self) -> dict[int, int]:
        """Starts by what they reach: every minimum's number, -1 and -2."""
        numbers = (*range(len(self.minima)), NONE, DIVERGED)
        return {number: int((self.index == number).sum()) for number in numbers}

    def to_json(self) -> dict[str, Any]:
        """Return plain values: counts and minima, not the picture itself."""
        counts = self.counts
        return {
            "landscape": self.landscape.name,
            "optimizer": self.method.optimizer.resolved(),
            "schedule": self.method.schedule.resolved(),
            "method": self.method.text(),
            "steps": self.steps,
            "domain": [list(side) for side in self.domain],
            "shape": list(self.index.shape),
            "starts": self.starts,
            "radius": self.radius,
            "minima": [
                {"point": list(m.point), "value": m.value, "starts": counts[number],
                 "share": counts[number] / self.starts}
                for number, m in enumerate(self.minima)
            ],
            "none": counts[NONE],
            "diverged": counts[DIVERGED],
        }  # fmt: skip


def basins(
    landscape: LandscapeInfo,
    method: Any,
    steps: int,
    *,
    columns: int = 512,
    rows: int = 512,
    seed: int = 0,
    progress: Progress | None = None,
) -> Basins:
    """Descend from a grid of starts over the domain, and say which minimum each reaches.

    A minimum is reached where the point after N updates lies within 1 % of the domain's longer
    side of it, or half the way to the next minimum if that is less. A descent has diverged where
    the point is not finite, or more than 100 diagonals from the domain.

    Args:
        landscape: its minima are found first if it does not state all of them.
        method: whatever :meth:`Method.of` takes.
        steps: updates, up to 5,000.
        columns: starts along w1.
        rows: starts along w2.
        seed: of the noise.
        progress: told the share that is done.

    Raises:
        SpecError: names the field at fault.
    """
    made = Method.of(method)
    steps, seed = checked_steps(steps, MOST_STEPS), checked_seed(seed)
    columns = checked_count("columns", columns, 2, 4096)
    rows = checked_count("rows", rows, 2, 4096)
    if columns * rows > MOST_STARTS or columns * rows * steps > MOST_UPDATES:
        raise SpecError(
            f"columns, rows: {columns * rows:,} starts of {steps:,} updates; at most "
            f"{min(MOST_STARTS, MOST_UPDATES // steps):,} starts of so many are made"
        )
    made.check(steps)
    minima = find_minima(landscape)
    starts = grid(landscape, columns, rows).reshape(-1, 2)
    ends = sweep(landscape, made, starts, steps, watched=False, seed=seed, progress=progress)
    radius = reach(landscape, minima)
    index = which(ends.point, minima, radius)
    index[ran_away(landscape, ends.point)] = DIVERGED
    return Basins(
        landscape, made, steps, landscape.domain, minima, index.reshape(rows, columns), radius
    )


def reach(landscape: LandscapeInfo, minima: tuple[Minimum, ...]) -> float:
    """Return how near a minimum is reached."""
    side = max(high - low for low, high in landscape.domain)
    between = [math.dist(a.point, b.point) for i, a in enumerate(minima) for b in minima[i + 1 :]]
    return min([NEAR * side, *(distance / 2 for distance in between)])


def which(points: np.ndarray, minima: tuple[Minimum, ...], radius: float) -> np.ndarray:
    """Return the number of the minimum that each point is at, or -1."""
    found = np.full(len(points), NONE, np.int8)
    for number, minimum in enumerate(minima):
        away = points - np.asarray(minimum.point)
        with np.errstate(all="ignore"):
            found[(away**2).sum(axis=1) <= radius**2] = number
    return found


def ran_away(landscape: LandscapeInfo, points: np.ndarray) -> np.ndarray:
    """Return which points are not finite, or far from the domain."""
    centre = np.asarray([(low + high) / 2 for low, high in landscape.domain])
    with np.errstate(all="ignore"):
        near = np.abs(points - centre).max(axis=1) <= FAR * landscape.diagonal
    return ~near  # NaN is not near
