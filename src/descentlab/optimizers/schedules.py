"""Schedules: factors on the learning rate, as pure functions of step and settings.

``step`` is the number of updates before this one, 0 at first. Settings may be traced
arrays, which Optax's own ``exponential_decay`` and ``warmup_cosine_decay_schedule``
refuse. Factors are computed in float64 where 64-bit arithmetic is enabled, else in float32.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def constant(step: Int[Array, ""]) -> float:
    """Return 1; optimizers know this function, and then keep no count."""
    return 1.0


def exponential(step: Int[Array, ""], decay_rate: Any, decay_steps: int) -> Float[Array, ""]:
    """Return decay_rate^(step / decay_steps), as ``optax.exponential_decay`` from 1."""
    return jnp.power(decay_rate, _real(step) / decay_steps)


def cosine(step: Int[Array, ""], decay_steps: int, final: Any) -> Float[Array, ""]:
    """Return final + (1 - final)·(1 + cos(π·min(step, T)/T))/2, T = ``decay_steps``.

    Source: Loshchilov & Hutter 2017, eq. 5, without restarts; as
    ``optax.cosine_decay_schedule`` from 1 with ``alpha`` = final.
    """
    share = jnp.minimum(_real(step), decay_steps) / decay_steps
    return final + (1 - final) * 0.5 * (1 + jnp.cos(jnp.pi * share))


def warmup(step: Int[Array, ""], warmup_steps: int, initial: Any) -> Float[Array, ""]:
    """Return initial + (1 - initial)·min(step / warmup_steps, 1), as ``optax.linear_schedule``.

    With ``initial`` = 0 the first update has rate 0; the full rate comes at step
    ``warmup_steps``. (Some libraries count from 1: their first factor is 1 / warmup_steps.)
    """
    return initial + (1 - initial) * jnp.minimum(_real(step) / warmup_steps, 1.0)


def _real(step: Int[Array, ""]) -> Float[Array, ""]:
    # int32 divided by int is float32 in JAX, even where 64-bit arithmetic is enabled.
    return jnp.asarray(step, jnp.result_type(float))
