"""The one optimizer protocol, and Optax behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import optax
from jaxtyping import Array, Float, Int, PyTree

from descentlab.core.errors import SpecError
from descentlab.optimizers.schedules import constant

Schedule = Callable[[Int[Array, ""]], Any]
"""A factor on the learning rate as a pure function of the number of updates before this one."""


@runtime_checkable
class Optimizer(Protocol):
    """What the engine asks of an optimizer; all three are pure functions.

    :class:`descentlab.optimizers.contract.OptimizerContract` tests what is promised here.
    """

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
        """Return the new parameters and state, with the dtypes that they had.

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
    """An Optax transformation as an optimizer; made by :func:`from_optax`."""

    def __init__(
        self,
        transformation: optax.GradientTransformation,
        evaluate: Callable[[PyTree, PyTree], PyTree] | None = None,
    ) -> None:
        self._transformation = optax.with_extra_args_support(transformation)
        self._evaluate = evaluate

    def init(self, parameters: PyTree) -> PyTree:
        """Return the transformation's initial state."""
        return self._transformation.init(parameters)

    def update(
        self, gradients: PyTree, state: PyTree, parameters: PyTree, *, value: Any, hvp: Any
    ) -> tuple[PyTree, PyTree]:
        """Return parameters + the transformation's updates."""
        try:
            updates, state = self._transformation.update(
                gradients, state, parameters, value=value, grad=gradients
            )
        except TypeError as error:
            if "value_fn" not in str(error):
                raise
            raise SpecError(
                "run.optimizer: this Optax transformation evaluates the loss function itself "
                "(value_fn: a line search, L-BFGS), which is not supported; use one that works "
                "on gradients and the loss's value"
            ) from error
        return optax.apply_updates(parameters, updates), state

    def evaluation_parameters(self, parameters: PyTree, state: PyTree) -> PyTree:
        """Return the parameters themselves, unless told otherwise."""
        return parameters if self._evaluate is None else self._evaluate(parameters, state)


def from_optax(
    transformation: optax.GradientTransformation,
    evaluate: Callable[[PyTree, PyTree], PyTree] | None = None,
) -> Optimizer:
    """Wrap an Optax transformation, learning rate and sign included: θ ← θ + updates.

    Transformations with extra arguments get ``value`` (the batch's loss) and ``grad``. Those
    that need a function to evaluate again (``value_fn``: line searches, L-BFGS) are not
    supported, and fail with a :class:`SpecError` at their first update.

    Args:
        transformation: of the gradients, such as ``optax.adamw(1e-3)``.
        evaluate: gives what is evaluated, from the parameters and the transformation's state;
            such as ``lambda p, s: optax.contrib.schedule_free_eval_params(s, p)``. The
            parameters themselves by default.

    Example:
        >>> import jax.numpy as jnp, optax
        >>> optimizer = from_optax(optax.sgd(0.5))
        >>> start = jnp.ones(2)
        >>> new, _ = optimizer.update(start, optimizer.init(start), start, value=1.0, hvp=None)
        >>> new.tolist()
        [0.5, 0.5]
    """
    if not isinstance(transformation, optax.GradientTransformation):
        raise SpecError(
            "expected an Optax transformation (optax.GradientTransformation), such as "
            f"optax.sgd(0.1), found {type(transformation).__name__}"
        )
    return OptaxOptimizer(transformation, evaluate)


def descend(
    direction: optax.GradientTransformation, learning_rate: Any, schedule: Schedule = constant
) -> Optimizer:
    """Return θ ← θ - η·s(t)·d, with direction d and schedule factor s at t = 0, 1, ….

    The rate is applied after the direction, so after any buffer in it, as in PyTorch
    and Optax (Keras scales inside the velocity; the two part when the rate changes).
    Updates are counted only where the schedule needs it.
    """
    if schedule is constant:
        return from_optax(optax.chain(direction, _scale(-learning_rate)))

    def rate(step: Int[Array, ""]) -> Any:
        return -learning_rate * schedule(step)

    return from_optax(optax.chain(direction, optax.scale_by_schedule(rate)))


def _scale(factor: Any) -> optax.GradientTransformation:
    """Scale by a factor that may be traced, which ``optax.scale`` does not promise to take."""

    def update(updates: PyTree, state: Any, parameters: Any = None) -> tuple[PyTree, Any]:
        return jax.tree.map(lambda g: factor * g, updates), state

    return optax.GradientTransformation(lambda parameters: optax.EmptyState(), update)
