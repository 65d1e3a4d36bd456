"""The chain rule over named quantities: which gradients there are, and what each is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.core.formulas import Binary, Expression, Name, names_in
from descentlab.explain.derivatives import ONE, NoFormula, adjoints, simple
from descentlab.explain.graph import Builder, Quantity, Term


class NoInfluenceError(SpecError):
    """A gradient is wanted of something that the loss does not depend on; ``name`` says which."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


def add_gradients(
    builder: Builder,
    loss: str,
    wanted: Collection[str],
    name_of: Callable[[str], str],
    step: int | None,
) -> dict[str, str]:
    """Add ∂loss/∂q for every wanted q and every quantity between it and the loss.

    They come in the order of the backward pass: a gradient follows those of all quantities
    that its own goes into.

    Args:
        builder: the graph so far, the loss included.
        loss: the name of a scalar quantity.
        wanted: names whose gradients are wanted.
        name_of: makes the gradient's name out of the quantity's.
        step: of the update.

    Returns:
        The gradients' names by quantity.

    Raises:
        NoInfluenceError: a wanted name has no influence on the loss.
    """
    between = _between(builder, loss, wanted)
    consumers = {name: [] for name in between}
    for user in between:
        for operand in _operands(builder, user):
            if operand in consumers:
                consumers[operand].append(user)
    found: dict[str, str] = {}
    shares: dict[str, list[Term]] = {name: [] for name in between}
    waiting = [loss]
    while waiting:
        through = waiting.pop(0)
        for operand, term in _terms(builder, through, found.get(through), between).items():
            shares[operand].append(term)
            if len(shares[operand]) == len(consumers[operand]):
                name = name_of(operand)
                found[operand] = builder.add(
                    Quantity(
                        name,
                        "gradient",
                        formula=_sum(shares[operand]),
                        base=builder.quantities[operand].base,
                        of=operand,
                        step=step,
                        terms=tuple(shares[operand]),
                    ),
                    np.ones(np.shape(builder.values[operand])),
                )
                waiting.append(operand)
    return found


def _operands(builder: Builder, name: str) -> dict[str, int]:
    formula = builder.quantities[name].formula
    return {} if formula is None else names_in(formula)


def _between(builder: Builder, loss: str, wanted: Collection[str]) -> list[str]:
    """Return the loss, the wanted names, and all that leads from these to it."""
    reaches = set(wanted)
    for name in builder.quantities:
        if reaches & _operands(builder, name).keys():
            reaches.add(name)
    behind, waiting = {loss}, [loss]
    while waiting:
        for operand in _operands(builder, waiting.pop()):
            if operand not in behind:
                behind.add(operand)
                waiting.append(operand)
    for name in wanted:
        if name not in behind or name == loss:
            raise NoInfluenceError(
                f"'{name}' has no influence on the loss '{loss}', so there is no gradient to ask "
                "for"
                if name != loss
                else f"'{name}' is the loss itself: its gradient is 1",
                name,
            )
    return [name for name in builder.quantities if name in reaches & behind]


def _terms(
    builder: Builder, through: str, adjoint: str | None, between: Collection[str]
) -> dict[str, Term]:
    """Return the chain rule's term through a quantity for each of its relevant operands."""
    formula = builder.quantities[through].formula
    if formula is None:
        return {}
    upstream: Expression = ONE if adjoint is None else Name(adjoint)
    try:
        written = adjoints(through, formula, upstream, builder.values)
    except NoFormula:
        written = {}
    operands = [name for name in names_in(formula) if name in between]
    return {name: Term(through, adjoint, written.get(name)) for name in operands}


def _sum(terms: list[Term]) -> Expression | None:
    """Return the terms' sum as a formula, if each has one."""
    total: Expression | None = None
    for term in terms:
        if term.formula is None:
            return None
        total = term.formula if total is None else simple(Binary("+", total, term.formula))
    return total
