"""Readings: numbers of every single update, such as the learning rate that was applied.

An optimizer reports its own (:class:`descentlab.optimizers.protocol.Reading`); a run may
ask for the norms of its gradients beside them.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from descentlab.core.keys import named_key
from descentlab.engine.parameters import is_setting, trainable
from descentlab.engine.training import Floats, Training
from descentlab.optimizers.protocol import readings_of

MOST_UPDATES = 2048
"""Most updates whose readings one call of a program returns."""


def gradient_norms(gradients: PyTree) -> dict[str, Float[Array, ""]]:
    """Return ‖g‖ over all parameters, and over those of each layer, the first being 1.

    Parameters that lie in one module (a layer's weight and bias) count as a layer.
    """
    squares: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients):
        layer = jax.tree_util.keystr(path[:-1])
        squares[layer] = squares.get(layer, 0.0) + jnp.sum(jnp.square(leaf))
    total = sum(squares.values(), jnp.zeros(()))
    layers = {f"gradient_norm_{i}": s for i, s in enumerate(squares.values(), 1)}
    return {name: jnp.sqrt(s) for name, s in {"gradient_norm": total, **layers}.items()}


def readings(
    training: Training, optimizer: Any, state: PyTree, gradients: PyTree
) -> dict[str, Float[Array, ""]]:
    """Return an update's readings: the optimizer's, and the gradients' norms if asked for."""
    norms = gradient_norms(gradients) if training.gradient_norms else {}
    found = readings_of(optimizer, state) | norms
    return {name: jnp.asarray(value, training.precision) for name, value in found.items()}


def reading_names(training: Training, floats: Floats) -> tuple[str, ...]:
    """Return the names of a run's readings; nothing is computed."""
    found: list[str] = []

    def look() -> None:
        model = training.build(floats, named_key(jnp.uint32(0), "init"))
        parameters, _ = eqx.partition(model, trainable, is_leaf=is_setting)
        optimizer = training.optimizer(floats)
        found.extend(readings(training, optimizer, optimizer.init(parameters), parameters))

    with jax.enable_x64(training.precision == "float64"):
        jax.eval_shape(look)
    return tuple(found)
