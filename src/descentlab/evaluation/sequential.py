"""Looking more than once: levels at which each look may decide, so that all together err rarely.

Adding seeds until a test says yes makes false verdicts frequent (23 % with looks at 3 to
20 seeds). An α-spending function says how much of α may be used up by each look.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

POINTS = 801


def obrien_fleming_spent(share: float, alpha: float = 0.05) -> float:
    r"""Return the α that is spent when a share of all seeds is in: little at first.

    .. math:: \alpha(t) = 4 - 4\,\Phi\!\left(z_{1 - \alpha/4} / \sqrt t\right)

    that is α/2 on each side.

    Source: Lan and DeMets, Discrete sequential boundaries for clinical trials,
    Biometrika 70 (1983).
    """
    from scipy.special import ndtr, ndtri

    return float(4 * ndtr(-ndtri(1 - alpha / 4) / share**0.5))


def look_levels(looks: Sequence[int], most: int, alpha: float = 0.05) -> list[float]:
    """Return the two-sided level of each look, as if it were the only one.

    The boundaries are those of a Brownian motion (Armitage, McPherson and Rowe's
    recursion); levels carry over to the t test of each look (Jennison and Turnbull's
    significance-level approach). That is exact for many seeds alone: with α = 0.05 and a
    first look at 3 seeds, false verdicts come to 5.6 % with 4 seeds at most and to 5.2 %
    with 20.

    Args:
        looks: numbers of seeds at which one looks, rising.
        most: the number of seeds at which all of α is spent.
        alpha: the probability of any false verdict over all looks.

    Source: Jennison and Turnbull, Group Sequential Methods (2000), sections 7.2 and 19.2.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    levels: list[float] = []
    spent, before = 0.0, 0.0
    place, density = np.zeros(1), np.ones(1)  # of the motion at the last look, not yet decided
    for look in looks:
        share = look / most
        step = (share - before) ** 0.5
        wanted = obrien_fleming_spent(share, alpha) - spent

        furthest = 12 * share**0.5
        left = partial(_left, place=place, density=density, step=step, wanted=wanted)
        bound = brentq(left, 0.0, furthest) if left(furthest) < 0 else np.inf
        reach = min(bound, furthest)
        grid = np.linspace(-reach, reach, POINTS)
        kernel = np.exp(-0.5 * ((grid[:, None] - place) / step) ** 2) / (step * (2 * np.pi) ** 0.5)
        weight = np.full(POINTS, grid[1] - grid[0])
        weight[[0, -1]] /= 2
        place, density = grid, (kernel @ density) * weight
        levels.append(float(2 * ndtr(-bound / share**0.5)))
        spent, before = spent + wanted, share
    return levels


def _left(
    bound: float, *, place: np.ndarray, density: np.ndarray, step: float, wanted: float
) -> float:
    """Return how much more probability than wanted goes beyond a bound at the next look."""
    from scipy.special import ndtr

    beyond = ndtr((-bound - place) / step) + ndtr((place - bound) / step)
    return float((density * beyond).sum() - wanted)


def planned_looks(first: int, most: int) -> list[int]:
    """Return the numbers of seeds at which to look: half as many again each time."""
    looks = [min(first, most)]
    while looks[-1] < most:
        looks.append(min(most, max(looks[-1] + 1, round(looks[-1] * 1.5))))
    return looks
