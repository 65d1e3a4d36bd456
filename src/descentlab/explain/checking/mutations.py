"""Formulas with a slip in them: what one writes when a sign, a factor or a name goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from descentlab.core.formulas import (
    Binary,
    Call,
    Expression,
    Minus,
    Name,
    Number,
    names_in,
    replaced,
    written,
)
from descentlab.core.formulas.tree import parts, rebuilt

LONGEST = 40


class Mutant(NamedTuple):
    """A formula with one slip.

    Attributes:
        slip: which kind, a key of the messages.
        formula: the whole with the slip in it.
        words: what fills the message.
    """

    slip: str
    formula: Expression
    words: Mapping[str, str]


def mutants(tree: Expression, neighbours: Mapping[str, Sequence[str]]) -> Iterator[Mutant]:
    """Yield a formula's slips, the commonest kinds first.

    Args:
        tree: the formula.
        neighbours: for each name those that may be taken for it.
    """
    yield Mutant("sign", Minus(tree), {})
    kinds = (_signs, _factors, _terms, _functions)
    for kind in kinds:
        yield from _everywhere(tree, kind)
    yield from _names(tree, neighbours)
    for factor, slip in ((2.0, "twice"), (0.5, "half")):
        yield Mutant(slip, Binary("*", Number(factor), tree), {})


def _everywhere(tree: Expression, kind) -> Iterator[Mutant]:  # type: ignore[no-untyped-def]
    """Yield the whole with each part's slips in the part's place."""
    yield from kind(tree)
    inner = parts(tree)
    for number, part in enumerate(inner):
        for slip, formula, words in _everywhere(part, kind):
            new = (*inner[:number], formula, *inner[number + 1 :])
            yield Mutant(slip, rebuilt(tree, new), words)


def _signs(tree: Expression) -> Iterator[Mutant]:
    """Yield sums with a term of the other sign."""
    if isinstance(tree, Binary) and tree.sign in "+-":
        other = "-" if tree.sign == "+" else "+"
        words = {"term": short(tree.right), "sign": other}
        yield Mutant("term_sign", Binary(other, tree.left, tree.right), words)
        flipped = Binary(tree.sign, Minus(tree.left), tree.right)
        yield Mutant("term_sign", flipped, {"term": short(tree.left), "sign": "-"})


def _factors(tree: Expression) -> Iterator[Mutant]:
    """Yield products and quotients without a factor, and powers without their exponent."""
    if not isinstance(tree, Binary):
        return
    left, right = tree.left, tree.right
    if Number(0.0) in (left, right):
        return  # nobody leaves out the 0 of a first velocity
    if tree.sign in "*@":
        yield Mutant("factor_missing", left, {"factor": short(right)})
        yield Mutant("factor_missing", right, {"factor": short(left)})
    elif tree.sign == "/":
        yield Mutant("divisor_missing", left, {"factor": short(right)})
        yield Mutant("divided", Binary("*", left, right), {"factor": short(right)})
    elif tree.sign == "^":
        yield Mutant("power_missing", left, {"power": short(tree), "base": short(left)})
        yield Mutant(
            "power_product", Binary("*", right, left), {"power": short(tree), "base": short(left)}
        )


def _terms(tree: Expression) -> Iterator[Mutant]:
    """Yield sums without a term, and with a product where the sum should be."""
    if isinstance(tree, Binary) and tree.sign in "+-":
        yield Mutant("term_missing", tree.left, {"term": short(tree.right)})
        other = tree.right if tree.sign == "+" else Minus(tree.right)
        yield Mutant("term_missing", other, {"term": short(tree.left)})


SWAPPED = {
    "mean": "sum", "sum": "mean", "mse": "half_mse", "half_mse": "mse", "log": "exp",
    "softmax": "sigmoid", "sigmoid": "tanh", "tanh": "sigmoid", "relu": "abs", "sqrt": "abs",
    "norm": "sum", "log_softmax": "softmax", "max": "min", "min": "max",
}  # fmt: skip
"""Functions that are taken for each other."""


def _functions(tree: Expression) -> Iterator[Mutant]:
    """Yield calls left out, of another function or of -x, and another function's derivative."""
    if isinstance(tree, Call):
        if tree.function in ("sigmoid", "tanh", "relu", "exp", "log", "sqrt", "abs", "softmax"):
            words = {"function": tree.function, "of": short(tree.arguments[0])}
            yield Mutant("function_missing", tree.arguments[0], words)
        if tree.function in SWAPPED:
            other = SWAPPED[tree.function]
            words = {"function": tree.function, "other": other}
            yield Mutant("function_swapped", Call(other, tree.arguments), words)
        if tree.function in ("sigmoid", "exp", "relu", "softplus", "softmax", "log_softmax"):
            words = {"term": short(tree.arguments[0]), "sign": "-"}
            yield Mutant("term_sign", Call(tree.function, (Minus(tree.arguments[0]),)), words)
    if isinstance(tree, Binary) and tree.sign == "*":
        yield from _derivatives(tree)


def _derivatives(tree: Binary) -> Iterator[Mutant]:
    """Yield tanh's derivative 1 - y² for the sigmoid's y (1 - y), and the other way round."""
    rest, last = tree.left, tree.right
    if not (isinstance(last, Binary) and last.sign == "-" and last.left == Number(1.0)):
        return
    out = last.right
    if isinstance(out, Binary) and out.sign == "^" and isinstance(out.left, Name):
        y = out.left
        sigmoid = Binary("*", Binary("*", rest, y), Binary("-", Number(1.0), y))
        words = {"other": f"{y.name}*(1 - {y.name})", "right": short(last)}
        yield Mutant("wrong_derivative", sigmoid, words)
    square = Binary("-", Number(1.0), Binary("^", out, Number(2.0)))
    words = {"other": short(square), "right": f"{short(out)}*({short(last)})"}
    if rest == out:
        yield Mutant("wrong_derivative", square, words)
    elif isinstance(rest, Binary) and rest.sign == "*" and rest.right == out:
        yield Mutant("wrong_derivative", Binary("*", rest.left, square), words)


def _names(tree: Expression, neighbours: Mapping[str, Sequence[str]]) -> Iterator[Mutant]:
    """Yield the formula with another name in a name's place, and with two names exchanged."""
    used = names_in(tree)
    for name in used:
        for other in neighbours.get(name, ()):
            words = {"name": name, "other": other}
            yield Mutant("neighbour", replaced(tree, {name: Name(other)}), words)
            if other in used and name < other:
                exchanged = replaced(tree, {name: Name(other), other: Name(name)})
                yield Mutant("exchanged", exchanged, words)


def short(tree: Expression) -> str:
    """Return a formula as text that fits into a sentence."""
    text = written(tree)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
