"""Spaces: which settings a search may choose, and how points of the unit cube become settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec

Scalar = bool | int | float | str | None
Condition = dict[str, Scalar | list[Scalar]]


class Dimension(Spec):
    """Base of the dimensions; ``when`` makes one depend on the choices at other paths."""

    when: Annotated[
        Condition, BeforeValidator(lambda raw: raw and {_relative(k): v for k, v in raw.items()})
    ] = {}

    @property
    def size(self) -> float:
        """How many values there are; infinite for a float."""
        raise NotImplementedError

    def value(self, u: float) -> Any:
        """Return the value at a place in [0, 1)."""
        raise NotImplementedError

    def edges(self) -> tuple[Any, Any] | None:
        """Return the smallest and the largest value, where there is an order."""
        return None


class Float(Dimension):
    r"""A number between ``low`` and ``high``, uniform, or uniform in its logarithm."""

    kind: Literal["float"] = "float"
    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _the_right_way_round(self) -> Self:
        _check_range(self.low, self.high, self.log)
        return self

    @property
    def size(self) -> float:
        """Infinite."""
        return math.inf

    def value(self, u: float) -> float:
        """Return low + u (high - low), or the same between the logarithms."""
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return min(self.high, max(self.low, math.exp(low + u * (high - low))))
        return self.low + u * (self.high - self.low)

    def place(self, value: float) -> float:
        """Return where in [0, 1] a value lies; the inverse of :meth:`value`."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def edges(self) -> tuple[float, float]:
        """Return low and high."""
        return self.low, self.high


class Int(Dimension):
    """A whole number: low, low + step, … up to ``high``, each as likely, or uniform in the log."""

    kind: Literal["int"] = "int"
    low: int
    high: int
    step: int = Field(default=1, ge=1)
    log: bool = False

    @model_validator(mode="after")
    def _the_right_way_round(self) -> Self:
        _check_range(self.low, self.high, self.log)
        if self.log and self.step > 1:
            raise ValueError("a logarithmic range has no 'step'; leave one of them out")
        return self

    @property
    def size(self) -> int:
        """The number of values."""
        return (self.high - self.low) // self.step + 1

    def value(self, u: float) -> int:
        """Return the value at a place in [0, 1)."""
        if self.log:
            low, high = math.log(self.low), math.log(self.high + 1)
            return min(self.high, max(self.low, int(math.exp(low + u * (high - low)))))
        return self.low + self.step * min(self.size - 1, int(u * self.size))

    def edges(self) -> tuple[int, int]:
        """Return the smallest and the largest value."""
        return self.low, self.low + self.step * (self.size - 1)


class Categorical(Dimension):
    """One of ``choices``, each as likely: numbers, words, or whole nested kinds."""

    kind: Literal["categorical"] = "categorical"
    choices: list[Any] = Field(min_length=1)

    @model_validator(mode="after")
    def _once(self) -> Self:
        twice = next((c for c in self.choices if self.choices.count(c) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is there twice")
        return self

    @property
    def size(self) -> int:
        """The number of choices."""
        return len(self.choices)

    def value(self, u: float) -> Any:
        """Return the choice at a place in [0, 1)."""
        return self.choices[min(self.size - 1, int(u * self.size))]

    def edges(self) -> tuple[Any, Any] | None:
        """Return the ends of choices that are numbers."""
        numbers = [
            c for c in self.choices if isinstance(c, (int, float)) and not isinstance(c, bool)
        ]
        whole = len(numbers) == len(self.choices) and len(numbers) > 1
        return (min(numbers), max(numbers)) if whole else None


DIMENSIONS = Catalogue(
    "dimension", {"float": Float, "int": Int, "categorical": Categorical}, default="float"
)


def _choices(raw: Any) -> Any:
    if isinstance(raw, list):
        return {"kind": "categorical", "choices": raw}
    if isinstance(raw, Mapping) and "choices" in raw:
        return {"kind": "categorical", **raw}
    return raw


AnyDimension = Annotated[Any, PlainValidator(lambda raw: DIMENSIONS.validate(_choices(raw)))]


def _paths(raw: Any) -> Any:
    if not isinstance(raw, Mapping):
        return raw
    if not raw:
        raise ValueError("the space is empty; give at least one path in 'run' with its values")
    for path in raw:
        if isinstance(path, str) and (path == "kind" or path.endswith(".kind")):
            whole = path.rpartition(".")[0] or "the field"
            raise ValueError(
                f"'{path}' cannot be chosen alone, because fields depend on it; choose {whole} "
                f"as a whole, such as '{whole}: [{{kind: …}}, {{kind: …}}]'"
            )
    found = {_relative(path): dimension for path, dimension in raw.items()}
    if len(found) < len(raw):
        raise ValueError("a path is there twice, with and without 'run.'")
    return found


def _relative(path: Any) -> Any:
    return path.removeprefix("run.") if isinstance(path, str) else path


Space = Annotated[dict[str, AnyDimension], BeforeValidator(_paths)]


def setting(space: Mapping[str, Dimension], place: Mapping[str, float]) -> dict[str, Any]:
    """Return the values of a point, by path; a dimension whose condition fails is left out.

    Conditions are looked at in the order of the space, so that one may depend on
    another that depends on a third.
    """
    found: dict[str, Any] = {}
    for path, dimension in space.items():
        if all(holds(found, on, wanted) for on, wanted in dimension.when.items()):
            found[path] = dimension.value(place[path])
    return found


def holds(found: Mapping[str, Any], on: str, wanted: Any) -> bool:
    """Return whether the value chosen at a path is the wanted one, or among the wanted ones."""
    return on in found and matches(found[on], wanted)


def matches(value: Any, wanted: Any) -> bool:
    """Return whether a choice is what a condition wants, or among it; a kind by its name."""
    if isinstance(value, Mapping):
        value = value.get("kind", value)
    return value == wanted or (isinstance(wanted, list) and value in wanted)


def _check_range(low: float, high: float, log: bool) -> None:
    if not low < high:
        raise ValueError(f"expected 'low' below 'high'; found {low:g} and {high:g}")
    if log and low <= 0:
        raise ValueError(f"a logarithmic range lies above 0; 'low' is {low:g}")
