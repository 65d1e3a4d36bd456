"""Schedules by name; each factor multiplies the optimizer's learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

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
    """The rate rises linearly from the share ``initial`` within ``warmup_steps`` updates.

    ``then`` is the schedule that begins when the full rate is reached.
    """

    kind: Literal["warmup"] = "warmup"
    warmup_steps: int = Field(ge=1)
    initial: float = Field(default=0.0, ge=0)
    then: Annotated[Any, PlainValidator(lambda raw: CATALOGUE.validate(raw))] = Constant()

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import after_warmup

        then = self.then.build()
        return lambda step: after_warmup(step, self.warmup_steps, self.initial, then)


class Staircase(Spec):
    """The rate is multiplied by ``factor`` after every ``every`` updates."""

    kind: Literal["step"] = "step"
    every: int = Field(ge=1)
    factor: float = Field(default=0.1, gt=0)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import staircase

        return lambda step: staircase(step, self.every, self.factor)


class InverseTime(Spec):
    """The rate falls as 1 / (1 + ``decay`` · step)."""

    kind: Literal["inverse_time"] = "inverse_time"
    decay: float = Field(default=0.01, ge=0)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import inverse_time

        return lambda step: inverse_time(step, self.decay)


class Polynomial(Spec):
    """The rate falls to the share ``final`` within ``decay_steps`` updates, as a power does."""

    kind: Literal["polynomial"] = "polynomial"
    decay_steps: int = Field(ge=1)
    power: float = Field(default=1.0, gt=0)
    final: float = Field(default=0.0, ge=0)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import polynomial

        return lambda step: polynomial(step, self.decay_steps, self.power, self.final)


class CosineRestarts(Spec):
    """Half cosines down to ``final``, over ``period`` updates, each ``multiply`` × longer."""

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    period: int = Field(ge=1, lt=1 << 31)
    multiply: int = Field(default=1, ge=1)
    final: float = Field(default=0.0, ge=0)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import cosine_restarts

        return lambda step: cosine_restarts(step, self.period, self.multiply, self.final)


class OneCycle(Spec):
    """The rate rises from ``initial`` to its full value at ``rise`` of the cycle, then falls."""

    kind: Literal["one_cycle"] = "one_cycle"
    cycle_steps: int = Field(ge=2)
    rise: float = Field(default=0.3, gt=0, lt=1)
    initial: float = Field(default=0.04, gt=0, le=1)
    final: float = Field(default=4e-6, ge=0, le=1)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import one_cycle

        return lambda step: one_cycle(step, self.cycle_steps, self.rise, self.initial, self.final)


class InverseSqrt(Spec):
    """The rate rises linearly for ``warmup_steps`` updates, then falls as 1 / √step (Noam)."""

    kind: Literal["inverse_sqrt"] = "inverse_sqrt"
    warmup_steps: int = Field(ge=1)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import inverse_sqrt

        return lambda step: inverse_sqrt(step, self.warmup_steps)


class WarmupStableDecay(Spec):
    """The rate rises, stays for ``stable_steps`` updates, and falls to ``final``, all linearly."""

    kind: Literal["warmup_stable_decay"] = "warmup_stable_decay"
    warmup_steps: int = Field(default=0, ge=0)
    stable_steps: int = Field(ge=0)
    decay_steps: int = Field(ge=1)
    final: float = Field(default=0.0, ge=0)

    def build(self) -> Callable[[Any], Any]:
        """Return the function of the step."""
        from descentlab.optimizers.schedules import warmup_stable_decay

        lengths = self.warmup_steps, self.stable_steps, self.decay_steps
        return lambda step: warmup_stable_decay(step, *lengths, self.final)


CATALOGUE = Catalogue(
    "schedule",
    {
        "constant": Constant,
        "step": Staircase,
        "exponential": Exponential,
        "inverse_time": InverseTime,
        "polynomial": Polynomial,
        "cosine": Cosine,
        "cosine_restarts": CosineRestarts,
        "one_cycle": OneCycle,
        "warmup": Warmup,
        "inverse_sqrt": InverseSqrt,
        "warmup_stable_decay": WarmupStableDecay,
    },
)
