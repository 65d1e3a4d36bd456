"""Every model of the catalogue, and a user's own, keep the contract."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from descentlab.models.contract import ModelContract
from descentlab.models.specs import Model

from . import user_models

OWN = user_models.__name__


class TestLinear(ModelContract):
    spec = "linear"


class TestLogisticOfAnImage(ModelContract):
    spec = {"kind": "logistic", "bias": False, "initial": "glorot"}
    input_shape = (3, 5)
    outputs = 1


class TestMLP(ModelContract):
    spec = {"kind": "mlp", "hidden": [5], "activation": "gelu", "dropout": 0.3}


class TestPoint(ModelContract):
    spec = {"kind": "point", "start": [1.0, -2.0, 0.5], "spread": 0.3}


class TestOwnClass(ModelContract):
    spec = {"kind": f"{OWN}:Net", "settings": {"width": 6, "rate": 0.25}}


class TestOwnFunctionAndNoKey(ModelContract):
    spec = f"{OWN}:lonely"


class _BatchNorm(eqx.Module):
    weight: jax.Array

    def __call__(self, x, *, key=None):
        return (x - x.mean(axis=0)) @ self.weight


class _Faulty(Model):
    kind: str = "faulty"

    def build(self, input_shape, outputs, *, key, dtype):
        return _BatchNorm(jax.random.normal(key, (*input_shape, outputs)).astype(jnp.float32))


class Faulty(ModelContract):
    spec = _Faulty()


def test_the_contract_finds_faults():
    with pytest.raises(AssertionError, match="float32"):
        Faulty().test_shape_and_precision()
    with pytest.raises(AssertionError):
        Faulty().test_an_example_does_not_feel_its_batch()
