"""Schedules: factors on the learning rate, as pure functions of step and settings.

``step`` is the number of updates before this one, 0 at first. Settings may be traced
arrays, which Optax's own ``exponential_decay`` and ``warmup_cosine_decay_schedule``
refuse. Factors are computed in float64 where 64-bit arithmetic is enabled, else in float32.
"""

from __future__ import annotations

from collections.abc import Callable
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


def after_warmup(
    step: Int[Array, ""], warmup_steps: int, initial: Any, then: Callable[[Any], Any]
) -> Float[Array, ""]:
    """Return :func:`warmup`, times ``then`` of the updates since the full rate was reached."""
    since = jnp.maximum(step - warmup_steps, 0)
    return warmup(step, warmup_steps, initial) * then(since)


def staircase(step: Int[Array, ""], every: int, factor: Any) -> Float[Array, ""]:
    """Return factor^⌊step / every⌋, as ``torch.optim.lr_scheduler.StepLR``."""
    return jnp.power(factor, _real(step // every))


def inverse_time(step: Int[Array, ""], decay: Any, first: int = 0) -> Float[Array, ""]:
    """Return 1 / (1 + decay·(step + first)), as Keras's ``decay``. Source: Robbins & Monro 1951.

    ``first`` is 1 where updates are counted from 1; then the first is already decayed once.
    """
    return 1.0 / (1.0 + decay * _real(step + first))


def polynomial(step: Int[Array, ""], decay_steps: int, power: Any, final: Any) -> Float[Array, ""]:
    """Return final + (1 - final)·(1 - min(step, T)/T)^power, as ``optax.polynomial_schedule``."""
    left = jnp.maximum(decay_steps - _real(step), 0.0) / decay_steps  # 1 - share may round below 0
    return final + (1 - final) * jnp.power(left, power)


def cosine_restarts(
    step: Int[Array, ""], period: int, multiply: int, final: Any
) -> Float[Array, ""]:
    """Return :func:`cosine` over periods of T, m T, m² T … updates; each begins at 1 again.

    Source: Loshchilov & Hutter 2017 (SGDR), eq. 5; as PyTorch's
    ``CosineAnnealingWarmRestarts`` with T_0 = ``period`` and T_mult = ``multiply``.
    """
    if multiply == 1:
        return cosine(step % period, period, final)
    ends, length = [period], period
    while ends[-1] + length * multiply < 1 << 31:  # whole numbers: no logarithm to round
        length *= multiply
        ends.append(ends[-1] + length)
    starts = jnp.asarray([0, *ends[:-1]], jnp.int32)
    index = jnp.searchsorted(starts, step, side="right") - 1
    lengths = jnp.asarray([period * multiply**k for k in range(len(ends))], jnp.int32)
    share = jnp.minimum(_real(step - starts[index]) / _real(lengths[index]), 1.0)
    return final + (1 - final) * 0.5 * (1 + jnp.cos(jnp.pi * share))


def one_cycle(
    step: Int[Array, ""], cycle_steps: int, rise: Any, initial: Any, final: Any
) -> Float[Array, ""]:
    """Return the cycle from ``initial`` up to 1 at ``rise``·T, then down to ``final`` at T.

    Both ways along half a cosine, T = ``cycle_steps``. Source: Smith & Topin 2018; as
    ``optax.cosine_onecycle_schedule`` with div_factor 1/initial and final_div_factor
    initial/final. (PyTorch's ``OneCycleLR`` reaches its ends one update earlier.)
    """
    top = jnp.floor(rise * cycle_steps)
    at = _real(step)
    up = jnp.clip(at / jnp.maximum(top, 1.0), 0.0, 1.0)
    down = jnp.clip((at - top) / jnp.maximum(cycle_steps - top, 1.0), 0.0, 1.0)
    rising = initial + (1 - initial) * 0.5 * (1 - jnp.cos(jnp.pi * up))
    falling = final + (1 - final) * 0.5 * (1 + jnp.cos(jnp.pi * down))
    return jnp.where(at < top, rising, falling)


def inverse_sqrt(step: Int[Array, ""], warmup_steps: int) -> Float[Array, ""]:
    """Return min(s / w, √(w / s)) with s = step + 1 and w = ``warmup_steps``.

    The schedule of Vaswani et al. 2017, eq. 3 ("Noam"), d^-½·min(s^-½, s·w^-3/2), over its
    peak at s = w, so that the learning rate is the peak's.
    """
    count = _real(step) + 1
    return jnp.minimum(count / warmup_steps, jnp.sqrt(warmup_steps / count))


def warmup_stable_decay(
    step: Int[Array, ""], warmup_steps: int, stable_steps: int, decay_steps: int, final: Any
) -> Float[Array, ""]:
    """Return a rise to 1 over w updates, 1 for s more, a fall to ``final`` over d, all linear.

    The rise is s(t) = t / w, as in :func:`warmup`. Source: Hu et al. 2024 (MiniCPM), section 4.
    """
    rise = jnp.minimum(_real(step) / max(warmup_steps, 1), 1.0) if warmup_steps else 1.0
    since = jnp.maximum(_real(step) - warmup_steps - stable_steps, 0.0)
    share = jnp.minimum(since / decay_steps, 1.0)
    return rise * (1 - (1 - final) * share)


def _real(step: Int[Array, ""]) -> Float[Array, ""]:
    # int32 divided by int is float32 in JAX, even where 64-bit arithmetic is enabled.
    return jnp.asarray(step, jnp.result_type(float))
