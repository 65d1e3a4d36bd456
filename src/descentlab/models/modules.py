"""The lab's own Equinox modules: dense layers and the multi-layer perceptron.

They take a batch. Dropout is on when a key is given and off without one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from descentlab.models.dropout import Setting, dropout
from descentlab.models.initial import Initial


class Dense(eqx.Module):
    """x W + b, with W of shape ``[inputs, outputs]`` (PyTorch stores the transpose)."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"] | None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        initial: Initial,
        bias: bool = True,
        *,
        key: Key[Array, ""],
        dtype: Any = jnp.float32,
    ) -> None:
        """Draw initial weights and biases from two keys split off ``key``."""
        weight_key, bias_key = jax.random.split(key)
        self.weight = initial.weights(weight_key, inputs, outputs, dtype)
        self.bias = initial.biases(bias_key, inputs, outputs, dtype) if bias else None

    def __call__(self, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        """Apply the layer to a batch."""
        product = x @ self.weight
        return product if self.bias is None else product + self.bias


class MLP(eqx.Module):
    """Dense layers with an activation and dropout after each hidden one; outputs are linear.

    Inputs of any shape are flattened. Without hidden layers this is the linear model.
    """

    layers: tuple[Dense, ...]
    rate: Setting | None
    activation: Callable[[Array], Array] = eqx.field(static=True)

    def __init__(
        self,
        input_shape: tuple[int, ...],
        hidden: Sequence[int],
        outputs: int,
        activation: Callable[[Array], Array],
        initial: Initial,
        *,
        bias: bool = True,
        dropout: Any = None,
        key: Key[Array, ""],
        dtype: Any = jnp.float32,
    ) -> None:
        """Build the layers, each from a key of its own."""
        sizes = (math.prod(input_shape), *hidden, outputs)
        keys = jax.random.split(key, len(sizes) - 1)
        self.layers = tuple(
            Dense(a, b, initial, bias, key=k, dtype=dtype)
            for a, b, k in zip(sizes[:-1], sizes[1:], keys, strict=True)
        )
        self.rate = None if dropout is None else Setting(jnp.asarray(dropout, dtype))
        self.activation = activation

    def __call__(
        self, x: Float[Array, "batch ..."], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "batch outputs"]:
        """Return the outputs (logits, or the regression's values) of a batch."""
        x = x.reshape(len(x), -1)
        for number, layer in enumerate(self.layers[:-1]):
            x = self.activation(layer(x))
            if self.rate is not None and key is not None:
                x = dropout(x, self.rate.value, key, number)
        return self.layers[-1](x)
