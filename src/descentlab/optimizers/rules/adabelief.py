"""AdaBelief."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from descentlab.optimizers.base import Decay, Direction, Epsilon, FirstOrder, Rate


class AdaBelief(FirstOrder):
    """Adam with the gradient's squared distance from its mean in place of its square.

    m ← β₁ m + (1-β₁) g;  s ← β₂ s + (1-β₂) (g - m)² + ε_r;
    θ ← θ - η m̂ / (√ŝ + ε),  m̂ = m / (1-β₁ᵗ),  ŝ = s / (1-β₂ᵗ).

    ``epsilon_root`` ε_r is kept in s, and so adds up to ε_r / (1-β₂). With ``rectify`` the
    step is multiplied by the variance's rectification (Liu et al. 2020), √ŝ + ε becomes
    √ŝ + ε / √(1-β₂ᵗ), and while the variance is not tractable, ρ_t < 5, θ ← θ - η m̂.

    Where libraries differ: the authors' PyTorch code, ``adabelief_pytorch``, rectifies unless
    told otherwise; Optax and the paper do not. ε and ε_r are 1e-16 in both, 1e-8 in the paper.

    Source: Zhuang et al. 2020, algorithm 2.
    """

    SOURCE: ClassVar[str] = "Zhuang et al. 2020"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {"learning_rate": 0.001, "epsilon": 1e-16, "epsilon_root": 1e-16,
                  "rectify": True},
        "optax": {"learning_rate": 0.001, "epsilon": 1e-16, "epsilon_root": 1e-16,
                  "rectify": False},
        "paper": {"learning_rate": 0.001, "epsilon": 1e-8, "epsilon_root": 1e-8,
                  "rectify": False},
    }  # fmt: skip

    kind: Literal["adabelief"] = "adabelief"
    learning_rate: Rate = 0.001
    flavour: Literal["torch", "optax", "paper"] = "torch"
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Epsilon = 1e-16
    epsilon_root: Epsilon = 1e-16
    rectify: bool = True

    def direction(self) -> Direction:
        """Return the ratio of the moments."""
        import optax

        settings = self.beta1, self.beta2, self.epsilon, self.epsilon_root
        if not self.rectify:
            return Direction(optax.scale_by_belief(*settings))
        from descentlab.optimizers.rules.moments import scale_by_rectified_belief

        return Direction(scale_by_rectified_belief(*settings))
