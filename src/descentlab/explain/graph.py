"""A calculation as a graph: named quantities, each made from the ones before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.core.formulas import Expression, names_in

Kind = Literal["given", "setting", "quantity", "gradient", "state", "updated", "curvature"]


class Term(NamedTuple):
    """One product of the chain rule: ∂loss/∂through · ∂through/∂q."""

    through: str
    adjoint: str | None
    """Name of ∂loss/∂through; None where it is the loss itself, and 1."""
    formula: Expression | None
    """The product in the exercise's names; None where there is none but its value."""


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A named number or array.

    Attributes:
        name: unique in its graph: ``H3``, ``d_w13`` for ∂loss/∂w13, ``w13_new`` after the
            update; with several updates ``H3_1``, ``d_w13_2``, ``w13_1`` …
        kind: given, a setting of the optimizer, a formula, a gradient, a state of the
            optimizer, an updated parameter, or a matrix of second derivatives.
        formula: what it is made of; None for what is given, and for what JAX or the lab's
            optimizer alone can give.
        value: of what is given.
        base: the name without update, for symbols.
        of: for gradients, states and updated parameters, the quantity that they belong to.
        step: the update that it belongs to; None where there is but one, or none.
        terms: of a gradient.
    """

    name: str
    kind: Kind
    formula: Expression | None = None
    value: Any = None
    base: str = ""
    of: str = ""
    step: int | None = None
    terms: tuple[Term, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether it is stated and not computed."""
        return self.kind in ("given", "setting")


class Step(NamedTuple):
    """One update: the loss, the parameters before it, and the names of what it computes."""

    loss: str
    parameters: Mapping[str, str]
    """The name of each parameter's value before this update."""
    forward: tuple[str, ...]
    """Names of the quantities between parameters and loss, in order."""
    gradients: Mapping[str, str]
    """The name of ∂loss/∂ each quantity that has one, by the quantity's name."""
    updated: Mapping[str, str]
    """The name of each parameter after this update; empty without one."""


class Slot(NamedTuple):
    """One number of a graph: an element of a quantity."""

    name: str
    place: tuple[int, ...]

    @property
    def label(self) -> str:
        """As it is written in a solution: ``h``, ``h[2]``, ``W[1,3]``."""
        return self.name + (f"[{','.join(str(i + 1) for i in self.place)}]" if self.place else "")


@dataclasses.dataclass(frozen=True)
class Graph:
    """Quantities in an order in which each is made from earlier ones alone.

    Attributes:
        quantities: by name, in order.
        values: NumPy's value of every quantity that is given or made by formulas alone;
            something of the right shape for others. For shapes and for messages.
        steps: the updates, or one without parameters if nothing is minimised.
        asked: names that a solution should have.
        aliases: other names of a quantity.
        optimizer: what makes updates, built by the lab; None without one.
        optimizer_state: before the first update; None for the optimizer's own beginning.
    """

    quantities: Mapping[str, Quantity]
    values: Mapping[str, Any]
    steps: tuple[Step, ...] = ()
    asked: tuple[str, ...] = ()
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    optimizer: Any = None
    optimizer_state: Any = None

    def __iter__(self) -> Iterator[Quantity]:
        """Iterate over the quantities in order."""
        return iter(self.quantities.values())

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Every single number, in order."""
        return tuple(
            Slot(name, place) for name in self.quantities for place in np.ndindex(self.shape(name))
        )

    @cached_property
    def spans(self) -> dict[str, slice]:
        """The slots of each quantity."""
        spans, at = {}, 0
        for name in self.quantities:
            size = int(np.prod(self.shape(name), dtype=int))
            spans[name], at = slice(at, at + size), at + size
        return spans

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a quantity's shape."""
        return np.shape(self.values[name])

    def operands(self, quantity: Quantity) -> tuple[str, ...]:
        """Return the names that a quantity is directly made from."""
        if quantity.kind == "gradient":
            found: dict[str, Any] = {}
            for term in quantity.terms:
                through = self.quantities[term.through].formula
                found |= dict.fromkeys([] if term.adjoint is None else [term.adjoint])
                found |= {} if term.formula is None else names_in(term.formula)
                found |= {} if through is None else names_in(through)
            return tuple(found)
        if quantity.formula is None and not quantity.is_given:
            return tuple(self._behind(quantity))
        return () if quantity.formula is None else tuple(names_in(quantity.formula))

    def _behind(self, quantity: Quantity) -> Iterable[str]:
        """Return the names behind what the optimizer or JAX alone can give."""
        step = self.steps[(quantity.step or 1) - 1]
        gradients = [step.gradients[p] for p in step.parameters.values() if p in step.gradients]
        return (*step.parameters.values(), *gradients)


class NameTakenError(SpecError):
    """A name that the exercise and its calculation both want; ``name`` says which."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class Builder:
    """A graph in the making: values and shapes are known as soon as a quantity is added."""

    def __init__(self) -> None:
        self.quantities: dict[str, Quantity] = {}
        self.values: dict[str, Any] = {}

    def add(self, quantity: Quantity, value: Any) -> str:
        """Add a quantity, whose value (or for gradients anything of its shape) is known.

        Raises:
            NameTakenError: there is one of this name.
        """
        if quantity.name in self.quantities:
            other = self.quantities[quantity.name]
            raise NameTakenError(
                f"'{quantity.name}' is there twice: as {KINDS[other.kind]} and as "
                f"{KINDS[quantity.kind]}; rename yours",
                quantity.name,
            )
        self.quantities[quantity.name] = quantity
        self.values[quantity.name] = value
        return quantity.name


KINDS: dict[Kind, str] = {
    "given": "a given value",
    "setting": "a setting of the optimizer",
    "quantity": "a quantity",
    "gradient": "a gradient",
    "state": "a state of the optimizer",
    "updated": "an updated parameter",
    "curvature": "a matrix of second derivatives",
}
