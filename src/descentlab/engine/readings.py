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
    leaves: dict[str, list[Array]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients):
        leaves.setdefault(jax.tree_util.keystr(path[:-1]), []).append(leaf)
    norms = [_norm([_norm([leaf]) for leaf in layer]) for layer in leaves.values()]
    layers = {f"gradient_norm_{i}": norm for i, norm in enumerate(norms, 1)}
    return {"gradient_norm": _norm(norms), **layers}


def _norm(parts: list[Array]) -> Float[Array, ""]:
    """Return the Euclidean norm of all numbers, whose squares may not be representable."""
    size = jnp.stack([jnp.abs(part).max() for part in parts]).max()
    unit = jnp.where((size > 0) & jnp.isfinite(size), size, 1)
    squares = [jnp.square(part / unit).sum() for part in parts]
    return unit * jnp.sqrt(jnp.stack(squares).sum())


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
