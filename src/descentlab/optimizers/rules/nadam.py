"""NAdam."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from descentlab.optimizers.base import Decay, Direction, Epsilon, FirstOrder, Rate


class NAdam(FirstOrder):
    """Adam with Nesterov's momentum, which a schedule of its own brings in.

    m ← β₁ m + (1-β₁) g;  v ← β₂ v + (1-β₂) g²;  μ_t = β₁ (1 - ½ 0.96^(ψ t));
    m̂ = μ_{t+1} m / (1 - μ₁…μ_{t+1}) + (1-μ_t) g / (1 - μ₁…μ_t);
    θ ← θ - η m̂ / (√v̂ + ε),  v̂ = v / (1-β₂ᵗ).

    Where libraries differ: ``momentum_decay`` ψ is 0.004 in PyTorch and in the paper
    (t / 250 there), 1 in Keras, so that its schedule is over after some hundred updates;
    Optax has none, μ_t = β₁. The paper averages m by μ_t too (``average: scheduled``), and
    multiplies v̂ by β₂ (``second_moment: scaled``); none of the three does.
    PyTorch multiplies the μ up in single precision, whatever the parameters have.

    Source: Dozat 2016, algorithm 2.
    """

    SOURCE: ClassVar[str] = "Dozat 2016"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {"learning_rate": 0.002, "beta1": 0.9, "epsilon": 1e-8, "momentum_decay": 0.004,
                  "average": "constant", "second_moment": "corrected"},
        "optax": {"learning_rate": 0.002, "beta1": 0.9, "epsilon": 1e-8, "momentum_decay": None,
                  "average": "constant", "second_moment": "corrected"},
        "keras": {"learning_rate": 0.001, "beta1": 0.9, "epsilon": 1e-7, "momentum_decay": 1.0,
                  "average": "constant", "second_moment": "corrected"},
        "paper": {"learning_rate": 0.002, "beta1": 0.99, "epsilon": 1e-8, "momentum_decay": 0.004,
                  "average": "scheduled", "second_moment": "scaled"},
    }  # fmt: skip

    kind: Literal["nadam"] = "nadam"
    learning_rate: Rate = 0.002
    flavour: Literal["torch", "optax", "keras", "paper"] = "torch"
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Epsilon = 1e-8
    momentum_decay: Annotated[float, Field(ge=0)] | None = 0.004
    average: Literal["constant", "scheduled"] = "constant"
    second_moment: Literal["corrected", "scaled"] = "corrected"

    def direction(self) -> Direction:
        """Return the ratio of the moments."""
        from descentlab.optimizers.rules.moments import scale_by_nadam

        return Direction(
            scale_by_nadam(
                self.beta1,
                self.beta2,
                self.epsilon,
                self.momentum_decay,
                scheduled_average=self.average == "scheduled",
                scaled=self.second_moment == "scaled",
            )
        )
