"""What a study file can claim."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec

Scalar = bool | int | float | str | None
Value = Scalar | list[Scalar]
Selection = dict[str, Scalar | list[Value]]
"""Configurations by what they have: factors with a label, or paths in ``run`` with a value.

A list means any of its items, unless a configuration has that very list as its value.
"""

Margin = Annotated[float, Field(ge=0)]


def _not_all(selection: Any) -> Any:
    if selection == {}:
        raise ValueError(
            "selects everything; say which configurations by a factor and its label, "
            "such as {optimizer: adam}"
        )
    return selection


class Claim(Spec):
    """Base of the claims.

    Attributes:
        name: one's own words for it; made from the claim if there are none.
        metric: what is compared; the study's primary metric by default.
        at: the last record (``end``) or the best one of each curve (``best``).
        among: configurations that the claim is about; all by default.
    """

    name: str = ""
    metric: str | None = None
    at: Literal["end", "best"] = "end"
    among: Selection = {}

    @property
    def key(self) -> str:
        """What the claim says, by which it is known again; its name does not matter."""
        return self.model_dump_json(exclude={"name"})


class _Sides(Claim):
    """Two sides, ``b`` all the others by default.

    By default (``matched``) configurations are paired by all else that varies and that
    both sides have; those without a partner are left out, and named.
    """

    a: Selection
    b: Selection | Literal["others"] = "others"
    matched: bool = True

    @field_validator("a", "b")
    @classmethod
    def _some(cls, selection: Selection | str) -> Selection | str:
        return _not_all(selection)

    @model_validator(mode="after")
    def _two_sides(self) -> _Sides:
        if self.a == self.b:
            raise ValueError("both sides of the claim, 'a' and 'b', are the same")
        return self


class Better(_Sides):
    """The configurations ``a`` are better than ``b`` by more than ``margin``."""

    kind: Literal["better"] = "better"
    margin: Margin = 0.0


class Equivalent(_Sides):
    """The configurations ``a`` and ``b`` differ by less than ``margin``."""

    kind: Literal["equivalent"] = "equivalent"
    margin: Annotated[float, Field(gt=0)]


class Best(Claim):
    """A configuration, or a value of a factor, is the best, or within ``margin`` of the best.

    What differs from ``of`` in the factors (paths) that it names is what it is compared with.
    """

    kind: Literal["best"] = "best"
    of: Selection
    margin: Margin = 0.0

    @field_validator("of")
    @classmethod
    def _some(cls, selection: Selection) -> Selection:
        return _not_all(selection)


class Orders(Claim):
    """The values of a factor (or of a path) rank as stated, the best first.

    Each is at least as good as the next, but for ``margin``.
    """

    kind: Literal["orders"] = "orders"
    factor: str
    order: list[Value] = Field(min_length=2)
    margin: Margin = 0.0

    @field_validator("order")
    @classmethod
    def _once(cls, order: list[Any]) -> list[Any]:
        twice = next((value for value in order if order.count(value) > 1), None)
        if twice is not None:
            raise ValueError(f"'{twice}' is there twice")
        return order


class Reaches(Claim):
    """The mean of the configurations ``which`` is at least (a loss: at most) ``target``."""

    kind: Literal["reaches"] = "reaches"
    which: Selection = {}
    target: float


class Slope(Claim):
    """A metric falls with a varied number as its power between ``low`` and ``high``.

    The slope is that of ln(metric - ``minus``) against ln(``over``), least squares over the
    values within each seed; -1 is a metric that falls in proportion.
    """

    kind: Literal["slope"] = "slope"
    over: str
    which: Selection = {}
    minus: float = 0.0
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Slope:
        if self.low is None and self.high is None:
            raise ValueError("give 'low', 'high' or both: what the slope is to lie between")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"'low' {self.low:g} must be below 'high' {self.high:g}")
        return self


CLAIMS = Catalogue(
    "claim",
    {
        "better": Better,
        "best": Best,
        "equivalent": Equivalent,
        "reaches": Reaches,
        "orders": Orders,
        "slope": Slope,
    },
)
