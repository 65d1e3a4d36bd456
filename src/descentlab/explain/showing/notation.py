"""Formulas made ready to be shown: losses written out, and which parts are arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from descentlab.core.formulas import (
    Binary,
    Call,
    Expression,
    Item,
    Name,
    Number,
    Vector,
    evaluate,
    parse,
    replaced,
    transform,
)
from descentlab.core.formulas.tree import TIGHTNESS, parts

WRITTEN_OUT = {
    "mse": ("(a - b)^2", "sum((a - b)^2)/n"),
    "half_mse": ("(a - b)^2/2", "sum((a - b)^2)/n"),
    "cross_entropy": ("-b*log(a)", "-sum(b*log(a))"),
    "binary_cross_entropy": (
        "-(b*log(a) + (1 - b)*log(1 - a))",
        "-sum(b*log(a) + (1 - b)*log(1 - a))/n",
    ),
}
"""Losses of one number and of many; n is how many there are, twice that for half of it."""

TEMPLATES = {
    name: tuple(parse(text) for text in texts) for name, texts in WRITTEN_OUT.items()
}  # fmt: skip

TO_NUMBERS = frozenset(
    {"sum", "mean", "variance", "size", "norm", "dot", "mse", "half_mse", "cross_entropy",
     "binary_cross_entropy"}
)  # fmt: skip
LIKE_SECOND = frozenset({"solve", "fill", "place"})


def written_out(tree: Expression, values: Mapping[str, Any]) -> Expression:
    """Return a formula in which losses are written out, with their number of terms."""

    def change(part: Expression) -> Expression:
        if not isinstance(part, Call) or part.function not in TEMPLATES:
            return part
        a, b = part.arguments
        shape = np.shape(np.broadcast_arrays(*(evaluate(x, values) for x in (a, b)))[0])
        count = int(np.prod(shape, dtype=int)) * (2 if part.function == "half_mse" else 1)
        template = TEMPLATES[part.function][bool(shape)]
        n = Number(float(count), str(count))
        return replaced(template, {"a": a, "b": b, "n": n})

    return transform(tree, change)


def without_fill(tree: Expression, ranks: Mapping[str, int]) -> Expression:
    """Return a formula in which ``fill(a, x)`` is ``a`` beside a factor of the same shape."""

    def change(part: Expression) -> Expression:
        if not isinstance(part, Binary) or part.sign != "*":
            return part
        factors = _factors(part)
        most = max((rank(each, ranks) for each in factors if not _is_fill(each)), default=0)
        short = [
            each.arguments[0] if _is_fill(each) and rank(each, ranks) <= most else each
            for each in factors
        ]
        if short == factors:
            return part
        product = short[0]
        for each in short[1:]:
            product = Binary("*", product, each)
        return product

    return transform(tree, change)


def _factors(tree: Expression) -> list[Any]:
    if isinstance(tree, Binary) and tree.sign == "*":
        return [*_factors(tree.left), tree.right]
    return [tree]


def _is_fill(tree: Expression) -> bool:
    return isinstance(tree, Call) and tree.function == "fill"


def rank(tree: Expression, ranks: Mapping[str, int]) -> int:
    """Return how many axes a formula's value has."""
    if isinstance(tree, Name):
        return ranks.get(tree.name, 0)
    if isinstance(tree, (Number, Item)):
        return 0
    inner = [rank(part, ranks) for part in parts(tree)]
    if isinstance(tree, Vector):
        return 1 + inner[0]
    if isinstance(tree, Binary) and tree.sign == "@":
        return max(sum(inner) - 2, 0)
    if isinstance(tree, Call):
        if tree.function in TO_NUMBERS:
            return 0
        if tree.function in LIKE_SECOND:
            return inner[1]
        return {"rows": inner[0] - 1, "outer": 2}.get(tree.function, max(inner))
    return max(inner)


def summands(tree: Expression) -> list[tuple[str, Expression]]:
    """Return the parts of a sum with the sign before each; the first one's is empty."""
    if isinstance(tree, Binary) and tree.sign in "+-":
        return [*summands(tree.left), (tree.sign, tree.right)]
    return [("", tree)]


def is_negative(tree: Expression) -> bool:
    """Whether a number is written with a minus."""
    return isinstance(tree, Number) and (tree.text.startswith("-") or tree.value < 0)


def level(sign: str) -> int:
    """Return how tightly an operation holds."""
    return TIGHTNESS[sign]
