"""A calculation line by line: symbol, formula, the numbers put in, the result, the chain rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from descentlab.core.formulas import (
    Expression,
    Item,
    Name,
    Vector,
    evaluate,
    names_in,
    replaced,
    transform,
    written,
)
from descentlab.explain.dust import rounding_errors, without_dust
from descentlab.explain.graph import Graph, Kind, Quantity, Term
from descentlab.explain.numbers import AGREEMENT, DUST, Disagreement
from descentlab.explain.showing.notation import without_fill, written_out
from descentlab.explain.showing.numerals import MOST_SHOWN, Shown, Summary, shown
from descentlab.explain.showing.symbols import Derivative, Sign, derivative, symbols


class Computed(Protocol):
    """A graph's numbers, as :class:`descentlab.explain.numbers.Numbers` has them."""

    @property
    def values(self) -> Mapping[str, np.ndarray]:
        """Every quantity's value by name."""
        ...

    def terms(self, quantity: Quantity) -> list[np.ndarray]:
        """Return the values of a gradient's terms."""
        ...


class Factor(NamedTuple):
    """One derivative of the chain rule; no value where it is a table of more than one axis."""

    symbol: Derivative
    value: np.ndarray | None
    shown: Shown | None


class Product(NamedTuple):
    """One term of the chain rule: ∂loss/∂through · ∂through/∂q, or ∂loss/∂q itself."""

    through: str
    factors: tuple[Factor, ...]
    value: np.ndarray


@dataclasses.dataclass(frozen=True)
class Line:
    """One quantity, worked out.

    Attributes:
        name: as a solution calls it.
        kind: what it is.
        step: the update that it belongs to; None where there is but one, or none.
        symbol: as mathematics writes it.
        formula: what it is made from, losses written out; None where there is none.
        numbers: the formula with rounded numbers in place of names, as far as they are small.
        value: in full; rounding dust included.
        shown: the value as rounded, or a summary of a large array.
        terms: of a gradient by the chain rule.
    """

    name: str
    kind: Kind
    step: int | None
    symbol: Sign
    formula: Expression | None
    numbers: Expression | None
    value: np.ndarray
    shown: Shown
    terms: tuple[Product, ...] = ()


def lines(graph: Graph, computed: Computed, digits: int) -> tuple[Line, ...]:
    """Return the lines of a calculation, in its order.

    Args:
        graph: the calculation.
        computed: its numbers.
        digits: significant digits to show.

    Raises:
        Disagreement: the chain rule's products do not add up to a gradient that is shown.
    """
    values = computed.values
    errors = rounding_errors(graph, values)
    clean = without_dust(graph, values, errors)
    texts = {q.name: shown(clean[q.name], digits, given=q.is_given) for q in graph}
    known = {name: text for name, text in texts.items() if not isinstance(text, Summary)}
    signs = symbols(graph)
    local = _local_derivatives(graph, values)
    ranks = {name: np.ndim(value) for name, value in values.items()}
    found = []
    for quantity in graph:
        name = quantity.name
        formula = quantity.formula
        if formula is not None:
            formula = without_fill(written_out(formula, values), ranks)
        products = _products(graph, quantity, computed, local, signs, texts, errors, digits)
        numbers = _put_in(formula, known)
        if numbers is not None and name in known and written(numbers) == written(known[name]):
            numbers = None
        line = Line(
            name, quantity.kind, quantity.step, signs[name], formula, numbers,
            np.asarray(values[name]), texts[name], products,
        )  # fmt: skip
        found.append(line)
    return tuple(found)


def _put_in(formula: Expression | None, known: Mapping[str, Expression]) -> Expression | None:
    """Return a formula with numbers, where that says more than the result alone."""
    if formula is None or isinstance(formula, Name) or not known.keys() & names_in(formula):
        return None
    return transform(replaced(formula, known), _element)


def _element(part: Expression) -> Expression:
    """Return the number that is meant where an element of written-out numbers is taken."""
    if isinstance(part, Item) and isinstance(part.of, Vector):
        found: Expression = part.of
        for place in part.places:
            assert isinstance(found, Vector)
            found = found.items[place - 1]
        return found
    return part


def _products(
    graph: Graph, quantity: Quantity, computed: Computed, local: Mapping[tuple[str, str], Any],
    signs: Mapping[str, Sign], texts: Mapping[str, Shown],
    errors: Mapping[str, np.ndarray], digits: int,
) -> tuple[Product, ...]:  # fmt: skip
    """Return a gradient's terms, after a proof that they make it."""
    if not quantity.terms:
        return ()
    found = []
    slack = DUST * float(np.max(errors.get(quantity.name, 0.0)))
    values, loss = computed.values, graph.steps[(quantity.step or 1) - 1].loss
    for term, value in zip(quantity.terms, computed.terms(quantity), strict=True):
        own = local.get((term.through, quantity.of))
        if own is not None:
            upstream = np.ones(()) if term.adjoint is None else values[term.adjoint]
            _prove(quantity.name, _product(upstream, own, np.shape(value)), [value], slack)
        factors = [Factor(derivative(signs, term.through, quantity.of), own, _small(own, digits))]
        if term.adjoint is not None:
            symbol = derivative(signs, loss, term.through)
            factors.insert(0, Factor(symbol, values[term.adjoint], texts[term.adjoint]))
        found.append(Product(term.through, tuple(factors), value))
    _prove(quantity.name, [values[quantity.name]], [product.value for product in found], slack)
    return tuple(found)


def _small(value: Any, digits: int) -> Shown | None:
    return None if value is None else shown(value, digits)


def _product(upstream: Any, own: Any, shape: tuple[int, ...]) -> list[Any]:
    """Return the chain rule's products of two factors, which are to be added."""
    product = np.asarray(upstream) * own
    return [product] if np.shape(product) == shape else list(product.reshape(-1))


def _prove(name: str, one: list[Any], other: list[Any], slack: float) -> None:
    """Require that two ways to a gradient agree, relative to the sizes that are added.

    Args:
        name: of the gradient.
        one: numbers to add.
        other: numbers to add.
        slack: what rounding alone may make of it.

    Raises:
        Disagreement: they do not.
    """
    a, b = np.asarray(sum(one)), np.asarray(sum(other))
    size = max(sum(np.max(np.abs(part), initial=0.0) for part in parts) for parts in (one, other))
    difference = np.max(np.abs(a - b), initial=0.0)
    if np.isfinite(difference) and difference > AGREEMENT * size + slack:
        raise Disagreement(f"{name} is {a}, but the chain rule's products give {b}")


def _local_derivatives(
    graph: Graph, values: Mapping[str, np.ndarray]
) -> dict[tuple[str, str], np.ndarray]:
    """Return JAX's ∂c/∂q of small c and q of which one is a single number, by their names."""
    pairs = [
        (term.through, quantity.of)
        for quantity in graph
        for term in quantity.terms
        if _is_small(graph, quantity, term)
    ]
    needed = {q: values[q] for _, q in pairs}
    for through, _ in pairs:
        needed |= {name: values[name] for name in _formula(graph, through)[1]}
    if not pairs:
        return {}

    @jax.jit
    def run(known: Mapping[str, Any]) -> list[Any]:
        return [_local(graph, through, of, known) for through, of in pairs]

    with jax.enable_x64(True):
        found = jax.device_get(run(needed))
    return {pair: np.asarray(value) for pair, value in zip(pairs, found, strict=True)}


def _is_small(graph: Graph, quantity: Quantity, term: Term) -> bool:
    sizes = [int(np.size(graph.values[name])) for name in (term.through, quantity.of)]
    has_formula = graph.quantities[term.through].formula is not None
    shapes = [graph.shape(term.through), graph.shape(quantity.of)]
    return has_formula and max(sizes) <= MOST_SHOWN and () in shapes


def _formula(graph: Graph, name: str) -> tuple[Expression, dict[str, int]]:
    formula = graph.quantities[name].formula
    assert formula is not None
    return formula, names_in(formula)


def _local(graph: Graph, through: str, of: str, known: Mapping[str, Any]) -> Any:
    formula, _ = _formula(graph, through)
    shape = graph.shape(through)

    def own(x: Any) -> Any:
        return jnp.broadcast_to(evaluate(formula, {**known, of: x}, jnp), shape)

    x = jnp.asarray(known[of], float)
    if shape:
        return jax.jvp(own, (x,), (jnp.ones_like(x),))[1]
    return jax.grad(own)(x)
