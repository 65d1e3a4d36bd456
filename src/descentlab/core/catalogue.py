"""Names at the border: which kinds a field of a study file may have.

A catalogue maps a kind's name to its specification. Built-in kinds are given by
the room that owns them; a third party adds kinds through an entry point of the
catalogue's group, or names one directly as ``package.module:object``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import metadata
from typing import Any

import pydantic
from pydantic_core import PydanticCustomError

from descentlab.core.errors import SpecError, unknown
from descentlab.core.faults import flatten
from descentlab.core.spec import Spec


def imported(place: str, what: str) -> Any:
    """Return the object at ``package.module:object``.

    Raises:
        ValueError: it is not there.
    """
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"cannot import {what} '{place}': {error}") from None


class Catalogue:
    """The kinds of one thing (``optimizer``, ``model``, …) by name.

    A field of a specification takes them as ``Annotated[Any, PlainValidator(c.validate)]``.

    Args:
        what: the field's standard word, used in messages.
        kinds: the built-in specifications by name.
        wrap: makes a specification out of an imported object that is none, for
            ``package.module:object``; without it only specifications are taken.
        default: the kind of a mapping that names none.
        base: the class that every specification of it extends.
    """

    def __init__(
        self,
        what: str,
        kinds: Mapping[str, type[Spec]],
        wrap: Callable[[str, Any], type[Spec]] | None = None,
        default: str | None = None,
        base: type[Spec] = Spec,
    ) -> None:
        self.what = what
        self._base = base
        self.default = default
        self._builtin = dict(kinds)
        self._wrap = wrap

    @cached_property
    def kinds(self) -> dict[str, type[Spec]]:
        """Every kind by name, third parties' included; a name with two owners is an error."""
        kinds = dict(self._builtin)
        owners = dict.fromkeys(kinds, "descentlab")
        for point in metadata.entry_points(group=f"descentlab.{self.what}"):
            owner = point.dist.name if point.dist else point.value
            if point.name in kinds:
                raise SpecError(
                    f"two packages offer the {self.what} '{point.name}': "
                    f"{owners[point.name]} and {owner}; uninstall one, or have it rename its kind"
                )
            kinds[point.name], owners[point.name] = point.load(), owner
        return kinds

    def find(self, kind: str) -> type[Spec]:
        """Return the specification called ``kind``, importing ``package.module:object``."""
        if ":" not in kind:
            if kind not in self.kinds:
                raise ValueError(unknown(self.what, kind, self.kinds))
            found: Any = self.kinds[kind]
        else:
            found = imported(kind, self.what)
        if isinstance(found, type) and issubclass(found, self._base):
            return found
        if self._wrap is None or kind in self.kinds:
            wanted = f"{self._base.__module__}.{self._base.__name__}"
            raise ValueError(f"'{kind}' is no specification of a {self.what} (it extends {wanted})")
        return self._wrap(kind, found)

    def validate(self, raw: Any) -> Spec:
        """Make a specification of a name, a mapping with ``kind``, or a specification."""
        if isinstance(raw, Spec):
            return raw
        raw = {"kind": raw} if isinstance(raw, str) else raw
        if isinstance(raw, Mapping) and "kind" not in raw and self.default:
            raw = {"kind": self.default, **raw}
        if not isinstance(raw, Mapping) or not isinstance(raw.get("kind"), str):
            names = ", ".join(sorted(self.kinds))
            raise ValueError(f"expected a name or a mapping with 'kind', one of: {names}")
        spec = self.find(raw["kind"])
        try:
            return spec.model_validate(dict(raw))
        except pydantic.ValidationError as error:
            faults = flatten(error, spec, raw)
            raise PydanticCustomError("kind", "invalid kind", {"faults": faults}) from None
