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


class SecondOrder(OptimizerSpec):
    """Base of the methods that may hold a whole Hessian."""

    INSTEAD: ClassVar[str]
    """The method that does not."""

    learning_rate: Rate = 1.0
    damping: Strength = 0.0

    def check_memory(self, parameters: int, each: int, memory: int, where: str) -> None:
        """Refuse a Hessian that does not fit."""
        needed = self.workspace(parameters) * each
        if needed <= memory:
            return
        most = math.isqrt(memory // (each * self.workspace(1)))
        raise SpecError(
            f"{where}.method: dense needs {needed / 1e9:,.1f} GB for the Hessian of {parameters:,} "
            f"parameters, and {memory / 1e9:,.1f} GB can be had: at most {most:,} parameters fit; "
            f"set 'method: {self.INSTEAD}', or choose a smaller model"
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
    INSTEAD: ClassVar[str] = "cg"

    kind: Literal["newton"] = "newton"
    method: Literal["dense", "cg"] = "dense"
    iterations: Whole = 50
    tolerance: Strength = 1e-10

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        from descentlab.optimizers import curvature

        solve = curvature.newton(self.damping)
        if self.method == "cg":
            solve = curvature.newton_cg(self.damping, self.iterations, self.tolerance)
        return curvature.CurvatureDescent(solve, self.learning_rate, schedule)

    def workspace(self, parameters: int) -> int:
        """Return 3 d² for the Hessian, its factor and what is solved; a few d for ``cg``."""
        return 3 * parameters**2 if self.method == "dense" else 6 * parameters

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

    Read at every update: ``smallest_eigenvalue`` of H (with ``lanczos`` its smallest Ritz
    value, which is never below it), and ``indefinite``, 1 where that is not positive.

    Source: Dauphin et al. 2014, algorithm 1; Lanczos with full reorthogonalisation.
    """

    SOURCE: ClassVar[str] = "Dauphin et al. 2014"
    INSTEAD: ClassVar[str] = "lanczos"

    kind: Literal["saddle_free"] = "saddle_free"
    method: Literal["dense", "lanczos"] = "dense"
    rank: Whole = 20

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        from descentlab.optimizers import curvature

        solve = curvature.saddle_free(self.damping)
        if self.method == "lanczos":
            solve = curvature.saddle_free_lanczos(self.damping, self.rank)
        return curvature.CurvatureDescent(solve, self.learning_rate, schedule)

    def workspace(self, parameters: int) -> int:
        """Return 4 d² for the Hessian and its eigenvectors; rank · d for ``lanczos``."""
        return 4 * parameters**2 if self.method == "dense" else (self.rank + 4) * parameters

    def flops(self, parameters: int, gradient: int) -> int:
        """Return d Hessian-vector products and all eigenvalues, or the products of ``lanczos``."""
        if self.method == "dense":
            return 2 * parameters * gradient + 10 * parameters**3
        return 2 * self.rank * gradient + 4 * self.rank**2 * parameters
