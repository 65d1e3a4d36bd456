"""Specifications: frozen, strict pydantic models, and the rule that floats are data.

Every float in a specification is an argument of the compiled program; integers,
strings and nested kinds are its structure. :func:`split_floats` takes the two
apart, :func:`with_floats` puts them together again, with traced arrays where the
floats were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict

from descentlab.core.errors import SpecError
from descentlab.core.faults import describe

S = TypeVar("S", bound="Spec")


class Spec(BaseModel):
    """Base of every specification: immutable, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    floats_are_data: ClassVar[bool] = True
    """False where floats decide shapes or contents (a split's fraction, say)."""

    @pydantic.field_validator("*", mode="wrap")
    @classmethod
    def _nothing_is_converted(cls, raw: Any, validate: Any) -> Any:
        """Refuse a text or a truth value where a number is meant, and the other way round."""
        value = validate(raw)
        if _converted(raw, value):
            wanted = "true or false" if isinstance(value, bool) else "a number"
            raise ValueError(f"expected {wanted}")
        return value

    @classmethod
    def parse(cls: type[S], raw: Any, where: str = "", *, file: str = "") -> S:
        """Validate ``raw``; a :class:`SpecError` names each faulty path from ``where`` on.

        Args:
            raw: plain values.
            where: the path of ``raw`` in the file.
            file: the file's name, which then begins each line of the message.
        """
        try:
            return cls.model_validate(raw)
        except pydantic.ValidationError as error:
            start = f"{file}: " if file else ""
            lines = describe(error, cls, raw, where)
            raise SpecError("\n".join(start + line for line in lines)) from None

    def resolved(self) -> dict[str, Any]:
        """Return the specification as plain values with every default written out."""
        return self.model_dump(mode="json")


def _converted(raw: Any, value: Any) -> bool:
    if isinstance(raw, (list, tuple)) and isinstance(value, (list, tuple)):
        return any(_converted(*pair) for pair in zip(raw, value, strict=False))
    if not isinstance(value, (bool, int, float)):
        return False
    return isinstance(raw, str) or isinstance(raw, bool) != isinstance(value, bool)


def split_floats(spec: Spec) -> tuple[str, dict[str, float]]:
    """Split a specification into its structure and its floats.

    Returns:
        The structure as canonical JSON in which every float is ``"float"``, and
        the floats by dotted path. Specifications with equal structure can be
        trained by one compiled program.
    """
    floats: dict[str, float] = {}

    def walk(value: Any, path: str, data: bool) -> Any:
        if isinstance(value, Spec):
            data = data and type(value).floats_are_data
            return {
                name: walk(getattr(value, name), f"{path}.{name}" if path else name, data)
                for name in type(value).model_fields
            }
        if isinstance(value, Mapping):
            return {str(key): walk(item, f"{path}.{key}", data) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [walk(item, f"{path}.{index}", data) for index, item in enumerate(value)]
        if isinstance(value, float) and data:
            floats[path] = value
            return "float"
        return value

    structure = walk(spec, "", True)
    return json.dumps(structure, sort_keys=True), floats


def with_floats(spec: S, floats: Mapping[str, Any], path: str = "") -> S:
    """Return ``spec`` with the floats at the given paths replaced, unvalidated.

    The replacements may be traced arrays, so the result is for building values
    inside a compiled program and not for writing to a file.
    """

    def walk(value: Any, path: str) -> Any:
        if isinstance(value, Spec):
            return with_floats(value, floats, path)
        if isinstance(value, Mapping):
            return {key: walk(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return tuple(walk(item, f"{path}.{index}") for index, item in enumerate(value))
        return floats.get(path, value) if isinstance(value, float) else value

    fields = {
        name: walk(getattr(spec, name), f"{path}.{name}" if path else name)
        for name in type(spec).model_fields
    }
    return type(spec).model_construct(**fields)
