"""Schedules by name; each factor multiplies the optimizer's learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec


class Constant(Spec):
    """The learning rate stays as it is."""

    kind: Literal["constant"] = "constant"

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import constant

        return constant


class Exponential(Spec):
    """The rate falls by the factor ``decay_rate`` every ``decay_steps`` updates, smoothly."""

    kind: Literal["exponential"] = "exponential"
    decay_rate: float = Field(default=0.5, gt=0)
    decay_steps: int = Field(ge=1)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import exponential

        return lambda step: exponential(step, self.decay_rate, self.decay_steps)


class Cosine(Spec):
    """The rate falls along half a cosine to the share ``final`` within ``decay_steps`` updates."""

    kind: Literal["cosine"] = "cosine"
    decay_steps: int = Field(ge=1)
    final: float = Field(default=0.0, ge=0)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import cosine

        return lambda step: cosine(step, self.decay_steps, self.final)


class Warmup(Spec):
    """The rate rises linearly from the share ``initial`` within ``warmup_steps`` updates."""

    kind: Literal["warmup"] = "warmup"
    warmup_steps: int = Field(ge=1)
    initial: float = Field(default=0.0, ge=0)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import warmup

        return lambda step: warmup(step, self.warmup_steps, self.initial)


CATALOGUE = Catalogue(
    "schedule",
    {"constant": Constant, "exponential": Exponential, "cosine": Cosine, "warmup": Warmup},
)
