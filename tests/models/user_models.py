"""Models as a user would write them, named in tests as ``package.module:object``."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp


class Net(eqx.Module):
    """A class with settings, dropout and a call that takes a key."""

    first: eqx.nn.Linear
    second: eqx.nn.Linear
    dropout: eqx.nn.Dropout

    def __init__(self, input_shape, outputs, *, key, width=8, rate=0.5):
        a, b = jax.random.split(key)
        self.first = eqx.nn.Linear(*input_shape, width, key=a)
        self.second = eqx.nn.Linear(width, outputs, key=b)
        self.dropout = eqx.nn.Dropout(rate)

    def __call__(self, x, *, key=None):
        return self.second(self.dropout(jnp.tanh(self.first(x)), key=key))


class Lonely(eqx.Module):
    """Takes an example and nothing else."""

    weight: jax.Array

    def __init__(self, input_shape, outputs, *, key):
        self.weight = jax.random.normal(key, (outputs, *input_shape))

    def __call__(self, x):
        return self.weight @ x


def lonely(input_shape, outputs, *, key):
    """A function that makes a module that takes no key."""
    return Lonely(input_shape, outputs, key=key)


def of_another_shape(input_shape, outputs, *, key):
    return eqx.nn.Linear(*input_shape, outputs + 1, key=key)


def failing(input_shape, outputs, *, key):
    raise RuntimeError("no such file\nand more")


def fed_wrongly(input_shape, outputs, *, key):
    return eqx.nn.Linear(input_shape[0] + 1, outputs, key=key)


def no_module(input_shape, outputs, *, key):
    return {"weights": 1}


def without_key(input_shape, outputs):
    return None


number = 5
