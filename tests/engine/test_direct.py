"""Training with values: any Equinox module, any Optax transformation, arrays."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import descentlab
from descentlab.core.errors import DataError, SpecError

generator = np.random.default_rng(0)
X = generator.normal(size=(120, 5))
Y = (X @ generator.normal(size=5) > 0).astype(int)


class Net(eqx.Module):
    """One hidden layer with dropout, on one example, as Equinox's users write it."""

    first: eqx.nn.Linear
    drop: eqx.nn.Dropout
    last: eqx.nn.Linear

    def __init__(self, key):
        a, b = jax.random.split(key)
        self.first, self.last = eqx.nn.Linear(5, 8, key=a), eqx.nn.Linear(8, 2, key=b)
        self.drop = eqx.nn.Dropout(0.2)

    def __call__(self, x, *, key=None):
        return self.last(self.drop(jax.nn.relu(self.first(x)), key=key))


def test_a_linear_model_with_full_batches_equals_a_plain_loop_in_optax():
    def make(key):
        return eqx.nn.Linear(5, 2, key=key, dtype=jnp.float64)

    found = descentlab.train(
        make, (X, Y), optimizer=optax.adam(0.05), batch_size=None, steps=30, every=1,
        train_record="evaluated", precision="float64",
    )  # fmt: skip
    with jax.enable_x64(True):
        from descentlab.core.keys import named_key

        model, optimizer = make(named_key(0, "init")), optax.adam(0.05)
        state = optimizer.init(eqx.filter(model, eqx.is_array))

        def loss(model):
            outputs = jax.vmap(model)(jnp.asarray(X))
            return optax.softmax_cross_entropy_with_integer_labels(outputs, jnp.asarray(Y)).mean()

        expected = [float(loss(model))]
        for _ in range(30):
            updates, state = optimizer.update(eqx.filter_grad(loss)(model), state)
            model = eqx.apply_updates(model, updates)
            expected.append(float(loss(model)))
    np.testing.assert_allclose(found.curves("train_loss")["value"], expected, rtol=1e-10)
    np.testing.assert_allclose(found.models[0, 0].weight, model.weight, rtol=1e-8)


def test_settings_seeds_and_parts_make_a_table_and_models():
    found = descentlab.train(
        Net, (X[:80], Y[:80]), test=(X[80:], Y[80:]), optimizer=optax.sgd,
        settings={"learning_rate": [0.05, 0.5, 1e20], "momentum": [0.0, 0.9]},
        seeds=[3, 4], epochs=30, batch_size=16,
    )  # fmt: skip
    frame = found.frame()
    assert len(frame) == 12 and set(frame["seed"]) == {3, 4}
    bad = frame[frame["learning_rate"] > 1e10]
    assert bad["diverged"].all() and bad["test_loss"].isna().all()
    good = frame[frame["learning_rate"] < 1]
    assert not good["diverged"].any() and (good["test_accuracy"] > 0.8).all()
    assert found.best("test_accuracy")["learning_rate"] < 1
    number = int(good["configuration"].iloc[0])
    model = eqx.nn.inference_mode(found.models[number, 3])
    predicted = jax.vmap(model)(jnp.asarray(X[80:], jnp.float32)).argmax(axis=1)
    row = frame.query("configuration == @number and seed == 3")
    assert float((predicted == Y[80:]).mean()) == pytest.approx(float(row["test_accuracy"].iloc[0]))


def test_a_module_as_it_is_and_a_loss_of_ones_own_and_regression():
    start = eqx.nn.Linear(5, 1, key=jax.random.key(0))
    target = (X @ np.arange(5.0))[:, None]

    def huber(outputs, targets):
        return optax.huber_loss(outputs, targets).sum(axis=1)

    found = descentlab.train(
        start, (X, target), objective="regression", loss=huber, optimizer=optax.adam(0.1),
        epochs=60, batch_size=40,
    )  # fmt: skip
    assert found.frame()["train_loss"].iloc[0] < 0.02
    np.testing.assert_allclose(found.models[0, 0].weight[0], np.arange(5.0), atol=0.15)
    assert "train_accuracy" not in found.frame()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"epochs": None}, SpecError, "either 'epochs' or 'steps'"),
        ({"seeds": []}, SpecError, "there must be a seed"),
        ({"settings": {"learning_rate": []}}, SpecError, "at least one value"),
        ({"data": (X, Y[:3])}, DataError, "120 inputs and 3 targets"),
        ({"data": (X, Y + 0.5)}, DataError, "class numbers"),
        ({"data": (np.where(X > 2, np.nan, X), Y)}, DataError, "NaN"),
        ({"model": 3}, SpecError, "Equinox module"),
        ({"optimizer": 3}, SpecError, "Optax transformation"),
        ({"batch_size": 121}, SpecError, "larger than the training data"),
    ],
)
def test_arguments_that_do_not_fit_are_explained(changes, error, message):
    arguments = {"model": Net, "data": (X, Y), "optimizer": optax.sgd(0.1), "epochs": 1, **changes}
    with pytest.raises(error, match=message):
        descentlab.train(arguments.pop("model"), arguments.pop("data"), **arguments)
