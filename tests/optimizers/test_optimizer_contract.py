"""Every optimizer of the catalogue, and some of Optax's, keep the contract."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from descentlab.core.spec import with_floats
from descentlab.optimizers.contract import OptimizerContract
from descentlab.optimizers.protocol import from_optax
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.specs import CATALOGUE


class Named(OptimizerContract):
    spec: object = "sgd"
    schedule: object = "constant"

    def make(self, learning_rate):
        spec = with_floats(CATALOGUE.validate(self.spec), {"learning_rate": learning_rate})
        return spec.build(SCHEDULES.validate(self.schedule).build())


class TestSGD(Named):
    pass


class TestSGDWithSchedule(Named):
    schedule = {"kind": "cosine", "decay_steps": 200, "final": 0.1}


class TestMomentum(Named):
    spec = {"kind": "sgd", "momentum": 0.9}


class TestNesterov(Named):
    spec = {"kind": "sgd", "momentum": 0.9, "nesterov": True}


class TestRMSProp(Named):
    spec = "rmsprop"


class TestRMSPropWithMomentum(Named):
    spec = {"kind": "rmsprop", "momentum": 0.5, "decay": 0.9}
    learning_rates = (0.003, 0.01)


class TestAdam(Named):
    spec = "adam"


class TestAdamWithWarmup(Named):
    spec = "adam"
    schedule = {"kind": "warmup", "warmup_steps": 10}


class TestOptaxWithValue(OptimizerContract):
    def make(self, learning_rate):
        return from_optax(
            optax.chain(optax.adam(learning_rate), optax.contrib.reduce_on_plateau(patience=50))
        )


class TestOptaxScheduleFree(OptimizerContract):
    target = 0.05

    def make(self, learning_rate):
        inner = optax.contrib.schedule_free(optax.sgd(learning_rate), learning_rate)
        return from_optax(inner, lambda p, s: optax.contrib.schedule_free_eval_params(s, p))


class Broken(OptimizerContract):
    """Ascends, and its state is a Python number."""

    class _Ascent:
        def init(self, parameters):
            return jnp.zeros((), jnp.int32)

        def update(self, gradients, state, parameters, *, value, hvp, loss):
            moved = optax.apply_updates(parameters, gradients)
            return moved, (state + 1).astype(jnp.float32)

        def evaluation_parameters(self, parameters, state):
            return parameters

    def make(self, learning_rate):
        return self._Ascent()


def test_the_contract_finds_faults():
    broken = Broken()
    with pytest.raises(AssertionError, match="changes form"):
        broken.test_the_state_is_arrays_of_fixed_structure()
    with pytest.raises((AssertionError, TypeError)):
        broken.test_it_descends_alone_and_side_by_side()
    with pytest.raises(AssertionError, match="fell from"):
        Slow().test_it_descends_alone_and_side_by_side()


class Slow(OptimizerContract):
    def make(self, learning_rate):
        return from_optax(optax.sgd(1e-6 * learning_rate))


def test_line_searches_are_refused_and_so_is_what_is_no_transformation():
    from descentlab.core.errors import SpecError

    start = jnp.ones(2)
    optimizer = from_optax(optax.lbfgs())
    with pytest.raises(SpecError, match="line search"):
        optimizer.update(start, optimizer.init(start), start, value=jnp.ones(()), hvp=None, loss=None)
    with pytest.raises(SpecError, match=r"such as optax\.sgd\(0\.1\), found float"):
        from_optax(0.1)  # type: ignore[arg-type]


def test_any_optax_transformation_moves_as_optax_says():
    start, gradient = jnp.array([1.0, -2.0]), jnp.array([0.3, 0.4])
    ours, theirs = from_optax(optax.adamw(0.1)), optax.adamw(0.1)
    state, optax_state, expected = ours.init(start), theirs.init(start), start
    moved = start
    for _ in range(3):
        moved, state = ours.update(gradient, state, moved, value=jnp.ones(()), hvp=None, loss=None)
        updates, optax_state = theirs.update(gradient, optax_state, expected)
        expected = optax.apply_updates(expected, updates)
    np.testing.assert_array_equal(moved, expected)
