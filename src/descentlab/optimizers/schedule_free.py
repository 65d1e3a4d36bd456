"""Schedule-Free descent: iterates averaged as they are made, in place of a falling rate."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from descentlab.optimizers.descent import dtype_of
from descentlab.optimizers.protocol import Schedule
from descentlab.optimizers.schedules import constant


class ScheduleFreeState(NamedTuple):
    """State of a :class:`ScheduleFree`; the parameters that training holds are y."""

    direction: PyTree
    z: PyTree
    largest: Float[Array, ""]
    weights: Float[Array, ""]
    """The sum of weights so far."""
    since: Int[Array, ""]
    """Updates since the start or the last reset."""
    count: Int[Array, ""]
    """Updates since the start, which the schedule goes by."""
    rate: Float[Array, ""] | None
    """The last update's rate before the correction; None without a schedule."""


class ScheduleFree:
    """z ← z - γ (d(∇f(y)) + λ y);  x ← (1-c) x + c z;  y = (1-β) z + β x.

    Args:
        direction: d, a transformation of the gradients that knows no rate.
        learning_rate: η; may be traced.
        schedule: s, γ = η s(t).
        beta: β, above 0 and below 1.
        weight: whose square is the weight w in c = w / Σ w: the ``largest`` rate so far, the
            largest with the coming update's, or the rate ``applied``.
        weight_decay: λ, of y. None for none.
        corrected_by: β₂; γ = η s(t) √(1-β₂ᵗ). None leaves the rate as it is.

    Source: Defazio et al. 2024, algorithm 1. Of x, y and z, y and z are kept;
    x = (y - (1-β) z) / β.
    """

    def __init__(
        self,
        direction: optax.GradientTransformation,
        learning_rate: Any,
        schedule: Schedule = constant,
        *,
        beta: Any = 0.9,
        weight: Literal["largest", "largest_next", "applied"] = "largest",
        weight_decay: Any = None,
        corrected_by: Any = None,
    ) -> None:
        self._direction = optax.with_extra_args_support(direction)
        self._rate, self._schedule, self._beta = learning_rate, schedule, beta
        self._weight, self._decay, self._corrected_by = weight, weight_decay, corrected_by

    def init(self, parameters: PyTree) -> ScheduleFreeState:
        """Return z at the parameters, and nothing averaged."""
        zero, none = jnp.zeros((), dtype_of(parameters)), jnp.zeros((), jnp.int32)
        z = jax.tree.map(jnp.asarray, parameters)
        rate = None if self._schedule is constant else zero
        return ScheduleFreeState(self._direction.init(parameters), z, zero, zero, none, none, rate)

    def update(
        self,
        gradients: PyTree,
        state: ScheduleFreeState,
        parameters: PyTree,
        *,
        value: Any,
        hvp: Any,
        loss: Any,
    ) -> tuple[PyTree, ScheduleFreeState]:
        """Return the next y, and the state with the next z."""
        dtype = state.weights.dtype
        since = optax.safe_increment(state.since)
        rate = declared = jnp.asarray(self._rate * self._schedule(state.count), dtype)
        if self._corrected_by is not None:
            rate = rate * jnp.sqrt(1 - self._corrected_by ** since.astype(dtype))
        largest, weight = self._weighted(state, rate)
        weights = state.weights + weight
        share = jnp.where(weights > 0, weight / jnp.where(weights > 0, weights, 1), 0)
        more = {"value": value, "grad": gradients, "value_fn": loss}
        step, direction = self._direction.update(gradients, state.direction, parameters, **more)
        if self._decay is not None:
            step = jax.tree.map(lambda d, y: d + self._decay * y, step, parameters)
        ahead = rate * (self._beta * (1 - share) - 1)
        moved = jax.tree.map(
            lambda y, z, d: ((1 - share) * y + share * z + ahead * d).astype(y.dtype),
            parameters, state.z, step,
        )  # fmt: skip
        z = jax.tree.map(lambda z, d: (z - rate * d).astype(z.dtype), state.z, step)
        count = optax.safe_increment(state.count)
        applied = None if state.rate is None else declared
        return moved, ScheduleFreeState(direction, z, largest, weights, since, count, applied)

    def _weighted(self, state: ScheduleFreeState, rate: Any) -> tuple[Any, Any]:
        """Return the largest rate so far, and this update's weight."""
        if self._weight == "applied":
            return state.largest, rate**2
        if self._weight == "largest_next":
            rate = jnp.asarray(self._rate * self._schedule(state.count + 1), rate.dtype)
        largest = jnp.maximum(state.largest, rate)
        return largest, largest**2

    def evaluation_parameters(self, parameters: PyTree, state: ScheduleFreeState) -> PyTree:
        """Return the average x."""
        beta = self._beta
        return jax.tree.map(
            lambda y, z: ((y - (1 - beta) * z) / beta).astype(y.dtype), parameters, state.z
        )

    def moved(self, state: ScheduleFreeState, before: PyTree, after: PyTree) -> ScheduleFreeState:
        """Move z, and so the average x, by as much as the parameters y."""
        return state._replace(z=jax.tree.map(lambda z, a, b: z + (b - a), state.z, before, after))

    def readings(self, state: ScheduleFreeState) -> dict[str, Float[Array, ""]]:
        """Return the rate that was applied, where there is a schedule."""
        return {} if state.rate is None else {"learning_rate": state.rate}

    def reset(self, state: ScheduleFreeState, parameters: PyTree) -> ScheduleFreeState:
        """Begin the average anew at the parameters; the schedule goes on."""
        return self.init(parameters)._replace(count=state.count, rate=state.rate)
