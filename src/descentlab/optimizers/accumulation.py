"""Gradient accumulation: one update of the rule from the mean gradient of several batches."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from descentlab.optimizers.common import common
from descentlab.optimizers.protocol import (
    Optimizer,
    Resettable,
    fast_parameters,
    moved,
    readings_of,
)


class AccumulationState(NamedTuple):
    """The inner optimizer's state, the sum of gradients so far, and of how many batches."""

    inner: PyTree
    total: PyTree
    count: Int[Array, ""]


def accumulated(inner: Optimizer, batches: int) -> Optimizer:
    """Return an optimizer that updates once in ``batches`` batches; ``inner`` itself for one."""
    return inner if batches == 1 else Accumulated(inner, batches)


class Accumulated:
    """θ moves by the inner optimizer with ḡ = (g₁ + … + g_k) / k after every k-th batch.

    The inner optimizer's schedule counts its own updates, one in k batches; ``value`` and the
    loss's curvature are those of the k-th batch.
    """

    def __init__(self, inner: Optimizer, batches: int) -> None:
        self._inner, self._batches = inner, batches

    def init(self, parameters: PyTree) -> AccumulationState:
        """Return the inner state, and a sum of nothing."""
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return AccumulationState(self._inner.init(parameters), zeros, jnp.zeros((), jnp.int32))

    def update(
        self,
        gradients: PyTree,
        state: AccumulationState,
        parameters: PyTree,
        *,
        value: Any,
        hvp: Any,
        loss: Any,
    ) -> tuple[PyTree, AccumulationState]:
        """Add a batch's gradients; after the last of k, move."""
        total = jax.tree.map(jnp.add, state.total, gradients)

        def move() -> tuple[PyTree, AccumulationState]:
            mean = jax.tree.map(lambda g: g / self._batches, total)
            parameters_now, inner = self._inner.update(
                mean, state.inner, parameters, value=value, hvp=hvp, loss=loss
            )
            zeros = jax.tree.map(jnp.zeros_like, total)
            return parameters_now, AccumulationState(inner, zeros, jnp.zeros_like(state.count))

        def wait() -> tuple[PyTree, AccumulationState]:
            return parameters, AccumulationState(state.inner, total, state.count + 1)

        return jax.lax.cond(common(state.count) == self._batches - 1, move, wait)

    def evaluation_parameters(self, parameters: PyTree, state: AccumulationState) -> PyTree:
        """Return what the inner optimizer evaluates."""
        return self._inner.evaluation_parameters(parameters, state.inner)

    def fast_parameters(self, parameters: PyTree, state: AccumulationState) -> PyTree:
        """Return the inner optimizer's fast weights."""
        return fast_parameters(self._inner, parameters, state.inner)

    def moved(self, state: AccumulationState, before: PyTree, after: PyTree) -> AccumulationState:
        """Tell the inner optimizer."""
        return state._replace(inner=moved(self._inner, state.inner, before, after))

    def readings(self, state: AccumulationState) -> dict[str, Float[Array, ""]]:
        """Return the inner optimizer's, of its last update."""
        return readings_of(self._inner, state.inner)

    def reset(self, state: AccumulationState, parameters: PyTree) -> AccumulationState:
        """Reset the inner optimizer; the sum stays."""
        assert isinstance(self._inner, Resettable)
        return state._replace(inner=self._inner.reset(state.inner, parameters))
