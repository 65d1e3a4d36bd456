"""The value of a formula, by NumPy with every fault in its place, or inside a JAX program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError, unknown
from descentlab.core.formulas.functions import FUNCTIONS
from descentlab.core.formulas.tree import (
    Binary,
    Call,
    Expression,
    Item,
    Minus,
    Name,
    Number,
    Vector,
    parts,
    written,
)


class FormulaError(SpecError):
    """A formula that is none, or has no value; ``at`` is the column, counted from 0."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


Result = Any


def evaluate(tree: Expression, values: Mapping[str, Any], xp: Any = np) -> Any:
    """Return a formula's value.

    Args:
        tree: the formula.
        values: of its names: numbers or arrays.
        xp: ``numpy`` or ``jax.numpy``.
    """
    operands = [evaluate(part, values, xp) for part in parts(tree)]
    return _apply(tree, operands, values, xp)


def checked(
    tree: Expression,
    values: Mapping[str, Any],
    see: Callable[[Expression, Any], None] | None = None,
    *,
    finite: bool = True,
) -> Any:
    """Return a formula's value by NumPy, in float64, with faults by name and place.

    Args:
        tree: the formula.
        values: of its names.
        see: is told the value of every part.
        finite: refuse parts without a finite value; names and shapes are checked anyhow.

    Raises:
        FormulaError: a name is unknown, shapes do not fit, or a part has no finite value.
    """
    operands = [checked(part, values, see, finite=finite) for part in parts(tree)]
    if isinstance(tree, Name) and tree.name not in values:
        raise FormulaError(unknown("name", tree.name, values), tree.at)
    with np.errstate(all="ignore"):
        try:
            value = _apply(tree, operands, values, np)
        except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
            raise FormulaError(_misfit(tree, operands, error), tree.at) from None
    if finite and not np.all(np.isfinite(value)):
        raise FormulaError(_undefined(tree, operands), tree.at)
    if see is not None:
        see(tree, value)
    return value


def _apply(tree: Expression, operands: list[Any], values: Mapping[str, Any], xp: Any) -> Any:
    match tree:
        case Number(value):
            return value
        case Name(name):
            return values[name]
        case Minus():
            return -operands[0]
        case Binary(sign):
            return _binary(sign, operands[0], operands[1], xp)
        case Call(function):
            arrays = [xp.asarray(operand) for operand in operands]
            if not FUNCTIONS[function].takes(arrays):
                raise ValueError
            return FUNCTIONS[function].apply(xp, *arrays)
        case Item(_, places):
            return _item(operands[0], places)
        case Vector():
            return xp.stack([xp.asarray(operand) for operand in operands])


def _binary(sign: str, a: Any, b: Any, xp: Any) -> Any:
    if sign == "+":
        return a + b
    if sign == "-":
        return a - b
    if sign == "*":
        return a * b
    if sign == "/":
        return xp.divide(a, b)
    if sign == "@":
        return xp.matmul(a, b)
    whole = isinstance(b, float) and b.is_integer() and abs(b) <= 64
    return (
        xp.power(xp.asarray(a), int(b)) if whole and b >= 0 else xp.power(xp.asarray(a, float), b)
    )


def _item(array: Any, places: tuple[int, ...]) -> Any:
    shape = np.shape(array)
    if len(places) != len(shape) or any(p > n for p, n in zip(places, shape, strict=False)):
        raise IndexError
    return array[tuple(place - 1 for place in places)]


def shape_text(value: Any) -> str:
    """Return an array's shape in words."""
    shape = np.shape(value)
    if not shape:
        return "a number"
    if len(shape) == 1:
        return f"a vector of {shape[0]}"
    return " × ".join(map(str, shape)) + " numbers"


def _misfit(tree: Expression, operands: list[Any], error: Exception) -> str:
    said = [
        f"{_short(part)} is {shape_text(value)}"
        for part, value in zip(parts(tree), operands, strict=True)
    ]
    if isinstance(error, np.linalg.LinAlgError) and "Singular" in str(error):
        return f"{_short(tree)} has no value: the matrix is singular"
    if isinstance(tree, Item):
        place = ", ".join(map(str, tree.places))
        return f"there is no element [{place}]: {said[0]} (elements are counted from 1)"
    return f"shapes that do not fit in {_short(tree)}: {', '.join(said)}"


def _undefined(tree: Expression, operands: list[Any]) -> str:
    start = f"{_short(tree)} has no finite value"
    if isinstance(tree, Binary) and tree.sign == "/" and np.any(np.asarray(operands[1]) == 0):
        return f"division by zero: {_short(tree.right)} is 0 in {_short(tree)}"
    if isinstance(tree, Call) and tree.function in ("log", "sqrt"):
        worst = float(np.min(operands[0]))
        return f"{start}: {tree.function} of {worst:.6g}"
    sizes = ", ".join(
        f"{_short(part)} = {np.ravel(value)[0]:.6g}"
        for part, value in zip(parts(tree), operands, strict=True)
        if np.size(value) == 1
    )
    return f"{start}" + (f": {sizes}" if sizes else "")


def _short(tree: Expression) -> str:
    text = written(tree)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:59]}…'"
