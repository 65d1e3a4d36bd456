"""What ``descentlab.train`` refuses, in words, and what it goes on taking."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import descentlab
from descentlab.core.errors import DataError, SpecError
from descentlab.engine.strategy import Strategy
from descentlab.studies.spec import Study

X = np.random.default_rng(0).normal(size=(16, 2))
Y = np.arange(16) % 2
FIVE = np.arange(16) % 5
LABELS = np.array(["no", "yes"])[Y]
REGRESSION = {"objective": "regression", "loss": "mse"}
RATE = "learning_rate"


def linear(outputs, inputs=2):
    return lambda key: eqx.nn.Linear(inputs, outputs, key=key)


def train(**changes):
    arguments = {
        "model": linear(2), "data": (X, Y), "optimizer": optax.sgd(0.1), "epochs": 1,
        "batch_size": 5, **changes,
    }  # fmt: skip
    return descentlab.train(arguments.pop("model"), arguments.pop("data"), **arguments)


def refused(error, message, **changes):
    """See that there is this error, and no warning or other exception before it."""
    with pytest.raises(error, match=message) as found:
        train(**changes)
    assert type(found.value) is error
    assert "pydantic" not in str(found.value)


class Silent(eqx.Module):
    """A module that cannot be called."""

    weight: jax.Array


class Forgetful(eqx.Module):
    """A module with dropout that takes no key."""

    layer: eqx.nn.Linear
    drop: eqx.nn.Dropout

    def __init__(self, key):
        self.layer, self.drop = eqx.nn.Linear(2, 2, key=key), eqx.nn.Dropout(0.5)

    def __call__(self, x):
        return self.drop(self.layer(x))


class Moody(eqx.Module):
    """A module that gives more outputs while training."""

    layer: eqx.nn.Linear

    def __init__(self, key):
        self.layer = eqx.nn.Linear(2, 2, key=key)

    def __call__(self, x, key=None):
        return self.layer(x) if key is None else jnp.concatenate([self.layer(x), x])


@pytest.mark.parametrize(
    ("error", "message", "changes"),
    [
        (DataError, r"test .*classes 0 to 1.*found 7 at .*\(8 ", {"test": (X[:8], [7] * 8)}),
        (DataError, "validation targets.*found 7", {"validation": (X[:8], [7] * 8)}),
        (SpecError, r"at least 5.*found shape \(2,\)", {"data": (X, FIVE)}),
        (SpecError, r"at least 2.*found shape \(1,\).*binary_cross_", {"model": linear(1)}),
        (SpecError, r"at least 2.*found shape \(\)", {"model": linear("scalar")}),
        (SpecError, r"at least 5.*shape \(2,\)", {"data": (X, FIVE), "loss": "mse"}),
        (SpecError, r"one logit.*gives shape \(2,\)", {"loss": "binary_cross_entropy"}),
        (
            DataError,
            "test targets.*binary_cross_entropy is for two.*found 2",
            {"loss": "binary_cross_entropy", "model": linear(1), "test": (X, Y + 2)},
        ),
        (
            SpecError,
            "for two classes; .* has 5",
            {"loss": "binary_cross_entropy", "data": (X, FIVE)},
        ),
        (
            SpecError,
            r"shape \(3,\).*gives shape \(1,\)",
            {"model": linear(1), "data": (X, np.zeros((16, 3))), **REGRESSION},
        ),
        (SpecError, r"\(1,\).*gives shape \(\)", {"model": linear("scalar"), **REGRESSION}),
        (DataError, "found 8589934592 at example 0", {"data": (X, Y + 2**33)}),
        (DataError, "found 1000000000", {"test": (X, Y + 10**9)}),
        (SpecError, r"training and of shape \(2,\) in evaluations", {"model": Moody}),
    ],
)
def test_outputs_that_do_not_fit_the_targets_are_refused(error, message, changes):
    refused(error, message, **changes)


@pytest.mark.parametrize(
    ("message", "loss", "more"),
    [
        (r"shape \(5,\) for a batch of 5, found shape \(\)", lambda o, t: (o**2).mean(), {}),
        ("found shape", lambda o, t: (o**2).sum(1, keepdims=True), {}),
        ("one float an example", lambda o, t: o.argmax(axis=1), {}),
        ("'loss' failed on outputs of .*TypeError", lambda o, t: o @ t, {}),
        ("objective='regression'", lambda o, t: o[:, 0] ** 2, {"model": linear(1)}),
        ("name of a loss or a function", 3, {}),
        ("unknown loss 'cross-entropy'; did you mean", "cross-entropy", {}),
    ],
)
def test_losses_that_do_not_fit_are_refused(message, loss, more):
    refused(SpecError, message, loss=loss, **more)


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (
            "'learning_rat'; did you mean 'learning_rate'",
            {"settings": {"learning_rat": [0.1]}, "optimizer": lambda learning_rate=0.1: 1 / 0},
        ),
        (
            "'learning_rat'; did you mean 'learning_rate'",
            {"settings": {"learning_rat": [0.1]}, "optimizer": optax.sgd},
        ),
        ("'model' names none.*lambda learning_rate", {"settings": {RATE: [0.1, 0.9]}}),
        ("'optimizer' names none", {"settings": {RATE: [0.1]}, "optimizer": lambda **more: 3}),
        ("such as .* found 0.1", {"settings": {RATE: 0.1}, "optimizer": optax.sgd}),
        ("found '0.1'", {"settings": {RATE: "0.1"}, "optimizer": optax.sgd}),
        ("map names to lists", {"settings": ["a"]}),
        ("hold numbers, found 'a'", {"settings": {RATE: ["a"]}, "optimizer": optax.sgd}),
        ("hold numbers, found None", {"settings": {RATE: [None]}, "optimizer": optax.sgd}),
        ("hold numbers, found True", {"settings": {"nesterov": [True]}, "optimizer": optax.sgd}),
        ("hold numbers, found 1j", {"settings": {RATE: [1j]}, "optimizer": optax.sgd}),
        (r"shape \(2, 2\)", {"settings": {RATE: np.ones((2, 2))}, "optimizer": optax.sgd}),
        ("cannot be called 'seed'", {"settings": {"seed": [1.0]}, "optimizer": lambda seed: 3}),
        (
            "settings .width. arrive as traced floats.*only floats can vary.*for each value",
            {
                "model": lambda key, width: eqx.nn.MLP(2, 2, width, 1, key=key),
                "settings": {"width": [4, 8]},
            },
        ),
        (
            "settings .steps. arrive as traced floats.*for each value",
            {
                "optimizer": lambda steps: optax.sgd(optax.exponential_decay(0.1, steps, 0.5)),
                "settings": {"steps": [4, 8]},
            },
        ),
    ],
)
def test_settings_that_cannot_be_varied_are_refused(message, changes):
    refused(SpecError, message, **changes)


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("seed 1 is in 'seeds' more than once", {"seeds": [1, 2, 1]}),
        ("0 to 4294967295, found -1", {"seeds": [-1]}),
        ("0 to 4294967295, found 1099511627776", {"seeds": [2**40]}),
        (r"up to 100,000, .*seeds=\[number\]", {"seeds": 2**40}),
        ("0 to 4294967295, found 1.5", {"seeds": [1.5]}),
        ("a number of seeds or a list, found 1.5", {"seeds": 1.5}),
        ("a number of seeds or a list, found '3'", {"seeds": "3"}),
        ("there must be a seed", {"seeds": 0}),
        ("'epochs' must be a whole number from 1 on, found 1.5", {"epochs": 1.5}),
        ("'epochs' must be a whole number from 1 on, found 0", {"epochs": 0}),
        ("'steps' must be a whole number", {"epochs": None, "steps": "3"}),
        ("at most 2,147,483,647", {"epochs": None, "steps": 2**31}),
        ("'every' .* or 'epoch', found 0", {"every": 0}),
        ("'every' .* or 'epoch', found 'foo'", {"every": "foo"}),
        ("'batch_size' .* or None for all examples, found 0", {"batch_size": 0}),
        ("unknown precision 'float16'", {"precision": "float16"}),
        ("unknown objective 'foo'", {"objective": "foo"}),
        ("'objective' must be one of", {"objective": 3}),
        ("unknown train_record 'foo'", {"train_record": "foo"}),
        ("strategy: expected FORM:WIDTHxLANES.*found 'foo'", {"strategy": "foo"}),
        ("strategy: expected FORM:WIDTHxLANES.*found '3'", {"strategy": 3}),
    ],
)
def test_words_and_numbers_out_of_range_are_refused(message, changes):
    refused(SpecError, message, **changes)


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("missing a required argument: 'learning_rate'", {"optimizer": optax.sgd}),
        ("must return an Optax transformation .*found int", {"optimizer": lambda: 3}),
        ("'optimizer' failed: ZeroDivisionError", {"optimizer": lambda: 1 / 0}),
        (
            "failed at its first update: ValueError: no",
            {"optimizer": optax.GradientTransformation(lambda p: (), lambda *a: _raise())},
        ),
        ("got an unexpected keyword argument 'key'", {"model": lambda: linear(2)}),
        ("missing a required argument: 'width'", {"model": lambda key, width: 3}),
        ("must return an Equinox module .*found int", {"model": lambda key: 3}),
        ("failed to make a module: ZeroDivisionError", {"model": lambda key: 1 / 0}),
        ("Silent has no __call__", {"model": Silent(jnp.ones(2))}),
        (r"one training example, an array of shape \(2,\): TypeError", {"model": linear(2, 3)}),
        ("one training example.*Dropout requires a key", {"model": Forgetful}),
    ],
)
def test_models_and_optimizers_that_fail_are_explained(message, changes):
    refused(SpecError, message, **changes)


def _raise():
    raise ValueError("no")


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        (
            r"test inputs have shape \(3,\) .*training inputs \(2,\)",
            {"test": (X @ np.ones((2, 3)), Y)},
        ),
        ("numbers, found an array of dtype object.*astype", {"data": (X.astype(object), Y)}),
        ("numbers, found an array of dtype <U", {"data": (X.astype(str), Y)}),
        ("every example the same shape", {"data": ([[1, 2], [3]], [0, 1])}),
        ("complex128; the imaginary part would be lost", {"data": (X + 1j, Y)}),
        ("complex128", {"data": (X, Y + 1j), **REGRESSION}),
        ("must be numbers, .*objective='classification'", {"data": (X, LABELS), **REGRESSION}),
        ("validation targets hold NaN", {"validation": (X, X * np.nan), **REGRESSION}),
        (
            "1 target values as in the training part, found 2",
            {"test": (X, X), "model": linear(1), **REGRESSION},
        ),
        ("class numbers 0, 1, …, found <U.*numpy.unique", {"data": (X, LABELS)}),
        ("of one-hot rows take the argmax", {"data": (X, np.eye(2, dtype=int)[Y])}),
        ("found -1 at example 1", {"data": (X, -Y)}),
        (r"pair \(inputs, targets\), found tuple of 1", {"data": (X,)}),
        (r"pair \(inputs, targets\), found ndarray", {"data": X}),
        ("one entry an example, found int", {"test": (3, Y)}),
    ],
)
def test_arrays_that_do_not_fit_are_refused(message, changes):
    refused(DataError, message, **changes)


@pytest.mark.parametrize(
    ("runs", "changes"),
    [
        (1, {"model": linear(10)}),  # classes that no example has
        (1, {"model": linear(3), "test": (X, np.full(16, 2))}),
        (1, {"strategy": "map:1x1"}),
        (1, {"strategy": Strategy("map", 1, 1)}),
        (2, {"seeds": np.int64(2)}),
        (2, {"seeds": np.array([4, 2**32 - 1])}),
        (2, {"settings": {RATE: [0, 1]}, "optimizer": optax.sgd}),
        (2, {"settings": {RATE: jnp.ones(2)}, "optimizer": optax.sgd}),
        (2, {"settings": {RATE: (10.0**-i for i in range(2))}, "optimizer": optax.sgd}),
        (1, {"model": linear(1), **REGRESSION}),  # whole numbers to be predicted
        (1, {"objective": "regression", "loss": lambda o, t: o[:, 1] + (o[:, 0] - t[:, 0]) ** 2}),
        (1, {"data": (jnp.asarray(X, jnp.bfloat16), Y)}),
        (1, {"data": [(X > 0).tolist(), Y.astype(np.uint8)]}),
        (
            1,  # examples of any size
            {
                "model": lambda key: eqx.nn.Sequential(
                    [eqx.nn.Lambda(lambda x: x.mean(keepdims=True)), eqx.nn.Linear(1, 2, key=key)]
                ),
                "test": (np.ones((4, 7)), Y[:4]),
            },
        ),
    ],
)
def test_what_fits_is_trained(runs, changes):
    frame = train(**changes).frame()
    assert len(frame) == runs
    assert np.isfinite(frame.filter(regex="loss$").to_numpy()).all()


def test_the_test_loss_of_classes_beyond_the_trained_ones_is_their_own():
    start = eqx.nn.Linear(2, 3, key=jax.random.key(0))
    test = X[:4], np.full(4, 2)
    found = train(model=start, optimizer=optax.sgd(0.0), test=test)
    logits = X[:4] @ np.asarray(start.weight).T + np.asarray(start.bias)
    expected = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[:, 2])
    np.testing.assert_allclose(found.frame()["test_loss"], expected, rtol=1e-5)


@pytest.mark.parametrize("metric", ["nope", "seed", "test_loss"])
def test_a_metric_that_was_not_recorded_is_refused(metric):
    found = train()
    for method in (found.best, found.curves):
        with pytest.raises(SpecError, match=rf"'{metric}' \(recorded: train_loss, train_accuracy"):
            method(metric)


RUN = {
    "data": "iris",
    "model": "linear",
    "optimizer": {"kind": "sgd", "learning_rate": 0.1},
    "steps": 2,
}


def test_a_study_takes_the_layout_as_text(tmp_path):
    study = Study.parse({"name": "tiny", "run": RUN})
    result = descentlab.run(study, out=tmp_path / "out", strategy="map:1x1")
    assert len(result.frame()) == 1
    for wrong in ("sideways", 3):
        with pytest.raises(SpecError, match=f"FORM:WIDTHxLANES.*found '{wrong}'"):
            descentlab.run(study, out=tmp_path / "other", strategy=wrong)


def test_a_study_refuses_regression_on_classes(tmp_path):
    run = {**RUN, "objective": "regression", "loss": "mse"}
    study = Study.parse({"name": "tiny", "run": run})
    with pytest.raises(SpecError, match="numeric targets; 'iris' has 3 classes"):
        descentlab.run(study, out=tmp_path / "out")
