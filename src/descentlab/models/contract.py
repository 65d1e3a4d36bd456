"""What every model must do, as tests that third parties can inherit.

Example:
    >>> class TestMine(ModelContract):  # in a file that pytest collects
    ...     spec = "package.module:network"
    ...     input_shape = (28, 28)
    ...     outputs = 10
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from descentlab.core.spec import split_floats, with_floats
from descentlab.models.specs import CATALOGUE, Model

EXAMPLES = 5


def forward(
    spec: Model, module: Any, x: Float[Array, "batch ..."], key: Key[Array, ""] | None = None
) -> Float[Array, "batch outputs"]:
    """Apply a model to a batch, whether its module takes a batch or one example.

    Args:
        spec: what the module was built from.
        module: the module.
        x: the batch.
        key: turns dropout on.
    """
    if spec.batched:
        return module(x, key=key)
    if key is None:
        module = eqx.nn.inference_mode(module)
    if "key" not in inspect.signature(module).parameters:
        return jax.vmap(module)(x)
    if key is None:
        return jax.vmap(lambda one: module(one, key=None))(x)
    return jax.vmap(lambda one, k: module(one, key=k))(x, jax.random.split(key, len(x)))


class ModelContract:
    """Tests of a model; a subclass names it as a study file would.

    Attributes:
        spec: a name, a mapping with ``kind``, or a specification.
        input_shape: of one example.
        outputs: number of outputs.
    """

    spec: str | Mapping[str, Any] | Model
    input_shape: tuple[int, ...] = (4,)
    outputs: int = 3

    def test_shape_and_precision(self) -> None:
        """Outputs are ``[batch, outputs]``; parameters and outputs have the run's precision."""
        for dtype in (jnp.float32, jnp.float64):
            with jax.enable_x64(dtype == jnp.float64):
                module = self._build(0, dtype)
                found = {x.dtype for x in jax.tree.leaves(module) if eqx.is_inexact_array(x)}
                assert found <= {jnp.dtype(dtype)}, f"parameters are {found}, not {dtype.__name__}"
                outputs = self._apply(module, self._inputs(dtype))
                assert outputs.shape == (EXAMPLES, self.outputs)
                assert outputs.dtype == dtype
                assert np.isfinite(outputs).all()

    def test_the_key_alone_decides_the_start(self) -> None:
        """``jit(vmap)`` over seeds gives the weights that each seed gives alone, to the bit.

        The outputs agree within rounding, because products of matrices may be batched.
        """
        with jax.enable_x64(True):
            x = self._inputs(jnp.float64)

            def run(seed: Array) -> tuple[Any, Array]:
                module = self._build(seed, jnp.float64)
                return eqx.filter(module, eqx.is_array), self._apply(module, x)

            alone, (modules, outputs) = jax.jit(run), jax.jit(jax.vmap(run))(jnp.arange(7))
            for seed in range(7):
                module, output = alone(seed)
                for a, b in zip(jax.tree.leaves(module), jax.tree.leaves(modules), strict=True):
                    np.testing.assert_array_equal(a, b[seed])
                np.testing.assert_allclose(output, outputs[seed], rtol=1e-10, atol=1e-12)

    def test_an_example_does_not_feel_its_batch(self) -> None:
        """Outputs of one example are the same in a batch of one."""
        with jax.enable_x64(True):
            module, x = self._build(1, jnp.float64), self._inputs(jnp.float64)
            whole = self._apply(module, x)
            for number in range(EXAMPLES):
                one = self._apply(module, x[number : number + 1])[0]
                np.testing.assert_allclose(one, whole[number], rtol=1e-10, atol=1e-12)

    def test_without_a_key_nothing_is_random(self) -> None:
        """Evaluations repeat to the bit; with a key, the same key repeats."""
        module, x = self._build(2, jnp.float32), self._inputs(jnp.float32)
        for key in (None, jax.random.key(3)):
            once, twice = (self._apply(module, x, key) for _ in range(2))
            np.testing.assert_array_equal(once, twice)

    def test_floats_may_be_traced_and_gradients_are_finite(self) -> None:
        """Its floats can be arguments of a compiled program, which differentiates it."""
        spec = self._spec()
        floats = {k: jnp.asarray(v, jnp.float32) for k, v in split_floats(spec)[1].items()}
        x = self._inputs(jnp.float32)

        def loss(floats: Mapping[str, Array], key: Array) -> Any:
            built = with_floats(spec, floats)
            module = built.build(self.input_shape, self.outputs, key=key, dtype=jnp.float32)
            grad = eqx.filter_grad(lambda m: (self._apply(m, x, key) ** 2).mean())
            return [g for g in jax.tree.leaves(grad(module)) if eqx.is_inexact_array(g)]

        for gradient in jax.jit(loss)(floats, jax.random.key(4)):
            assert np.isfinite(gradient).all()

    def _spec(self) -> Model:
        spec = CATALOGUE.validate(self.spec)
        assert isinstance(spec, Model)
        return spec

    def _build(self, seed: Any, dtype: Any) -> Any:
        return _builder(type(self), dtype)(jnp.asarray(seed))

    def _inputs(self, dtype: Any) -> Array:
        x = np.random.default_rng(0).normal(size=(EXAMPLES, *self.input_shape))
        return jnp.asarray(x, dtype)

    def _apply(self, module: Any, x: Array, key: Any = None) -> Array:
        return _applier(type(self))(module, x, key)


@functools.cache
def _builder(contract: type[ModelContract], dtype: Any) -> Any:
    """Return a compiled function of the seed, shared by a contract's tests."""
    self = contract()

    def build(seed: Array) -> Any:
        key = jax.random.key(seed)
        return self._spec().build(self.input_shape, self.outputs, key=key, dtype=dtype)

    return eqx.filter_jit(build)


@functools.cache
def _applier(contract: type[ModelContract]) -> Any:
    spec = contract()._spec()
    return eqx.filter_jit(lambda module, x, key: forward(spec, module, x, key))
