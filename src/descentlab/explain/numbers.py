"""The numbers of a graph, by JAX in float64: all at once, or from somebody's own.

Formulas are evaluated, gradients are JAX's. Where the numbers given do not fit together, as
in a working with a slip, a gradient is what the chain rule makes of those: the product of
∂loss/∂c, as given, and JAX's derivative of c's own formula at the given operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from descentlab.core.errors import SpecError
from descentlab.core.formulas import evaluate, written
from descentlab.core.marked import Marked
from descentlab.explain.dust import rounding_errors
from descentlab.explain.graph import Graph, Quantity, Step

Route = Literal["derivative", "formula"]
"""How a gradient is made: by JAX's derivative, or by the formula that is shown."""

BLOCK = 1024
"""Cases that one call of the compiled program recomputes."""

AGREEMENT = 1e-9
"""Largest relative difference between two ways to one number."""


def propagate(
    graph: Graph, keep: Callable[[str, Any], Any], route: Route = "derivative"
) -> dict[str, Any]:
    """Return every quantity recomputed from the ones before it.

    Args:
        graph: the calculation.
        keep: from a name and its recomputed value, what later quantities are made from.
        route: how gradients are made.
    """
    values: dict[str, Any] = {}
    made: dict[str, Any] = {}
    state = graph.optimizer_state
    step_of = {name: step for step in graph.steps for name in step.updated.values()}
    opaque: dict[str, Any] = {}
    for quantity in graph:
        name = quantity.name
        step = step_of.get(name)
        if step is not None and quantity.formula is None and name not in opaque:
            updated, state = _updated(graph, step, values, state)
            opaque |= {step.updated[p]: updated[p] for p in step.parameters}
        made[name] = opaque.get(name) if name in opaque else _made(graph, quantity, values, route)
        values[name] = keep(name, made[name])
    return made


def _made(graph: Graph, quantity: Quantity, values: Mapping[str, Any], route: Route) -> Any:
    shape = graph.shape(quantity.name)
    if quantity.is_given:
        value = values.get(quantity.name, quantity.value)
        return jnp.asarray(value, jnp.result_type(float))
    if quantity.kind == "curvature":
        return _hessian(graph, graph.steps[(quantity.step or 1) - 1], values)
    by_formula = quantity.formula is not None and (
        quantity.kind != "gradient" or route == "formula"
    )
    if by_formula:
        assert quantity.formula is not None
        return jnp.broadcast_to(evaluate(quantity.formula, values, jnp), shape)
    total: Any = 0.0
    for term in quantity.terms:
        formula = graph.quantities[term.through].formula
        assert formula is not None
        own = lambda x, f=formula: jnp.asarray(  # noqa: E731
            evaluate(f, {**values, quantity.of: x}, jnp)
        )
        value, pull = jax.vjp(own, jnp.asarray(values[quantity.of]))
        upstream = jnp.ones(()) if term.adjoint is None else values[term.adjoint]
        total = total + pull(jnp.asarray(upstream, value.dtype))[0]
    return total


def loss_of(graph: Graph, step: Step, values: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return a step's loss as a function of its parameters by name."""

    def loss(parameters: Mapping[str, Any]) -> Any:
        known = dict(values) | {step.parameters[name]: value for name, value in parameters.items()}
        for name in step.forward:
            formula = graph.quantities[name].formula
            assert formula is not None
            known[name] = jnp.asarray(evaluate(formula, known, jnp))
        return known[step.loss]

    return loss


def end_to_end(graph: Graph, step: Step, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ∂loss/∂ every quantity that has a gradient, by one call of JAX's autodiff.

    Each quantity is displaced by a zero of its shape; the loss is differentiated by those.
    """

    def loss(shifts: Mapping[str, Any]) -> Any:
        known = {
            name: value + shifts[name] if name in shifts else value
            for name, value in values.items()
        }
        for name in step.forward:
            formula = graph.quantities[name].formula
            assert formula is not None
            known[name] = evaluate(formula, known, jnp) + shifts.get(name, 0.0)
        return known[step.loss]

    zeros = {name: jnp.zeros(graph.shape(name)) for name in step.gradients}
    found = jax.grad(loss)(zeros)
    return {step.gradients[name]: value for name, value in found.items()}


def _hessian(graph: Graph, step: Step, values: Mapping[str, Any]) -> Any:
    """Return the matrix of second derivatives by all parameters, one after the other."""
    names = tuple(step.parameters)
    shapes = [graph.shape(step.parameters[name]) for name in names]
    sizes = np.cumsum([int(np.prod(shape, dtype=int)) for shape in shapes])[:-1]

    def flat_loss(flat: Array) -> Any:
        pieces = zip(names, jnp.split(flat, sizes), shapes, strict=True)
        return loss_of(graph, step, values)({n: piece.reshape(s) for n, piece, s in pieces})

    flat = jnp.concatenate([jnp.ravel(values[step.parameters[name]]) for name in names])
    return jax.hessian(flat_loss)(flat)


def _updated(
    graph: Graph, step: Step, values: Mapping[str, Any], state: Any
) -> tuple[dict[str, Any], Any]:
    """Return the parameters after the lab's own optimizer, and its state."""
    kept = {name: jnp.asarray(values[place]) for name, place in step.parameters.items()}
    gradients = {
        name: jnp.asarray(values[step.gradients[place]]) for name, place in step.parameters.items()
    }
    loss = loss_of(graph, step, values)
    state = graph.optimizer.init(kept) if state is None else state
    return graph.optimizer.update(
        gradients,
        state,
        kept,
        value=loss(kept),
        hvp=lambda v: jax.jvp(jax.grad(loss), (kept,), (v,))[1],
        loss=loss,
    )


DUST = 16.0
"""Times the bound on its rounding error: how far apart two ways to a number that is 0 may be."""


class Disagreement(AssertionError):
    """Two ways to one number differ: a fault of the lab's, never of the user's."""


class Numbers:
    """A graph's numbers, compiled once; flat arrays follow ``graph.slots``.

    Args:
        graph: the calculation.
        marked: the exercise's file, so that a number that is not finite is refused in its place.
    """

    def __init__(self, graph: Graph, marked: Marked | None = None) -> None:
        self.graph, self.marked = graph, marked

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Every quantity's value, gradients by one end-to-end call of JAX's autodiff.

        Raises:
            SpecError: a number is not finite.
            Disagreement: the chain rule's terms, the formulas shown or the worked form of the
                optimizer do not give the same.
        """
        with jax.enable_x64(True):
            shown, by_terms, by_formula, updated = jax.jit(self._all)()
            shown, by_terms, by_formula, updated = jax.device_get(
                (shown, by_terms, by_formula, updated)
            )
        _check_finite(self.graph, shown, self.marked)
        for what, other in (
            ("the chain rule's terms", by_terms),
            ("the formula shown", by_formula),
            ("the lab's optimizer", updated),
        ):
            for name, value in other.items():
                if not _same(shown[name], value) and not self._dust(shown, name, value):
                    raise Disagreement(f"{name} is {shown[name]}, but {what} give {value}")
        return {name: np.asarray(value) for name, value in shown.items()}

    def _dust(self, shown: Mapping[str, Any], name: str, value: Any) -> bool:
        """Whether a number differs from another by no more than rounding may make of it."""
        errors = rounding_errors(self.graph, shown)
        difference = np.max(np.abs(np.asarray(shown[name]) - value), initial=0.0)
        return name in errors and bool(difference <= DUST * np.max(errors[name]))

    def _all(self) -> tuple[dict[str, Any], ...]:
        graph = self.graph
        by_terms = propagate(graph, lambda name, value: value)
        by_formula = propagate(graph, lambda name, value: value, "formula")
        shown = dict(by_terms)
        updated: dict[str, Any] = {}
        state = graph.optimizer_state
        for step in graph.steps:
            if step.gradients:
                shown |= end_to_end(graph, step, by_terms)
            if step.updated:
                found, state = _updated(graph, step, by_terms, state)
                updated |= {step.updated[name]: value for name, value in found.items()}
        return shown, by_terms, by_formula, updated

    def terms(self, quantity: Quantity) -> list[np.ndarray]:
        """Return the values of a gradient's terms, which add up to it."""
        with jax.enable_x64(True):
            found = []
            for term in quantity.terms:
                alone = Quantity(**{**quantity.__dict__, "terms": (term,)})
                found.append(np.asarray(_made(self.graph, alone, self.values, "derivative")))
            return found

    def recompute(
        self, own: Float[np.ndarray, "cases slots"], given: Bool[np.ndarray, "cases slots"]
    ) -> tuple[Float[np.ndarray, "cases slots"], Float[np.ndarray, "cases slots"]]:
        """Return what every number should be, made from the given ones where there are any.

        Args:
            own: somebody's numbers; anything where ``given`` is false.
            given: which there are.

        Returns:
            By JAX's derivatives, and by the formulas shown.
        """
        made = [
            self._block(own[i : i + BLOCK], given[i : i + BLOCK])
            for i in range(0, max(1, len(own)), BLOCK)
        ]
        return np.concatenate([a for a, _ in made]), np.concatenate([b for _, b in made])

    def _block(self, own: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Recompute at most ``BLOCK`` cases; fewer are filled up, so that one program does."""
        count, rest = len(own), (0, BLOCK - len(own))
        own, given = (np.pad(array, (rest, (0, 0))) for array in (own.astype(float), given))
        with jax.enable_x64(True):
            a, b = self._compiled(own, given)
            return np.asarray(a)[:count], np.asarray(b)[:count]

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        return jax.jit(jax.vmap(lambda o, g: tuple(self._flat(o, g, r) for r in ROUTES)))

    def _flat(self, own: Array, given: Array, route: Route) -> Array:
        graph = self.graph

        def keep(name: str, value: Any) -> Any:
            span, shape = graph.spans[name], graph.shape(name)
            return jnp.where(given[span].reshape(shape), own[span].reshape(shape), value)

        made = propagate(graph, keep, route)
        return jnp.concatenate([jnp.ravel(made[name]) for name in graph.quantities])


ROUTES: tuple[Route, Route] = ("derivative", "formula")


def _check_finite(graph: Graph, values: Mapping[str, Any], marked: Marked | None) -> None:
    """Refuse a calculation at the first number that is not finite."""
    for quantity in graph:
        if not np.all(np.isfinite(values[quantity.name])):
            made = "" if quantity.formula is None else f" = {written(quantity.formula)}"
            place = "" if marked is None else f"{_place(quantity, marked)}: "
            raise SpecError(
                f"{place}'{quantity.name}'{made} has no finite value: the calculation diverges, or "
                "divides by zero, here; choose other given values, or a smaller learning rate"
            )


def _place(quantity: Quantity, marked: Marked) -> str:
    """Return where the exercise makes a quantity: in its formula, or else in the update."""
    paths = [(section, quantity.base) for section in ("quantities", "after")]
    return marked.at(next((path for path in paths if path in marked.marks), ("update",)))


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    size = np.maximum(np.abs(a), np.abs(b)).max(initial=0.0)
    return bool(np.all(np.isnan(a) == np.isnan(b))) and bool(
        np.nanmax(np.abs(a - b), initial=0.0) <= AGREEMENT * max(size, 1e-300)
    )
