"""What became of a descent: it converges, oscillates, diverges or crawls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from descentlab.engine.descents.basins import NONE, ran_away, which
from descentlab.objectives.landscape_catalogue import LandscapeInfo, Minimum

CONVERGES, OSCILLATES, DIVERGES, CRAWLS = range(4)
OUTCOMES: tuple[str, ...] = ("converges", "oscillates", "diverges", "crawls")
"""By number."""

STILL = 1e-6
"""A point is stationary where this share of the start's slope is left."""

TURNING = 0.25
"""Share of the second half's updates that go against the one before from which it oscillates."""


class Seen(NamedTuple):
    """What an outcome is judged by; arrays with one entry a descent."""

    point: np.ndarray
    cost: np.ndarray
    slope: np.ndarray
    turns: np.ndarray


def outcomes(
    landscape: LandscapeInfo,
    seen: Seen,
    steps: int,
    first_cost: float,
    first_slope: float,
    minima: tuple[Minimum, ...],
    radius: float,
) -> np.ndarray:
    """Return the number of each descent's outcome.

    It **diverges** if the point is not finite or more than 100 diagonals from the domain, or the
    cost ends higher than it began (unless gradients are noisy). It **converges** if it ends at a
    minimum, or where a millionth of the slope at the start is left. Else it **oscillates** if
    more than a quarter of the updates of the second half go against the one before, dot product
    below 0, and **crawls** if not: it is still on its way.
    """
    with np.errstate(all="ignore"):
        away = ran_away(landscape, seen.point) | ~np.isfinite(seen.cost)
        if not landscape.noisy:
            away |= seen.cost > first_cost
        there = which(seen.point, minima, radius) != NONE
        there |= seen.slope <= STILL * first_slope
    turning = seen.turns > TURNING * max(1, steps - (steps + 1) // 2)
    found = np.where(turning, OSCILLATES, CRAWLS)
    found = np.where(there, CONVERGES, found)
    return np.where(away, DIVERGES, found).astype(np.int8)
