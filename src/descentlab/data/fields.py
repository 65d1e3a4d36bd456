"""Fields that every data set has: how it is split, and how its inputs are scaled."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from descentlab.core.spec import Spec

Scale = Literal["none", "unit", "standardize", "minmax"]


def _share(value: Any) -> Any:
    """Take a share below 1 or a number of examples; refuse what could be read as either."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and (isinstance(value, int) or value < 1) and value >= 0:
        return value
    raise ValueError("expected a share below 1 (such as 0.2) or a number of examples (such as 30)")


Share = Annotated[int | float, BeforeValidator(_share)]


class Split(Spec):
    """How many examples are set apart, and by which seed.

    A float is a share of all examples (rounded to the nearest number), an integer a
    number of examples. An official test part stays as it is unless ``test`` is given.
    """

    floats_are_data: ClassVar[bool] = False
    validation: Share = Field(
        default=0, description="A share below 1, or a number of examples, for validation."
    )
    test: Share | None = Field(
        default=None,
        description="The same for testing; without it, the official test part if there is one.",
    )
    seed: int = Field(default=0, ge=0, description="Of the random split.")
    stratify: bool = Field(
        default=True, description="Split each class in the same proportion (classification)."
    )
