"""Lion."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from descentlab.optimizers.base import Decay, Direction, FirstOrder, Rate


class Lion(FirstOrder):
    """Steps of one size: the sign of a mean of the momentum and the gradient.

    θ ← θ - η s(t) (sign(β₁ m + (1-β₁) g) + λ θ);  m ← β₂ m + (1-β₂) g.

    Where libraries differ: in defaults alone. λ (``weight_decay``) is 0.001 in Optax, none in
    Keras and in the authors' code; the rate is 0.001 in Keras, 0.0001 in the authors' code.

    Source: Chen et al. 2023, algorithm 2.
    """

    SOURCE: ClassVar[str] = "Chen et al. 2023"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"learning_rate": 0.0001, "weight_decay": None},
        "optax": {"learning_rate": 0.0001, "weight_decay": 0.001},
        "keras": {"learning_rate": 0.001, "weight_decay": None},
    }

    kind: Literal["lion"] = "lion"
    learning_rate: Rate = 0.0001
    flavour: Literal["paper", "optax", "keras"] = "paper"
    beta1: Decay = 0.9
    beta2: Decay = 0.99

    def direction(self) -> Direction:
        """Return the signs."""
        import optax

        return Direction(optax.scale_by_lion(self.beta1, self.beta2))
