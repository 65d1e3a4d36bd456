"""Dense layers without activation are one linear layer: their matrices multiplied, the minimum."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
import optax
import pytest
from sklearn.linear_model import LogisticRegression

import descentlab
from descentlab.data.specs import CATALOGUE


def layers(widths, bias):
    """Return what makes dense layers of these widths, with nothing between them."""

    def make(key):
        keys = jax.random.split(key, len(widths) - 1)
        pairs = zip(widths, widths[1:], keys, strict=False)
        return eqx.nn.Sequential([eqx.nn.Linear(i, o, use_bias=bias, key=k) for i, o, k in pairs])

    return make


def multiplied(module):
    """Return the one matrix and the one bias of a stack of layers, by NumPy."""
    matrix, shift = None, 0.0
    for layer in module.layers:
        weight = np.asarray(layer.weight)
        matrix = weight if matrix is None else weight @ matrix
        shift = weight @ np.atleast_1d(shift) if np.ndim(shift) else 0.0
        shift = shift + (0.0 if layer.bias is None else np.asarray(layer.bias))
    return matrix, shift


def outputs(module, inputs):
    """Return what the module itself gives, in float64."""
    with jax.enable_x64(True):
        return np.asarray(jax.vmap(module)(inputs))


@pytest.mark.parametrize("widths", [(4, 1), (4, 6, 1), (4, 6, 5, 6, 1)], ids=str)
def test_a_stack_finds_the_least_squares_solution(widths):
    spec = {"kind": "least_squares", "examples": 60, "features": 4, "noise": 0.6, "condition": 5}
    part = CATALOGUE.validate(spec).load().train
    trained = descentlab.train(
        layers(widths, bias=False), (part.inputs, part.targets), objective="regression",
        loss="half_mse", optimizer=optax.sgd(0.1), steps=6000, every=6000, batch_size=None,
        train_record="evaluated", precision="float64", seeds=2,
    )  # fmt: skip
    np.testing.assert_allclose(trained.frame()["train_loss"], 0.6**2 / 2, rtol=1e-9)
    targets = np.asarray(part.targets).reshape(-1)
    solution = np.linalg.lstsq(part.inputs, targets, rcond=None)[0]
    for module in trained.models.values():
        matrix, _ = multiplied(module)
        np.testing.assert_allclose(matrix[0], solution, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(
            outputs(module, part.inputs), part.inputs @ matrix.T, rtol=1e-12, atol=1e-13
        )


@pytest.mark.parametrize("widths", [(2, 1), (2, 8, 8, 1)], ids=str)
def test_a_stack_finds_the_minimum_of_logistic_regression(widths):
    spec = {"kind": "moons", "examples": 200, "noise": 0.3}
    part = CATALOGUE.validate(spec).load().train
    trained = descentlab.train(
        layers(widths, bias=True), (part.inputs, part.targets), loss="binary_cross_entropy",
        optimizer=optax.sgd(0.3), steps=8000, every=8000, batch_size=None,
        train_record="evaluated", precision="float64", seeds=2,
    )  # fmt: skip
    known = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000)
    known.fit(part.inputs, part.targets)
    logits = known.decision_function(part.inputs)
    minimum = np.mean(np.logaddexp(0, logits) - part.targets * logits)
    np.testing.assert_allclose(trained.frame()["train_loss"], minimum, rtol=1e-7)
    for module in trained.models.values():
        matrix, shift = multiplied(module)
        np.testing.assert_allclose(matrix, known.coef_, rtol=1e-2)
        np.testing.assert_allclose(shift, known.intercept_, rtol=1e-2)
        np.testing.assert_allclose(
            outputs(module, part.inputs), part.inputs @ matrix.T + shift, rtol=1e-11, atol=1e-12
        )
