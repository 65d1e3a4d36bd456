"""Optimizers worked by hand: what is shown is what the lab's optimizers and literal rules make.

``Numbers.values`` asserts that the worked form gives the lab's numbers; here the lab's
optimizer is run once more on a loss that is written out, and every rule is followed by its
transcription in ``tests.optimizers.literal`` from the gradients that are shown.
"""

from __future__ import annotations

import json
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.explain.build import build
from descentlab.explain.exercise import parse_exercise
from descentlab.explain.numbers import Numbers
from descentlab.explain.rules import rule_of
from descentlab.optimizers.schedules import constant
from descentlab.optimizers.specs import CATALOGUE
from tests.optimizers import cases, literal

START = {"s": np.array(0.7), "v": np.array([0.4, -0.3])}
MATRIX = {"A": np.array([[0.4, -0.3], [0.2, 0.9]]), "s": np.array(0.7)}
SCALE = np.array([0.5, 2.0])


def exercise(spec, steps=4, start=START):
    """An exercise whose gradients change from update to update."""
    plain = "sum(exp(v)) - dot(c, v) + s*v[1]"
    loss = plain if start is START else "sum(exp(A)) - sum(A @ c) + s*A[1, 2]"
    given = {name: value.tolist() for name, value in start.items()}
    return f"""
exercise: any
title: any
text: any
given: {json.dumps(given | {"c": SCALE.tolist()})}
quantities: {{L: "(s - 1)^4 + s^2 + {loss}"}}
loss: L
update: {{optimizer: {json.dumps(spec)}, parameters: {list(start)}, steps: {steps}}}
"""


def loss(parameters):
    """The exercise's loss, written out for JAX."""
    array = parameters["v"] if "v" in parameters else parameters["A"]
    s = parameters["s"]
    spread = jnp.sum(jnp.exp(array)) - jnp.sum(array * SCALE)
    return (s - 1) ** 4 + s**2 + spread + s * array.ravel()[0 if array.ndim == 1 else 1]


SLOPE = jax.jit(jax.grad(loss))


def by_the_lab(spec, steps, start):
    """Every parameter's path by the lab's optimizer alone."""
    path = {name: [] for name in start}
    with jax.enable_x64(True):
        optimizer = CATALOGUE.validate(spec).build(constant)
        parameters = {name: jnp.asarray(value) for name, value in start.items()}
        state = optimizer.init(parameters)
        for _ in range(steps):
            parameters, state = optimizer.update(
                SLOPE(parameters), state, parameters, value=loss(parameters), loss=loss,
                hvp=lambda v, at=parameters: jax.jvp(SLOPE, (at,), (v,))[1],
            )  # fmt: skip
            for name, value in parameters.items():
                path[name].append(np.asarray(value))
    return {name: np.array(values) for name, values in path.items()}


def worked(spec, steps=4, start=START, *, compiled=False):
    """Every parameter's path as it is shown, its gradients, and which lines have a formula."""
    graph = build(parse_exercise(exercise(spec, steps, start)))
    # Operation by operation: these are many small graphs of the same few shapes.
    with jax.disable_jit(not compiled):
        values = Numbers(graph).values
    path = {name: np.array([values[s.updated[name]] for s in graph.steps]) for name in start}
    gradients = {
        name: np.array([values[step.gradients[step.parameters[name]]] for step in graph.steps])
        for name in start
    }
    formulas = {
        name: [graph.quantities[step.updated[name]].formula for step in graph.steps]
        for name in start
    }
    return path, gradients, formulas


def agree(found, expected, rtol=1e-9):
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=rtol, atol=1e-12, err_msg=name)


RATE = 0.05
"""Of every rule, so that all of them move and none diverges."""

LITERAL = {
    name: case
    for name, case in cases.CASES.items()
    if case.spec.get("accumulate", 1) == 1
    and case.spec.get("clip", {}).get("kind") != "adaptive"
    and case.spec["kind"] != "muon"
}


def test_the_cases_are_every_flavour_that_has_a_worked_form():
    seen = {(case.spec["kind"], case.spec.get("flavour")) for case in LITERAL.values()}
    for kind, spec in CATALOGUE.kinds.items():
        if kind not in ("muon", "lookahead") and spec.FLAVOURS:
            assert {(kind, flavour) for flavour in spec.FLAVOURS} <= seen


@pytest.mark.parametrize("name", LITERAL)
def test_the_worked_form_is_the_rule(name):
    case = LITERAL[name]
    spec = case.spec | {"learning_rate": RATE}
    # Rectification begins with the sixth update.
    steps = 7 if "rectify" in case.literal[1] else 4
    path, gradients, formulas = worked(spec, steps)
    assert all(formula is not None for each in formulas.values() for formula in each)
    rule, conventions = case.literal
    if conventions.get("weight") == "largest_next":
        conventions = conventions | {"next_rate": lambda t: RATE}
    make = partial(rule, **conventions)
    expected, _ = literal.descend(make, START, gradients, RATE, lambda t: 1.0, **case.around)
    agree(path, expected)
    agree(path, by_the_lab(spec, steps, START))


MOMENTUM = {"kind": "sgd", "learning_rate": RATE, "momentum": 0.9}
OPTIONS = {
    "nesterov-ahead": MOMENTUM | {"flavour": "paper", "nesterov": True},
    "dampening-inside": MOMENTUM | {"flavour": "keras", "dampening": 0.5},
    "dampening-inside-later": MOMENTUM
    | {"flavour": "keras", "dampening": 0.5, "dampen_first": False},
    "momentum-decay-clip": MOMENTUM
    | {"weight_decay": 0.3, "l2": 0.1, "l1": 0.2, "clip": {"kind": "norm", "at": 0.5}},
    "rmsprop-paper-decay": {"kind": "rmsprop", "flavour": "paper", "learning_rate": RATE,
                            "weight_decay": 0.1},
    "rmsprop-centred-after": {"kind": "rmsprop", "learning_rate": RATE, "centred": True,
                              "momentum": 0.8},
    "adagrad-decay": {"kind": "adagrad", "learning_rate": RATE, "weight_decay": 0.2, "l1": 0.1},
    "nadam-decay": {"kind": "nadam", "learning_rate": RATE, "weight_decay": 0.2},
    "adabelief-decay": {"kind": "adabelief", "learning_rate": RATE, "weight_decay": 0.2,
                        "beta2": 0.9},
    "lion-clip": {"kind": "lion", "learning_rate": RATE, "clip": {"kind": "value", "at": 0.1}},
    "adamw-schedule": {"kind": "adamw", "flavour": "paper", "learning_rate": RATE,
                       "weight_decay": 0.05},
    "free-clip": {"kind": "schedule_free_adamw", "flavour": "paper", "learning_rate": RATE,
                  "weight_decay": 0.1, "clip": {"kind": "norm", "at": 0.5}, "l2": 0.1},
    "free-corrected-next": {"kind": "schedule_free_adamw", "flavour": "paper",
                            "learning_rate": RATE, "weight": "largest_next"},
    "free-corrected-largest": {"kind": "schedule_free_adamw", "flavour": "torch",
                               "learning_rate": RATE, "correction": "rate"},
}  # fmt: skip

INSIDE = {
    "sgd": MOMENTUM | {"nesterov": True},
    "adagrad": {"kind": "adagrad", "flavour": "keras"},
    "rmsprop": {"kind": "rmsprop", "flavour": "paper"},
    "adam": {"kind": "adam", "clip": {"kind": "value", "at": 0.5}},
    "adamw": {"kind": "adamw", "flavour": "keras"},
    "nadam": {"kind": "nadam", "flavour": "keras"},
    "adabelief": {"kind": "adabelief", "flavour": "paper"},
    "lion": {"kind": "lion", "flavour": "optax"},
}
OPTIONS |= {
    f"lookahead-{kind}": {
        "kind": "lookahead", "k": 2, "alpha": 0.3, "inner": inner | {"learning_rate": RATE},
    }
    for kind, inner in INSIDE.items()
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_the_worked_form_is_the_labs_whatever_the_options(name):
    path, _, formulas = worked(OPTIONS[name])
    assert all(formula is not None for each in formulas.values() for formula in each)
    agree(path, by_the_lab(OPTIONS[name], 4, START))


@pytest.mark.parametrize(("start", "rate", "damping"), [(START, 0.7, 0.0), (MATRIX, 1.0, 0.5)])
def test_newtons_step_is_the_labs(start, rate, damping):
    spec = {"kind": "newton", "learning_rate": rate, "damping": damping}
    path, _, formulas = worked(spec, 2, start, compiled=True)
    assert all(formula is not None for each in formulas.values() for formula in each)
    agree(path, by_the_lab(spec, 2, start))


@pytest.mark.parametrize("kind", ["adam", "sgd", "schedule_free_sgd"])
def test_matrices_are_updated_element_by_element(kind):
    spec = {"kind": kind, "learning_rate": RATE, "clip": {"kind": "norm", "at": 0.8}}
    path, _, _ = worked(spec, 3, MATRIX)
    agree(path, by_the_lab(spec, 3, MATRIX))


WITHOUT = {
    "muon": {"kind": "muon"},
    "lbfgs": {"kind": "lbfgs", "line_search": "none", "learning_rate": 0.1},
    "saddle_free": {"kind": "saddle_free"},
    "newton-cg": {"kind": "newton", "method": "cg"},
    "accumulated": {"kind": "sgd", "learning_rate": RATE, "accumulate": 2},
    "clip-adaptive": {"kind": "adam", "learning_rate": RATE, "clip": {"kind": "adaptive"}},
    "lookahead-adaptive": {"kind": "lookahead", "k": 2, "adaptive": True, "inner": MOMENTUM},
    "lookahead-reset": {"kind": "lookahead", "k": 2, "inner_state": "reset", "inner": MOMENTUM},
    "lookahead-free": {"kind": "lookahead", "k": 2,
                       "inner": {"kind": "schedule_free_sgd", "learning_rate": RATE}},
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT)
def test_an_optimizer_without_a_worked_form_is_shown_by_what_it_makes(name):
    start = MATRIX if name == "muon" else START
    steps = 2 if name in ("saddle_free", "lbfgs", "newton-cg") else 4
    path, _, formulas = worked(WITHOUT[name], steps, start, compiled=steps == 2)
    assert all(formula is None for each in formulas.values() for formula in each)
    agree(path, by_the_lab(WITHOUT[name], steps, start))


def test_every_kind_is_known_to_have_a_worked_form_or_to_have_none():
    kinds = {kind: CATALOGUE.validate({"kind": kind}) for kind in CATALOGUE.kinds
             if kind != "lookahead"}  # fmt: skip
    with_one = {kind for kind, spec in kinds.items() if rule_of(spec) is not None}
    assert set(kinds) - with_one == {"muon", "lbfgs", "saddle_free"}


def test_lines_are_named_by_parameter_and_update():
    graph = build(parse_exercise(exercise(OPTIONS["lookahead-adam"], 4)))
    assert {"m_s_1", "mhat_v_2", "clipped_s_3", "fast_v_2", "fast_s_4", "v_2", "v_new"} <= set(
        graph.quantities
    )
    assert "fast_v_1" not in graph.quantities
    free = build(parse_exercise(exercise(OPTIONS["free-clip"], 2)))
    assert {"z_s_1", "x_v_2", "total_s_2", "l2_v_1"} <= set(free.quantities)
