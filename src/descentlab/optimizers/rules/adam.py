"""Adam and AdamW."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from descentlab.optimizers.base import Decay, Direction, Epsilon, FirstOrder, Rate, Strength

FLAVOURS: dict[str, dict[str, Any]] = {
    "torch": {"learning_rate": 0.001, "epsilon": 1e-8, "epsilon_at": "corrected"},
    "optax": {"learning_rate": 0.001, "epsilon": 1e-8, "epsilon_at": "corrected"},
    "keras": {"learning_rate": 0.001, "epsilon": 1e-7, "epsilon_at": "uncorrected"},
    "paper": {"learning_rate": 0.001, "epsilon": 1e-8, "epsilon_at": "corrected"},
}


class Adam(FirstOrder):
    """Adaptive moments with bias correction.

    m ← β₁ m + (1-β₁) g;  v ← β₂ v + (1-β₂) g²;
    θ ← θ - η m̂ / (√v̂ + ε),  m̂ = m / (1-β₁ᵗ),  v̂ = v / (1-β₂ᵗ).

    Where libraries differ: ε = 1e-8 is added to the ``corrected`` root √v̂ in PyTorch, Optax
    and algorithm 1; Keras adds 1e-7 to the ``uncorrected`` one,
    θ ← θ - η √(1-β₂ᵗ) m̂ / (√v + ε), which is the ε̂ of the paper's section 2.

    Source: Kingma & Ba 2015, algorithm 1.
    """

    SOURCE: ClassVar[str] = "Kingma & Ba 2015"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = FLAVOURS

    kind: Literal["adam"] = "adam"
    learning_rate: Rate = 0.001
    flavour: Literal["torch", "optax", "keras", "paper"] = "torch"
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Epsilon = 1e-8
    epsilon_at: Literal["corrected", "uncorrected"] = "corrected"

    def direction(self) -> Direction:
        """Return the ratio of the moments."""
        import optax

        if self.epsilon_at == "corrected":
            return Direction(optax.scale_by_adam(self.beta1, self.beta2, self.epsilon))
        from descentlab.optimizers.rules.moments import scale_by_uncorrected_adam

        return Direction(scale_by_uncorrected_adam(self.beta1, self.beta2, self.epsilon))


class AdamW(Adam):
    """Adam with decoupled weight decay: θ ← θ - η s(t) (m̂ / (√v̂ + ε) + λ θ).

    Where libraries differ: λ is 0.01 in PyTorch, 1e-4 in Optax, 0.004 in Keras. All three
    multiply it by the learning rate; the paper, algorithm 2, by the schedule's factor alone
    (``decay_scaled_by: schedule``).

    Source: Loshchilov & Hutter 2019, algorithm 2.
    """

    SOURCE: ClassVar[str] = "Loshchilov & Hutter 2019"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": FLAVOURS["torch"] | {"weight_decay": 0.01, "decay_scaled_by": "rate"},
        "optax": FLAVOURS["optax"] | {"weight_decay": 1e-4, "decay_scaled_by": "rate"},
        "keras": FLAVOURS["keras"] | {"weight_decay": 0.004, "decay_scaled_by": "rate"},
        "paper": FLAVOURS["paper"] | {"weight_decay": 0.01, "decay_scaled_by": "schedule"},
    }

    kind: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    weight_decay: Strength | None = 0.01
    decay_scaled_by: Literal["rate", "schedule"] = "rate"
