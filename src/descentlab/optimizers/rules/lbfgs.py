"""L-BFGS: a quasi-Newton direction out of the last few steps."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from descentlab.optimizers.base import Direction, FirstOrder, Rate


class LBFGS(FirstOrder):
    """Limited-memory BFGS: d = P g with P the inverse Hessian as ``memory`` steps tell it.

    θ ← θ - η d by the two-loop recursion, starting from γ I with γ = sᵀy / yᵀy of the last
    step. ``line_search: zoom`` scales the step by a search along it that satisfies the strong
    Wolfe conditions, at most ``searches`` evaluations of the same batch's loss; with ``none``
    the rate alone scales it. It is meant for full batches: differences of the gradients
    of different batches are no curvature.

    Where libraries differ: the first step has no history. Optax, and so this, takes
    γ = min(1, 1/‖g‖₂), PyTorch min(1, 1/‖g‖₁), and PyTorch repeats up to 20 such updates in
    one step, without a line search unless asked.

    Source: Liu & Nocedal 1989; Nocedal & Wright 2006, algorithms 7.4 and 7.5, and 3.5, 3.6 for
    the search; ``optax.lbfgs``.
    """

    SOURCE: ClassVar[str] = "Liu & Nocedal 1989"

    kind: Literal["lbfgs"] = "lbfgs"
    learning_rate: Rate = 1.0
    memory: int = Field(default=10, ge=1)
    line_search: Literal["zoom", "none"] = "zoom"
    searches: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _one_function(self) -> LBFGS:
        changed = [n for n in ("l1", "l2", "clip", "weight_decay") if getattr(self, n) is not None]
        if self.line_search != "none" and (changed or self.accumulate > 1):
            name = changed[0] if changed else "accumulate"
            raise ValueError(
                f"'{name}' changes the gradients but not the loss that 'line_search: zoom' "
                "goes by; leave it out, or set 'line_search: none'"
            )
        return self

    def direction(self) -> Direction:
        """Return the direction, and the search that scales it."""
        import optax

        search: Any = None
        if self.line_search == "zoom":
            search = optax.scale_by_zoom_linesearch(self.searches, initial_guess_strategy="one")
        return Direction(optax.scale_by_lbfgs(self.memory), search)
