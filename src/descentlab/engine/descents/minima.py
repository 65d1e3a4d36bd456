"""The local minima of a landscape: those it states, and others found by Newton from a grid."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from descentlab.core.formulas import Expression, evaluate, parse
from descentlab.engine.descents.programs import PROGRAMS
from descentlab.objectives.landscape_catalogue import LandscapeInfo, Minimum
from descentlab.objectives.typed import CONSTANTS

GRID = 64
"""Starts along each side of the domain."""

UPDATES = 80
MOST = 127
"""Minima that are kept, the lowest first: their numbers fit a signed byte."""

APART = 1e-3
"""Minima nearer than this share of the domain's diagonal are one."""


@lru_cache(maxsize=64)
def find_minima(landscape: LandscapeInfo) -> tuple[Minimum, ...]:
    """Return the local minima within the domain, the lowest first, at most 127.

    From each of 64 × 64 starts saddle-free Newton steps of limited length go down, then plain
    Newton steps. What has no slope there and no way down is a minimum. Points of the grid that
    are lower than all around, but where none was found, are refined by Nelder and Mead's
    simplex: minima with an edge, as of ``abs(w1)``.

    A landscape that states all its minima is not searched. Of a valley without slope some
    points are returned.
    """
    if not landscape.more and not landscape.typed:
        return _inside(landscape, landscape.minima)
    found = list(landscape.minima)
    for search in (_by_newton, _by_simplex):
        for point in search(landscape, [m.point for m in found]):
            distances = [math.dist(point, m.point) for m in found]
            if min(distances, default=np.inf) > APART * landscape.diagonal:
                found.append(_as_minimum(landscape, point))
    found.sort(key=lambda m: (round(m.value, 9), math.hypot(*m.point)))
    return _inside(landscape, tuple(found))[:MOST]


def values(landscape: LandscapeInfo, points: np.ndarray) -> np.ndarray:
    """Return the formula's values at points ``[..., 2]`` by NumPy; NaN where it has none."""
    names: dict[str, Any] = {"w1": points[..., 0], "w2": points[..., 1], **CONSTANTS}
    with np.errstate(all="ignore"):
        found = evaluate(_tree(landscape.formula), names)
    return np.broadcast_to(np.asarray(found, np.float64), points.shape[:-1])


@lru_cache(maxsize=16)
def _tree(formula: str) -> Expression:
    return parse(formula)


def grid(landscape: LandscapeInfo, columns: int, rows: int) -> np.ndarray:
    """Return points over the domain, ``[rows, columns, 2]``: w1 by column, w2 by row."""
    (left, right), (low, high) = landscape.domain
    w1, w2 = np.linspace(left, right, columns), np.linspace(low, high, rows)
    return np.stack(np.meshgrid(w1, w2), axis=-1)


def _inside(landscape: LandscapeInfo, found: tuple[Minimum, ...]) -> tuple[Minimum, ...]:
    (left, right), (low, high) = landscape.domain
    return tuple(m for m in found if left <= m.point[0] <= right and low <= m.point[1] <= high)


def _as_minimum(landscape: LandscapeInfo, point: Any) -> Minimum:
    at = float(point[0]), float(point[1])
    return Minimum(at, float(values(landscape, np.asarray(at))))


def _by_newton(landscape: LandscapeInfo, known: list[tuple[float, float]]) -> list[np.ndarray]:
    """Return where Newton's steps ended at a minimum, the lowest first."""
    starts = grid(landscape, GRID, GRID).reshape(-1, 2)
    settings = {name: np.float64(value) for name, value in landscape.settings.items()}
    key = ("minima", landscape.key)
    limit = np.float64(landscape.diagonal / 20)
    point, slope, low, high, value, nearby = PROGRAMS.call(
        key, _program(landscape), starts, settings, limit
    )
    with np.errstate(all="ignore"):
        steep = slope <= 1e-7 * np.maximum(1.0, np.abs(high) * landscape.diagonal)
        bent = low > -1e-9 * np.maximum(np.abs(high), 1e-300)
        bottom = value <= nearby + 1e-12 * np.abs(value)
    good = np.isfinite(point).all(axis=1) & steep & bent & bottom & np.isfinite(value)
    order = np.argsort(value[good], kind="stable")
    return _apart(point[good][order], APART * landscape.diagonal)


def _apart(points: np.ndarray, distance: float) -> list[np.ndarray]:
    """Return the first of each group of points that are near each other."""
    left, found = points, []
    while len(left) and len(found) < 4 * MOST:
        found.append(left[0])
        left = left[np.linalg.norm(left - left[0], axis=1) > distance]
    return found


def _program(landscape: LandscapeInfo) -> Any:
    def program(starts: Any, settings: Any, limit: Any) -> Any:
        import jax
        import jax.numpy as jnp

        from descentlab.engine.descents.planar import eigenvalues, newton, saddle_free
        from descentlab.objectives.landscape_catalogue import function_of

        function = function_of(landscape)

        def value(point: Any) -> Any:
            return function(point, settings)

        slope = jax.grad(value)

        def go(solve: Any, point: Any) -> Any:
            def product(vector: Any) -> Any:
                return jax.jvp(slope, (point,), (vector,))[1]

            step, _ = solve(slope(point), product)
            length = jnp.hypot(step[0], step[1])
            return point - step * jnp.minimum(1.0, limit / jnp.where(length > 0, length, 1.0))

        def one(start: Any) -> Any:
            down, last = saddle_free(0.0), newton(0.0)
            point = jax.lax.fori_loop(0, UPDATES, lambda _, p: go(down, p), start)
            polished = jax.lax.fori_loop(0, 3, lambda _, p: go(last, p), point)
            moved = jnp.hypot(*(polished - point))
            better = jnp.isfinite(polished).all() & (moved < limit / 10)
            point = jnp.where(better, polished, point)
            h = jax.jacfwd(slope)(point)
            low, high = eigenvalues((h[0, 0], (h[0, 1] + h[1, 0]) / 2, h[1, 1]))
            around = jnp.asarray([[1, 0], [-1, 0], [0, 1], [0, -1], [0.7, 0.7], [-0.7, 0.7],
                                  [0.7, -0.7], [-0.7, -0.7]]) * limit / 1000  # fmt: skip
            nearby = jax.vmap(value)(point + around).min()
            return point, jnp.hypot(*slope(point)), low, high, value(point), nearby

        return jax.lax.map(one, starts, batch_size=1024)

    return program


def _by_simplex(landscape: LandscapeInfo, known: list[tuple[float, float]]) -> list[np.ndarray]:
    """Return minima with an edge, from points of the grid that are lower than all around."""
    from scipy.optimize import minimize

    points = grid(landscape, GRID + 1, GRID + 1)
    height = values(landscape, points)
    padded = np.pad(np.where(np.isnan(height), np.inf, height), 1, constant_values=-np.inf)
    size = height.shape
    around = [
        padded[1 + i : 1 + i + size[0], 1 + j : 1 + j + size[1]]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i, j) != (0, 0)
    ]
    lower = (height < np.min(around, axis=0)) & np.isfinite(height)
    candidates = points[lower][np.argsort(height[lower], kind="stable")][:MOST]
    cell = landscape.diagonal / GRID
    found = []
    for start in candidates:
        if any(math.dist(start, point) <= 2 * cell for point in known):
            continue
        simplex = start + cell / 4 * np.array([[0.0, 0.0], [1.0, 0.3], [-0.4, 1.0]])
        end = minimize(
            lambda p: float(np.nan_to_num(values(landscape, p), nan=np.inf)),
            start,
            method="Nelder-Mead",
            options={"initial_simplex": simplex, "xatol": 1e-10, "fatol": 0.0, "maxfev": 400},
        )
        if np.linalg.norm(end.x - start) <= 2 * cell:
            found.append(end.x)
    return found
