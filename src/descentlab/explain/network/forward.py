"""The lab's own models and losses as named quantities of one batch: a network, or a point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from descentlab.core.errors import SpecError
from descentlab.core.formulas import (
    Expression,
    FormulaError,
    Name,
    Number,
    checked,
    parse,
    replaced,
)
from descentlab.explain.graph import Builder, Quantity
from descentlab.explain.network.retraining import DROPOUT, Moment
from descentlab.models.point import PointModule
from descentlab.models.specs import Linear, MultiLayerPerceptron, Point
from descentlab.objectives.landscape_catalogue import LANDSCAPES, NAMES
from descentlab.objectives.landscapes import STYBLINSKI_TANG
from descentlab.objectives.specs import Classification, Landscape, Regression
from descentlab.objectives.typed import CONSTANTS

NOTHING: Mapping[str, Expression] = MappingProxyType({})

MOST_NUMBERS = 20_000_000
"""Most numbers of a batch's inputs."""

MOST_COORDINATES = 20
"""Most coordinates of a point; each is a quantity."""

ACTIVATIONS = {
    "sigmoid": "sigmoid(z)",
    "tanh": "tanh(z)",
    "relu": "relu(z)",
    "leaky_relu": "leaky_relu(z, 0.01)",
    "elu": "elu(z)",
    "selu": "selu(z)",
    "gelu": "z*normal_cdf(z)",
    "silu": "z*sigmoid(z)",
    "softplus": "softplus(z)",
}
"""Formulas of the activations; ``identity`` needs none."""


class Layout(NamedTuple):
    """How the parameters of a model are named: its leaves, or a point's coordinates one by one."""

    names: tuple[str, ...]
    structure: Any
    by_element: bool

    @classmethod
    def of(cls, parameters: Any) -> Layout:
        """Name a model's parameters: W1, b1 and so on, or x1, x2 and so on."""
        leaves, structure = jax.tree.flatten(parameters)
        if isinstance(parameters, PointModule):
            names = tuple(f"x{i + 1}" for i in range(leaves[0].size))
            return cls(names, structure, True)
        names = ()
        for number, layer in enumerate(parameters.layers, 1):
            names += (f"W{number}",) if layer.bias is None else (f"W{number}", f"b{number}")
        return cls(names, structure, False)

    def by_name(self, tree: Any) -> dict[str, Any]:
        """Return what a tree like the parameters has for each name."""
        leaves = jax.tree.leaves(tree)
        return dict(zip(self.names, leaves[0] if self.by_element else leaves, strict=True))

    def tree(self, values: Mapping[str, Any]) -> Any:
        """Return a tree like the parameters."""
        leaves = [values[name] for name in self.names]
        return jax.tree.unflatten(
            self.structure, [jnp.stack(leaves)] if self.by_element else leaves
        )


class Forward(NamedTuple):
    """What a graph begins with: its builder, the parameters' layout, the forward quantities."""

    builder: Builder
    layout: Layout
    quantities: tuple[str, ...]
    loss: str


def forward(moment: Moment) -> Forward:
    """Return a batch's way from inputs and parameters to the loss.

    Raises:
        SpecError: the model or the objective is none of the lab's own, the batch is too large,
            or a number on the way is not finite.
    """
    spec = moment.spec
    own = isinstance(spec.model, (Linear, MultiLayerPerceptron, Point))
    if not own or not isinstance(spec.objective, (Classification, Regression, Landscape)):
        what = f"model '{spec.model.kind}'" if not own else f"objective '{spec.objective.kind}'"
        raise SpecError(
            f"run {moment.chosen.id} has the {what}, whose formulas the lab does not know; traces "
            "are for linear, logistic, mlp and point, and for the lab's own objectives"
        )
    if moment.inputs.size > MOST_NUMBERS:
        raise SpecError(
            f"run {moment.chosen.id}: a batch of {moment.inputs.size:,} numbers; a trace has at "
            f"most {MOST_NUMBERS:,}"
        )
    writing = _Writing(moment)
    try:
        writing.point() if isinstance(spec.model, Point) else writing.network()
    except FormulaError as error:
        raise SpecError(
            f"--step: update {moment.step:,} of run {moment.chosen.id} has numbers that are not "
            f"finite ({error}): the run diverges there"
        ) from None
    return Forward(writing.builder, writing.layout, tuple(writing.written), "L")


class _Writing:
    def __init__(self, moment: Moment) -> None:
        self.moment, self.spec = moment, moment.spec
        self.builder = Builder()
        self.layout = Layout.of(moment.before.parameters)
        self.parameters = self.layout.by_name(moment.before.parameters)
        self.written: list[str] = []

    def given(self, name: str, value: Any) -> str:
        array = np.asarray(value, float)
        return self.builder.add(Quantity(name, "given", value=array, base=name), array)

    def line(self, name: str, formula: str, renamed: Mapping[str, Expression] = NOTHING) -> str:
        tree = replaced(parse(formula), renamed)
        value = checked(tree, self.builder.values)
        self.written.append(name)
        return self.builder.add(Quantity(name, "quantity", tree, base=name), value)

    def network(self) -> None:
        """Write layer after layer; the outputs go into the loss."""
        layers = self.moment.before.parameters.layers
        self.given("x", self.moment.inputs.reshape(len(self.moment.inputs), -1))
        target = self.given("Y", self.targets())
        for name, value in self.parameters.items():
            self.given(name, value)
        if self.moment.masks:
            self.given("dropout", self.moment.floats[DROPOUT])
        inside = "x"
        for number, layer in enumerate(layers, 1):
            bias = "" if layer.bias is None else f" + b{number}"
            z = self.line(f"z{number}", f"{inside} @ W{number}{bias}")
            inside = z if number == len(layers) else self.hidden(number, z)
        self.loss(inside, target)

    def hidden(self, number: int, z: str) -> str:
        """Write a hidden layer's activation and dropout."""
        out = z
        kind = self.spec.model.activation
        if kind != "identity":
            out = self.line(f"a{number}", ACTIVATIONS[kind].replace("z", z))
        if self.moment.masks:
            mask = self.given(f"mask{number}", self.moment.masks[number - 1])
            out = self.line(f"h{number}", f"{out}*{mask}/(1 - dropout)")
        return out

    def targets(self) -> np.ndarray:
        """Return classes one-hot, or as 0 and 1 beside a single logit; numbers as they are."""
        targets = np.asarray(self.moment.targets)
        if not isinstance(self.spec.objective, Classification):
            return targets
        outputs = self.moment.cohort.training.objective.outputs
        return np.eye(outputs)[targets] if outputs > 1 else targets[:, None]

    def loss(self, z: str, target: str) -> None:
        """Write the mean loss of the batch."""
        kind = self.spec.loss
        if kind in ("mse", "half_mse"):
            self.line("L", f"{kind}({z}, {target})")
            return
        self.given("n", len(self.moment.inputs))
        if kind == "binary_cross_entropy":
            margin = self.line("s", f"(2*{target} - 1)*{z}")
            self.line("L", f"sum(softplus(-{margin}))/n")
            return
        log_p = self.line("logp", f"log_softmax({z})")
        self.line("L", f"-sum({target}*{log_p})/n")

    def point(self) -> None:
        """Write a landscape's value at the point."""
        if len(self.parameters) > MOST_COORDINATES:
            raise SpecError(
                f"a point of {len(self.parameters)} coordinates; a trace has at most "
                f"{MOST_COORDINATES}"
            )
        for name, value in self.parameters.items():
            self.given(name, value)
        IN_LINES.get(self.spec.objective.function, _in_one_line)(self)


def _in_one_line(write: _Writing) -> None:
    """Write a study's own formula, or the catalogue's, in the point's two coordinates."""
    objective = write.spec.objective
    formula = objective.formula or LANDSCAPES[objective.function].formula
    names = {name: Name(f"x{i}") for i, name in enumerate(NAMES, 1)}
    numbers = {name: Number(value) for name, value in CONSTANTS.items()}
    write.line("L", formula, {**names, **numbers})


def _himmelblau(write: _Writing) -> None:
    write.line("p", "x1^2 + x2 - 11")
    write.line("q", "x1 + x2^2 - 7")
    write.line("L", "p^2 + q^2")


def _rosenbrock(write: _Writing) -> None:
    count = len(write.parameters)
    for i in range(1, count):
        write.line(f"p{i}", f"x{i + 1} - x{i}^2")
        write.line(f"q{i}", f"1 - x{i}")
    write.line("L", " + ".join(f"100*p{i}^2 + q{i}^2" for i in range(1, count)))


def _styblinski_tang(write: _Writing) -> None:
    places = range(1, len(write.parameters) + 1)
    for i in places:
        write.line(f"p{i}", f"x{i}^4 - 16*x{i}^2 + 5*x{i}")
    total = " + ".join(f"p{i}" for i in places)
    write.line("L", f"({total})/2 + {STYBLINSKI_TANG}*{len(write.parameters)}")


def _goldstein_price(write: _Writing) -> None:
    write.line("p", "x1 + x2 + 1")
    write.line("q", "2*x1 - 3*x2")
    write.line("A", "19 - 14*x1 + 3*x1^2 - 14*x2 + 6*x1*x2 + 3*x2^2")
    write.line("B", "18 - 32*x1 + 12*x1^2 + 48*x2 - 36*x1*x2 + 27*x2^2")
    write.line("L", "(1 + p^2*A)*(30 + q^2*B)")


def _quadratic(write: _Writing) -> None:
    places = np.linspace(0, 1, len(write.parameters))
    for i, place in enumerate(places, 1):
        write.given(f"c{i}", write.spec.objective.condition**place)
    total = " + ".join(f"c{i}*x{i}^2" for i in range(1, len(places) + 1))
    write.line("L", f"({total})/2")


def _rastrigin(write: _Writing) -> None:
    places = range(1, len(write.parameters) + 1)
    write.given("pi", math.pi)
    for i in places:
        write.line(f"p{i}", f"x{i}^2 - 10*cos(2*pi*x{i}) + 10")
    write.line("L", " + ".join(f"p{i}" for i in places))


def _ackley(write: _Writing) -> None:
    places = range(1, len(write.parameters) + 1)
    write.given("pi", math.pi)
    write.given("e", math.e)
    write.line("p", f"({' + '.join(f'x{i}^2' for i in places)})/{len(places)}")
    write.line("q", f"({' + '.join(f'cos(2*pi*x{i})' for i in places)})/{len(places)}")
    write.line("L", "20 + e - 20*exp(-sqrt(p)/5) - exp(q)")


IN_LINES: dict[str, Callable[[_Writing], None]] = {
    "rastrigin": _rastrigin,
    "ackley": _ackley,
    "himmelblau": _himmelblau,
    "rosenbrock": _rosenbrock,
    "styblinski_tang": _styblinski_tang,
    "goldstein_price": _goldstein_price,
    "quadratic": _quadratic,
}
"""Landscapes of any number of variables, and those that read better in several lines."""
