"""A point: parameters that are the output themselves, for functions of them alone."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class PointModule(eqx.Module):
    """The same output for every example: the parameters."""

    value: Float[Array, " d"]

    def __init__(self, start: Any, spread: Any, *, key: Key[Array, ""], dtype: Any) -> None:
        """Begin at ``start`` plus ``spread`` times a standard normal displacement."""
        placed = jnp.stack([jnp.asarray(x, dtype) for x in start])
        moved = jax.random.normal(key, placed.shape, dtype)
        self.value = placed + jnp.asarray(spread, dtype) * moved

    def __call__(
        self, x: Float[Array, "batch ..."], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "batch d"]:
        """Return the point for each example."""
        return jnp.broadcast_to(self.value, (len(x), *self.value.shape))
