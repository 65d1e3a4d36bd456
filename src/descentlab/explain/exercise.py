"""Exercises: what a file says, and where it is found."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from importlib import resources
from pathlib import Path as FilePath
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PlainValidator, field_validator, model_validator

from descentlab.core.errors import DataError, SpecError, unknown
from descentlab.core.marked import KEY, Marked, Path, located, read_marked
from descentlab.core.spec import Spec
from descentlab.optimizers.specs import CATALOGUE as OPTIMIZERS

Count = Annotated[int, Field(ge=1, le=100)]
MOST_NAMES = 200


class Said(Spec):
    """A text in the languages that it exists in; English is always there."""

    en: str
    fa: str | None = None

    def text(self, language: str) -> str:
        """Return the text in a language, or in English."""
        return (self.fa if language == "fa" else None) or self.en


def _said(raw: Any) -> Any:
    return Said(en=raw) if isinstance(raw, str) else Said.parse(raw)


SaidField = Annotated[Any, PlainValidator(_said)]


def _array(value: Any) -> Any:
    """Return a number, a vector or a matrix, or say why it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"expected a finite number, found {value}")
        return float(value)
    if isinstance(value, (list, tuple)) and value:
        items = [_array(item) for item in value]
        if len({_shape(item) for item in items}) > 1:
            raise ValueError(f"rows of different lengths, found {value}")
        if len(_shape(items[0])) > 1:
            raise ValueError(f"expected at most rows of numbers, found {value}")
        return items
    raise ValueError(f"expected a number or a list of numbers, found {value!r}")


def _shape(value: Any) -> tuple[int, ...]:
    return (len(value), *_shape(value[0])) if isinstance(value, list) else ()


Finite = Annotated[float, Field(allow_inf_nan=False)]


class Table(Spec):
    """Examples row by row; in formulas a column's name is the vector of a batch's values."""

    columns: tuple[str, ...] = Field(min_length=1)
    rows: tuple[tuple[Finite, ...], ...] = Field(min_length=1)


class Update(Spec):
    """What is done with the gradients: an optimizer of the lab, and for how long.

    With a table each update sees ``batch`` rows in the order given (all by default), ``epochs``
    times; without one all ``steps`` updates see the same.
    """

    optimizer: Annotated[Any, PlainValidator(OPTIMIZERS.validate)]
    parameters: tuple[str, ...] = Field(min_length=1)
    batch: Count | None = None
    epochs: Count | None = None
    steps: Count | None = None


class Convention(Spec):
    """Another way in which the same exercise is done, and what differs from the exercise's."""

    name: str
    says: SaidField
    set: dict[str, Any]


class Slip(Spec):
    """A mistake that is often made in one quantity: what one writes instead of it."""

    quantity: str
    formula: str
    says: SaidField


class Exercise(Spec):
    """Given values, named quantities as formulas, a loss, and what is asked.

    ``given`` holds numbers, vectors and matrices (rows of rows). ``quantities`` are formulas
    over names above them. With a ``loss``, ``gradients`` names quantities q whose ∂loss/∂q is
    asked as ``d_q``, and an ``update`` gives every parameter w a new value, ``w_new``. With
    several updates the names of each carry its number: ``y_1``, ``d_w_1``, ``w_1``, ``y_2`` …,
    and the last parameters are ``w_new`` (or ``w_2`` as well). ``after`` are formulas over all
    of these. ``asked`` is what a solution should have; by default the quantities, the
    gradients named and the last parameters.
    """

    exercise: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: SaidField
    text: SaidField
    source: str | None = None
    given: dict[str, Annotated[Any, PlainValidator(_array)]] = {}
    table: Table | None = None
    quantities: dict[str, str] = {}
    loss: str | None = None
    gradients: tuple[str, ...] = ()
    update: Update | None = None
    after: dict[str, str] = {}
    asked: tuple[str, ...] | None = None
    digits: Annotated[int, Field(ge=1, le=15)] = 4
    conventions: tuple[Convention, ...] = ()
    slips: tuple[Slip, ...] = ()

    @field_validator("quantities", "after", mode="before")
    @classmethod
    def _formulas_are_text(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        return {
            key: str(value) if isinstance(value, (int, float)) and value is not True else value
            for key, value in raw.items()
        }

    @model_validator(mode="after")
    def _belongs_together(self) -> Exercise:
        count = len(self.given) + len(self.quantities) + len(self.after)
        if count > MOST_NAMES:
            raise ValueError(f"{count} names; an exercise has at most {MOST_NAMES}")
        if self.loss is None and (self.gradients or self.update):
            raise ValueError("gradients and updates need a 'loss': the name of a quantity")
        if self.table is not None and self.update is None and not self.quantities:
            raise ValueError("a table needs quantities that use its columns")
        if not self.quantities and not self.after:
            raise ValueError("an exercise needs 'quantities': names with formulas")
        return self


class Found(NamedTuple):
    """An exercise, and its file's text with places; by which of its conventions, if by one."""

    exercise: Exercise
    marked: Marked
    convention: str | None = None


def library() -> dict[str, FilePath]:
    """Return the files of the exercises that come with the lab, by name."""
    folder = FilePath(str(resources.files("descentlab.explain") / "library"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_exercise(name: str) -> Found:
    """Return an exercise by name or file.

    Raises:
        DataError: there is no such file.
        SpecError: it is no exercise; the message says where.
    """
    known = library()
    path = known.get(name) or FilePath(name)
    if name not in known and not path.is_file():
        if path.suffix in (".yaml", ".yml") or "/" in name:
            raise DataError(f"there is no file {name}")
        raise SpecError(unknown("exercise", name, known) + ", or a file of your own (.yaml)")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror}") from None
    return parse_exercise(text, str(path) if name not in known else path.name)


def parse_exercise(text: str | bytes, source: str = "exercise") -> Found:
    """Return an exercise from a file's text."""
    marked = read_marked(text, source)
    if not isinstance(marked.value, dict):
        raise SpecError(f"{source}: expected fields such as 'given' and 'quantities'")
    try:
        return Found(Exercise.parse(marked.value), marked)
    except SpecError as error:
        raise located(error, marked) from None


def with_convention(found: Found, convention: Convention) -> Found:
    """Return the exercise as another convention does it.

    Raises:
        SpecError: a path of the convention's is not in the exercise.
    """
    raw = copy.deepcopy(dict(found.marked.value))
    marks = dict(found.marked.marks)
    number = found.exercise.conventions.index(convention)
    for dotted, value in convention.set.items():
        where: Path = ("conventions", number, "set", dotted)
        keys = tuple(dotted.split("."))
        _set(raw, keys, value, found.marked, where)
        # A fault of what is set lies where the convention says it.
        marks = {path: mark for path, mark in marks.items() if path[: len(keys)] != keys}
        inside = [path for path in found.marked.marks if path[: len(where)] == where]
        marks |= {(*keys, *path[len(where) :]): found.marked.marks[path] for path in inside}
    raw.pop("conventions", None)
    marked = Marked(raw, marks, found.marked.source)
    try:
        return Found(Exercise.parse(raw), marked, convention.name)
    except SpecError as error:
        raise located(error, marked) from None


def _set(raw: Any, keys: tuple[str, ...], value: Any, marked: Marked, where: Path) -> None:
    for place, key in enumerate(keys):
        new = place == len(keys) - 1
        before = ".".join(keys[:place])
        if not isinstance(raw, dict):
            message = f"'{before}' is {raw!r} and has no fields to set: give it as one with fields"
            raise SpecError(f"{marked.at((*where, KEY))}: {message}")
        if key not in raw and not new:
            message = unknown("field", key, raw) + (f" in '{before}'" if before else "")
            raise SpecError(f"{marked.at((*where, KEY))}: {message}")
        if new:
            raw[key] = value
        raw = raw[key]
