"""Real updates of real runs, worked out: against the engine's own, and written out in NumPy."""

from __future__ import annotations

import copy
import dataclasses
from types import SimpleNamespace
from typing import Any, get_args

import equinox as eqx
import jax
import numpy as np
import pytest

import descentlab
from descentlab.core.errors import SpecError, StoreError
from descentlab.core.formulas import evaluate, parse
from descentlab.core.keys import named_key
from descentlab.core.yaml import write_yaml
from descentlab.explain.derivatives import adjoints
from descentlab.explain.network.forward import ACTIVATIONS, forward
from descentlab.explain.network.numbers import trace
from descentlab.explain.network.retraining import choose, retrained
from descentlab.explain.network.run import explain_run
from descentlab.explain.numbers import Disagreement
from descentlab.models.activations import activation
from descentlab.objectives.specs import Landscape
from descentlab.studies.datasets import Datasets
from descentlab.studies.prepare import prepare
from descentlab.studies.result import StudyResult
from descentlab.studies.spec import STUDY, Study

NETWORK = {
    "data": "iris",
    "model": {"kind": "mlp", "hidden": [7], "activation": "tanh", "dropout": 0.25},
    "optimizer": {"kind": "sgd", "learning_rate": 0.1},
    "batches": {"kind": "shuffled", "size": 32},
    "precision": "float64",
}
"""150 examples: four batches of 32, and one of 22."""


def study(run=None, steps=5, **rest) -> Study:
    own = {**copy.deepcopy(NETWORK), "steps": steps, **(run or {})}
    return Study.parse({"name": "small", "run": own, **rest})


def written(folder, asked: Study):
    """Write down a study that is never run; nothing more is needed to train a run again."""
    folder.mkdir(exist_ok=True)
    (folder / STUDY).write_text(write_yaml(prepare(asked).resolved))
    return folder


def final_parameters(folder) -> list[np.ndarray]:
    """Return the parameters that a study itself left behind, of its one run."""
    (file,) = (folder / "checkpoints").glob("final-*.npz")
    with np.load(file) as arrays:
        return [arrays[name][0] for name in sorted(arrays.files) if name.startswith("leaf")]


SCHEDULE = {"kind": "cosine"}
UPDATES = {
    # An optimizer, the last update of its run, and what else the run has.
    "momentum": ({"kind": "sgd", "momentum": 0.9, "l2": 0.01}, 5, {"precision": "float32"}),
    "plain sgd, first update": (
        {"kind": "sgd"}, 1, {"precision": "float32", "loss": "half_mse"}
    ),
    "momentum inside, clipped": (
        {"kind": "sgd", "flavour": "keras", "momentum": 0.9, "nesterov": True,
         "clip": {"kind": "norm", "at": 0.1}},
        6, {"schedule": SCHEDULE},
    ),
    "dampened": ({"kind": "sgd", "momentum": 0.9, "dampening": 0.5}, 3, {}),
    "adam": ({"kind": "adam"}, 7, {"precision": "float32", "schedule": SCHEDULE}),
    "adamw, decay by the schedule": (
        {"kind": "adamw", "flavour": "paper", "learning_rate": 0.01}, 6, {"schedule": SCHEDULE}
    ),
    "rmsprop, centred": ({"kind": "rmsprop", "flavour": "paper"}, 5, {"schedule": SCHEDULE}),
    "nadam": ({"kind": "nadam"}, 4, {}),
    "adabelief, rectified": ({"kind": "adabelief"}, 8, {}),
    "adagrad": ({"kind": "adagrad", "flavour": "optax"}, 4, {}),
    "lion": ({"kind": "lion", "clip": {"kind": "value", "at": 0.01}}, 4, {}),
    "lookahead, synchronised": (
        {"kind": "lookahead", "inner": {"kind": "sgd", "momentum": 0.9}, "k": 3}, 6,
        {"precision": "float32"},
    ),
    "muon": ({"kind": "muon"}, 3, {}),
    "two batches an update": ({"kind": "adam", "accumulate": 2}, 4, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", UPDATES)
def test_new_parameters_are_what_the_study_itself_left(name, tmp_path):
    optimizer, steps, more = UPDATES[name]
    run = {"optimizer": optimizer, "record": {"checkpoint": True}, **more}
    descentlab.run(study(run, steps), out=tmp_path)
    found = explain_run(tmp_path, "c00:0", steps)
    values = found.numbers.values
    left = final_parameters(tmp_path)
    exact = more.get("precision") != "float32"
    for place, parameter in enumerate(["W1", "b1", "W2", "b2"]):
        change = np.abs(values[f"{parameter}_new"] - values[parameter]).max()
        away = np.abs(values[f"{parameter}_new"] - left[place]).max()
        assert away <= (1e-9 * change + 1e-15 if exact else 2e-3 * change + 1e-7)
    worked = name not in ("muon", "two batches an update")
    assert (found.graph.quantities["W1_new"].formula is not None) == worked
    assert worked or "no worked form" in " ".join(found.notes)
    assert steps == 1 or "to the bit" in " ".join(found.notes)
    assert (len(values["x"]) == 22) == (steps == 5)
    if name.startswith("lookahead"):  # in the middle of a cycle, too
        middle = explain_run(tmp_path, "c00", 5).numbers.values
        assert np.abs(middle["slow_W1_before"] - middle["W1"]).max() > 1e-4
        np.testing.assert_allclose(middle["W1_new"], values["W1"], atol=1e-6)
    for quantity in found.graph:
        if quantity.kind == "gradient":
            np.testing.assert_allclose(
                sum(found.numbers.terms(quantity)), values[quantity.name], rtol=1e-9, atol=1e-15
            )


def test_two_layers_against_formulas_written_out(tmp_path):
    model = {"kind": "mlp", "hidden": [6], "activation": "sigmoid", "dropout": 0.5}
    optimizer = {"kind": "adam", "learning_rate": 0.01, "weight_decay": 0.1}
    asked = study({"model": model, "optimizer": optimizer}, 7, seeds=[3])
    found = explain_run(written(tmp_path, asked), None, 7)
    v = found.numbers.values
    data = Datasets().load(prepare(asked).configurations[0].run)
    order = jax.random.permutation(jax.random.fold_in(named_key(3, "order"), 1), 150)
    chosen = np.asarray(order)[32:64]  # the second batch of the second epoch
    x, y = data.train.inputs[chosen], np.eye(3)[data.train.targets[chosen]]
    np.testing.assert_array_equal(v["x"], x)
    np.testing.assert_array_equal(v["Y"], y)
    assert set(np.unique(v["mask1"])) == {0, 1}

    hidden = 1 / (1 + np.exp(-(x @ v["W1"] + v["b1"])))
    kept = hidden * v["mask1"] / 0.5
    z = kept @ v["W2"] + v["b2"]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    delta = (p - y) / 32
    back = (delta @ v["W2"].T) * v["mask1"] / 0.5 * hidden * (1 - hidden)
    for name, expected in {
        "a1": hidden, "h1": kept, "z2": z, "L": -(y * np.log(p)).sum() / 32,
        "d_z2": delta, "d_W2": kept.T @ delta, "d_b2": delta.sum(0),
        "d_z1": back, "d_W1": x.T @ back, "d_b1": back.sum(0),
    }.items():  # fmt: skip
        np.testing.assert_allclose(v[name], expected, rtol=1e-12, atol=1e-16)
    for name in ("W1", "b1", "W2", "b2"):
        m = 0.9 * v[f"m_{name}_before"] + 0.1 * v[f"d_{name}"]
        s = 0.999 * v[f"v_{name}_before"] + 0.001 * v[f"d_{name}"] ** 2
        step = m / (1 - 0.9**7) / (np.sqrt(s / (1 - 0.999**7)) + 1e-8)
        expected = v[name] - 0.01 * (step + 0.1 * v[name])
        np.testing.assert_allclose(v[f"{name}_new"], expected, rtol=1e-12)
    assert "Update 7 of 7 of run c00-s3, batch 2 of 5 in epoch 2: 32 examples" in found.text


def test_one_logit_and_numbers_to_predict(tmp_path):
    logistic = {
        "data": {"kind": "moons", "examples": 50},
        "model": "logistic",
        "loss": "binary_cross_entropy",
    }
    v = explain_run(written(tmp_path, study(logistic)), None, 3).numbers.values
    p = 1 / (1 + np.exp(-(v["x"] @ v["W1"] + v["b1"])))
    assert v["L"] == pytest.approx(-np.log(np.where(v["Y"] == 1, p, 1 - p)).mean(), rel=1e-12)
    np.testing.assert_allclose(v["d_W1"], v["x"].T @ (p - v["Y"]) / 32, rtol=1e-11)
    line = {
        "data": {"kind": "least_squares", "examples": 40, "features": 3},
        "model": "linear",
        "objective": "regression",
        "loss": "mse",
    }
    v = explain_run(written(tmp_path, study(line)), None, 2).numbers.values
    error = v["x"] @ v["W1"] + v["b1"] - v["Y"]
    assert v["L"] == pytest.approx((error**2).mean(), rel=1e-12)
    np.testing.assert_allclose(v["d_W1"], 2 * v["x"].T @ error / len(error), rtol=1e-11)


def one_layer(input_shape, outputs, *, key):
    """Make a model of one's own, as study files name them."""
    return eqx.nn.Linear(input_shape[0], outputs, key=key)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_derivatives_are_the_models(name):
    z = np.array([-30.0, -2.5, -1e-3, 0.0, 1e-3, 0.7, 3.0, 30.0])
    tree = parse(ACTIVATIONS[name])
    with jax.enable_x64(True):
        function = activation(name)
        expected = np.asarray(function(z))
        slopes = np.asarray(jax.vmap(jax.grad(function))(z))
        by_jax = jax.vmap(jax.grad(lambda z: evaluate(tree, {"z": z}, jax.numpy)))(z)
    values = {"z": z, "a": evaluate(tree, {"z": z}), "one": np.ones(8)}
    share = adjoints("a", tree, parse("one"), values)["z"]
    for found, wanted in (
        (values["a"], expected), (by_jax, slopes), (evaluate(share, values), slopes),
    ):  # fmt: skip
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


LANDSCAPES = {
    "saddle": lambda x, y: 5 * x**2 - y**2 + y**4 / 4,
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "rosenbrock": lambda x, y, z: (
        100 * ((y - x**2) ** 2 + (z - y**2) ** 2) + (1 - x) ** 2 + (1 - y) ** 2
    ),
    "styblinski_tang": lambda x: (x**4 - 16 * x**2 + 5 * x) / 2 + 39.16617,
    "goldstein_price": lambda x, y: (
        (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2))
        * (30 + (2 * x - 3 * y) ** 2
           * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2))
    ),
    "quadratic": lambda x, y, z: (x**2 + 10 * y**2 + 100 * z**2) / 2,
    "beale": lambda x, y: (
        (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2
    ),
    "rastrigin": lambda x, y, z: sum(c**2 - 10 * np.cos(2 * np.pi * c) + 10 for c in (x, y, z)),
    "ackley": lambda x, y: (
        20 + np.e - 20 * np.exp(-np.sqrt((x**2 + y**2) / 2) / 5)
        - np.exp((np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)) / 2)
    ),
    "hyperbolic_saddle": lambda x, y: x**2 - y**2,
    "monkey_saddle": lambda x, y: x**3 - 3 * x * y**2,
    "cliff": lambda x, y: 5 / (1 + np.exp(-20 * (x - 1))) + 0.05 * (x**2 + y**2),
    "formula": lambda x, y: np.pi * x**2 + np.exp(x * y),
}  # fmt: skip


def on_landscape(name, steps=3, **more) -> Study:
    count = LANDSCAPES[name].__code__.co_argcount
    objective: dict[str, Any] = {"kind": "landscape", "function": name}
    objective |= {"formula": "pi*w1^2 + exp(w1*w2)"} if name == "formula" else {}
    run = {
        "data": "none",
        "objective": objective | ({"condition": 100.0} if name == "quadratic" else {}),
        "model": {"kind": "point", "start": [0.5, -1.5, 0.25][:count]},
        "optimizer": "newton",
        "batches": "full",
        "precision": "float64",
        "steps": steps,
    }
    return Study.parse({"name": "small", "run": {**run, **more}})


@pytest.mark.parametrize("name", LANDSCAPES)
def test_points_on_landscapes(name):
    run = prepare(on_landscape(name)).configurations[0].run
    parameters = run.model.build((1,), 1, key=jax.random.key(0), dtype="float32")
    moment: Any = SimpleNamespace(
        spec=run, before=SimpleNamespace(parameters=parameters), inputs=np.zeros((1, 1))
    )
    begun = forward(moment)
    assert begun.builder.values["L"] == pytest.approx(LANDSCAPES[name](*run.model.start), rel=1e-12)


def test_every_landscape_of_studies_has_formulas():
    assert set(LANDSCAPES) == set(get_args(Landscape.model_fields["function"].annotation))


def test_newtons_step_on_a_landscape(tmp_path):
    v = explain_run(written(tmp_path, on_landscape("himmelblau")), None, 2).numbers.values
    x, y = v["x1"], v["x2"]
    p, q = x**2 + y - 11, x + y**2 - 7
    gradient = [4 * x * p + 2 * q, 2 * p + 4 * y * q]
    hessian = [[12 * x**2 + 4 * y - 42, 4 * (x + y)], [4 * (x + y), 4 * x + 12 * y**2 - 26]]
    np.testing.assert_allclose([v["d_x1"], v["d_x2"]], gradient, rtol=1e-12)
    np.testing.assert_allclose(v["hessian"], hessian, rtol=1e-12)
    expected = np.array([x, y]) - np.linalg.solve(hessian, gradient)
    np.testing.assert_allclose([v["x1_new"], v["x2_new"]], expected, rtol=1e-12)


def test_a_trace_that_is_not_the_runs_is_refused(tmp_path):
    folder = written(tmp_path, study())
    reports: list[float] = []
    moment = retrained(choose(StudyResult(folder), None), 4, reports.append)
    assert reports[-1] == 1 and sorted(reports) == reports
    assert trace(moment, forward(moment)).apart < 1e-9
    later = moment.after._replace(
        parameters=jax.tree.map(lambda leaf: leaf * 1.001, moment.after.parameters)
    )
    momentum = study({"optimizer": {"kind": "sgd", "momentum": 0.9}})
    other = retrained(choose(StudyResult(written(tmp_path, momentum)), None), 4)
    earlier = other.before._replace(optimizer=other.after.optimizer)
    for wrong in (
        dataclasses.replace(moment, masks=(~moment.masks[0],)),
        dataclasses.replace(moment, inputs=moment.inputs[::-1]),
        dataclasses.replace(moment, after=later),
        dataclasses.replace(other, before=earlier),
    ):
        with pytest.raises(Disagreement):
            trace(wrong, forward(wrong))


def test_gradients_that_cancel_are_no_disagreement(tmp_path):
    """All biases' gradients are zero at first but for rounding, and Adam's step has full size."""
    run = {"model": "linear", "batches": "full", "optimizer": {"kind": "adam"}}
    asked = study({**run, "precision": "float32"}, 1)
    found = explain_run(written(tmp_path, asked))
    values = found.numbers.values
    assert np.abs(values["d_b1"]).max() < 1e-15 < 1e-3 < np.abs(values["d_W1"]).max()
    assert "rounding decides the step" in " ".join(found.notes)


def test_requests_that_cannot_be_served(tmp_path):
    with pytest.raises(StoreError, match="no results folder"):
        explain_run(tmp_path / "nothing")
    factors = {"optimizer.learning_rate": [0.1, 0.2]}
    folder = written(tmp_path / "two", study(vary=factors, seeds=[4, 7]))
    for run, step, message in (
        ("c2", 1, "no configuration 'c2'.*has c00, c01.*write c00, or c00:4"),
        ("c01:5", 1, r"no seed 5 \(its seeds: 4, 7\)"),
        ("c01", 6, "run c01-s4 has updates 1 to 5, found 6"),
        ("c01-s7", 0, "run c01-s7 has updates 1 to 5, found 0"),
        ("c01-s7", True, "expected the number of an update"),
    ):
        with pytest.raises(SpecError, match=message):
            explain_run(folder, run, step)
    assert explain_run(folder, "c01:7", 1).run == "c01-s7"
    own = {"model": {"kind": f"{__name__}:one_layer"}}
    with pytest.raises(SpecError, match="whose formulas the lab does not know"):
        explain_run(written(tmp_path / "own", study(own)))


def test_a_diverged_run_is_explained_up_to_where_it_was_finite(tmp_path):
    model = {"kind": "mlp", "hidden": [4], "activation": "relu"}
    run = {"model": model, "optimizer": {"kind": "sgd", "learning_rate": 1e40}}
    descentlab.run(study(run, 30), out=tmp_path / "run")
    frame = StudyResult(tmp_path / "run").frame()
    last = int(frame["diverged_step"].iloc[0])
    with pytest.raises(SpecError, match=f"diverged: after {last} updates .* choose one up to"):
        explain_run(tmp_path / "run", "c00", last + 1)
    assert np.isfinite(explain_run(tmp_path / "run", "c00", 1).numbers.values["W1_new"]).all()
