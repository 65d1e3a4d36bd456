"""Landscapes that a user types: a formula in w1 and w2, read by the safe parser alone."""

from __future__ import annotations

import math
from typing import Any

from descentlab.core.formulas import (
    Call,
    Expression,
    FormulaError,
    Item,
    Vector,
    evaluate,
    names_in,
    parse,
    written,
)
from descentlab.core.formulas.functions import FUNCTIONS
from descentlab.core.formulas.tree import Binary, walk
from descentlab.objectives.landscape_catalogue import NAMES, Function, LandscapeInfo

CONSTANTS = {"pi": math.pi, "e": math.e}
"""Names that are numbers."""

BY_ELEMENT = (
    *("sigmoid", "tanh", "relu", "leaky_relu", "step", "softplus", "elu", "selu", "normal_cdf"),
    *("exp", "log", "sqrt", "abs", "sign", "sin", "cos", "max", "min"),
)
"""Functions of numbers; the parser's others are of vectors and matrices."""

MOST_PARTS = 300
"""Numbers, names and operations of a formula: what is compiled in about a second."""


def typed_landscape(text: str) -> LandscapeInfo:
    """Return the landscape of a formula in w1 and w2, on ±5.

    ``pi`` and ``e`` are the numbers.

    Raises:
        FormulaError: it is no formula of those two numbers; ``at`` is the column.
    """
    tree = checked_formula(text)
    shown = written(tree)
    return LandscapeInfo(
        name=shown,
        title=shown,
        template=shown,
        domain=((-5.0, 5.0), (-5.0, 5.0)),
        minima=(),
        start=(-2.0, 1.5),
        source="typed",
        about="A formula of the user's.",
        more=True,
        typed=True,
    )


def checked_formula(text: str) -> Expression:
    """Return the tree of a formula of the numbers w1 and w2.

    Raises:
        FormulaError: what is wrong, and at which column.
    """
    try:
        tree = parse(text)
    except FormulaError as error:
        raise FormulaError(f"formula: {error} (at column {error.at + 1})", error.at) from None
    names = names_in(tree)
    for name, at in names.items():
        if name not in (*NAMES, *CONSTANTS):
            raise FormulaError(
                f"formula: '{name}' is no variable here; a landscape is a formula in w1 and w2 "
                "(and pi, e)",
                at,
            )
    if not set(NAMES) & set(names):
        raise FormulaError("formula: names neither w1 nor w2, so nothing can be minimised", 0)
    size = 0
    for part in walk(tree):
        size += 1
        if isinstance(part, (Vector, Item)) or (isinstance(part, Binary) and part.sign == "@"):
            raise FormulaError(
                "formula: a landscape is made of numbers; vectors and '@' are not", part.at
            )
        if isinstance(part, Call) and part.function not in BY_ELEMENT:
            raise FormulaError(
                f"formula: {part.function}({', '.join(FUNCTIONS[part.function].arguments)}) is "
                f"for vectors; a landscape's functions are {', '.join(BY_ELEMENT)}",
                part.at,
            )
    if size > MOST_PARTS:
        raise FormulaError(f"formula: {size} parts; at most {MOST_PARTS} are taken", 0)
    return tree


def function_of(text: str) -> Function:
    """Return a formula's function of points ``[..., 2]``, for JAX."""
    import jax.numpy as jnp

    tree = checked_formula(text)

    def function(point: Any, settings: Any) -> Any:
        values = {"w1": point[..., 0], "w2": point[..., 1], **CONSTANTS}
        return jnp.asarray(evaluate(tree, values, jnp), point.dtype)

    return function
