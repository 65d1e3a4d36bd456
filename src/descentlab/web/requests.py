"""What the page may ask for; everything else is refused, with the field at fault."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=1000)]
Point = tuple[Finite, Finite]


class Request(BaseModel):
    """Base of all requests."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ground(Request):
    """A landscape: a name of the catalogue with its settings, or a formula in w1, w2.

    ``domain`` is what the map shows; the landscape's own by default.
    """

    landscape: Text
    settings: dict[str, Finite] = {}
    domain: tuple[Point, Point] | None = None


class Surface(Ground):
    """Values on a grid over the domain, for the map and the surface."""

    columns: Annotated[int, Field(ge=2, le=301)] = 121
    rows: Annotated[int, Field(ge=2, le=301)] = 121


class Descents(Ground):
    """Paths of methods, written as ``descentlab landscape run`` reads them, from one start."""

    methods: Annotated[tuple[Text, ...], Field(min_length=1, max_length=16)]
    start: Point
    steps: Annotated[int, Field(ge=1, le=20_000)]
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0


class Tune(Ground):
    """The best and the surest settings of a method."""

    method: Text
    start: Point
    steps: Annotated[int, Field(ge=1, le=2000)]
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0


class Regions(Ground):
    """Which minimum each start reaches, or what happens by learning rate and momentum."""

    method: Text
    steps: Annotated[int, Field(ge=1, le=2000)]
    start: Point = (0.0, 0.0)
    columns: Annotated[int, Field(ge=2, le=1024)] = 512
    rows: Annotated[int, Field(ge=2, le=1024)] = 512
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0


class Moment(Ground):
    """One update of one method, with its numbers.

    ``steps`` is the length of the run that it belongs to, by which schedules may go; as long as
    the update's number by default.
    """

    method: Text
    start: Point
    at: Annotated[int, Field(ge=1, le=20_000)]
    steps: Annotated[int | None, Field(ge=1, le=20_000)] = None
    language: Literal["en", "fa"] = "en"
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0


class Numbers(Request):
    """Somebody's numbers for an exercise, by label, as written."""

    exercise: Annotated[str, Field(max_length=100)]
    numbers: Annotated[dict[Text, Text], Field(max_length=500)]
    language: Literal["en", "fa"] = "en"
    persian_digits: bool = False


class Solve(Request):
    """The working of one number of an exercise."""

    exercise: Annotated[str, Field(max_length=100)]
    label: Text
    language: Literal["en", "fa"] = "en"
    persian_digits: bool = False
