"""Stochastic gradient descent, plain, with momentum, or with Nesterov's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from descentlab.optimizers.base import Decay, Direction, FirstOrder


class SGD(FirstOrder):
    """Stochastic gradient descent, plain, with momentum, or with Nesterov's.

    b ← μ b + (1-d) g;  θ ← θ - η b,  and with ``nesterov``  θ ← θ - η (g + μ b).

    b starts at zero, and ``dampening`` d is none by default. Where libraries differ:

    - ``rate``: PyTorch and Optax apply the rate ``after`` the buffer; Keras keeps it
      ``inside``, b ← μ b + η g and θ ← θ - b, as Polyak's equation has it. The two part once
      the rate changes.
    - ``dampen_first``: PyTorch's first buffer is g, undampened; an average that starts at zero
      (Optax's ``ema``) is dampened from the first.
    - ``gradient``: PyTorch, Optax and Keras take Nesterov's gradient ``here``, at the parameters
      that they hold and evaluate. Sutskever et al. 2013, eqs. 3-4, take it ``ahead``,
      v ← μ v - η ∇f(θ + μ v), θ ← θ + v: the points at which gradients are taken are those of
      ``here`` with the rate inside, what is evaluated is θ, which lies μ v behind them.

    Sources: Polyak 1964, eq. 9; Nesterov 1983; ``torch.optim.SGD``.
    """

    SOURCE: ClassVar[str] = "Robbins & Monro 1951; Polyak 1964; Nesterov 1983"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {
            "learning_rate": 0.01,
            "rate": "after",
            "dampen_first": False,
            "gradient": "here",
        },
        "optax": {"learning_rate": 0.01, "rate": "after", "dampen_first": True, "gradient": "here"},
        "keras": {
            "learning_rate": 0.01,
            "rate": "inside",
            "dampen_first": True,
            "gradient": "here",
        },
        "paper": {
            "learning_rate": 0.01,
            "rate": "inside",
            "dampen_first": True,
            "gradient": "ahead",
        },
    }

    kind: Literal["sgd"] = "sgd"
    flavour: Literal["torch", "optax", "keras", "paper"] = "torch"
    momentum: Decay | None = None
    nesterov: bool = False
    dampening: Decay | None = None
    dampen_first: bool = False
    rate: Literal["after", "inside"] = "after"
    gradient: Literal["here", "ahead"] = "here"

    @model_validator(mode="after")
    def _momentum_where_it_is_needed(self) -> SGD:
        if self.momentum is None and (self.nesterov or self.dampening is not None):
            field = "nesterov: true" if self.nesterov else "dampening"
            raise ValueError(f"'{field}' needs a 'momentum', such as 0.9")
        if self.nesterov and self.dampening is not None:
            raise ValueError("'nesterov: true' takes no 'dampening'")
        if self.nesterov and self.gradient == "ahead" and self.rate == "after":
            raise ValueError("'gradient: ahead' is a velocity's: it needs 'rate: inside'")
        return self

    def direction(self) -> Direction:
        """Return the buffer, before the rate or after it."""
        import optax

        if self.momentum is None:
            return Direction(optax.identity())
        buffer = optax.trace(self.momentum, self.nesterov)
        if self.dampening is not None:
            from descentlab.optimizers.rules.moments import dampened

            buffer = dampened(self.momentum, self.dampening, first=self.dampen_first)
        if self.rate == "after":
            return Direction(buffer)
        return Direction(optax.identity(), buffer)

    def evaluation(self) -> Callable[[Any, Any], Any] | None:
        """Return θ = y - μ v where the parameters are the point y ahead."""
        if not self.nesterov or self.gradient == "here":
            return None
        import jax

        def behind(parameters: Any, state: Any) -> Any:
            velocity = state.velocity.trace
            return jax.tree.map(lambda y, v: y - self.momentum * v, parameters, velocity)

        return behind
