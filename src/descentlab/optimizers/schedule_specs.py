"""Schedules by name; each factor multiplies the optimizer's learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, PlainValidator, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec

Share = Annotated[float, Field(ge=0)]
Length = Annotated[int, Field(ge=1, lt=1 << 31)]


class Clock(NamedTuple):
    """How long a run is: its batches, batches an epoch, and batches that make one update."""

    batches: int
    per_epoch: int
    accumulate: int = 1

    def length(self, by: str) -> int:
        """Return the run's length in updates that are made, or in epochs that are begun."""
        if by == "epoch":
            return -(-self.batches // self.per_epoch)
        return self.batches // self.accumulate


class ScheduleSpec(Spec):
    """Base of the schedules: a function of :mod:`.schedules`, its settings and its unit.

    ``by: epoch`` counts whole epochs instead of updates, in every length too; the rate then
    stays the same within an epoch.
    """

    FUNCTION: ClassVar[str]
    """The function's name; the specification's own fields are its settings."""

    LENGTH: ClassVar[str | None] = None
    """The field that may be left out to end with the run."""

    by: Literal["step", "epoch"] = "step"

    def build(self, clock: Clock | None = None) -> Callable[[Any], Any]:
        """Return the factor as a function of the number of updates before this one.

        Args:
            clock: the run's; needed for ``by: epoch`` and where a length is left out.
        """
        function = self.function(clock.length(self.by) if clock else None)
        if self.by == "step":
            return function
        if clock is None:
            raise SpecError("run.schedule.by: epochs need the run's number of updates an epoch")
        return lambda step: function(step * clock.accumulate // clock.per_epoch)

    def function(self, length: int | None) -> Callable[[Any], Any]:
        """Return the factor as a function of the units before this one, of ``length``."""
        from descentlab.optimizers import schedules

        settings = {
            name: getattr(self, name) for name in type(self).model_fields if name not in UNIT
        }
        if self.LENGTH is not None and settings[self.LENGTH] is None:
            if length is None:
                raise SpecError(f"run.schedule.{self.LENGTH}: give it, as no run gives its length")
            settings[self.LENGTH] = length - self.fixed
        function = getattr(schedules, self.FUNCTION)
        return lambda step: function(step, **settings)

    @property
    def fixed(self) -> int:
        """Units that go by besides the field that may be left out."""
        return 0

    def check(self, clock: Clock, where: str = "run.schedule") -> None:
        """Raise :class:`SpecError` if the schedule is longer or shorter than the run."""
        self.fits(clock.length(self.by), where)

    def fits(self, length: int, where: str) -> None:
        """Raise :class:`SpecError` if the schedule does not fit so many units."""
        if self.LENGTH is None:
            return
        given = getattr(self, self.LENGTH)
        own = self.fixed + (given if given is not None else 1)
        if given is None and own <= length:
            return
        if given is not None and (own == length or (own < length and getattr(self, "hold", False))):
            return
        rest = f" {self.fixed} of them before or after" if self.fixed else ""
        units = "epochs" if self.by == "epoch" else "updates"
        raise SpecError(
            f"{where}.{self.LENGTH}: this schedule takes {own} {units}{rest}, but there are "
            f"{length}; leave '{self.LENGTH}' out to end with the run"
            + (", or say 'hold: true' to keep the final rate" if own < length else "")
        )


UNIT = ("kind", "by", "hold")
"""Fields that are no settings of the function."""


class Constant(ScheduleSpec):
    """The learning rate stays as it is."""

    kind: Literal["constant"] = "constant"

    def build(self, clock: Clock | None = None) -> Callable[[Any], Any]:
        """Return the function that optimizers know, and then count nothing."""
        return self.function(None)

    def function(self, length: int | None) -> Callable[[Any], Any]:
        """Return the constant 1."""
        from descentlab.optimizers.schedules import constant

        return constant


class Exponential(ScheduleSpec):
    """The rate falls by the factor ``decay_rate`` every ``decay_steps``, smoothly."""

    FUNCTION: ClassVar[str] = "exponential"

    kind: Literal["exponential"] = "exponential"
    decay_rate: float = Field(default=0.5, gt=0)
    decay_steps: Length


class Cosine(ScheduleSpec):
    """The rate falls along half a cosine to the share ``final`` within ``decay_steps``."""

    FUNCTION: ClassVar[str] = "cosine"
    LENGTH: ClassVar[str] = "decay_steps"

    kind: Literal["cosine"] = "cosine"
    decay_steps: Length | None = None
    final: Share = 0.0
    hold: bool = False


class Warmup(ScheduleSpec):
    """The rate rises linearly from the share ``initial`` within ``warmup_steps``.

    ``then`` is the schedule that begins when the full rate is reached, in the same unit.
    """

    kind: Literal["warmup"] = "warmup"
    warmup_steps: Length
    initial: Share = 0.0
    then: Annotated[Any, PlainValidator(lambda raw: CATALOGUE.validate(raw))] = Constant()

    @model_validator(mode="after")
    def _one_unit(self) -> Warmup:
        if self.then.by != "step":
            raise ValueError("'then' counts as the warm-up does: give 'by' there, not in 'then'")
        return self

    def function(self, length: int | None) -> Callable[[Any], Any]:
        """Return the rise, times what follows."""
        from descentlab.optimizers.schedules import after_warmup

        then = self.then.function(None if length is None else length - self.warmup_steps)
        return lambda step: after_warmup(step, self.warmup_steps, self.initial, then)

    def fits(self, length: int, where: str) -> None:
        """Refuse a warm-up that the run never ends, and what does not fit after it."""
        _within(f"{where}.warmup_steps", self.warmup_steps, length, "the warm-up would not end")
        self.then.fits(length - self.warmup_steps, f"{where}.then")


class Staircase(ScheduleSpec):
    """The rate is multiplied by ``factor`` after every ``every``."""

    FUNCTION: ClassVar[str] = "staircase"

    kind: Literal["step"] = "step"
    every: Length
    factor: float = Field(default=0.1, gt=0)

    def fits(self, length: int, where: str) -> None:
        """Refuse a rate that would never fall."""
        _within(f"{where}.every", self.every, length, "the rate would never fall")


class InverseTime(ScheduleSpec):
    """The rate falls as 1 / (1 + ``decay`` · t), with t = ``first`` at the first update."""

    FUNCTION: ClassVar[str] = "inverse_time"

    kind: Literal["inverse_time"] = "inverse_time"
    decay: float = Field(default=0.01, ge=0)
    first: Literal[0, 1] = 0


class Polynomial(ScheduleSpec):
    """The rate falls to the share ``final`` within ``decay_steps``, as a power does."""

    FUNCTION: ClassVar[str] = "polynomial"
    LENGTH: ClassVar[str] = "decay_steps"

    kind: Literal["polynomial"] = "polynomial"
    decay_steps: Length | None = None
    power: float = Field(default=1.0, gt=0)
    final: Share = 0.0
    hold: bool = False


class CosineRestarts(ScheduleSpec):
    """Half cosines down to ``final``, over ``period``, each ``multiply`` × longer."""

    FUNCTION: ClassVar[str] = "cosine_restarts"

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    period: Length
    multiply: int = Field(default=1, ge=1)
    final: Share = 0.0

    def fits(self, length: int, where: str) -> None:
        """Refuse a first period that the run never ends."""
        if self.period > length:
            _within(f"{where}.period", self.period, length, "the rate would never restart")


class OneCycle(ScheduleSpec):
    """The rate rises from ``initial`` to its full value at ``rise`` of the cycle, then falls."""

    FUNCTION: ClassVar[str] = "one_cycle"
    LENGTH: ClassVar[str] = "cycle_steps"

    kind: Literal["one_cycle"] = "one_cycle"
    cycle_steps: Annotated[int, Field(ge=2, lt=1 << 31)] | None = None
    rise: float = Field(default=0.3, gt=0, lt=1)
    initial: float = Field(default=0.04, gt=0, le=1)
    final: float = Field(default=4e-6, ge=0, le=1)
    hold: bool = False


class InverseSqrt(ScheduleSpec):
    """The rate rises linearly for ``warmup_steps``, then falls as 1 / √t (Noam)."""

    FUNCTION: ClassVar[str] = "inverse_sqrt"

    kind: Literal["inverse_sqrt"] = "inverse_sqrt"
    warmup_steps: Length

    def fits(self, length: int, where: str) -> None:
        """Refuse a warm-up that the run never ends."""
        _within(f"{where}.warmup_steps", self.warmup_steps, length, "the warm-up would not end")


class WarmupStableDecay(ScheduleSpec):
    """The rate rises, stays for ``stable_steps``, and falls to ``final``, all linearly."""

    FUNCTION: ClassVar[str] = "warmup_stable_decay"
    LENGTH: ClassVar[str] = "stable_steps"

    kind: Literal["warmup_stable_decay"] = "warmup_stable_decay"
    warmup_steps: int = Field(default=0, ge=0, lt=1 << 31)
    stable_steps: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None
    decay_steps: Length
    final: Share = 0.0
    hold: bool = False

    @property
    def fixed(self) -> int:
        """The rise and the fall."""
        return self.warmup_steps + self.decay_steps


def _within(where: str, value: int, length: int, else_: str) -> None:
    if value >= length:
        raise SpecError(f"{where}: {value}, but the run has {length}; {else_}: choose less")


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
    base=ScheduleSpec,
)
