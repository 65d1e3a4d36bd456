"""Derivatives as formulas to be shown: what the chain rule says, in the exercise's own names.

Given the adjoint A = ∂loss/∂c of a quantity c and c's formula, :func:`adjoints` writes
∂loss/∂q's share through c for every name q in it, by reverse accumulation over the formula's
parts (Griewank & Walther 2008, section 3.2). These formulas are for reading; the numbers
come from JAX, and :mod:`descentlab.explain.numbers` asserts that both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descentlab.core.formulas import (
    Binary,
    Call,
    Expression,
    Item,
    Minus,
    Name,
    Number,
    Vector,
    checked,
    evaluate,
    names_in,
    parse,
    replaced,
    transform,
)
from descentlab.core.formulas.tree import parts

ONE = Number(1.0)
SIZE = parse("size(a)")

BY_FUNCTION: dict[str, tuple[str | None, ...]] = {
    "sigmoid": ("A*out*(1 - out)",),
    "tanh": ("A*(1 - out^2)",),
    "relu": ("A*step(a)",),
    "leaky_relu": ("A*(step(a) + b*(1 - step(a)))", "A*min(a, 0)"),
    "softplus": ("A*sigmoid(a)",),
    "elu": ("A*(step(a) + (1 - step(a))*(out + 1))",),
    "selu": ("A*(1.0507009873554805*step(a) + (1 - step(a))*(out + 1.7580993408473766))",),
    "normal_cdf": ("A*exp(-a^2/2)/2.5066282746310002",),
    "exp": ("A*out",),
    "log": ("A/a",),
    "sqrt": ("A/(2*out)",),
    "abs": ("A*sign(a)",),
    "sin": ("A*cos(a)",),
    "cos": ("-A*sin(a)",),
    "max": ("A*(1 - step(b - a))", "A*step(b - a)"),
    "min": ("A*(1 - step(a - b))", "A*step(a - b)"),
    "sum": ("fill(A, a)",),
    "mean": ("fill(A/size(a), a)",),
    "variance": ("A*2*(a - mean(a))/size(a)",),
    "norm": ("A*a/out",),
    "dot": ("A*b", "A*a"),
    "outer": ("A @ b", "a @ A"),
    "transpose": ("transpose(A)",),
    "softmax": ("out*(A - dot(A, out))",),
    "log_softmax": ("A - sum(A)*exp(out)",),
    "mse": ("A*2*(a - b)/size(a)", "-A*2*(a - b)/size(a)"),
    "half_mse": ("A*(a - b)/size(a)", "-A*(a - b)/size(a)"),
    "cross_entropy": ("-A*b/a", "-A*log(a)"),
    "binary_cross_entropy": ("A*(-b/a + (1 - b)/(1 - a))/size(a)", "A*log((1 - a)/a)/size(a)"),
    "convolve": ("convolve(padded(A, b), flip(b))", "convolve(a, A)"),
    "fill": ("A", "0*b"),
    "flip": ("flip(A)",),
    "rows": ("fill(A, a)",),
    "solve": ("-outer(solve(transpose(a), A), out)", "solve(transpose(a), A)"),
}
"""∂loss/∂ each argument: A is the adjoint of the call, ``out`` its value, a and b its arguments."""

CONSTANT = frozenset({"step", "sign", "size", "identity"})
"""Functions whose derivative is 0 wherever there is one."""

OF_ROWS = {
    "softmax": "out*(A - transpose(fill(rows(transpose(A*out)), transpose(A))))",
    "log_softmax": "A - transpose(fill(rows(transpose(A)), transpose(A)))*exp(out)",
}
"""The same where the argument is a matrix, of which each row is a distribution."""

REPEATING = frozenset({
    "leaky_relu", "max", "min", "fill", "dot", "mse", "half_mse", "cross_entropy",
    "binary_cross_entropy",
})  # fmt: skip
"""Functions of two arguments by element, of which one is repeated if it is smaller."""

TEMPLATES = {text: parse(text) for texts in BY_FUNCTION.values() for text in texts if text}
ROW_TEMPLATES = {name: parse(text) for name, text in OF_ROWS.items()}


class NoFormula(Exception):
    """A derivative that has no formula here; it is shown by its value alone."""


def adjoints(
    name: str, formula: Expression, adjoint: Expression, values: Mapping[str, Any]
) -> dict[str, Expression]:
    """Return, for every name in a formula, its share of ∂loss/∂name through this quantity.

    Args:
        name: of the quantity, whose value may be used instead of its formula.
        formula: the quantity's.
        adjoint: ∂loss/∂quantity.
        values: of all names, for their shapes.

    Raises:
        NoFormula: a function in it has no derivative in this table.
    """
    return _Reverse(name, formula, values).run(adjoint)


class _Reverse:
    def __init__(self, name: str, formula: Expression, values: Mapping[str, Any]) -> None:
        self.name, self.formula, self.values = name, formula, values
        self.shapes: dict[int, tuple[int, ...]] = {}
        checked(formula, values, lambda part, value: self._see(part, value), finite=False)
        self.found: dict[str, Expression] = {}

    def _see(self, part: Expression, value: Any) -> None:
        self.shapes[id(part)] = np.shape(value)

    def run(self, adjoint: Expression) -> dict[str, Expression]:
        self.visit(self.formula, adjoint)
        none = {n: Binary("*", Number(0.0), Name(n)) for n in names_in(self.formula)}
        found = {**none, **self.found}
        return {
            name: self.spread(simple(tree, self.shape), Name(name), np.shape(self.values[name]))
            for name, tree in found.items()
        }

    def spread(self, share: Expression, part: Expression, shape: tuple[int, ...]) -> Expression:
        """Spread a share that is one number for all elements over its part's shape."""
        return share if self.shape(share) == shape else Call("fill", (share, part))

    def shape(self, tree: Expression) -> tuple[int, ...]:
        """Return the shape of any formula over the quantity's names, itself and its adjoint."""
        own = np.ones(self.shapes[id(self.formula)])
        values = {name: self.values.get(name, own) for name in names_in(tree)}
        with np.errstate(all="ignore"):
            return np.shape(evaluate(tree, values))

    def visit(self, tree: Expression, adjoint: Expression) -> None:
        if isinstance(tree, Name):
            known = self.found.get(tree.name)
            self.found[tree.name] = adjoint if known is None else Binary("+", known, adjoint)
        elif isinstance(tree, Minus):
            self.visit(tree.of, Minus(adjoint))
        elif isinstance(tree, Binary):
            self.binary(tree, adjoint)
        elif isinstance(tree, Call):
            self.call(tree, adjoint)
        elif isinstance(tree, Item):
            shape = self.shapes[id(tree.of)]
            number = int(np.ravel_multi_index([p - 1 for p in tree.places], shape)) + 1
            self.visit(tree.of, Call("place", (adjoint, tree.of, Number(float(number)))))
        elif isinstance(tree, Vector):
            self.vector(tree, adjoint, ())

    def vector(self, tree: Vector, adjoint: Expression, places: tuple[int, ...]) -> None:
        for i, part in enumerate(tree.items, 1):
            if isinstance(part, Vector):
                self.vector(part, adjoint, (*places, i))
            elif self.shapes[id(part)] and _named(part):
                raise NoFormula
            elif _named(part):
                self.visit(part, Item(adjoint, (*places, i)))

    def binary(self, tree: Binary, adjoint: Expression) -> None:
        a, b = tree.left, tree.right
        if tree.sign == "@":
            self.product(tree, adjoint)
            return
        shares = {
            "+": lambda: (adjoint, adjoint),
            "-": lambda: (adjoint, Minus(adjoint)),
            "*": lambda: (Binary("*", adjoint, b), Binary("*", adjoint, a)),
            "/": lambda: (
                Binary("/", adjoint, b),
                Minus(Binary("/", Binary("*", adjoint, a), Binary("^", b, Number(2.0)))),
            ),
            "^": lambda: (self.power(tree, adjoint), self.exponent(tree, adjoint)),
        }[tree.sign]()
        whole = self.shapes[id(tree)]
        for part, share in zip((a, b), shares, strict=True):
            if _named(part):
                self.visit(part, self.reduced(share, whole, self.shapes[id(part)]))

    def power(self, tree: Binary, adjoint: Expression) -> Expression:
        base, exponent = tree.left, tree.right
        if _is_number(exponent, 0):
            return Binary("*", Number(0.0), base)
        less = simple(Binary("-", exponent, ONE))
        return Binary("*", Binary("*", adjoint, exponent), Binary("^", base, less))

    def exponent(self, tree: Binary, adjoint: Expression) -> Expression:
        if not _named(tree.right):
            return ONE
        return Binary("*", Binary("*", adjoint, self.again(tree)), Call("log", (tree.left,)))

    def product(self, tree: Binary, adjoint: Expression) -> None:
        a, b = tree.left, tree.right
        rows, columns = len(self.shapes[id(a)]), len(self.shapes[id(b)])
        shares = {
            (1, 1): lambda: (Binary("*", adjoint, b), Binary("*", adjoint, a)),
            (2, 1): lambda: (
                Call("outer", (adjoint, b)),
                Binary("@", Call("transpose", (a,)), adjoint),
            ),
            (1, 2): lambda: (Binary("@", b, adjoint), Call("outer", (a, adjoint))),
            (2, 2): lambda: (
                Binary("@", adjoint, Call("transpose", (b,))),
                Binary("@", Call("transpose", (a,)), adjoint),
            ),
        }[rows, columns]()
        for part, share in zip((a, b), shares, strict=True):
            if _named(part):
                self.visit(part, share)

    def call(self, tree: Call, adjoint: Expression) -> None:
        if tree.function in CONSTANT or not any(map(_named, tree.arguments)):
            return
        rules = BY_FUNCTION.get(tree.function)
        if rules is None:
            raise NoFormula
        shapes = [self.shapes[id(part)] for part in tree.arguments]
        names = {"A": adjoint, "out": self.again(tree)}
        names |= dict(zip("ab", tree.arguments, strict=False))
        repeated = tree.function in REPEATING and len(set(shapes)) > 1
        most = np.broadcast_shapes(*shapes) if repeated else shapes[0]
        count = Number(float(np.prod(most, dtype=int)))
        for rule, part, shape in zip(rules, tree.arguments, shapes, strict=True):
            if not _named(part):
                continue
            if rule is None:
                raise NoFormula
            rows = len(shape) == 2 and tree.function in ROW_TEMPLATES
            template = ROW_TEMPLATES[tree.function] if rows else TEMPLATES[rule]
            share = transform(template, lambda p: count if p == SIZE else p)
            share = replaced(share, names)
            if repeated:
                share = self.spread(self.reduced(share, self.shape(share), shape), part, shape)
            self.visit(part, share)

    def again(self, tree: Expression) -> Expression:
        """Return a part's value by its name where it has one."""
        return Name(self.name) if tree is self.formula else tree

    def reduced(
        self, share: Expression, whole: tuple[int, ...], part: tuple[int, ...]
    ) -> Expression:
        """Sum a share over what the part was repeated along."""
        if whole == part or whole == part[len(part) - len(whole) :]:
            return share
        if not part:
            return Call("sum", (share,))
        if len(whole) == 2 and part == whole[1:]:
            return Call("rows", (share,))
        raise NoFormula


def _named(tree: Expression) -> bool:
    return isinstance(tree, Name) or any(map(_named, parts(tree)))


ShapeOf = Callable[[Expression], tuple[int, ...]]


def simple(tree: Expression, shape: ShapeOf | None = None) -> Expression:
    """Return a formula without the ones, zeros and double signs that rules leave behind.

    Args:
        tree: the formula.
        shape: of its parts; without it, what may change a shape is left as it is.
    """
    return transform(tree, lambda part: _simpler(part, shape))


def _simpler(tree: Expression, shape: ShapeOf | None) -> Expression:
    if isinstance(tree, Minus):
        if isinstance(tree.of, Minus):
            return tree.of.of
        return tree.of if _is_number(tree.of, 0) else tree
    if isinstance(tree, Call) and tree.function == "transpose":
        (inner,) = tree.arguments
        twice = isinstance(inner, Call) and inner.function == "transpose"
        return inner.arguments[0] if twice else tree  # type: ignore[union-attr]
    return _simpler_binary(tree, shape) if isinstance(tree, Binary) else tree


def _simpler_binary(tree: Binary, shape: ShapeOf | None) -> Expression:
    a, b = tree.left, tree.right
    if tree.sign in "*/" and isinstance(a, Minus):
        return Minus(_simpler_binary(Binary(tree.sign, a.of, b), shape))
    if isinstance(a, Number) and isinstance(b, Number) and tree.sign in "+-*":
        value = {"+": a.value + b.value, "-": a.value - b.value, "*": a.value * b.value}
        return Number(value[tree.sign])
    if tree.sign == "*":
        return _simpler_product(tree, shape)
    if tree.sign in "+-" and isinstance(b, Minus):
        return Binary("-" if tree.sign == "+" else "+", a, b.of)
    return a if tree.sign in "/^" and _is_number(b, 1) else tree


def _simpler_product(tree: Binary, shape: ShapeOf | None) -> Expression:
    a, b = tree.left, tree.right
    if _is_number(a, 1):
        return b
    if _is_number(b, 1):
        return a
    if shape is None:
        return tree
    if isinstance(a, Call) and a.function == "fill" and shape(a) == shape(b):
        return _simpler_binary(Binary("*", a.arguments[0], b), shape)
    if isinstance(a, Binary) and a.sign == "/" and a.right == b and shape(a.left) == shape(a):
        return a.left  # x/2 * 2
    return tree


def _is_number(tree: Expression, value: float) -> bool:
    return isinstance(tree, Number) and tree.value == value
