"""Formulas as trees: what the parser makes, and what everything else reads.

``at`` is the column of a part in its text, counted from 0; it says where a fault lies and
is no part of a formula's identity.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias


@dataclasses.dataclass(frozen=True)
class Number:
    """A number; ``text`` is how it was written."""

    value: float
    text: str = dataclasses.field(default="", compare=False)
    at: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True)
class Name:
    """A name."""

    name: str
    at: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True)
class Minus:
    """-x."""

    of: Expression
    at: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True)
class Binary:
    """Two operands; ``sign`` is one of + - * / @ and ^ (a power)."""

    sign: str
    left: Expression
    right: Expression
    at: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True)
class Call:
    """A named function of arguments."""

    function: str
    arguments: tuple[Expression, ...]
    at: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True)
class Item:
    """An element, ``h[2]`` or ``W[1, 3]``; counted from 1, as in mathematics."""

    of: Expression
    places: tuple[int, ...]
    at: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True)
class Vector:
    """A vector of numbers, ``[a, b]``; of vectors it is a matrix, row by row."""

    items: tuple[Expression, ...]
    at: int = dataclasses.field(default=0, compare=False)


Expression: TypeAlias = Number | Name | Minus | Binary | Call | Item | Vector

TIGHTNESS = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "^": 4}
"""How tightly the operands are held; the minus before a part is at 3."""

SIGN = 3


def parts(tree: Expression) -> tuple[Expression, ...]:
    """Return the parts that a formula is made of, one level down."""
    if isinstance(tree, (Minus, Item)):
        return (tree.of,)
    if isinstance(tree, Binary):
        return (tree.left, tree.right)
    if isinstance(tree, Call):
        return tree.arguments
    return tree.items if isinstance(tree, Vector) else ()


def rebuilt(tree: Expression, new: tuple[Expression, ...]) -> Expression:
    """Return a formula with other parts."""
    if isinstance(tree, (Minus, Item)):
        return dataclasses.replace(tree, of=new[0])
    if isinstance(tree, Binary):
        return dataclasses.replace(tree, left=new[0], right=new[1])
    if isinstance(tree, Call):
        return dataclasses.replace(tree, arguments=new)
    return dataclasses.replace(tree, items=new) if isinstance(tree, Vector) else tree


def walk(tree: Expression) -> Iterator[Expression]:
    """Yield a formula and all its parts, the whole first."""
    yield tree
    for part in parts(tree):
        yield from walk(part)


def names_in(tree: Expression) -> dict[str, int]:
    """Return the names in a formula, in their order, and the column of each one's first use."""
    found: dict[str, int] = {}
    for part in walk(tree):
        if isinstance(part, Name):
            found.setdefault(part.name, part.at)
    return found


def transform(tree: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return the formula with every part changed, the innermost first."""
    new = tuple(transform(part, change) for part in parts(tree))
    return change(rebuilt(tree, new) if new else tree)


def replaced(tree: Expression, by: Mapping[str, Expression]) -> Expression:
    """Return the formula with names replaced."""
    return transform(tree, lambda p: by.get(p.name, p) if isinstance(p, Name) else p)


def written(tree: Expression) -> str:
    """Return the formula as text that parses to the same tree, with as few brackets as may be."""
    if isinstance(tree, Number):
        return tree.text or f"{tree.value:.12g}"
    if isinstance(tree, Name):
        return tree.name
    if isinstance(tree, Minus):
        return "-" + _held(tree.of, SIGN)
    if isinstance(tree, Call):
        return f"{tree.function}({', '.join(map(written, tree.arguments))})"
    if isinstance(tree, Item):
        return f"{_held(tree.of, 9)}[{', '.join(map(str, tree.places))}]"
    if isinstance(tree, Vector):
        return f"[{', '.join(map(written, tree.items))}]"
    level = TIGHTNESS[tree.sign]
    if tree.sign == "^":
        return f"{_held(tree.left, level + 1)}^{_held(tree.right, SIGN)}"
    space = " " if level == 1 else ""
    sign = " @ " if tree.sign == "@" else space + tree.sign + space
    return f"{_held(tree.left, level)}{sign}{_held(tree.right, level + 1)}"


def tightness(tree: Expression) -> int:
    """Return how tightly a formula holds together; names, numbers and calls most of all."""
    if isinstance(tree, Binary):
        return TIGHTNESS[tree.sign]
    negative = isinstance(tree, Number) and (tree.value < 0 or tree.text.startswith("-"))
    return SIGN if isinstance(tree, Minus) or negative else 9


def _held(tree: Expression, least: int) -> str:
    text = written(tree)
    return text if tightness(tree) >= least else f"({text})"
