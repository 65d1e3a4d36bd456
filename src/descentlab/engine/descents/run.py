"""Runs on a landscape: every iterate, exactly, of any number of methods from one start."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.engine.descents.checks import (
    MOST_METHODS,
    checked_seed,
    checked_start,
    checked_steps,
)
from descentlab.engine.descents.method import Method
from descentlab.engine.descents.programs import PROGRAMS
from descentlab.objectives.landscape_catalogue import LandscapeInfo

CAPACITIES = (512, 4096, 32768, 131072)
"""Rows of a program's records; another number of steps within one is the same program."""


@dataclasses.dataclass(frozen=True)
class Descent:
    """What one method did from one start; all arrays have N + 1 rows, for 0 … N updates.

    Attributes:
        landscape: what was descended.
        method: how.
        steps: N.
        path: the points that the optimizer would hand over, ``[N + 1, 2]``.
        cost: the landscape's values there, without noise.
        gradient_norm: of the landscape's gradients there, without noise.
        iterates: the points at which gradients were taken; other than ``path`` where slow
            weights or an average are handed over.
        gradients: what the optimizer saw at ``iterates``, with noise if there is any.
        rate: the learning rate that the update applied which led here; NaN at 0.
        diverged_at: updates after which cost or point was not finite, or None.
    """

    landscape: LandscapeInfo
    method: Method
    steps: int
    path: np.ndarray
    cost: np.ndarray
    gradient_norm: np.ndarray
    iterates: np.ndarray
    gradients: np.ndarray
    rate: np.ndarray
    diverged_at: int | None

    @property
    def start(self) -> tuple[float, float]:
        """Where it began."""
        return float(self.iterates[0, 0]), float(self.iterates[0, 1])

    @property
    def diverged(self) -> bool:
        """Whether cost or point became infinite or no number."""
        return self.diverged_at is not None

    @property
    def final_cost(self) -> float:
        """The cost after N updates; NaN or infinite if it diverged."""
        return float(self.cost[-1])

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as ``descentlab landscape run --json`` prints them."""
        return {
            "landscape": self.landscape.name,
            "optimizer": self.method.optimizer.resolved(),
            "schedule": self.method.schedule.resolved(),
            "method": self.method.text(),
            "start": list(self.start),
            "steps": self.steps,
            "cost": self.cost.tolist(),
            "path": self.path.tolist(),
            "gradient_norm": self.gradient_norm.tolist(),
            "rate": self.rate.tolist(),
            "final_cost": self.final_cost,
            "diverged": self.diverged,
            "diverged_at": self.diverged_at,
        }


def run(
    landscape: LandscapeInfo,
    methods: Sequence[Any],
    start: Sequence[float],
    steps: int,
    *,
    seed: int = 0,
) -> list[Descent]:
    """Descend with each method from one start, in float64.

    A method's iterates do not depend on the others. Another number of steps, another start
    and other floats of methods and landscape take no other compilation.

    Args:
        landscape: from :func:`descentlab.objectives.landscape_catalogue.find_landscape`.
        methods: whatever :meth:`Method.of` takes, up to 32.
        start: w1 and w2.
        steps: updates, up to 100,000.
        seed: of the noise, where the landscape has some: the same seed, the same noise.

    Raises:
        SpecError: names the field at fault.

    Example:
        >>> from descentlab.objectives.landscape_catalogue import find_landscape
        >>> (found,) = run(find_landscape("rosenbrock"), ["gd lr=0.001"], (-1.54, -0.64), 150)
        >>> round(found.cost[0], 1), round(found.final_cost, 3)
        (913.4, 0.364)
    """
    start, steps, seed = checked_start(start), checked_steps(steps), checked_seed(seed)
    if not 1 <= len(methods) <= MOST_METHODS:
        raise SpecError(f"optimizers: expected 1 to {MOST_METHODS}, found {len(methods)}")
    made = [Method.of(raw) for raw in methods]
    for method in made:
        method.check(steps)
    return [_run(landscape, method, start, steps, seed) for method in made]


def _run(
    landscape: LandscapeInfo, method: Method, start: tuple[float, float], steps: int, seed: int
) -> Descent:
    capacity = next(size for size in CAPACITIES if size > steps)
    key = ("run", landscape.key, landscape.noisy, method.key, capacity)
    arguments = (
        np.asarray(start),
        {name: np.float64(value) for name, value in method.floats.items()},
        {name: np.float64(value) for name, value in landscape.settings.items()},
        np.uint32(seed),
        np.int32(steps),
    )
    rows = PROGRAMS.call(key, _program(landscape, method, capacity), *arguments)[: steps + 1]
    path, cost, rate = rows[:, 0:2], rows[:, 2], rows[:, 8].copy()
    rate[0] = np.nan
    good = np.isfinite(path).all(axis=1) & np.isfinite(cost)
    return Descent(
        landscape, method, steps, path, cost, rows[:, 3], rows[:, 4:6], rows[:, 6:8], rate,
        None if good.all() else int(np.argmin(good)),
    )  # fmt: skip


def _program(landscape: LandscapeInfo, method: Method, capacity: int) -> Any:
    """Return the program: rows of evaluated point, cost, slope, iterate, gradient, rate."""

    def program(start: Any, floats: Any, settings: Any, seed: Any, steps: Any) -> Any:
        import jax
        import jax.numpy as jnp

        from descentlab.engine.descents.problem import Problem

        problem = Problem(landscape, method, floats, settings, seed, steps)
        plain = jax.value_and_grad(problem.value)

        def update(step: Any, carry: Any) -> Any:
            point, state, rows = carry
            value, gradient = problem.gradient(point, step)
            handed = problem.evaluated(point, state)
            cost, slope = (value, gradient) if handed is point and not problem.noisy else (
                plain(handed)
            )  # fmt: skip
            numbers = [cost, jnp.hypot(slope[0], slope[1]), problem.rate(state)]
            row = jnp.concatenate(
                [handed, jnp.stack(numbers[:2]), point, gradient, jnp.stack(numbers[2:])]
            )
            rows = jax.lax.dynamic_update_index_in_dim(rows, row, step, 0)
            return *problem.update(point, state, step, value, gradient), rows

        state = problem.optimizer.init(start)
        rows = jnp.full((capacity, 9), jnp.nan)
        return jax.lax.fori_loop(0, steps + 1, update, (start, state, rows))[2]

    return program
