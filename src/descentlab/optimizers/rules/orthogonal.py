"""Muon's parts: momentum in three conventions, the orthogonal factor, the scale by shape."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree


def momentum(
    decay: Any, *, nesterov: bool, buffer: Literal["sum", "average", "corrected"]
) -> optax.GradientTransformation:
    """Return g + μ b or b, with b ← μ b + g; an average is that times 1 - μ, or corrected."""
    if buffer == "corrected":
        return _corrected(decay, nesterov)
    plain = optax.trace(decay, nesterov)
    return plain if buffer == "sum" else optax.chain(plain, optax.scale(1 - decay))


class CorrectedState(NamedTuple):
    """State of the corrected average."""

    count: Int[Array, ""]
    average: PyTree


def _corrected(decay: Any, nesterov: bool) -> optax.GradientTransformation:
    """Return b / (1-μᵗ), or μ b / (1-μᵗ⁺¹) + (1-μ) g / (1-μᵗ), with b the average."""

    def init(parameters: Any) -> CorrectedState:
        return CorrectedState(jnp.zeros((), jnp.int32), jax.tree.map(jnp.zeros_like, parameters))

    def update(updates: Any, state: CorrectedState, parameters: Any = None) -> tuple[Any, Any]:
        average = jax.tree.map(lambda b, g: decay * b + (1 - decay) * g, state.average, updates)
        count = optax.safe_increment(state.count)
        now, later = 1 - decay**count, 1 - decay ** (count + 1)

        def found(b: Array, g: Array) -> Array:
            step = decay * b / later + (1 - decay) * g / now if nesterov else b / now
            return step.astype(g.dtype)

        return jax.tree.map(found, average, updates), CorrectedState(count, average)

    return optax.GradientTransformation(init, update)


def orthogonalised(
    coefficients: tuple[Any, Any, Any], steps: int, epsilon: Any, *, added: bool
) -> optax.GradientTransformation:
    """Bring each matrix's singular values near 1 by Newton-Schulz steps.

    X = u / (‖u‖ + ε), or over max(‖u‖, ε) unless ``added``;
    X ← a X + (b A + c A²) X,  A = X Xᵀ, on the side that has fewer rows.

    Source: Jordan et al. 2024.
    """

    def iterate(matrix: Float[Array, "inputs outputs"]) -> Float[Array, "inputs outputs"]:
        a, b, c = coefficients
        tall = matrix.shape[0] > matrix.shape[1]
        x = matrix.T if tall else matrix
        norm = jnp.sqrt(jnp.sum(x * x))
        x = x / (norm + epsilon if added else jnp.maximum(norm, epsilon))
        for _ in range(steps):
            gram = x @ x.T
            x = a * x + (b * gram + c * (gram @ gram)) @ x
        return (x.T if tall else x).astype(matrix.dtype)

    return optax.stateless(lambda updates, _: jax.tree.map(iterate, updates))


def scaled_by_shape(
    scale: Literal["shape", "rms", "none"], rms: Any
) -> optax.GradientTransformation:
    """Multiply matrices of m × n by √max(1, n/m), by rms · √max(m, n), or by nothing."""

    def scaled(matrix: Float[Array, "inputs outputs"]) -> Float[Array, "inputs outputs"]:
        inputs, outputs = matrix.shape
        if scale == "shape":
            return matrix * max(1.0, outputs / inputs) ** 0.5
        return matrix * (rms * max(inputs, outputs) ** 0.5) if scale == "rms" else matrix

    return optax.stateless(lambda updates, _: jax.tree.map(scaled, updates))


def by_shape(
    matrices: optax.GradientTransformation, others: optax.GradientTransformation
) -> optax.GradientTransformation:
    """Apply one transformation to matrices, another to all other parameters."""

    def labels(parameters: Any) -> Any:
        return jax.tree.map(lambda p: "matrix" if p.ndim == 2 else "other", parameters)

    return optax.partition({"matrix": matrices, "other": others}, labels)
