"""The one optimizer protocol, and Optax behind it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import optax
from jaxtyping import Array, Float, Int, PyTree

from descentlab.core.errors import SpecError

Schedule = Callable[[Int[Array, ""]], Any]
"""A factor on the learning rate as a pure function of the number of updates before this one."""

Loss = Callable[[PyTree], Float[Array, ""]]
"""The loss of this update's batch as a function of the parameters, the same dropout included."""


@runtime_checkable
class Optimizer(Protocol):
    """What the engine asks of an optimizer; all are pure functions.

    :class:`descentlab.optimizers.contract.OptimizerContract` tests what is promised here.
    An optimizer may also have :class:`Reading`'s and :class:`Resettable`'s methods.
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
        loss: Loss,
    ) -> tuple[PyTree, PyTree]:
        """Return the new parameters and state, with the dtypes that they had.

        Args:
            gradients: of the batch's loss, shaped as the parameters.
            state: from ``init`` or the update before.
            parameters: before the update.
            value: the batch's loss.
            hvp: the product of the batch loss's Hessian with a vector.
            loss: the batch's loss as a function of the parameters.
        """
        ...

    def evaluation_parameters(self, parameters: PyTree, state: PyTree) -> PyTree:
        """Return what is evaluated: the parameters, or slow weights, or an average."""
        ...


@runtime_checkable
class Reading(Protocol):
    """An optimizer that reports numbers of each update, such as the rate that it applied."""

    def readings(self, state: PyTree) -> dict[str, Float[Array, ""]]:
        """Return the numbers of the update that led to ``state``, by name; always the same."""
        ...


@runtime_checkable
class Resettable(Protocol):
    """An optimizer whose moments and velocities can begin anew; its schedule goes on."""

    def reset(self, state: PyTree, parameters: PyTree) -> PyTree:
        """Return the state as at first, but for the count that the schedule goes by."""
        ...


@runtime_checkable
class WithMoments(Protocol):
    """An optimizer whose moments and velocities can be taken out, changed and put back."""

    def moments(self, state: PyTree) -> PyTree:
        """Return them; counts of their own among them, but not the schedule's."""
        ...

    def with_moments(self, state: PyTree, moments: PyTree) -> PyTree:
        """Return the state with others in their place."""
        ...


@runtime_checkable
class Following(Protocol):
    """An optimizer that keeps weights of its own, which must follow if others move its own."""

    def moved(self, state: PyTree, before: PyTree, after: PyTree) -> PyTree:
        """Return the state now that the parameters were moved from outside."""
        ...


def moved(optimizer: Optimizer, state: PyTree, before: PyTree, after: PyTree) -> PyTree:
    """Tell an optimizer that its parameters were moved; most keep none of their own."""
    return optimizer.moved(state, before, after) if isinstance(optimizer, Following) else state


def readings_of(optimizer: Optimizer, state: PyTree) -> dict[str, Float[Array, ""]]:
    """Return what an optimizer reports of its last update; nothing if it reports nothing."""
    return optimizer.readings(state) if isinstance(optimizer, Reading) else {}


def checked(optimizer: Any) -> Optimizer:
    """Return an optimizer, having seen that it takes what the engine gives.

    Raises:
        SpecError: it has not the protocol's methods, or ``update`` not its keywords.
    """
    name = type(optimizer).__name__
    if not isinstance(optimizer, Optimizer):
        raise SpecError(
            f"run.optimizer: {name} is no optimizer; it needs init, update and "
            "evaluation_parameters (descentlab.optimizers.protocol.Optimizer)"
        )
    try:
        inspect.signature(optimizer.update).bind(0, 0, 0, value=0, hvp=0, loss=0)
    except TypeError as error:
        raise SpecError(
            f"run.optimizer: {name}.update must take (gradients, state, parameters, *, value, "
            f"hvp, loss): {error}"
        ) from None
    return optimizer


def fast_parameters(optimizer: Optimizer, parameters: PyTree, state: PyTree) -> PyTree:
    """Return the fast weights after the last update, where others are evaluated.

    They are the parameters themselves, unless the optimizer has a method of this name:
    after a synchronisation Lookahead's parameters are its slow weights.
    """
    own = getattr(optimizer, "fast_parameters", None)
    return parameters if own is None else own(parameters, state)


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
        self,
        gradients: PyTree,
        state: PyTree,
        parameters: PyTree,
        *,
        value: Any,
        hvp: Any,
        loss: Any,
    ) -> tuple[PyTree, PyTree]:
        """Return parameters + the transformation's updates."""
        updates, state = self._transformation.update(
            gradients, state, parameters, value=value, grad=gradients, value_fn=loss
        )
        return optax.apply_updates(parameters, updates), state

    def evaluation_parameters(self, parameters: PyTree, state: PyTree) -> PyTree:
        """Return the parameters themselves, unless told otherwise."""
        return parameters if self._evaluate is None else self._evaluate(parameters, state)


def from_optax(
    transformation: optax.GradientTransformation,
    evaluate: Callable[[PyTree, PyTree], PyTree] | None = None,
) -> Optimizer:
    """Wrap an Optax transformation, learning rate and sign included: θ ← θ + updates.

    Transformations with extra arguments get ``value`` (the batch's loss), ``grad`` and
    ``value_fn`` (the loss as a function of the parameters, for line searches).

    Args:
        transformation: of the gradients, such as ``optax.adamw(1e-3)``.
        evaluate: gives what is evaluated, from the parameters and the transformation's state;
            such as ``lambda p, s: optax.contrib.schedule_free_eval_params(s, p)``. The
            parameters themselves by default.

    Example:
        >>> import jax.numpy as jnp, optax
        >>> optimizer = from_optax(optax.sgd(0.5))
        >>> start, half = jnp.ones(2), lambda x: (x**2).sum() / 2
        >>> new, _ = optimizer.update(
        ...     start, optimizer.init(start), start, value=1.0, hvp=None, loss=half
        ... )
        >>> new.tolist()
        [0.5, 0.5]
    """
    if not isinstance(transformation, optax.GradientTransformation):
        raise SpecError(
            "expected an Optax transformation (optax.GradientTransformation), such as "
            f"optax.sgd(0.1), found {type(transformation).__name__}"
        )
    return OptaxOptimizer(transformation, evaluate)
