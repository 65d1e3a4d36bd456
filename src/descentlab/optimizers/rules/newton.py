"""Newton's method, plain and saddle-free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from descentlab.core.errors import SpecError
from descentlab.optimizers.base import OptimizerSpec, Rate, Strength

if TYPE_CHECKING:
    from descentlab.optimizers.protocol import Optimizer, Schedule

Whole = Annotated[int, Field(ge=1)]

BLOCK = 16
"""Hessian-vector products that are made at the same time."""


class SecondOrder(OptimizerSpec):
    """Base of the methods that may hold a whole Hessian."""

    learning_rate: Rate = 1.0
    damping: Strength = 0.0

    def check_memory(self, parameters: int, live: int, each: int, memory: int, where: str) -> None:
        """Refuse an update that does not fit, and say what would."""
        needed = each * self.workspace(parameters, live)
        if needed > memory:
            raise SpecError(
                f"{where}.{self.too_large(parameters, live, memory // each)} (an update needs "
                f"{needed / 1e9:,.2f} GB, and {memory / 1e9:,.2f} GB can be had)"
            )

    def too_large(self, parameters: int, live: int, numbers: int) -> str:
        """Return the field at fault, what it asks for and what fits into so many numbers."""
        raise NotImplementedError


def _dense(parameters: int, live: int, numbers: int, squares: int, instead: str) -> str:
    most = math.isqrt(max(0, numbers - min(BLOCK, parameters) * live) // squares)
    return (
        f"method: dense holds the Hessian of {parameters:,} parameters; at most {most:,} fit: "
        f"set 'method: {instead}', or choose a smaller model"
    )


class Newton(SecondOrder):
    """Newton's method: θ ← θ - η s(t) (H + λ I)⁻¹ g, with the Hessian H of the batch's loss.

    ``method: dense`` forms H from d Hessian-vector products and solves by Cholesky, or by LU
    where H + λ I is not positive definite: O(d²) memory, O(d³) time. ``cg`` solves by conjugate
    gradients with at most ``iterations`` Hessian-vector products, until the residual is below
    ``tolerance`` · ‖g‖: O(d) memory.

    Plain Newton looks for a point where the gradient is zero, whichever kind it is: it
    walks to saddles and maxima as it does to minima. ``indefinite`` is read at every update: 1
    where H + λ I was not positive definite (for ``cg``: where a direction of no or negative
    curvature was met), else 0.

    Source: Nocedal & Wright 2006, eq. 2.15, algorithm 5.2; Hessian-vector products after
    Pearlmutter 1994.
    """

    SOURCE: ClassVar[str] = "Nocedal & Wright 2006, ch. 2, 5"

    kind: Literal["newton"] = "newton"
    method: Literal["dense", "cg"] = "dense"
    iterations: Whole = 50
    tolerance: Strength = 1e-10

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        from descentlab.optimizers import curvature

        solve = curvature.newton(self.damping, BLOCK)
        if self.method == "cg":
            solve = curvature.newton_cg(self.damping, self.iterations, self.tolerance)
        return curvature.CurvatureDescent(solve, self.learning_rate, schedule)

    def workspace(self, parameters: int, live: int) -> int:
        """Return 4 d² for the Hessian and its factors, or a few d, and the products' own."""
        if self.method == "dense":
            return 4 * parameters**2 + min(BLOCK, parameters) * live
        return 6 * parameters + live

    def too_large(self, parameters: int, live: int, numbers: int) -> str:
        """Return what does not fit."""
        if self.method == "dense":
            return _dense(parameters, live, numbers, 4, "cg")
        return f"method: cg holds six vectors of {parameters:,} parameters; choose a smaller model"

    def flops(self, parameters: int, gradient: int) -> int:
        """Return d Hessian-vector products and a factorisation, or the products of ``cg``."""
        if self.method == "dense":
            return 2 * parameters * gradient + parameters**3
        return 2 * self.iterations * gradient


class SaddleFree(SecondOrder):
    """Saddle-free Newton: θ ← θ - η s(t) (|H| + λ I)⁻¹ g, with |H| = V |Λ| Vᵀ of H = V Λ Vᵀ.

    Directions of negative curvature are left as fast as those of positive curvature are
    descended, so that saddles repel. ``method: dense`` takes all eigenvalues; ``lanczos``
    those of H in the Krylov space of ``rank`` products with H from g, in which the step is made.

    Eigenvalues within rounding of zero, d ε max |λ|, count as zero; without damping no step is made
    along them. Read at every update: ``smallest_eigenvalue`` of H (with ``lanczos`` its
    smallest Ritz value, which is never below it), and ``indefinite``, 1 where that is negative.

    Source: Dauphin et al. 2014, algorithm 1; Lanczos with full reorthogonalisation.
    """

    SOURCE: ClassVar[str] = "Dauphin et al. 2014"

    kind: Literal["saddle_free"] = "saddle_free"
    method: Literal["dense", "lanczos"] = "dense"
    rank: Whole = 20

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        from descentlab.optimizers import curvature

        solve = curvature.saddle_free(self.damping, BLOCK)
        if self.method == "lanczos":
            solve = curvature.saddle_free_lanczos(self.damping, self.rank)
        return curvature.CurvatureDescent(solve, self.learning_rate, schedule)

    def workspace(self, parameters: int, live: int) -> int:
        """Return 5 d² for the Hessian and its eigenvectors, or 2 rank d, and the products' own."""
        if self.method == "dense":
            return 5 * parameters**2 + min(BLOCK, parameters) * live
        return (2 * min(self.rank, parameters) + 4) * parameters + live

    def too_large(self, parameters: int, live: int, numbers: int) -> str:
        """Return what does not fit."""
        if self.method == "dense":
            return _dense(parameters, live, numbers, 5, "lanczos")
        most = max(0, ((numbers - live) // parameters - 4) // 2)
        return (
            f"rank: {self.rank:,} holds as many pairs of vectors of {parameters:,} parameters; "
            f"at most {most:,} fit: choose a lower rank, or a smaller model"
        )

    def flops(self, parameters: int, gradient: int) -> int:
        """Return d Hessian-vector products and all eigenvalues, or the products of ``lanczos``."""
        if self.method == "dense":
            return 2 * parameters * gradient + 10 * parameters**3
        rank = min(self.rank, parameters)
        return 2 * rank * gradient + 4 * rank**2 * parameters
