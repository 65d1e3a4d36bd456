"""Muon."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from descentlab.optimizers.base import Decay, Direction, Epsilon, FirstOrder, Rate, Strength


class Muon(FirstOrder):
    """Momentum made orthogonal, for matrices; Adam for the other parameters.

    b ← μ b + g;  u = g + μ b, or b without ``nesterov``;  X = u / (‖u‖ + ε);
    ``steps`` times  X ← a X + (b A + c A²) X,  A = X Xᵀ;
    θ ← θ - η s(t) (f X + λ θ), with f for a matrix of m inputs × n outputs:
    √max(1, n/m) where ``scale`` is ``shape``, 0.2 √max(m, n) where it is ``rms``
    (``rms`` being that 0.2).

    Other parameters take Adam's direction times ``adam_ratio``, and the same decay λ.

    Where libraries differ:

    - ``buffer``: a ``sum`` as above in Keras and in the first code; an ``average``,
      b ← μ b + (1-μ) g with u = (1-μ) g + μ b, in PyTorch, which shows where ε does; Optax's
      average is ``corrected``, u = μ b / (1-μᵗ⁺¹) + (1-μ) g / (1-μᵗ), which is another
      direction in the first updates.
    - ``epsilon_at``: ``added`` to the norm, but PyTorch takes the larger of the two (``least``).
    - ``scale``: by ``shape`` in PyTorch and Optax, by ``rms`` in Keras (after Liu et al. 2025).
    - PyTorch iterates in bfloat16, here and elsewhere it is the parameters' precision; it
      takes matrices alone, of outputs × inputs, where here they are inputs × outputs.
    - Optax's Adam has Nesterov's momentum where Muon has; Keras's has ε at the uncorrected root.

    Sources: Jordan et al. 2024, "Muon: an optimizer for hidden layers"; Liu et al. 2025, eq. 4.
    """

    SOURCE: ClassVar[str] = "Jordan et al. 2024"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {"learning_rate": 0.001, "weight_decay": 0.1, "buffer": "average",
                  "epsilon": 1e-7, "epsilon_at": "least", "scale": "shape",
                  "adam_ratio": 1.0, "adam_beta2": 0.999, "adam_epsilon": 1e-8,
                  "adam_epsilon_at": "corrected", "adam_nesterov": False},
        "optax": {"learning_rate": 0.001, "weight_decay": None, "buffer": "corrected",
                  "epsilon": 1e-8, "epsilon_at": "added", "scale": "shape",
                  "adam_ratio": 1.0, "adam_beta2": 0.999, "adam_epsilon": 1e-8,
                  "adam_epsilon_at": "corrected", "adam_nesterov": True},
        "keras": {"learning_rate": 0.001, "weight_decay": 0.004, "buffer": "sum",
                  "epsilon": 1e-7, "epsilon_at": "added", "scale": "rms",
                  "adam_ratio": 1.0, "adam_beta2": 0.999, "adam_epsilon": 1e-7,
                  "adam_epsilon_at": "uncorrected", "adam_nesterov": False},
        "paper": {"learning_rate": 0.02, "weight_decay": None, "buffer": "sum",
                  "epsilon": 1e-7, "epsilon_at": "added", "scale": "shape",
                  "adam_ratio": 0.015, "adam_beta2": 0.95, "adam_epsilon": 1e-10,
                  "adam_epsilon_at": "corrected", "adam_nesterov": False},
    }  # fmt: skip

    kind: Literal["muon"] = "muon"
    learning_rate: Rate = 0.001
    flavour: Literal["torch", "optax", "keras", "paper"] = "torch"
    weight_decay: Strength | None = 0.1
    momentum: Decay = 0.95
    nesterov: bool = True
    buffer: Literal["sum", "average", "corrected"] = "average"
    steps: int = Field(default=5, ge=1, le=99)
    coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315)
    epsilon: Epsilon = 1e-7
    epsilon_at: Literal["added", "least"] = "least"
    scale: Literal["shape", "rms", "none"] = "shape"
    rms: Rate = 0.2
    adam_ratio: Rate = 1.0
    adam_beta1: Decay = 0.9
    adam_beta2: Decay = 0.999
    adam_epsilon: Epsilon = 1e-8
    adam_epsilon_at: Literal["corrected", "uncorrected"] = "corrected"
    adam_nesterov: bool = False

    def direction(self) -> Direction:
        """Return the orthogonal matrices, and Adam's direction of the rest."""
        import optax

        from descentlab.optimizers.rules import orthogonal

        matrices = optax.chain(
            orthogonal.momentum(self.momentum, nesterov=self.nesterov, buffer=self.buffer),
            orthogonal.orthogonalised(
                self.coefficients, self.steps, self.epsilon, added=self.epsilon_at == "added"
            ),
            orthogonal.scaled_by_shape(self.scale, self.rms),
        )
        return Direction(orthogonal.by_shape(matrices, self._adam()))

    def _adam(self) -> Any:
        import optax

        from descentlab.optimizers.rules.moments import scale_by_uncorrected_adam

        settings = self.adam_beta1, self.adam_beta2, self.adam_epsilon
        if self.adam_epsilon_at == "corrected":
            rule = optax.scale_by_adam(*settings, nesterov=self.adam_nesterov)
        else:
            rule = scale_by_uncorrected_adam(*settings)
        return optax.chain(rule, optax.scale(self.adam_ratio))
