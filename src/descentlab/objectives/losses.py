"""Losses: one number an example from outputs and targets, accurate for huge and tiny values.

Means over examples are the caller's: a loss here keeps the batch's axis. ``nll`` is the
negative log-likelihood of PyTorch's pair LogSoftmax + NLLLoss, that is, of log-softmax
applied to the outputs. It is the same function as ``cross_entropy``; both names exist so
that published code can be retraced.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def cross_entropy(
    outputs: Float[Array, "batch classes"], targets: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Return -ln softmax(z)_y = ln Σⱼ exp(zⱼ - z_y) for logits z and class y, in nats.

    Computed by log-softmax, as ``torch.nn.functional.cross_entropy``: ln Σⱼ exp zⱼ - z_y
    would lose all digits where the logits are large and the answer is right. The gradient
    by z is softmax(z) - onehot(y).
    """
    # A comparison instead of an index: it fuses, and its gradient needs no scatter.
    hit = jax.lax.broadcasted_iota(targets.dtype, outputs.shape, 1) == targets[:, None]
    return -jnp.where(hit, jax.nn.log_softmax(outputs, axis=1), 0).sum(axis=1)


def nll(
    outputs: Float[Array, "batch classes"], targets: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Return -ln softmax(z)_y by way of log-softmax, in nats: :func:`cross_entropy`."""
    return cross_entropy(outputs, targets)


def binary_cross_entropy(
    outputs: Float[Array, "batch 1"], targets: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Return ln(1 + e⁻ˢ), s = z for class 1 and -z for class 0, in nats.

    The same as -y ln σ(z) - (1-y) ln(1-σ(z)) for one logit z and class y in {0, 1}, and as
    ``torch.nn.functional.binary_cross_entropy_with_logits`` up to rounding; this form keeps
    its digits where the loss is tiny. The gradient by z is σ(z) - y.
    """
    logit = outputs[:, 0]
    return _softplus(jnp.where(targets == 1, -logit, logit))


def mse(
    outputs: Float[Array, "batch outputs"], targets: Float[Array, "batch outputs"]
) -> Float[Array, " batch"]:
    """Return the mean over outputs of (output - target)².

    With the mean over examples this is ``torch.nn.MSELoss``. The gradient by an output is
    2 (output - target) / outputs.
    """
    return jnp.square(outputs - targets).mean(axis=1)


def half_mse(
    outputs: Float[Array, "batch outputs"], targets: Float[Array, "batch outputs"]
) -> Float[Array, " batch"]:
    """Return half of :func:`mse`; the gradient by an output is (output - target) / outputs."""
    return 0.5 * mse(outputs, targets)


@jax.custom_jvp
def _softplus(x: Float[Array, " batch"]) -> Float[Array, " batch"]:
    """Return ln(1 + eˣ); with the derivative σ(x), which JAX's own form computes more slowly."""
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@_softplus.defjvp
def _softplus_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    return _softplus(primals[0]), jax.nn.sigmoid(primals[0]) * tangents[0]
