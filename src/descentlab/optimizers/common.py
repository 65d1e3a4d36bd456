"""Counts that all runs of a vectorised chunk share."""

from __future__ import annotations

import jax
from jaxtyping import Array, Int


@jax.custom_batching.custom_vmap
def common(count: Int[Array, ""]) -> Int[Array, ""]:
    """Return a count that is the same for all runs trained side by side, as one number.

    Runs of a chunk begin together, so that what their optimizers count is equal. Said by
    this, a condition on it stays one branch when runs are vectorised; otherwise both would
    be computed for every run.
    """
    return count


@common.def_vmap
def _first(axis_size: int, in_batched: list[bool], count: Array) -> tuple[Array, bool]:
    return count[0], False
