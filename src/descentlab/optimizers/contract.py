"""What every optimizer must do, as tests that third parties can inherit.

Example:
    >>> class TestMine(OptimizerContract):  # in a file that pytest collects
    ...     def make(self, learning_rate):
    ...         return from_optax(optax.lion(learning_rate))
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from descentlab.optimizers.protocol import Optimizer

CURVATURES = np.array([1.0, 0.3, 3.0])
"""Of the quadratic ½ Σ c θ² that the contract descends on."""


class OptimizerContract:
    """Tests of an :class:`Optimizer`; a subclass says how to make one.

    Attributes:
        learning_rates: rates at which the optimizer descends.
        steps: updates within which the loss falls to ``target`` of its start.
        target: share of the first loss that the last must be below.
    """

    learning_rates: tuple[float, ...] = (0.03, 0.1)
    steps: int = 200
    target: float = 0.01

    def make(self, learning_rate: Float[Array, ""]) -> Optimizer:
        """Return the optimizer; called while tracing, so the rate is no number."""
        raise NotImplementedError

    def test_it_follows_the_protocol(self) -> None:
        """It has the three methods of :class:`Optimizer`."""
        assert isinstance(self.make(jnp.asarray(0.1)), Optimizer)

    def test_it_descends_alone_and_side_by_side(self) -> None:
        """What it evaluates ends below ``target`` of the first loss, at each rate, every time.

        ``jit(vmap)`` over the rates gives what each gives alone.
        """
        with jax.enable_x64(True):
            rates = jnp.asarray(self.learning_rates, jnp.float64)
            alone, together = jax.jit(self._train), jax.jit(jax.vmap(self._train))(rates)
            for rate, beside in zip(rates, together, strict=True):
                losses = alone(rate)
                assert np.isfinite(losses).all(), f"not finite at learning rate {rate}"
                np.testing.assert_array_equal(losses, alone(rate))
                np.testing.assert_allclose(losses, beside, rtol=1e-9, atol=1e-15)
                assert losses[-1] < self.target * losses[0], (
                    f"learning rate {rate:.3g}: the loss fell from {losses[0]:.3g} "
                    f"to {losses[-1]:.3g} only"
                )

    def test_the_state_is_arrays_of_fixed_structure(self) -> None:
        """Structure, shapes and dtypes stay, in both precisions; so do the parameters'."""
        for dtype in (jnp.float32, jnp.float64):
            with jax.enable_x64(dtype == jnp.float64):
                parameters = _start(dtype)
                first, (second, moved) = jax.jit(self._step)(jnp.asarray(0.1, dtype), parameters)
                assert _form(second) == _form(first), f"the state changes form in {dtype.__name__}"
                assert _form(moved) == _form(parameters)
                weak = [
                    leaf for leaf in jax.tree.leaves(first) if getattr(leaf, "weak_type", False)
                ]
                assert not weak, "state leaves have no dtype of their own (weakly typed)"

    def test_the_start_is_evaluated_as_it_is(self) -> None:
        """Before the first update the parameters themselves are evaluated."""
        optimizer, parameters = self.make(jnp.asarray(0.1)), _start(jnp.float32)
        found = optimizer.evaluation_parameters(parameters, optimizer.init(parameters))
        assert _form(found) == _form(parameters)
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(parameters), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)

    def _step(self, rate: Float[Array, ""], parameters: PyTree) -> Any:
        optimizer = self.make(rate)
        state = optimizer.init(parameters)
        moved, after = _update(optimizer, parameters, state)
        return state, (after, moved)

    def _train(self, rate: Float[Array, ""]) -> Float[Array, " steps"]:
        optimizer = self.make(rate)
        parameters = _start(rate.dtype)

        def body(carry: Any, _: None) -> Any:
            parameters, state = carry
            loss = _loss(optimizer.evaluation_parameters(parameters, state))
            return _update(optimizer, parameters, state), loss

        carry = (parameters, optimizer.init(parameters))
        return jax.lax.scan(body, carry, None, self.steps)[1]


def _start(dtype: Any) -> PyTree:
    """Two arrays and a missing one, as a layer without bias has."""
    return {"weight": jnp.full((2, 3), 1.0, dtype), "bias": None, "scale": jnp.ones(3, dtype)}


def _loss(parameters: PyTree) -> Float[Array, ""]:
    leaves = jax.tree.leaves(parameters)
    return sum((0.5 * (CURVATURES.astype(x.dtype) * x**2).sum() for x in leaves), jnp.zeros(()))


def _update(optimizer: Optimizer, parameters: PyTree, state: PyTree) -> tuple[PyTree, PyTree]:
    value, gradients = jax.value_and_grad(_loss)(parameters)

    def hvp(vector: PyTree) -> PyTree:
        return jax.jvp(jax.grad(_loss), (parameters,), (vector,))[1]

    return optimizer.update(gradients, state, parameters, value=value, hvp=hvp, loss=_loss)


def _form(tree: PyTree) -> Any:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]
