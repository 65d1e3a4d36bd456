"""What a study file can say about a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec
from descentlab.studies.search.brackets import Bracket, hyperband, successive_halving
from descentlab.studies.search.spaces import Categorical, Space, matches

Trials = Annotated[int, Field(ge=1, le=1_000_000)]
Factor = Annotated[int, Field(ge=2, le=100)]


class Search(Spec):
    """Base of the searches: a space of settings, by path in ``run``."""

    space: Space
    metric: str | None = None

    @field_validator("space", mode="after")
    @classmethod
    def _known_conditions(cls, space: Mapping[str, Any]) -> Mapping[str, Any]:
        seen: list[str] = []
        for path, dimension in space.items():
            for on in dimension.when:
                if on not in seen:
                    raise ValueError(
                        f"'{path}' depends on '{on}', which must be chosen before it in the space"
                    )
                _check_condition(path, on, space[on], dimension.when[on])
            seen.append(path)
        return space

    def brackets(self, epochs: int) -> list[Bracket]:
        """Return how settings are eliminated; none are by default."""
        return []

    @property
    def count(self) -> int | None:
        """Settings to draw; None for all of them."""
        return None

    @property
    def unasked(self) -> int:
        """Settings that a sampler has yet to be asked for."""
        return 0


def _check_condition(path: str, on: str, parent: Any, wanted: Any) -> None:
    """Refuse a condition that no choice can meet."""
    if not isinstance(parent, Categorical) or any(matches(c, wanted) for c in parent.choices):
        return
    names = [str(c.get("kind", c) if isinstance(c, Mapping) else c) for c in parent.choices]
    raise ValueError(
        f"'{path}' is to be chosen when '{on}' is {wanted!r}, which it never is "
        f"(choices: {', '.join(names)})"
    )


class Grid(Search):
    """Every setting of the space."""

    kind: Literal["grid"] = "grid"

    @model_validator(mode="after")
    def _finite(self) -> Self:
        for path, dimension in self.space.items():
            if dimension.size == float("inf"):
                raise ValueError(
                    f"space.{path}: a float has no end of values; give a list of them for a grid"
                )
        return self


class _Drawn(Search):
    trials: Trials
    seed: int = Field(default=0, ge=0)

    @property
    def count(self) -> int:
        """The number of trials."""
        return self.trials


class Random(_Drawn):
    """Independent uniform draws, without repetition."""

    kind: Literal["random"] = "random"


class Sobol(_Drawn):
    """A scrambled Sobol' sequence: draws that fill the space evenly."""

    kind: Literal["sobol"] = "sobol"


class SuccessiveHalving(_Drawn):
    """``trials`` settings; the best 1 in ``factor`` of each rung are trained ``factor`` × longer.

    The first rung has ``minimum`` epochs, the last those of the run. ``audit``
    eliminated settings, drawn at random, are finished to see what pruning cost.
    """

    kind: Literal["successive_halving"] = "successive_halving"
    minimum: int = Field(default=1, ge=1)
    factor: Factor = 3
    audit: int = Field(default=0, ge=0)

    def brackets(self, epochs: int) -> list[Bracket]:
        """Return the one bracket."""
        return successive_halving(self.trials, self.minimum, epochs, self.factor)


class Hyperband(Search):
    """Successive halving from several starting budgets, which hedges against slow starters.

    ``audit`` eliminated settings, drawn at random, are finished to see what pruning cost.
    """

    kind: Literal["hyperband"] = "hyperband"
    factor: Factor = 3
    seed: int = Field(default=0, ge=0)
    audit: int = Field(default=0, ge=0)

    def brackets(self, epochs: int) -> list[Bracket]:
        """Return the brackets, the one with most settings first."""
        return hyperband(epochs, self.factor)


class Asked(Spec):
    """A setting that a sampler asked for, with what the sampler keeps beside it."""

    values: dict[str, Any]
    attributes: dict[str, Any] = {}


class Optuna(_Drawn):
    """Settings asked of an Optuna sampler, ``batch`` at a time.

    ``sampler`` is ``tpe``, ``gp``, ``cmaes``, ``nsgaii``, ``random`` or
    ``package.module:Class``, made with ``options``. ``asked`` fills as the search goes
    on; a file that has it is trained as it stands, and needs Optuna only for more.
    """

    kind: Literal["optuna"] = "optuna"
    sampler: str = "tpe"
    options: dict[str, Any] = {}
    batch: int = Field(default=8, ge=1)
    asked: tuple[Asked, ...] = ()

    @property
    def unasked(self) -> int:
        """Settings that the sampler has yet to be asked for."""
        return max(0, self.trials - len(self.asked))


SEARCHES = Catalogue(
    "search",
    {
        "grid": Grid,
        "random": Random,
        "sobol": Sobol,
        "successive_halving": SuccessiveHalving,
        "hyperband": Hyperband,
        "optuna": Optuna,
    },
)
