"""The numbers of a network's update: JAX's in float64, each seen to be made in a second way.

One program gives the forward quantities, all gradients by autodiff, and what the run's own
optimizer makes of them. It takes everything as arguments, so that it is compiled once for all
updates of a run. The formulas shown are evaluated beside it, by NumPy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from descentlab.core.formulas import evaluate
from descentlab.explain.chain import add_gradients
from descentlab.explain.graph import Builder, Graph, Quantity, Step
from descentlab.explain.network.forward import Forward, Layout
from descentlab.explain.network.retraining import Moment
from descentlab.explain.numbers import AGREEMENT, Disagreement, Numbers, end_to_end, loss_of
from descentlab.explain.rules import Worked, rule_of
from descentlab.optimizers.protocol import readings_of

ROUNDING = {"float32": 1e-3, "float64": 1e-9}
"""How far a run may be from its trace, relative to the update, in each precision."""

SOLVERS = ("lbfgs", "newton", "saddle_free")
"""Rules that solve systems, which may be singular, or search lines: rounding may take them far."""

FEW = 0.01
"""Share of numbers that rounding may put elsewhere."""

CANCELLED = 100
"""Units of rounding of its parts below which a sum may be nothing but that."""

NOISE = 1e-13
"""Of the largest gradient: what is smaller may be nothing but rounding."""


class NetworkNumbers(Numbers):
    """The numbers of a graph whose values are known."""

    def __init__(self, graph: Graph, values: Mapping[str, Any]) -> None:
        super().__init__(graph)
        self.values = {name: np.asarray(values[name], float) for name in graph.quantities}

    def terms(self, quantity: Quantity) -> list[np.ndarray]:
        """Return the values of a gradient's terms, which add up to it."""
        if any(term.formula is None for term in quantity.terms):
            return super().terms(quantity)
        shape = self.graph.shape(quantity.name)
        return [
            np.broadcast_to(np.asarray(evaluate(term.formula, self.values)), shape)
            for term in quantity.terms
            if term.formula is not None
        ]


class ByName:
    """The run's optimizer on parameters by name, as graphs have them."""

    def __init__(self, optimizer: Any, layout: Layout) -> None:
        self._optimizer, self._layout = optimizer, layout

    def init(self, parameters: Mapping[str, Any]) -> Any:
        """Return the state before the first update."""
        return self._optimizer.init(self._layout.tree(parameters))

    def update(
        self, gradients: Any, state: Any, parameters: Any, *, value: Any, hvp: Any, loss: Any
    ) -> tuple[Any, Any]:
        """Return the new parameters by name, and the state."""
        tree, by_name = self._layout.tree, self._layout.by_name
        updated, state = self._optimizer.update(
            tree(gradients), state, tree(parameters),
            value=value,
            hvp=lambda vector: tree(hvp(by_name(vector))),
            loss=lambda parameters: loss(by_name(parameters)),
        )  # fmt: skip
        return by_name(updated), state

    def evaluation_parameters(self, parameters: Any, state: Any) -> Any:
        """Return what is evaluated, by name."""
        tree = self._layout.tree(parameters)
        return self._layout.by_name(self._optimizer.evaluation_parameters(tree, state))


class Traced(NamedTuple):
    """A graph with its numbers, and how far the run itself is from them.

    ``apart`` is the largest difference from the run's own new parameters, relative to the
    largest update; ``worked`` says whether there are formulas of the update.
    """

    numbers: NetworkNumbers
    apart: float
    worked: bool


def trace(moment: Moment, begun: Forward) -> Traced:
    """Return the graph of an update with gradients, optimizer and new parameters.

    Raises:
        Disagreement: the trace is not what the engine does, or two ways to a number part.
    """
    builder, layout = begun.builder, begun.layout
    parameters = {name: name for name in layout.names}
    gradients = add_gradients(
        builder, begun.loss, layout.names, lambda name: f"d_{builder.quantities[name].base}", None
    )
    updated = {name: f"{name}_new" for name in layout.names}
    step = Step(begun.loss, parameters, begun.quantities, gradients, updated)
    state = _float64(moment.before.optimizer)
    graph = Graph(builder.quantities, builder.values, (step,), optimizer_state=state)
    with jax.enable_x64(True):
        made = _computed(moment, graph, layout)
    _check_gradients(graph, step, made)
    builder.values.update(made.values)
    spec = moment.spec.optimizer
    worked = _has_lines(spec, layout) and _write_update(moment, builder, step, made)
    if not worked:
        for name, after in updated.items():
            quantity = Quantity(after, "updated", base=name, of=name)
            builder.add(quantity, made.updated[name])
    apart = _check_update(moment, layout, builder, step, made)
    asked = tuple(
        q.name for q in builder.quantities.values() if q.kind in ("quantity", "gradient", "updated")
    )
    with jax.enable_x64(True):
        optimizer = ByName(moment.exact.training.optimizer(moment.floats), layout)
    graph = dataclasses.replace(graph, asked=asked, optimizer=optimizer)
    return Traced(NetworkNumbers(graph, builder.values), apart, worked)


class _Made(NamedTuple):
    """What the program gives: values by quantity, and by parameter the optimizer's and engine's."""

    values: dict[str, Any]
    updated: dict[str, Any]
    engine: dict[str, Any]
    """The gradients of the engine's own model and loss."""
    rate: Any
    hessian: Any


def _computed(moment: Moment, graph: Graph, layout: Layout) -> _Made:
    (step,) = graph.steps
    one = moment.exact
    dense = layout.by_element and moment.spec.optimizer.kind == "newton"

    def program(
        given: dict[str, Any], floats: Any, state: Any, batch: tuple[Any, Any], seed: Any, key: Any
    ) -> _Made:
        known = dict(given)
        for name in step.forward:
            known[name] = jnp.asarray(evaluate(_formula(graph, name), known, jnp))
        found = end_to_end(graph, step, known)
        loss = loss_of(graph, step, known)
        here = {name: known[name] for name in layout.names}
        optimizer = one.training.optimizer(floats)
        updated, after = ByName(optimizer, layout).update(
            {name: found[step.gradients[name]] for name in here}, state, here,
            value=known[step.loss],
            hvp=lambda v: jax.jvp(jax.grad(loss), (here,), (v,))[1],
            loss=loss,
        )  # fmt: skip
        engine = one.gradients(layout.tree(here), seed, floats, *batch, key)
        return _Made(
            {name: known[name] for name in step.forward} | found,
            updated,
            layout.by_name(engine),
            readings_of(optimizer, after).get("learning_rate"),
            _hessian(loss, here) if dense else None,
        )

    given = {q.name: np.asarray(q.value, float) for q in graph if q.is_given}
    floats = {name: np.float64(value) for name, value in moment.floats.items()}
    batch = np.asarray(moment.inputs, float), moment.targets
    seed, state = np.uint32(moment.chosen.seed), graph.optimizer_state
    return jax.device_get(jax.jit(program)(given, floats, state, batch, seed, moment.key))


def _formula(graph: Graph, name: str) -> Any:
    formula = graph.quantities[name].formula
    assert formula is not None
    return formula


def _hessian(loss: Callable[[Any], Any], at: Mapping[str, Any]) -> Any:
    """Return the second derivatives by numbers of these names."""
    flat = jnp.stack(list(at.values()))
    return jax.hessian(lambda x: loss(dict(zip(at, x, strict=True))))(flat)


def _float64(state: Any) -> Any:
    def exact(leaf: Any) -> Any:
        array = np.asarray(leaf)
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    return jax.tree.map(exact, state)


def _has_lines(spec: Any, layout: Layout) -> bool:
    """Whether there are formulas of an update; Newton's are written by coordinates."""
    return rule_of(spec) is not None and (spec.kind != "newton" or layout.by_element)


def _write_update(moment: Moment, builder: Builder, step: Step, made: _Made) -> bool:
    """Add the optimizer's lines, and evaluate them."""
    spec, layout = moment.spec.optimizer, Layout.of(moment.before.parameters)
    rate = None if made.rate is None else float(made.rate)
    scheduled = rate is not None and spec.base_rate > 0
    worked = Worked(
        builder,
        spec,
        lambda base, step: base,
        buffers(spec, layout, moment.before.optimizer, moment.step - 1),
        moment.step - 1,
        rate,
        rate / spec.base_rate if scheduled and rate is not None else None,
    )
    before = dict(builder.quantities)
    written = worked.update(step.parameters, step.gradients, None, step.updated)
    again = False
    for name, quantity in builder.quantities.items():
        if quantity.kind == "curvature":
            builder.values[name], again = made.hessian, True
        elif again and name not in before and quantity.formula is not None:
            with np.errstate(all="ignore"):
                value = evaluate(quantity.formula, builder.values)
            builder.values[name] = np.broadcast_to(value, np.shape(builder.values[name]))
    return written


def buffers(spec: Any, layout: Layout, state: Any, updates: int) -> dict[tuple[str, str], Any]:
    """Return what an optimizer carries into an update, as its worked form calls it.

    Args:
        spec: the optimizer's.
        layout: of the parameters.
        state: before the update.
        updates: how many there were; none leaves every buffer at its beginning.
    """
    if updates == 0:
        return {}
    found: dict[tuple[str, str], Any] = {}
    rule = spec.inner if spec.kind == "lookahead" else spec
    if spec.kind == "lookahead":
        if updates % spec.k:  # else the slow weights are the parameters themselves
            found |= {("slow", n): v for n, v in layout.by_name(state.slow).items()}
        state = state.inner
    for letter, field, sign in _fields(rule):
        tree = field_of(state, field)
        values = dict.fromkeys(layout.names, tree) if letter == "product" else layout.by_name(tree)
        found |= {(letter, name): sign * np.asarray(v, float) for name, v in values.items()}
    return found


def _fields(rule: Any) -> list[tuple[str, str, int]]:
    """Return each buffer's letter, its field in the lab's state, and its sign there."""
    momentum = getattr(rule, "momentum", None) is not None
    sign = -1 if getattr(rule, "rate", None) == "inside" else 1  # Optax's are added
    if rule.kind == "sgd":
        field = "trace" if rule.dampening is None else "buffer"
        return [("v", field, sign)] if momentum else []
    if rule.kind == "rmsprop":
        centred = [("m", "mu", 1)] if rule.centred else []
        return [("v", "nu", 1), *centred, *([("b", "trace", sign)] if momentum else [])]
    return {
        "adagrad": [("a", "sum_of_squares", 1)],
        "adam": [("m", "mu", 1), ("v", "nu", 1)],
        "adamw": [("m", "mu", 1), ("v", "nu", 1)],
        "nadam": [("m", "first", 1), ("v", "second", 1), ("product", "product", 1)],
        "adabelief": [("m", "mu", 1), ("s", "nu", 1)],
        "lion": [("m", "mu", 1)],
    }.get(rule.kind, [])


def field_of(state: Any, name: str) -> Any:
    """Return the first field of a name in nested states; LookupError if there is none."""
    if name in getattr(state, "_fields", ()):
        return getattr(state, name)
    for part in state if isinstance(state, tuple) else ():
        try:
            return field_of(part, name)
        except LookupError:
            continue
    raise LookupError(name)


def _check_gradients(graph: Graph, step: Step, made: _Made) -> None:
    """Compare JAX's gradients with the formulas shown, and with those of the engine's own loss."""
    values = {q.name: q.value for q in graph if q.is_given} | made.values
    largest = max(np.abs(made.values[name]).max(initial=0) for name in step.gradients.values())
    for quantity in graph:
        name, shown = quantity.name, values[quantity.name]
        if quantity.formula is not None:
            other = np.broadcast_to(evaluate(quantity.formula, values), np.shape(shown))
            floor = NOISE * largest if quantity.kind == "gradient" else 0.0
            _agree(name, shown, other, floor, "the formula shown")
    for name, value in made.engine.items():
        gradient = step.gradients[name]
        _agree(gradient, values[gradient], value, NOISE * largest, "the run's own model and loss")


def _agree(name: str, shown: Any, other: Any, floor: float, what: str) -> None:
    size = max(np.abs(shown).max(initial=0), np.abs(other).max(initial=0))
    away = np.abs(np.asarray(shown) - np.asarray(other)).max(initial=0)
    if not away <= AGREEMENT * size + floor:
        raise Disagreement(f"{name}: {what} gives other numbers, {away:.3g} away of {size:.3g}")


def _check_update(
    moment: Moment, layout: Layout, builder: Builder, step: Step, made: _Made
) -> float:
    """Compare the new parameters with the optimizer's in float64, and with the run's own.

    Returns:
        The largest difference from the run's, relative to the largest update.
    """

    def flat(found: Mapping[str, Any]) -> np.ndarray:
        return np.concatenate([np.ravel(np.asarray(found[n], float)) for n in layout.names])

    values, kind = builder.values, moment.spec.optimizer.kind
    start = flat(layout.by_name(moment.before.parameters))
    shown, lab = flat({n: values[step.updated[n]] for n in layout.names}), flat(made.updated)
    moved = np.abs(lab - start).max(initial=0)
    slack = 4 * np.finfo(float).eps * np.abs(start)
    share = 1e3 * AGREEMENT if kind in SOLVERS else AGREEMENT
    away = np.abs(shown - lab)
    if not np.all(away <= share * moved + slack):
        raise Disagreement(f"the new parameters: {kind} itself gives others, {away.max():.3g} away")
    precision = moment.spec.precision
    away = np.abs(shown - flat(layout.by_name(moment.after.parameters)))
    if kind not in SOLVERS:
        sure = ~flat(_uncertain(layout, builder, step, precision)).astype(bool)
        rest = np.maximum(away - 4 * np.finfo(precision).eps * np.abs(start), 0)[sure]
        _check_run(rest, np.abs(lab - start)[sure], ROUNDING[precision])
    return float(away.max(initial=0) / moved) if moved > 0 else 0.0


def _check_run(away: np.ndarray, update: np.ndarray, share: float) -> None:
    """Refuse new parameters that are not the run's, up to rounding in its precision.

    Where a gradient is small among what it is the sum of, rounding decides much of a step of
    full size (Adam, Lion): a few such numbers are no fault.
    """
    off = float(np.mean(~(away <= share * update.max(initial=0)))) if len(away) else 0.0
    far = not np.linalg.norm(away) <= share * np.linalg.norm(update)
    if far and off > FEW:
        raise Disagreement(
            f"the new parameters are not the run's: {away.max():.3g} away, of an update of "
            f"{update.max():.3g}"
        )


def _uncertain(layout: Layout, builder: Builder, step: Step, precision: str) -> dict[str, Any]:
    """Return, of each parameter, which gradients are sums that cancel to nothing but rounding."""
    if layout.by_element:
        return dict.fromkeys(layout.names, False)
    sizes = {name: np.abs(value) for name, value in builder.values.items()}
    found = {}
    for name in layout.names:
        gradient = step.gradients[name]
        formula = builder.quantities[gradient].formula
        assert formula is not None
        summed = evaluate(formula, sizes)  # products and sums alone: of the sizes of the parts
        found[name] = sizes[gradient] <= CANCELLED * np.finfo(precision).eps * summed
    return found
