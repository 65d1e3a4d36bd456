"""Stability: over learning rate and β, where a method converges, oscillates, diverges, crawls."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.engine.descents.basins import reach
from descentlab.engine.descents.checks import (
    checked_count,
    checked_interval,
    checked_seed,
    checked_start,
    checked_steps,
)
from descentlab.engine.descents.method import Method
from descentlab.engine.descents.minima import find_minima
from descentlab.engine.descents.outcome import OUTCOMES, Seen, outcomes
from descentlab.engine.descents.run import run
from descentlab.engine.descents.sweep import Progress, sweep
from descentlab.objectives.landscape_catalogue import LandscapeInfo

RATES = 1e-6, 10.0
BETAS = 0.0, 0.99
DECAYS = 1e-4, 1.0
MOST_STEPS = 5000
MOST_SIDE = 512


@dataclasses.dataclass(frozen=True)
class Stability:
    """What becomes of a method's descents over its rate and its β.

    Attributes:
        landscape: what was descended.
        method: how, but for what varies.
        start: where each began.
        steps: updates of each.
        rates: learning rates, even in the logarithm, ``[columns]``.
        other: what else varies: ``beta`` (momentum, β₁, ρ), or ``decay`` of the schedule
            η / (1 + decay·t) for methods without.
        values: of that, ``[rows]``.
        outcome: ``[rows, columns]`` int8, numbers into ``OUTCOMES``.
        cost: final costs, ``[rows, columns]``; NaN or infinite where they are not finite.
    """

    landscape: LandscapeInfo
    method: Method
    start: tuple[float, float]
    steps: int
    rates: np.ndarray
    other: str
    values: np.ndarray
    outcome: np.ndarray
    cost: np.ndarray

    @property
    def counts(self) -> dict[str, int]:
        """Settings by outcome."""
        return {name: int((self.outcome == n).sum()) for n, name in enumerate(OUTCOMES)}

    def to_json(self) -> dict[str, Any]:
        """Return plain values: axes and counts, not the picture itself."""
        return {
            "landscape": self.landscape.name,
            "optimizer": self.method.optimizer.resolved(),
            "start": list(self.start),
            "steps": self.steps,
            "rates": self.rates.tolist(),
            "other": self.other,
            "values": self.values.tolist(),
            "counts": self.counts,
        }


def stability(
    landscape: LandscapeInfo,
    method: Any,
    start: Sequence[float],
    steps: int,
    *,
    columns: int = 128,
    rows: int = 128,
    rates: tuple[float, float] = RATES,
    values: tuple[float, float] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Stability:
    """Descend with every learning rate × β of a grid, and say what becomes of it.

    Plain gradient descent is given momentum, v ← βv - ηg. Methods without β vary the decay of the
    schedule η / (1 + decay·t). See :func:`.outcome.outcomes` for what each outcome means.

    Args:
        landscape: what is descended.
        method: whatever :meth:`Method.of` takes.
        start: w1 and w2.
        steps: updates, up to 5,000.
        columns: learning rates.
        rows: values of the other.
        rates: the lowest and the highest, above 0.
        values: the lowest and the highest of the other: 0 to 0.99 for β, evenly; 10⁻⁴ to 1
            for the decay, evenly in the logarithm.
        seed: of the noise.
        progress: told the share that is done.

    Raises:
        SpecError: names the field at fault.
    """
    start, steps = checked_start(start), checked_steps(steps, MOST_STEPS)
    columns = checked_count("columns", columns, 2, MOST_SIDE)
    rows, seed = checked_count("rows", rows, 2, MOST_SIDE), checked_seed(seed)
    made, other, path = _with_two_floats(Method.of(method))
    made.check(steps)
    low, high = checked_interval("rates", rates, 1e-300, 1e12)
    x = np.geomspace(low, high, columns)
    y = _other_axis(other, values, rows)
    grid = np.meshgrid(x, y)
    varied = {made.rate_path: grid[0].ravel(), path: grid[1].ravel()}
    starts = np.broadcast_to(np.asarray(start), (columns * rows, 2))
    ends = sweep(landscape, made, starts, steps, varied=varied, seed=seed, progress=progress)
    minima = find_minima(landscape)
    (first,) = run(landscape, ["gd"], start, 1)
    seen = Seen(ends.point, ends.cost, ends.slope, ends.turns)
    found = outcomes(
        landscape, seen, steps, float(first.cost[0]), float(first.gradient_norm[0]), minima,
        reach(landscape, minima),
    )  # fmt: skip
    return Stability(
        landscape, made, start, steps, x, other, y,
        found.reshape(rows, columns), ends.cost.reshape(rows, columns),
    )  # fmt: skip


def _with_two_floats(method: Method) -> tuple[Method, str, str]:
    """Return a method that has what varies, the other's name and its path."""
    spec = method.optimizer
    if spec.kind == "sgd" and spec.momentum is None:
        raw = method.resolved()
        raw["optimizer"] |= {"momentum": 0.9, "rate": "inside"}
        method = Method.parse(raw)
    if method.beta_path is not None:
        return method, "beta", method.beta_path
    if method.schedule.kind in ("constant", "inverse_time"):
        method = method.with_decay()
        return method, "decay", method.decay_path or ""
    raise SpecError(
        f"optimizer: {spec.kind} has no momentum or β, and its schedule no decay, to vary beside "
        "the learning rate; leave the schedule out"
    )


def _other_axis(other: str, values: tuple[float, float] | None, rows: int) -> np.ndarray:
    if other == "beta":
        low, high = checked_interval("values", values or BETAS, 0.0, 1 - 1e-9)
        return np.linspace(low, high, rows)
    low, high = checked_interval("values", values or DECAYS, 1e-300, 1e12)
    return np.geomspace(low, high, rows)
