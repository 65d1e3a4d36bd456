"""The one optimizer protocol, and Optax behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import optax
from jaxtyping import Array, Float, Int, PyTree

Schedule = Callable[[Int[Array, ""]], Any]
"""A factor on the learning rate as a pure function of the number of updates before this one."""


@runtime_checkable
class Optimizer(Protocol):
    """What the engine asks of an optimizer; all three are pure functions."""

    def init(self, parameters: PyTree) -> PyTree:
        """Return the state before the first update: a pytree of arrays of fixed structure."""
        ...

    def update(
        self,
        gradients: PyTree,
        state: PyTree,
        parameters: PyTree,
        *,
        value: Float[Array, ""],
        hvp: Callable[[PyTree], PyTree],
    ) -> tuple[PyTree, PyTree]:
        """Return the new parameters and state.

        Args:
            gradients: of the batch's loss, shaped as the parameters.
            state: from ``init`` or the update before.
            parameters: before the update.
            value: the batch's loss.
            hvp: the product of the batch loss's Hessian with a vector.
        """
        ...

    def evaluation_parameters(self, parameters: PyTree, state: PyTree) -> PyTree:
        """Return what is evaluated: the parameters, or slow weights, or an average."""
        ...


class OptaxOptimizer:
    """An Optax transformation as an optimizer.

    Transformations that take ``value`` get the batch's loss; those that need a
    function to evaluate again (line searches, L-BFGS) are not supported.
    """

    def __init__(self, transformation: optax.GradientTransformation) -> None:
        self._transformation = optax.with_extra_args_support(transformation)

    def init(self, parameters: PyTree) -> PyTree:
        """Return the transformation's initial state."""
        return self._transformation.init(parameters)

    def update(
        self, gradients: PyTree, state: PyTree, parameters: PyTree, *, value: Any, hvp: Any
    ) -> tuple[PyTree, PyTree]:
        """Return parameters + the transformation's updates."""
        updates, state = self._transformation.update(gradients, state, parameters, value=value)
        return optax.apply_updates(parameters, updates), state

    def evaluation_parameters(self, parameters: PyTree, state: PyTree) -> PyTree:
        """Return the parameters themselves."""
        return parameters


def from_optax(transformation: optax.GradientTransformation) -> Optimizer:
    """Wrap an Optax transformation, learning rate and sign included."""
    return OptaxOptimizer(transformation)


def descend(
    direction: optax.GradientTransformation, learning_rate: Any, schedule: Schedule
) -> Optimizer:
    """Return θ ← θ - η·s(t)·d, with direction d and schedule factor s at t = 0, 1, ….

    The rate is applied after the direction, so after any buffer in it, as in PyTorch
    and Optax (Keras scales inside the velocity; the two part when the rate changes).
    """

    def rate(step: Int[Array, ""]) -> Any:
        return -learning_rate * schedule(step)

    if getattr(schedule, "is_constant", False):
        return from_optax(optax.chain(direction, _scale(-learning_rate)))
    return from_optax(optax.chain(direction, optax.scale_by_schedule(rate)))


def _scale(factor: Any) -> optax.GradientTransformation:
    """Scale by a factor that may be traced, keeping each array's dtype."""

    def update(updates: PyTree, state: Any, parameters: Any = None) -> tuple[PyTree, Any]:
        return jax.tree.map(lambda g: factor * g, updates), state

    return optax.GradientTransformation(lambda parameters: optax.EmptyState(), update)
