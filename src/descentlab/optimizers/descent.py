"""Descent: a direction out of the gradients, times the learning rate of a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from descentlab.optimizers.protocol import Schedule
from descentlab.optimizers.schedules import constant


class DescentState(NamedTuple):
    """State of a :class:`Descent`; without a schedule nothing is counted."""

    direction: PyTree
    velocity: PyTree
    count: Int[Array, ""] | None
    rate: Float[Array, ""] | None
    """The rate that the last update applied."""


class Descent:
    """θ ← θ + v(-η s(t) d(g)) - η s(t) λ θ, with s(t) at t = 0, 1, … updates before this one.

    Args:
        direction: d, a transformation of the gradients that knows no rate.
        learning_rate: η; may be traced.
        schedule: s.
        velocity: v, a transformation of what the rate has scaled: a buffer that keeps what
            was scaled by earlier rates, as Keras's momentum does. Nothing by default, so
            that the rate comes after any buffer, as in PyTorch and Optax.
        weight_decay: λ, decoupled from the gradients (Loshchilov & Hutter 2019); of the
            parameters before the update. None for none.
        decay_scaled_by: ``schedule`` leaves η out of the decay's factor, as that paper does.
        evaluate: gives what is evaluated, from parameters and state; the parameters by default.
    """

    def __init__(
        self,
        direction: optax.GradientTransformation,
        learning_rate: Any,
        schedule: Schedule = constant,
        *,
        velocity: optax.GradientTransformation | None = None,
        weight_decay: Any = None,
        decay_scaled_by: Literal["rate", "schedule"] = "rate",
        evaluate: Callable[[PyTree, Any], PyTree] | None = None,
    ) -> None:
        self._direction = optax.with_extra_args_support(direction)
        self._velocity = optax.with_extra_args_support(velocity or optax.identity())
        self._rate, self._schedule = learning_rate, schedule
        self._decay, self._decay_scaled_by = weight_decay, decay_scaled_by
        self._evaluate = evaluate

    def init(self, parameters: PyTree) -> DescentState:
        """Return buffers at zero and a count of zero."""
        scheduled = self._schedule is not constant
        return DescentState(
            self._direction.init(parameters),
            self._velocity.init(parameters),
            jnp.zeros((), jnp.int32) if scheduled else None,
            jnp.full((), jnp.nan, dtype_of(parameters)) if scheduled else None,
        )

    def update(
        self,
        gradients: PyTree,
        state: DescentState,
        parameters: PyTree,
        *,
        value: Any,
        hvp: Any,
        loss: Any,
    ) -> tuple[PyTree, DescentState]:
        """Return the parameters after one update, and the state."""
        count, factor = state.count, 1.0
        if count is not None:
            factor, count = self._schedule(count), optax.safe_increment(count)
        rate = self._rate * factor
        more = {"value": value, "grad": gradients, "value_fn": loss}
        updates, direction = self._direction.update(gradients, state.direction, parameters, **more)
        updates = jax.tree.map(lambda d: -rate * d, updates)
        updates, velocity = self._velocity.update(updates, state.velocity, parameters, **more)
        if self._decay is not None:
            share = self._decay * (rate if self._decay_scaled_by == "rate" else factor)
            updates = jax.tree.map(lambda u, p: u - share * p, updates, parameters)
        moved = optax.apply_updates(parameters, updates)
        applied = None if state.rate is None else jnp.asarray(rate, state.rate.dtype)
        return moved, DescentState(direction, velocity, count, applied)

    def evaluation_parameters(self, parameters: PyTree, state: DescentState) -> PyTree:
        """Return the parameters themselves, unless told otherwise."""
        return parameters if self._evaluate is None else self._evaluate(parameters, state)

    def readings(self, state: DescentState) -> dict[str, Float[Array, ""]]:
        """Return the rate that was applied, where there is a schedule."""
        return {} if state.rate is None else {"learning_rate": state.rate}

    def reset(self, state: DescentState, parameters: PyTree) -> DescentState:
        """Return buffers at zero; the schedule goes on."""
        return self.with_moments(state, self.moments(self.init(parameters)))

    def moments(self, state: DescentState) -> PyTree:
        """Return the buffers of direction and velocity."""
        return state.direction, state.velocity

    def with_moments(self, state: DescentState, moments: PyTree) -> DescentState:
        """Return the state with other buffers; the schedule goes on."""
        direction, velocity = moments
        return state._replace(direction=direction, velocity=velocity)


def dtype_of(parameters: PyTree) -> Any:
    """Return the dtype that parameters have in common."""
    return jnp.result_type(*(jnp.asarray(leaf).dtype for leaf in jax.tree.leaves(parameters)))
