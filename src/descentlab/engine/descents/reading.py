"""Methods as text and as flat mappings: short names, and the playground's defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from descentlab.core.errors import SpecError, unknown
from descentlab.core.spec import Spec
from descentlab.core.yaml import read_yaml
from descentlab.optimizers.base import OptimizerSpec
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
BETAS = ("momentum", "beta1", "beta")
"""Fields that are β, the share that a velocity or a running mean keeps; RMSprop's is its ρ."""

MOST_CHARACTERS = 2000


def read_text(text: str) -> dict[str, Any]:
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
    place: dict[str, Any] = raw
    for parent in parents:
        inside: Any = place.setdefault(parent, {})
        if isinstance(inside, str):
            inside = place[parent] = {"kind": inside}
        if not isinstance(inside, dict):
            raise SpecError(f"optimizer.{path}: {parent} is already {inside!r}")
        place = inside
    if last in place and not (isinstance(place[last], dict) and isinstance(value, str)):
        raise SpecError(f"optimizer.{path}: given twice")
    place[last] = {"kind": value, **place[last]} if last in place else value


def parted(raw: dict[str, Any]) -> dict[str, Any]:
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
    named = raw.get("kind")
    if isinstance(named, str) and named in ALIASES:
        raw = {**ALIASES[named], **{k: v for k, v in raw.items() if k != "kind"}}
    kind = raw.get("kind")
    if "beta" in raw and kind in OPTIMIZERS.kinds:
        fields = OPTIMIZERS.find(kind).model_fields
        names = ("decay",) if kind == "rmsprop" else BETAS
        name = next((beta for beta in names if beta in fields), None)
        if name is not None and name != "beta":
            raw[name] = raw.pop("beta")
    plain = "flavour" not in raw
    if kind == "rmsprop" and plain:
        raw.setdefault("decay", 0.9)
    if kind == "sgd" and plain and raw.get("momentum") is not None and "dampening" not in raw:
        raw.setdefault("rate", "inside")
    return raw


TURNING = ("momentum", "dampening")
"""Fields of ``sgd`` that other defaults go by."""


def told(spec: OptimizerSpec, prefix: str = "") -> list[str]:
    """Return ``field=value`` of all that differs from what a kind is by default here."""
    fields = type(spec).model_fields
    turns = spec.kind == "sgd"  # type: ignore[attr-defined]
    needed = {
        name: getattr(spec, name)
        for name, field in fields.items()
        if field.is_required() or (turns and name in TURNING and getattr(spec, name) is not None)
    }
    if "flavour" in fields and spec.flavour != fields["flavour"].default:  # type: ignore[attr-defined]
        needed["flavour"] = spec.flavour  # type: ignore[attr-defined]
    usual = OPTIMIZERS.validate(_defaults({"kind": spec.kind, **needed}))  # type: ignore[attr-defined]
    found = []
    for name in fields:
        value, path = getattr(spec, name), f"{prefix}{name}"
        if name == "kind":
            continue
        if isinstance(value, OptimizerSpec):
            found += [f"{path}.kind={value.kind}", *told(value, f"{path}.")]  # type: ignore[attr-defined]
        elif isinstance(value, Spec):
            found += all_of(value.resolved(), f"{path}.")
        elif value != getattr(usual, name) or name == "learning_rate" or name in needed:
            found.append(f"{path}={_written(value)}")
    return found


def all_of(values: Mapping[str, Any], prefix: str) -> list[str]:
    """Return ``field=value`` of everything in a mapping that is not null."""
    found = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += all_of(value, f"{prefix}{name}.")
        elif value is not None:
            found.append(f"{prefix}{name}={_written(value)}")
    return found


def _written(value: Any) -> str:
    return json.dumps(value).replace('"', "").replace(" ", "")
