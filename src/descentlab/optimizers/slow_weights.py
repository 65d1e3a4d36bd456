"""Lookahead's algorithm: slow weights that follow an inner optimizer's fast ones."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from descentlab.optimizers.common import common
from descentlab.optimizers.protocol import (
    Optimizer,
    Resettable,
    WithMoments,
    moved,
    readings_of,
)

FISHER_DECAY = 0.999
"""Decay of the running mean of squared gradients behind an adaptive step."""


class SlowWeightsState(NamedTuple):
    """State of :class:`SlowWeights`."""

    inner: PyTree
    slow: PyTree
    fast: PyTree
    """The fast weights after the last inner update, before they were synchronised."""
    count: Int[Array, ""]
    """Inner updates since the last synchronisation."""
    alpha: Float[Array, ""]
    """The share of the last synchronisation."""
    moments: PyTree
    """The inner optimizer's at the last synchronisation, where they are pulled back."""
    fisher: PyTree
    """Running mean of squared gradients and how many it holds, where α is adaptive."""


class SlowWeights:
    """φ ← φ + α (θ - φ) after every k updates of θ by an inner optimizer; then θ ← φ.

    See :class:`descentlab.optimizers.specs.Lookahead`.

    Args:
        inner: any optimizer.
        k: inner updates between synchronisations.
        alpha: share of the way that the slow weights go; may be traced.
        alpha_low: least share of an adaptive one; None where ``alpha`` is fixed.
        inner_state: what becomes of the inner moments at a synchronisation.
    """

    def __init__(
        self,
        inner: Optimizer,
        k: int,
        alpha: Any,
        alpha_low: Any = None,
        inner_state: Literal["keep", "reset", "pull_back"] = "keep",
    ) -> None:
        self._inner, self._k, self._alpha = inner, k, alpha
        self._alpha_low, self._inner_state = alpha_low, inner_state

    def init(self, parameters: PyTree) -> SlowWeightsState:
        """Return slow and fast weights at the parameters."""
        inner = self._inner.init(parameters)
        dtype = jnp.result_type(*jax.tree.leaves(parameters))
        return SlowWeightsState(
            inner,
            slow=parameters,
            fast=parameters,
            count=jnp.zeros((), jnp.int32),
            alpha=jnp.asarray(self._alpha, dtype),
            moments=self._moments(inner),
            fisher=_nothing_seen(parameters) if self._adaptive else None,
        )

    def update(
        self,
        gradients: PyTree,
        state: SlowWeightsState,
        parameters: PyTree,
        *,
        value: Any,
        hvp: Any,
        loss: Any,
    ) -> tuple[PyTree, SlowWeightsState]:
        """Move the fast weights; after k times the slow ones, where the fast start again."""
        fast, inner = self._inner.update(
            gradients, state.inner, parameters, value=value, hvp=hvp, loss=loss
        )
        fisher = state.fisher
        if self._adaptive:
            mean, seen = fisher
            mean = optax.tree.update_moment_per_elem_norm(gradients, mean, FISHER_DECAY, 2)
            fisher = mean, seen + 1
        state = state._replace(inner=inner, fast=fast, fisher=fisher, count=state.count + 1)
        return jax.lax.cond(
            common(state.count) == self._k,
            lambda: self._synchronised(state, loss),
            lambda: (fast, state),
        )

    def evaluation_parameters(self, parameters: PyTree, state: SlowWeightsState) -> PyTree:
        """Return the slow weights."""
        return state.slow

    def fast_parameters(self, parameters: PyTree, state: SlowWeightsState) -> PyTree:
        """Return the fast weights as the last inner update left them."""
        return state.fast

    def readings(self, state: SlowWeightsState) -> dict[str, Float[Array, ""]]:
        """Return the inner optimizer's, and α where it is adaptive."""
        own = {"alpha": state.alpha} if self._adaptive else {}
        return readings_of(self._inner, state.inner) | own

    def reset(self, state: SlowWeightsState, parameters: PyTree) -> SlowWeightsState:
        """Reset the inner optimizer, and begin at the parameters."""
        assert isinstance(self._inner, Resettable)
        inner = self._inner.reset(state.inner, parameters)
        count = jnp.zeros_like(state.count)
        return state._replace(inner=inner, slow=parameters, fast=parameters, count=count)

    def moved(self, state: SlowWeightsState, before: PyTree, after: PyTree) -> SlowWeightsState:
        """Go on from where the weights now are."""
        inner = moved(self._inner, state.inner, before, after)
        return state._replace(inner=inner, slow=after, fast=after)

    @property
    def _adaptive(self) -> bool:
        return self._alpha_low is not None

    def _moments(self, inner: PyTree) -> PyTree:
        if self._inner_state != "pull_back":
            return None
        assert isinstance(self._inner, WithMoments)
        return self._inner.moments(inner)

    def _synchronised(self, state: SlowWeightsState, loss: Any) -> tuple[PyTree, SlowWeightsState]:
        alpha = self._share(state, loss) if self._adaptive else state.alpha
        slow = _between(state.slow, state.fast, alpha)
        inner, moments = moved(self._inner, state.inner, state.fast, slow), state.moments
        if self._inner_state == "reset":
            assert isinstance(self._inner, Resettable)
            inner = self._inner.reset(inner, slow)
        if self._inner_state == "pull_back":
            assert isinstance(self._inner, WithMoments)
            moments = _between(moments, self._inner.moments(inner), alpha)
            inner = self._inner.with_moments(inner, moments)
        count = jnp.zeros_like(state.count)
        return slow, state._replace(
            inner=inner, slow=slow, count=count, alpha=alpha, moments=moments
        )

    def _share(self, state: SlowWeightsState, loss: Any) -> Float[Array, ""]:
        """Return α = 1 + gᵀ(φ - θ) / (φ - θ)ᵀA(φ - θ), clipped; 1 where φ = θ."""
        way = optax.tree.sub(state.slow, state.fast)
        fisher = optax.tree.bias_correction(state.fisher[0], FISHER_DECAY, state.fisher[1])
        weighted = jax.tree.map(jnp.multiply, fisher, way)
        slope = optax.tree.vdot(jax.grad(loss)(state.fast), way)
        bend = optax.tree.vdot(weighted, way)
        best = 1 + slope / jnp.where(bend > 0, bend, 1)
        clipped = jnp.clip(jnp.where(bend > 0, best, 1.0), self._alpha_low, 1.0)
        return jnp.asarray(clipped, state.alpha.dtype)


def _nothing_seen(parameters: PyTree) -> tuple[PyTree, Int[Array, ""]]:
    return optax.tree.zeros_like(parameters), jnp.zeros((), jnp.int32)


def _between(start: PyTree, end: PyTree, share: Any) -> PyTree:
    """Return start + share (end - start) of all real numbers; whole ones are the end's."""

    def one(a: Any, b: Any) -> Any:
        real = jnp.issubdtype(jnp.asarray(b).dtype, jnp.inexact)
        return (a + share * (b - a)).astype(b.dtype) if real else b

    return jax.tree.map(one, start, end)
