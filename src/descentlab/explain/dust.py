"""Rounding dust: numbers that are zero but for floating point, such as 0.1 + 0.2 - 0.3.

A running error analysis (Higham 2002, section 3.3): with every value goes a bound on what
rounding may have added to it, carried from quantity to quantity. What is no larger than its own
bound is shown as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from descentlab.core.formulas import Binary, Call, Expression, Item, Name, Number, evaluate
from descentlab.core.formulas.tree import parts, rebuilt
from descentlab.explain.graph import Graph

UNIT = float(np.finfo(float).eps)
MARGIN = 2.0
MOST_NUMBERS = 4000

LINEAR = frozenset({"sum", "mean", "rows", "transpose", "fill", "flip", "padded", "place"})
BILINEAR = frozenset({"dot", "outer", "convolve"})


def rounding_errors(graph: Graph, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a bound on the rounding error of every value; none for large graphs."""
    if sum(np.size(value) for value in values.values()) > MOST_NUMBERS:
        return {}
    errors: dict[str, np.ndarray] = {}
    for quantity in graph:
        error = UNIT * np.abs(values[quantity.name])
        if quantity.formula is not None:
            with np.errstate(all="ignore"):
                error = np.maximum(error, _bounded(quantity.formula, values, errors)[1])
        errors[quantity.name] = np.nan_to_num(error, nan=0.0, posinf=0.0)
    return errors


def without_dust(
    graph: Graph, values: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return values in which rounding dust is 0; what is given stays as it is."""
    return {
        q.name: values[q.name]
        if q.is_given or q.name not in errors
        else np.where(np.abs(values[q.name]) <= MARGIN * errors[q.name], 0.0, values[q.name])
        for q in graph
    }


def _bounded(
    tree: Expression, values: Mapping[str, Any], errors: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Return a formula's value and a bound on its rounding error."""
    if isinstance(tree, Name):
        return values[tree.name], errors[tree.name]
    if isinstance(tree, Number):
        return tree.value, 0.0 if tree.value.is_integer() else UNIT * abs(tree.value)
    operands = [_bounded(part, values, errors) for part in parts(tree)]
    numbers, bounds = [value for value, _ in operands], [bound for _, bound in operands]
    value = _once(tree, numbers)
    return value, UNIT * np.abs(value) + _carried(tree, value, numbers, bounds)


def _carried(tree: Expression, value: Any, numbers: list[Any], bounds: list[Any]) -> Any:
    """Return what the operands' errors may do to the value."""
    if isinstance(tree, Item):
        return _once(tree, bounds)
    if isinstance(tree, Binary) and tree.sign in "+-":
        return bounds[0] + bounds[1]
    kind = tree.function if isinstance(tree, Call) else getattr(tree, "sign", "")
    if kind in LINEAR:
        own = bounds[0] + UNIT * np.abs(numbers[0])
        return _once(tree, [own, *numbers[1:]])
    if kind in BILINEAR or kind in ("*", "@"):
        sizes = [np.abs(number) for number in numbers]
        sums = 0.0 if kind == "*" else UNIT * _once(tree, sizes)
        return _once(tree, [bounds[0], sizes[1]]) + _once(tree, [sizes[0], bounds[1]]) + sums
    moved = [np.asarray(n) + b for n, b in zip(numbers, bounds, strict=True)]
    if isinstance(tree, Binary) and tree.sign == "^" and not np.any(bounds[1]):
        moved[1] = numbers[1]
    return np.abs(_once(tree, moved) - value)


def _once(tree: Expression, operands: list[Any]) -> Any:
    """Return the value of a formula's outermost operation alone."""
    names = tuple(Name(str(number)) for number in range(len(operands)))
    known = {name.name: operand for name, operand in zip(names, operands, strict=True)}
    return evaluate(rebuilt(tree, names) if names else tree, known)
