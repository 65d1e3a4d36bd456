"""What models compute, and what a study file may say of them."""

from __future__ import annotations

from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import PlainValidator

from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec, split_floats, with_floats
from descentlab.models.dropout import dropout
from descentlab.models.specs import CATALOGUE

from . import user_models

OWN = user_models.__name__
KEY = jax.random.key(0)


class Run(Spec):
    model: Annotated[Any, PlainValidator(CATALOGUE.validate)]


def build(raw, input_shape=(4,), outputs=3, dtype=jnp.float32, key=KEY):
    return CATALOGUE.validate(raw).build(input_shape, outputs, key=key, dtype=dtype)


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(6, 2, 2)).astype(np.float32)


def test_an_mlp_is_its_formula(x):
    raw = {"kind": "mlp", "hidden": [5, 5], "activation": "tanh"}
    with jax.enable_x64(True):
        module = build(raw, (2, 2), dtype=jnp.float64)
        found = module(jnp.asarray(x, jnp.float64))
    h = x.reshape(6, 4).astype(np.float64)
    for number, layer in enumerate(module.layers):
        h = h @ np.asarray(layer.weight) + np.asarray(layer.bias)
        h = np.tanh(h) if number < 2 else h
    np.testing.assert_allclose(found, h, rtol=1e-12)


def test_an_mlp_is_torchs_with_the_same_weights(x):
    torch = pytest.importorskip("torch")
    raw = {"kind": "mlp", "hidden": [5, 5], "activation": "relu"}
    with jax.enable_x64(True):
        module = build(raw, (2, 2), dtype=jnp.float64)
        linear = [torch.nn.Linear(*layer.weight.shape).double() for layer in module.layers]
        for theirs, ours in zip(linear, module.layers, strict=True):
            theirs.weight.data = torch.tensor(np.asarray(ours.weight).T)
            theirs.bias.data = torch.tensor(np.asarray(ours.bias))
        relu = torch.nn.ReLU()
        net = torch.nn.Sequential(linear[0], relu, linear[1], relu, linear[2])
        net(torch.tensor(x.reshape(6, 4), dtype=torch.float64)).square().sum().backward()

        def total(module):
            return (module(jnp.asarray(x, jnp.float64)) ** 2).sum()

        gradients = eqx.filter_grad(total)(module)
    for theirs, ours in zip(linear, gradients.layers, strict=True):
        np.testing.assert_allclose(ours.weight, theirs.weight.grad.numpy().T, rtol=1e-10)
        np.testing.assert_allclose(ours.bias, theirs.bias.grad.numpy(), rtol=1e-10)


@pytest.mark.parametrize("kind", ["linear", "logistic"])
def test_linear_models_start_at_zero_and_have_a_bias_unless_told_otherwise(kind, x):
    module = build(kind, (2, 2), 1)
    assert [leaf.shape for leaf in jax.tree.leaves(module)] == [(4, 1), (1,)]
    assert not np.any(module(jnp.asarray(x)))
    without = build({"kind": kind, "bias": False, "initial": "torch"}, (2, 2), 1)
    assert [leaf.shape for leaf in jax.tree.leaves(without)] == [(4, 1)]
    flat = x.reshape(6, 4)
    np.testing.assert_allclose(
        without(jnp.asarray(x)), flat @ np.asarray(without.layers[0].weight), rtol=1e-5
    )


def test_dropout_follows_each_hidden_layer_with_a_mask_of_its_own():
    raw = {"kind": "mlp", "hidden": [5, 5], "activation": "identity", "dropout": 0.4}
    module, key, x = build(raw), jax.random.key(9), jnp.ones((8, 4))
    h = x
    for number, layer in enumerate(module.layers[:-1]):
        h = dropout(layer(h), jnp.asarray(0.4), key, number)
    np.testing.assert_allclose(module(x, key=key), module.layers[-1](h), rtol=1e-5, atol=1e-6)
    assert np.any(module(x, key=key) != module(x))
    np.testing.assert_array_equal(module(x), build({**raw, "dropout": 0.0})(x, key=key))
    np.testing.assert_array_equal(module(x), build({**raw, "dropout": None})(x, key=key))


def test_dropout_changes_neither_the_start_nor_the_parameters():
    plain = build({"kind": "mlp", "hidden": [5]})
    noisy = build({"kind": "mlp", "hidden": [5], "dropout": 0.5})
    for a, b in zip(jax.tree.leaves(plain.layers), jax.tree.leaves(noisy.layers), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_float_is_data_and_may_be_traced():
    raw = {"kind": "mlp", "hidden": [5], "dropout": 0.5, "initial": {"kind": "normal", "std": 2.0}}
    spec = CATALOGUE.validate(raw)
    structure, floats = split_floats(spec)
    assert floats == {"dropout": 0.5, "initial.std": 2.0}
    assert split_floats(CATALOGUE.validate({**raw, "dropout": 0.1}))[0] == structure
    assert split_floats(CATALOGUE.validate({**raw, "dropout": None}))[0] != structure

    @jax.jit
    def outputs(floats, x):
        module = with_floats(spec, floats).build((4,), 3, key=KEY, dtype=jnp.float32)
        return module(x, key=jax.random.key(1))

    x = jnp.ones((6, 4))
    halved = {**floats, "initial.std": 1.0}
    expected = build({**raw, "initial": {"kind": "normal", "std": 1.0}})(x, key=jax.random.key(1))
    np.testing.assert_allclose(outputs(halved, x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ["gelu", "identity", "relu", "leaky_relu"])
def test_modules_built_at_different_times_have_one_structure(activation):
    raw = {"kind": "mlp", "hidden": [5], "activation": activation, "dropout": 0.1}
    one, other = (jax.tree.structure(build(raw)) for _ in range(2))
    assert one == other


def test_own_models_get_their_settings_and_the_runs_precision():
    spec = CATALOGUE.validate({"kind": f"{OWN}:Net", "settings": {"width": 5, "rate": 0.25}})
    assert spec == CATALOGUE.validate(spec.resolved())
    assert not type(spec).batched  # type: ignore[attr-defined]
    assert split_floats(spec)[1] == {"settings.rate": 0.25}
    with jax.enable_x64(True):
        module = spec.build((4,), 3, key=KEY, dtype=jnp.float64)  # type: ignore[attr-defined]
    assert module.first.weight.shape == (5, 4)
    assert module.first.weight.dtype == jnp.float64
    assert module.dropout.p == 0.25


def test_a_traced_dropout_rate_of_equinox_gets_no_gradient():
    """It looks like a parameter, but must not be trained."""
    spec = CATALOGUE.validate({"kind": f"{OWN}:Net", "settings": {"rate": 0.25}})

    @jax.jit
    def slope(rate):
        made = with_floats(spec, {"settings.rate": rate})
        module = made.build((4,), 3, key=KEY, dtype=jnp.float32)  # type: ignore[attr-defined]
        return eqx.filter_grad(lambda m: m(jnp.ones(4), key=KEY).sum())(module).dropout.p

    assert float(slope(0.25)) == 0


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("mpl", "unknown model 'mpl'; did you mean 'mlp'"),
        ({"kind": "mlp", "hiden": [3]}, r"run\.model\.hiden: .*did you mean 'hidden'"),
        ({"kind": "mlp", "hidden": [0]}, r"run\.model\.hidden\.0"),
        ({"kind": "mlp", "dropout": 1.0}, r"run\.model\.dropout"),
        ({"kind": "mlp", "activation": "rellu"}, r"run\.model\.activation: .*'relu'"),
        ({"kind": "mlp", "initial": {"kind": "normal", "std": -1}}, r"run\.model\.initial\.std"),
        ("no_such_package.x:Net", "cannot import model 'no_such_package.x:Net'"),
        (f"{OWN}:Nett", "cannot import model"),
        (f"{OWN}:number", "is int, which makes no model"),
        (f"{OWN}:without_key", "cannot be called as object.input_shape, outputs, key=key"),
        (
            {"kind": f"{OWN}:Net", "settings": {"widht": 3}},
            "unknown setting of .*:Net 'widht'; did you mean 'width'",
        ),
    ],
)
def test_faults_name_their_path(raw, message):
    with pytest.raises(SpecError, match=message):
        Run.parse({"model": raw}, "run")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("of_another_shape", r"shape \(4,\) to an array of shape \(3,\), found \(4,\)"),
        ("failing", "failing failed: RuntimeError: no such file"),
        ("fed_wrongly", r"failed on one example of shape \(4,\): "),
        ("no_module", "must return an Equinox module .*found dict"),
    ],
)
def test_own_models_that_do_not_fit_are_refused_when_they_are_built(name, message):
    with pytest.raises(SpecError, match=message):
        build(f"{OWN}:{name}")
    with pytest.raises(SpecError, match=message):
        jax.jit(lambda key: jax.tree.leaves(build(f"{OWN}:{name}", key=key)))(KEY)
