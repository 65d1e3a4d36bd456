"""Moments of gradients, where Optax has not the convention that is asked for."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax


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
