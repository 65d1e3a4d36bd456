"""Descending on a function with any optimizer of the catalogue, one update at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from descentlab.optimizers.protocol import fast_parameters, readings_of
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.specs import CATALOGUE


class Path(NamedTuple):
    """Points before the first and after every update, what is evaluated, fast, and read."""

    points: np.ndarray
    evaluated: np.ndarray
    fast: np.ndarray
    readings: dict[str, np.ndarray]


def descend(
    spec: Any,
    loss: Callable[..., Any],
    start: Any,
    steps: int,
    schedule: Any = "constant",
    batches: Any = None,
) -> Path:
    """Follow an optimizer in float64; ``loss(θ)``, or ``loss(θ, batch)`` of the t-th batch."""
    with jax.enable_x64(True):
        optimizer = CATALOGUE.validate(spec).build(SCHEDULES.validate(schedule).build())
        theta = jnp.asarray(start, jnp.float64)
        batches = jnp.zeros(steps) if batches is None else jnp.asarray(batches)
        whole = (lambda t, b: loss(t)) if loss.__code__.co_argcount == 1 else loss

        def body(carry: Any, batch: Any) -> Any:
            theta, state = carry
            own = lambda t: whole(t, batch)  # noqa: E731
            value, gradient = jax.value_and_grad(own)(theta)
            hvp = lambda v: jax.jvp(jax.grad(own), (theta,), (v,))[1]  # noqa: E731
            theta, state = optimizer.update(gradient, state, theta, value=value, hvp=hvp, loss=own)
            seen = (
                theta,
                optimizer.evaluation_parameters(theta, state),
                fast_parameters(optimizer, theta, state),
                readings_of(optimizer, state),
            )
            return (theta, state), seen

        state = optimizer.init(theta)
        _, (points, evaluated, fast, readings) = jax.jit(lambda c: jax.lax.scan(body, c, batches))(
            (theta, state)
        )
        first = np.asarray(start, float)[None]
        join = lambda x: np.concatenate([first, np.asarray(x)])  # noqa: E731
        read = {name: np.asarray(value) for name, value in readings.items()}
        return Path(join(points), join(evaluated), join(fast), read)
