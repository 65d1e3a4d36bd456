"""Moments of gradients, where Optax has not the convention that is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PyTree


def scale_by_uncorrected_adam(beta1: Any, beta2: Any, epsilon: Any) -> optax.GradientTransformation:
    """Return √(1-β₂ᵗ) / (1-β₁ᵗ) · m / (√v + ε): Adam with ε beside the uncorrected root.

    Source: Kingma & Ba 2015, the order of computation at the end of section 2; Keras.
    """
    plain = optax.scale_by_adam(beta1, beta2, epsilon)

    def update(updates: Any, state: Any, parameters: Any = None) -> tuple[Any, Any]:
        _, state = plain.update(updates, state, parameters)
        count = jnp.asarray(state.count, jnp.result_type(float))
        factor = jnp.sqrt(1 - beta2**count) / (1 - beta1**count)
        scaled = jax.tree.map(
            lambda m, v: (factor * m / (jnp.sqrt(v) + epsilon)).astype(m.dtype), state.mu, state.nu
        )
        return scaled, state

    return optax.GradientTransformation(plain.init, update)


def scale_by_root_of_sum(initial: Any, epsilon: Any) -> optax.GradientTransformation:
    """Return g / (√a + ε) with a ← a + g², from a = ``initial``.

    Source: ``torch.optim.Adagrad``, algorithm in its documentation.
    """
    plain = optax.scale_by_rss(initial, epsilon)

    def update(updates: Any, state: Any, parameters: Any = None) -> tuple[Any, Any]:
        _, state = plain.update(updates, state, parameters)
        scaled = jax.tree.map(
            lambda g, a: (g / (jnp.sqrt(a) + epsilon)).astype(g.dtype),
            updates,
            state.sum_of_squares,
        )
        return scaled, state

    return optax.GradientTransformation(plain.init, update)


class NAdamState(NamedTuple):
    """State of NAdam: how many updates, both moments, and the product μ₁…μ_t."""

    count: Int[Array, ""]
    first: PyTree
    second: PyTree
    product: Float[Array, ""]


def scale_by_nadam(
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    momentum_decay: Any,
    *,
    scheduled_average: bool,
    scaled: bool,
) -> optax.GradientTransformation:
    """Return m̂ / (√v̂ + ε), m̂ = μ_{t+1} m / (1 - μ₁…μ_{t+1}) + (1-μ_t) g / (1 - μ₁…μ_t).

    Args:
        beta1: of the first moment.
        beta2: of the second.
        epsilon: beside the corrected root.
        momentum_decay: ψ of μ_t = β₁ (1 - ½ 0.96^(ψ t)); None for μ_t = β₁.
        scheduled_average: m is averaged by μ_t, not by β₁.
        scaled: v̂ = β₂ v / (1-β₂ᵗ).

    Source: Dozat 2016, algorithm 2.
    """

    def init(parameters: Any) -> NAdamState:
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        dtype = jnp.result_type(*jax.tree.leaves(parameters))
        return NAdamState(jnp.zeros((), jnp.int32), zeros, zeros, jnp.ones((), dtype))

    def mu(count: Any) -> Any:
        if momentum_decay is None:
            return beta1
        return beta1 * (1 - 0.5 * 0.96 ** (momentum_decay * count))

    def update(updates: Any, state: NAdamState, parameters: Any = None) -> tuple[Any, Any]:
        count = optax.safe_increment(state.count)
        steps = count.astype(state.product.dtype)
        now, later = mu(steps), mu(steps + 1)
        kept = now if scheduled_average else beta1
        product = (state.product * now).astype(state.product.dtype)
        first = jax.tree.map(
            lambda m, g: (kept * m + (1 - kept) * g).astype(m.dtype), state.first, updates
        )
        second = optax.tree.update_moment_per_elem_norm(updates, state.second, beta2, 2)
        share = (beta2 if scaled else 1) / (1 - beta2**steps)

        def ratio(g: Array, m: Array, v: Array) -> Array:
            mean = later * m / (1 - product * later) + (1 - now) * g / (1 - product)
            return (mean / (jnp.sqrt(v * share) + epsilon)).astype(g.dtype)

        found = jax.tree.map(ratio, updates, first, second)
        return found, NAdamState(count, first, second, product)

    return optax.GradientTransformation(init, update)


def scale_by_rectified_belief(
    beta1: Any, beta2: Any, epsilon: Any, epsilon_root: Any
) -> optax.GradientTransformation:
    """Return r m̂ / (√s + ε) with RAdam's r √(1-β₂ᵗ) in r, or m̂ while ρ_t < 5.

    Sources: ``adabelief_pytorch`` 0.2.1; Liu et al. 2020, algorithm 2.
    """
    plain = optax.scale_by_belief(beta1, beta2, epsilon, epsilon_root)

    def update(updates: Any, state: Any, parameters: Any = None) -> tuple[Any, Any]:
        _, state = plain.update(updates, state, parameters)
        count = jnp.asarray(state.count, jnp.result_type(float))
        power = beta2**count
        most = 2 / (1 - beta2) - 1
        length = most - 2 * count * power / (1 - power)
        tractable = length >= 5
        known = jnp.where(tractable, length, 5.0)
        variance = (known - 4) / (most - 4) * (known - 2) / known * most / (most - 2)
        factor = jnp.sqrt((1 - power) * variance)

        def step(m: Array, s: Array) -> Array:
            mean = m / (1 - beta1**count)
            scaled = factor * mean / (jnp.sqrt(s) + epsilon)
            return jnp.where(tractable, scaled, mean).astype(m.dtype)

        return jax.tree.map(step, state.mu, state.nu), state

    return optax.GradientTransformation(plain.init, update)


class DampenedState(NamedTuple):
    """The buffer of :func:`dampened`, and whether it holds anything."""

    buffer: Any
    begun: Bool[Array, ""]


def dampened(momentum: Any, dampening: Any, *, first: bool) -> optax.GradientTransformation:
    """Return b ← μ b + (1-d) g; without ``first`` the first buffer is g itself.

    Source: ``torch.optim.SGD``, algorithm in its documentation.
    """

    def init(parameters: Any) -> DampenedState:
        return DampenedState(jax.tree.map(jnp.zeros_like, parameters), jnp.zeros((), bool))

    def update(updates: Any, state: DampenedState, parameters: Any = None) -> tuple[Any, Any]:
        share = 1 - dampening if first else jnp.where(state.begun, 1 - dampening, 1.0)
        buffer = jax.tree.map(lambda b, g: momentum * b + share * g, state.buffer, updates)
        return buffer, DampenedState(buffer, jnp.ones((), bool))

    return optax.GradientTransformation(init, update)
