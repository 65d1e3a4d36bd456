"""RMSProp: plain, centred, with momentum."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from descentlab.optimizers.base import Decay, Direction, Epsilon, FirstOrder


class RMSProp(FirstOrder):
    """Gradient descent with each coordinate scaled by a running root mean square.

    v ← ρ v + (1-ρ) g²;  θ ← θ - η g / (√v + ε),  and with momentum
    b ← μ b + g / (√v + ε);  θ ← θ - η b.  ``centred`` takes v - m² in place of v, with
    m ← ρ m + (1-ρ) g: the variance of the gradients.

    Where libraries differ: ε is ``outside`` the root in PyTorch, and ``inside``,
    √(v + ε), in Optax and Keras; ρ is 0.99 there and 0.9 here; and the rate is applied
    ``after`` the momentum's buffer in PyTorch, ``inside`` it in Optax and Keras.

    Sources: Hinton 2012, lecture 6e; Graves 2013, eqs. 38-45, for the form that is centred and has
    momentum, which is the flavour ``paper``; ``torch.optim.RMSprop``.
    """

    SOURCE: ClassVar[str] = "Hinton 2012; Graves 2013"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {"learning_rate": 0.01, "decay": 0.99, "epsilon": 1e-8,
                  "epsilon_at": "outside", "rate": "after", "centred": False, "momentum": None},
        "optax": {"learning_rate": 0.01, "decay": 0.9, "epsilon": 1e-8,
                  "epsilon_at": "inside", "rate": "inside", "centred": False, "momentum": None},
        "keras": {"learning_rate": 0.001, "decay": 0.9, "epsilon": 1e-7,
                  "epsilon_at": "inside", "rate": "inside", "centred": False, "momentum": None},
        "paper": {"learning_rate": 0.0001, "decay": 0.95, "epsilon": 1e-4,
                  "epsilon_at": "inside", "rate": "inside", "centred": True, "momentum": 0.9},
    }  # fmt: skip

    kind: Literal["rmsprop"] = "rmsprop"
    flavour: Literal["torch", "optax", "keras", "paper"] = "torch"
    decay: Decay = 0.99
    epsilon: Epsilon = 1e-8
    epsilon_at: Literal["outside", "inside"] = "outside"
    centred: bool = False
    momentum: Decay | None = None
    rate: Literal["after", "inside"] = "after"

    def direction(self) -> Direction:
        """Return g over its root mean square, and the momentum's buffer where it belongs."""
        import optax

        scale = optax.scale_by_stddev if self.centred else optax.scale_by_rms
        scaled = scale(self.decay, self.epsilon, eps_in_sqrt=self.epsilon_at == "inside")
        if self.momentum is None:
            return Direction(scaled)
        buffer = optax.trace(self.momentum)
        if self.rate == "after":
            return Direction(optax.chain(scaled, buffer))
        return Direction(scaled, buffer)
