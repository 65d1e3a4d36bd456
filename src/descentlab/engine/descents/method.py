"""A method that descends: an optimizer with its schedule, as the landscapes' commands read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainValidator

from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec, split_floats
from descentlab.engine.descents.reading import BETAS, all_of, parted, read_text, told
from descentlab.optimizers.base import OptimizerSpec
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.schedule_specs import Clock, Constant, InverseTime
from descentlab.optimizers.specs import CATALOGUE as OPTIMIZERS


class Method(Spec):
    """An optimizer and the schedule of its learning rate.

    :meth:`of` reads what people write, with the defaults of the playground where nothing is
    said: momentum's velocity has the rate inside, v ← βv - ηg, θ ← θ + v (which differs from
    PyTorch's once the rate changes), and RMSprop's ρ is 0.9. All of it is in :meth:`resolved`.
    """

    optimizer: Annotated[Any, PlainValidator(OPTIMIZERS.validate)]
    schedule: Annotated[Any, PlainValidator(SCHEDULES.validate)] = Constant()

    @classmethod
    def of(cls, raw: Any) -> Method:
        """Return a method from text, a mapping, or an optimizer's specification.

        Text is ``KIND field=value …``, such as ``'adam learning_rate=0.01 lr_decay=0.001'``.
        KIND is of the optimizers' catalogue, or ``gd``, ``momentum``, ``nesterov``. Fields are
        the optimizer's; ``schedule`` and ``schedule.FIELD`` are the schedule's, and
        ``inner.FIELD`` an inner optimizer's. ``lr`` is ``learning_rate``. ``lr_decay=d`` is the
        schedule η / (1 + d·t) with t = 1 at the first update; so is ``decay=d`` where the
        optimizer has no field of that name (RMSprop has: its ρ). ``beta`` is the optimizer's
        momentum, β₁ or ρ. A mapping has the same names, ``kind`` among them, or ``optimizer``
        and ``schedule``.

        Raises:
            SpecError: names the field, what was expected and what was found.

        Example:
            >>> Method.of("gd lr=0.1 decay=0.5").schedule
            InverseTime(by='step', kind='inverse_time', decay=0.5, first=1)
        """
        if isinstance(raw, Method):
            return raw
        if isinstance(raw, OptimizerSpec):
            return cls(optimizer=raw)
        if isinstance(raw, str):
            raw = read_text(raw)
        if not isinstance(raw, Mapping):
            raise SpecError(
                "optimizer: expected 'KIND field=value …', such as 'adam learning_rate=0.01', "
                f"found {raw!r}"
            )
        if "optimizer" in raw:
            return cls.parse(dict(raw))
        return cls.parse(parted(dict(raw)))

    @property
    def key(self) -> str:
        """Its structure: methods of one key are one compiled program."""
        return split_floats(self)[0]

    @property
    def floats(self) -> dict[str, float]:
        """Its floats by path, such as ``optimizer.learning_rate``: the program's data."""
        return split_floats(self)[1]

    @property
    def rate_path(self) -> str:
        """The path of the learning rate."""
        return self._path(("learning_rate",)) or ""

    @property
    def beta_path(self) -> str | None:
        """The path of β (momentum, β₁, ρ); None for methods without."""
        return self._path(("decay",) if self._innermost.kind == "rmsprop" else BETAS)

    @property
    def decay_path(self) -> str | None:
        """The path of the learning rate's decay; None unless the schedule is 1 / (1 + d·t)."""
        return "schedule.decay" if isinstance(self.schedule, InverseTime) else None

    @property
    def beta(self) -> float | None:
        """β; None for methods without."""
        path = self.beta_path
        return None if path is None else self.floats[path]

    @property
    def costly(self) -> bool:
        """Whether an update is some fifty others': L-BFGS's, with its memory and its searches."""
        return self._innermost.kind == "lbfgs"

    @property
    def name(self) -> str:
        """A short name, for tables and legends."""
        spec, prefix = self.optimizer, ""
        while hasattr(spec, "inner"):
            spec, prefix = spec.inner, prefix + f"{spec.kind} "
        if spec.kind == "sgd":
            momentum = getattr(spec, "momentum", None) is not None
            nesterov = getattr(spec, "nesterov", False)
            return prefix + ("nesterov" if nesterov else "momentum" if momentum else "gd")
        return prefix + spec.kind

    def with_values(self, values: Mapping[str, float]) -> Method:
        """Return it with other floats, by path, validated."""
        raw = self.resolved()
        for path, value in values.items():
            *parents, last = path.split(".")
            place = raw
            for parent in parents:
                place = place[parent]
            place[last] = float(value)
        return type(self).parse(raw)

    def with_decay(self) -> Method:
        """Return it with the schedule 1 / (1 + d·t), d = 0 if it has none yet."""
        if self.decay_path is not None:
            return self
        return type(self)(optimizer=self.optimizer, schedule=InverseTime(decay=0.0, first=1))

    def check(self, steps: int) -> None:
        """Raise :class:`SpecError` if it cannot make so many updates."""
        self.optimizer.check_length(steps, "optimizer")
        clock = Clock(steps, 1, self.optimizer.batches_per_update)
        self.schedule.check(clock, "schedule")

    def text(self) -> str:
        """Return what :meth:`of` reads it from: all that differs from the defaults."""
        words = [self.optimizer.kind, *told(self.optimizer)]
        schedule = self.schedule
        if isinstance(schedule, InverseTime) and schedule.first == 1 and schedule.by == "step":
            words.append(f"lr_decay={schedule.decay!r}")
        elif not isinstance(schedule, Constant):
            words += all_of(schedule.resolved(), "schedule.")
        return " ".join(words)

    @property
    def _innermost(self) -> Any:
        spec = self.optimizer
        while hasattr(spec, "inner"):
            spec = spec.inner
        return spec

    def _path(self, names: tuple[str, ...]) -> str | None:
        floats, spec, path = self.floats, self.optimizer, "optimizer."
        while hasattr(spec, "inner"):
            spec, path = spec.inner, path + "inner."
        return next((path + name for name in names if path + name in floats), None)
