"""Losses: one number an example from outputs and targets, stable for huge outputs.

``nll`` is the negative log-likelihood of PyTorch's pair LogSoftmax + NLLLoss, that is,
of log-softmax applied to the outputs. It is the same function as ``cross_entropy``;
both names exist so that published code can be retraced.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def cross_entropy(
    outputs: Float[Array, "batch classes"], targets: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Return ln Σⱼ exp zⱼ - z_y for logits z and class y, in nats."""
    chosen = jnp.take_along_axis(outputs, targets[:, None], axis=1)[:, 0]
    return jax.nn.logsumexp(outputs, axis=1) - chosen


def nll(
    outputs: Float[Array, "batch classes"], targets: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Return -ln softmax(z)_y by way of log-softmax, in nats."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(outputs, axis=1), targets[:, None], axis=1)
    return -chosen[:, 0]


def binary_cross_entropy(
    outputs: Float[Array, "batch 1"], targets: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Return ln(1 + eᶻ) - y z for one logit z and class y in {0, 1}, in nats."""
    logit = outputs[:, 0]
    return jax.nn.softplus(logit) - targets.astype(logit.dtype) * logit


def mse(
    outputs: Float[Array, "batch outputs"], targets: Float[Array, "batch outputs"]
) -> Float[Array, " batch"]:
    """Return the mean over outputs of (output - target)²."""
    return jnp.square(outputs - targets).mean(axis=1)


def half_mse(
    outputs: Float[Array, "batch outputs"], targets: Float[Array, "batch outputs"]
) -> Float[Array, " batch"]:
    """Return half of :func:`mse`, whose gradient is output - target over the number of outputs."""
    return 0.5 * mse(outputs, targets)
