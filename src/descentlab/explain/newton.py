"""Newton's step worked by hand: the Hessian, the solution of one system, each one's share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from descentlab.core.formulas import Binary, Call, Expression, Item, Name, Vector
from descentlab.explain.graph import Quantity

if TYPE_CHECKING:
    from descentlab.explain.rules import Lines, Worked


def newton(worked: Worked, by_parameter: dict[str, Lines]) -> None:
    """Add H, the solution s of (H + λ I) s = g over all parameters, and w - η s for each."""
    shapes = {n: np.shape(worked.builder.values[lines.now]) for n, lines in by_parameter.items()}
    total = sum(int(np.prod(shape, dtype=int)) for shape in shapes.values())
    hessian: Expression = Name(
        worked.builder.add(
            Quantity(
                worked.named("hessian", worked.step), "curvature", base="hessian", step=worked.step
            ),
            np.eye(total),
        )
    )
    if worked.spec.damping:
        damping = worked.setting("damping")
        hessian = Binary("+", hessian, Binary("*", damping, Call("identity", (hessian,))))
    gradient = [
        element
        for name, lines in by_parameter.items()
        for element in _elements(lines.names["g"], shapes[name])
    ]
    solution = Call("solve", (hessian, Vector(tuple(gradient))))
    step = worked.add("state", "newton", "", solution)
    rate, at = worked.setting("learning_rate"), 0
    for name, lines in by_parameter.items():
        size = int(np.prod(shapes[name], dtype=int))
        share = _shaped([Item(step, (at + i + 1,)) for i in range(size)], shapes[name])
        moved = Binary("-", lines.names["w"], Binary("*", rate, share))
        worked.add("updated", lines.parameter, lines.now, moved, lines.after)
        at += size


def _elements(array: Expression, shape: tuple[int, ...]) -> list[Expression]:
    if not shape:
        return [array]
    return [Item(array, tuple(i + 1 for i in place)) for place in np.ndindex(shape)]


def _shaped(items: list[Item], shape: tuple[int, ...]) -> Expression:
    """Return a number, a vector or a matrix of these elements, row by row."""
    if not shape:
        return items[0]
    if len(shape) == 1:
        return Vector(tuple(items))
    rows = [items[i : i + shape[1]] for i in range(0, len(items), shape[1])]
    return Vector(tuple(Vector(tuple(row)) for row in rows))
