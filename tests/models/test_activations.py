"""Activations against their formulas and against PyTorch."""

from __future__ import annotations

from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from descentlab.models.activations import ActivationName, activation

X = np.concatenate([np.linspace(-8, 8, 65), [-1e4, -40.0, 40.0, 1e4]])
SMALL = X[np.abs(X) < 100]
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805

FORMULAS = {
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "relu": lambda x: np.maximum(0, x),
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(x)),
    "gelu": lambda x: x * norm.cdf(x),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
}
TORCH = {
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "softplus": "Softplus",
    "identity": "Identity",
}


def test_every_activation_is_compared():
    assert set(get_args(ActivationName)) == set(FORMULAS) == set(TORCH)


@pytest.mark.parametrize("name", FORMULAS)
def test_against_the_formula(name):
    with jax.enable_x64(True):
        found = activation(name)(jnp.asarray(SMALL))
    np.testing.assert_allclose(found, FORMULAS[name](SMALL), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_slopes_against_torch(name):
    torch = pytest.importorskip("torch")
    x = torch.tensor(X, requires_grad=True)
    expected = getattr(torch.nn, TORCH[name])()(x)
    expected.sum().backward()
    with jax.enable_x64(True):
        found, back = jax.vjp(activation(name), jnp.asarray(X))
        (slope,) = back(jnp.ones(len(X)))
    # PyTorch's softplus is x itself above 20; 2e-9 is what that leaves out.
    tolerance = 3e-9 if name == "softplus" else 1e-14
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-12, atol=tolerance)
    np.testing.assert_allclose(slope, x.grad.numpy(), rtol=1e-11, atol=tolerance)


@pytest.mark.parametrize("name", FORMULAS)
def test_precision_is_the_inputs_and_extremes_stay_finite(name):
    function = activation(name)
    x = jnp.asarray([-1e30, -100.0, 0.0, 100.0, 1e30], jnp.float32)
    found, back = jax.vjp(function, x)
    assert found.dtype == jnp.float32
    assert np.isfinite(found).all()
    assert np.isfinite(back(jnp.ones(5, jnp.float32))[0]).all()


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_is_one_object(name):
    """Activations are structure: a module built again must fit the parameters of the first."""
    assert activation(name) is activation(name)
