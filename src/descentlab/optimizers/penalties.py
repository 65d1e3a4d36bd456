"""Gradients of penalties on the size of parameters, added to those of the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array


def l2_penalty(strength: Any) -> optax.GradientTransformation:
    """Add λ θ, the gradient of λ/2 ‖θ‖²."""
    return _added(lambda parameter: strength * parameter)


def l1_penalty(strength: Any) -> optax.GradientTransformation:
    """Add λ sign(θ), the gradient of λ ‖θ‖₁ (0 at 0)."""
    return _added(lambda parameter: strength * jnp.sign(parameter))


def _added(gradient: Callable[[Array], Array]) -> optax.GradientTransformation:
    def update(updates: Any, state: Any, parameters: Any = None) -> tuple[Any, Any]:
        return jax.tree.map(lambda g, p: g + gradient(p), updates, parameters), state

    return optax.GradientTransformation(lambda parameters: optax.EmptyState(), update)
