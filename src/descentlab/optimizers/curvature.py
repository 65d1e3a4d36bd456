"""Steps by the curvature of the loss: Newton's and the saddle-free, dense or by products.

A solver maps gradient and Hessian-vector product, both on flat vectors of d numbers, to a
step and to readings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PyTree

from descentlab.optimizers.protocol import Schedule
from descentlab.optimizers.schedules import constant

Vector = Float[Array, " d"]
Product = Callable[[Vector], Vector]
Notes = dict[str, Float[Array, ""]]
Solver = Callable[[Vector, Product], tuple[Vector, Notes]]


class CurvatureState(NamedTuple):
    """The count that a schedule goes by, and the readings of the last update."""

    count: Int[Array, ""] | None
    notes: Notes


class CurvatureDescent:
    """θ ← θ - η s(t) step(g, H), at t = 0, 1, … updates before this one."""

    def __init__(self, solve: Solver, learning_rate: Any, schedule: Schedule = constant) -> None:
        self._solve, self._rate, self._schedule = solve, learning_rate, schedule

    def init(self, parameters: PyTree) -> CurvatureState:
        """Return a count of zero and empty readings."""
        flat, _ = ravel_pytree(parameters)
        _, notes = jax.eval_shape(lambda g: self._solve(g, lambda v: v), flat)
        scheduled = self._schedule is not constant
        names = [*notes, *(["learning_rate"] if scheduled else [])]
        count = jnp.zeros((), jnp.int32) if scheduled else None
        return CurvatureState(count, {name: jnp.zeros((), flat.dtype) for name in names})

    def update(
        self,
        gradients: PyTree,
        state: CurvatureState,
        parameters: PyTree,
        *,
        value: Any,
        hvp: Any,
        loss: Any,
    ) -> tuple[PyTree, CurvatureState]:
        """Return the parameters after one step, and the state."""
        flat, restored = ravel_pytree(gradients)
        step, notes = self._solve(flat, lambda vector: ravel_pytree(hvp(restored(vector)))[0])
        rate, count = self._rate, state.count
        if count is not None:
            rate, count = rate * self._schedule(count), optax.safe_increment(count)
            notes = {**notes, "learning_rate": rate}
        notes = {name: jnp.asarray(note, flat.dtype) for name, note in notes.items()}
        moved = optax.apply_updates(parameters, restored(-rate * step))
        return moved, CurvatureState(count, notes)

    def evaluation_parameters(self, parameters: PyTree, state: CurvatureState) -> PyTree:
        """Return the parameters themselves."""
        return parameters

    def readings(self, state: CurvatureState) -> Notes:
        """Return what the solver noted, and the rate where there is a schedule."""
        return state.notes

    def reset(self, state: CurvatureState, parameters: PyTree) -> CurvatureState:
        """Return the state as it is: nothing is remembered but the schedule's count."""
        return state


def hessian(product: Product, d: int, dtype: Any, block: int) -> Float[Array, "d d"]:
    """Return the Hessian, a product with each unit vector, ``block`` at a time; symmetric."""

    def row(i: Int[Array, ""]) -> Vector:
        return product(jnp.zeros(d, dtype).at[i].set(1))

    rows = jax.lax.map(row, jnp.arange(d), batch_size=min(block, d))
    return (rows + rows.T) / 2


def newton(damping: Any, block: int) -> Solver:
    """Solve (H + λ I) s = g by Cholesky, by LU where that matrix is not positive definite."""

    def solve(gradient: Vector, product: Product) -> tuple[Vector, Notes]:
        d = gradient.size
        matrix = hessian(product, d, gradient.dtype, block)
        matrix = matrix + damping * jnp.eye(d, dtype=gradient.dtype)
        factor = jnp.linalg.cholesky(matrix)
        definite = jnp.isfinite(factor).all()
        step = jax.lax.cond(
            definite,
            lambda: jax.scipy.linalg.cho_solve((factor, True), gradient),
            lambda: jnp.linalg.solve(matrix, gradient),
        )
        return step, {"indefinite": ~definite}

    return solve


def newton_cg(damping: Any, iterations: int, tolerance: Any) -> Solver:
    """Solve (H + λ I) s = g by conjugate gradients, from s = 0.

    Source: Nocedal & Wright 2006, algorithm 5.2. It goes on through negative curvature, as
    plain Newton does, and notes it.
    """

    def solve(gradient: Vector, product: Product) -> tuple[Vector, Notes]:
        target = tolerance**2 * (gradient @ gradient)

        def unsolved(carry: tuple[Any, ...]) -> Any:
            return (carry[0] < iterations) & (carry[4] > target)

        def iterate(carry: tuple[Any, ...]) -> tuple[Any, ...]:
            count, step, residual, direction, square, indefinite = carry
            image = product(direction) + damping * direction
            bend = direction @ image
            length = square / jnp.where(bend == 0, jnp.inf, bend)
            residual = residual - length * image
            now = residual @ residual
            step, direction = step + length * direction, residual + now / square * direction
            return count + 1, step, residual, direction, now, indefinite | (bend <= 0)

        square = gradient @ gradient
        start = (0, jnp.zeros_like(gradient), gradient, gradient, square, jnp.asarray(False))
        carry = jax.lax.while_loop(unsolved, iterate, start)
        return carry[1], {"indefinite": carry[5]}

    return solve


def saddle_free(damping: Any, block: int) -> Solver:
    """Return (|H| + λ I)⁻¹ g by the eigenvalues of H; those within rounding of 0 count as 0."""

    def solve(gradient: Vector, product: Product) -> tuple[Vector, Notes]:
        matrix = hessian(product, gradient.size, gradient.dtype, block)
        values, vectors = jnp.linalg.eigh(matrix)
        values = _cleared(values, gradient.size)
        step = vectors @ ((vectors.T @ gradient) * _inverse(jnp.abs(values) + damping))
        return step, _noted(values.min())

    return solve


def saddle_free_lanczos(damping: Any, rank: int) -> Solver:
    """Return V (|T| + λ I)⁻¹ Vᵀ g in the Krylov space of g: T = Vᵀ H V is tridiagonal.

    The space ends early where a product leads out of it by less than rounding.
    """

    def solve(gradient: Vector, product: Product) -> tuple[Vector, Notes]:
        steps, norm = min(rank, gradient.size), jnp.linalg.norm(gradient)
        tiny = jnp.finfo(gradient.dtype).eps * gradient.size
        basis = jnp.zeros((steps, gradient.size), gradient.dtype)
        basis = basis.at[0].set(gradient / jnp.where(norm > 0, norm, 1))

        def extend(i: Any, carry: Any) -> Any:
            basis, images = carry
            image = product(basis[i])
            rest = image
            for _ in range(2):  # twice is enough: Giraud & Langou 2002
                rest = rest - basis.T @ (basis @ rest)
            length, size = jnp.linalg.norm(rest), jnp.linalg.norm(image)
            more = jnp.where(length > tiny * size, rest / jnp.where(length > 0, length, 1), 0)
            return basis.at[i + 1].set(more, mode="drop"), images.at[i].set(image)

        basis, images = jax.lax.fori_loop(0, steps, extend, (basis, jnp.zeros_like(basis)))
        inner = basis @ images.T
        values, vectors = jnp.linalg.eigh((inner + inner.T) / 2)
        values = _cleared(values, gradient.size)
        step = (vectors[0] * norm * _inverse(jnp.abs(values) + damping)) @ (vectors.T @ basis)
        met = jnp.where(jnp.abs(vectors[0]) > tiny, values, jnp.inf)  # others lie outside
        return step, _noted(met.min())

    return solve


def _cleared(values: Vector, d: int) -> Vector:
    """Return eigenvalues without those that rounding may have made: |λ| ≤ d ε max |λ|."""
    size = jnp.abs(values)
    return jnp.where(size > d * jnp.finfo(values.dtype).eps * size.max(), values, 0)


def _inverse(values: Vector) -> Vector:
    """Return 1 / values; 0 for zeros, along which no step has a finite length."""
    return jnp.where(values > 0, 1 / jnp.where(values > 0, values, 1), 0)


def _noted(smallest: Float[Array, ""]) -> Notes:
    return {"smallest_eigenvalue": smallest, "indefinite": smallest < 0}
