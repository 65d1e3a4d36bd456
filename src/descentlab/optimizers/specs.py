"""Optimizers by name, in PyTorch's conventions where libraries differ.

The rest of the field's optimizers, with every convention by name, comes later; any
Optax transformation can be used from Python today (:func:`descentlab.train`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec

if TYPE_CHECKING:
    from descentlab.optimizers.protocol import Optimizer, Schedule

Decay = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(ge=0)]
Epsilon = Annotated[float, Field(gt=0)]


class OptimizerSpec(Spec):
    """Base of the optimizers' specifications."""

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer; called inside a compiled program, so floats may be traced."""
        raise NotImplementedError


class SGD(OptimizerSpec):
    """Stochastic gradient descent, plain, with momentum, or with Nesterov's.

    b ← μ b + g;  θ ← θ - η b,  and with ``nesterov``  θ ← θ - η (g + μ b).

    b starts at zero and g is not dampened (PyTorch's default). The rate is applied
    after the buffer, as in PyTorch and Optax; Keras keeps it inside the velocity,
    which differs once the rate changes. Sutskever et al. 2013, eqs. 3-4, store a
    shifted iterate. Sources: Polyak 1964; Nesterov 1983; ``torch.optim.SGD``.
    """

    kind: Literal["sgd"] = "sgd"
    learning_rate: Rate = 0.01
    momentum: Decay | None = None
    nesterov: bool = False

    @model_validator(mode="after")
    def _momentum_for_nesterov(self) -> SGD:
        if self.nesterov and self.momentum is None:
            raise ValueError("'nesterov: true' needs a 'momentum', such as 0.9")
        return self

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        import optax

        from descentlab.optimizers.protocol import descend

        direction = optax.identity()
        if self.momentum is not None:
            direction = optax.trace(self.momentum, self.nesterov)
        return descend(direction, self.learning_rate, schedule)


class RMSProp(OptimizerSpec):
    """Gradient descent with each coordinate scaled by a running root mean square.

    v ← ρ v + (1-ρ) g²;  θ ← θ - η g / (√v + ε),  and with momentum
    b ← μ b + g / (√v + ε);  θ ← θ - η b.

    ε outside the root and ρ = 0.99 as in PyTorch; Optax and Keras put ε inside the
    root and default to ρ = 0.9. Source: Hinton 2012, lecture 6e; ``torch.optim.RMSprop``.
    """

    kind: Literal["rmsprop"] = "rmsprop"
    learning_rate: Rate = 0.01
    decay: Decay = 0.99
    epsilon: Epsilon = 1e-8
    momentum: Decay | None = None

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        import optax

        from descentlab.optimizers.protocol import descend

        direction = optax.scale_by_rms(self.decay, self.epsilon, eps_in_sqrt=False)
        if self.momentum is not None:
            direction = optax.chain(direction, optax.trace(self.momentum))
        return descend(direction, self.learning_rate, schedule)


class Adam(OptimizerSpec):
    """Adaptive moments with bias correction.

    m ← β₁ m + (1-β₁) g;  v ← β₂ v + (1-β₂) g²;
    θ ← θ - η m̂ / (√v̂ + ε),  m̂ = m / (1-β₁ᵗ),  v̂ = v / (1-β₂ᵗ).

    ε = 1e-8 is added to the corrected root, as in PyTorch and Optax; Keras adds 1e-7
    to the uncorrected one. Source: Kingma & Ba 2015, algorithm 1.
    """

    kind: Literal["adam"] = "adam"
    learning_rate: Rate = 0.001
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: Epsilon = 1e-8

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        import optax

        from descentlab.optimizers.protocol import descend

        direction = optax.scale_by_adam(self.beta1, self.beta2, self.epsilon)
        return descend(direction, self.learning_rate, schedule)


CATALOGUE = Catalogue("optimizer", {"sgd": SGD, "rmsprop": RMSProp, "adam": Adam})
