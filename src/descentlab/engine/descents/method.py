"""A method that descends: an optimizer with its schedule, as the landscapes' commands read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainValidator

from descentlab.core.errors import SpecError, unknown
from descentlab.core.spec import Spec, split_floats
from descentlab.core.yaml import read_yaml
from descentlab.optimizers.base import OptimizerSpec
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.schedule_specs import Clock, Constant, InverseTime
from descentlab.optimizers.specs import CATALOGUE as OPTIMIZERS

ALIASES: Mapping[str, Mapping[str, Any]] = {
    "gd": {"kind": "sgd"},
    "momentum": {"kind": "sgd", "momentum": 0.9},
    "nesterov": {"kind": "sgd", "momentum": 0.9, "nesterov": True},
}
"""Names for what the catalogue calls ``sgd``."""

FOUR = ("gd", "momentum", "rmsprop", "adam")
"""The methods that every introduction compares."""

SHORT = {"lr": "learning_rate"}
BETAS = ("momentum", "beta1", "beta", "decay")
"""Fields that are β, the share that a running mean or a velocity keeps."""

MOST_CHARACTERS = 2000


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
            raw = _read(raw)
        if not isinstance(raw, Mapping):
            raise SpecError(
                "optimizer: expected 'KIND field=value …', such as 'adam learning_rate=0.01', "
                f"found {raw!r}"
            )
        if "optimizer" in raw:
            return cls.parse(dict(raw))
        return cls.parse(_parted(dict(raw)))

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
        return self._path(BETAS)

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
        spec = self.optimizer
        words, default = [spec.kind], type(self).of({"kind": spec.kind, **_needed(spec)})
        told = {
            "": (spec.resolved(), default.optimizer.resolved()),
            "schedule.": (self.schedule.resolved(), {}),
        }
        if isinstance(self.schedule, Constant) or (
            isinstance(self.schedule, InverseTime) and self.schedule.first == 1
        ):
            del told["schedule."]
        for prefix, (mine, usual) in told.items():
            words += _words(mine, usual, prefix)
        if isinstance(self.schedule, InverseTime) and self.schedule.first == 1:
            words.append(f"lr_decay={self.schedule.decay!r}")
        return " ".join(words)

    def _path(self, names: tuple[str, ...]) -> str | None:
        floats = self.floats
        path = "optimizer."
        spec = self.optimizer
        while hasattr(spec, "inner"):
            spec, path = spec.inner, path + "inner."
        return next((path + name for name in names if path + name in floats), None)


def _needed(spec: OptimizerSpec) -> dict[str, Any]:
    """Return the fields that a kind cannot do without, or that change its defaults."""
    needed: dict[str, Any] = {}
    for name, field in type(spec).model_fields.items():
        if field.is_required() or (name == "flavour" and spec.kind != "sgd"):
            value = getattr(spec, name)
            needed[name] = value.resolved() if isinstance(value, Spec) else value
    return needed


def _words(mine: Mapping[str, Any], usual: Mapping[str, Any], prefix: str) -> list[str]:
    found = []
    for name, value in mine.items():
        if name == "kind" and not prefix:
            continue
        if isinstance(value, Mapping):
            found += _words(value, {}, f"{prefix}{name}.")
        elif name not in usual or usual[name] != value or name in ("learning_rate", "flavour"):
            found.append(f"{prefix}{name}={json.dumps(value)}".replace('"', ""))
    return found


def _read(text: str) -> dict[str, Any]:
    """Return the mapping that ``KIND field=value …`` writes down."""
    if len(text) > MOST_CHARACTERS:
        raise SpecError(f"optimizer: {len(text):,} characters; at most {MOST_CHARACTERS:,}")
    kind, *words = text.split() or [""]
    if not kind or "=" in kind:
        names = ", ".join(sorted({*OPTIMIZERS.kinds, *ALIASES}))
        raise SpecError(
            f"optimizer: expected 'KIND field=value …', found '{text}'; KIND is one of: {names}"
        )
    raw: dict[str, Any] = {}
    for word in words:
        path, sign, value = word.partition("=")
        if not (sign and path and value):
            raise SpecError(f"optimizer: expected field=value after '{kind}', found '{word}'")
        _put(raw, path, read_yaml(value, f"optimizer.{path}"))
    return {"kind": kind, **raw}


def _put(raw: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place = raw
    for parent in parents:
        inside = place.setdefault(parent, {})
        if isinstance(inside, str):
            inside = place[parent] = {"kind": inside}
        if not isinstance(inside, dict):
            raise SpecError(f"optimizer.{path}: {parent} is already {inside!r}")
        place = inside
    if last in place and not (isinstance(place[last], dict) and isinstance(value, str)):
        raise SpecError(f"optimizer.{path}: given twice")
    place[last] = {"kind": value, **place[last]} if last in place else value


def _parted(raw: dict[str, Any]) -> dict[str, Any]:
    """Part a flat mapping into optimizer and schedule, short names written out."""
    schedule = raw.pop("schedule", None)
    kind = raw.get("kind")
    if isinstance(kind, str) and ":" not in kind and kind not in (*OPTIMIZERS.kinds, *ALIASES):
        known = [*OPTIMIZERS.kinds, *ALIASES]
        raise SpecError(f"optimizer: {unknown('optimizer', kind, known)}")
    raw = _defaults(raw)
    if isinstance(raw.get("inner"), Mapping):
        raw["inner"] = _defaults(dict(raw["inner"]))
    elif raw.get("inner") in ALIASES:
        raw["inner"] = _defaults({"kind": raw["inner"]})
    fields = OPTIMIZERS.find(str(raw.get("kind"))).model_fields if "kind" in raw else {}
    decay = raw.pop("lr_decay", None)
    if decay is None and "decay" in raw and "decay" not in fields:
        decay = raw.pop("decay")
    if decay is not None:
        if schedule is not None:
            raise SpecError("optimizer.lr_decay: the schedule is given too; leave one out")
        schedule = {"kind": "inverse_time", "decay": decay, "first": 1}
    return {"optimizer": raw} | ({} if schedule is None else {"schedule": schedule})


def _defaults(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an optimizer's mapping with short names written out and the playground's defaults."""
    for short, name in SHORT.items():
        if short in raw:
            if name in raw:
                raise SpecError(f"optimizer.{short}: {name} is given too; leave one out")
            raw[name] = raw.pop(short)
    raw = {**ALIASES.get(raw.get("kind", ""), {}), **{k: v for k, v in raw.items() if k != "kind"},
           "kind": ALIASES.get(raw.get("kind", ""), raw).get("kind")}  # fmt: skip
    kind = raw["kind"]
    if "beta" in raw and kind in OPTIMIZERS.kinds:
        fields = OPTIMIZERS.find(kind).model_fields
        name = next((beta for beta in BETAS if beta in fields), None)
        if kind == "rmsprop":
            name = "decay"
        if name is not None and name != "beta":
            raw[name] = raw.pop("beta")
    plain = "flavour" not in raw
    if kind == "rmsprop" and plain:
        raw.setdefault("decay", 0.9)
    if kind == "sgd" and plain and raw.get("momentum") is not None and "dampening" not in raw:
        raw.setdefault("rate", "inside")
    return raw
