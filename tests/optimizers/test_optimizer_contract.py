"""Every optimizer of the catalogue, and some of Optax's, keep the contract."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from descentlab.core.errors import SpecError
from descentlab.core.spec import with_floats
from descentlab.optimizers.contract import OptimizerContract
from descentlab.optimizers.protocol import Resettable, from_optax
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


class TestAdamOfKeras(Named):
    spec = {"kind": "adam", "flavour": "keras"}


class TestAdamWOfThePaper(Named):
    spec = {"kind": "adamw", "flavour": "paper"}
    schedule = {"kind": "cosine", "decay_steps": 200}


class TestAdagrad(Named):
    spec = "adagrad"
    learning_rates = (0.3, 1.0)


class TestAdagradOfOptax(Named):
    spec = {"kind": "adagrad", "flavour": "optax"}
    learning_rates = (0.3, 1.0)


class TestNAdam(Named):
    spec = "nadam"


class TestNAdamOfOptax(Named):
    spec = {"kind": "nadam", "flavour": "optax"}
    schedule = {"kind": "warmup", "warmup_steps": 10}


class TestNAdamOfThePaper(Named):
    spec = {"kind": "nadam", "flavour": "paper", "beta1": 0.9}


class TestAdaBelief(Named):
    spec = "adabelief"


class TestAdaBeliefOfOptax(Named):
    spec = {"kind": "adabelief", "flavour": "optax"}


class TestLion(Named):
    """Its steps are of one size, so that the rate must fall for the loss to."""

    spec = "lion"
    schedule = {"kind": "cosine", "decay_steps": 200}


class TestMuon(Named):
    spec = "muon"
    schedule = {"kind": "cosine", "decay_steps": 200}


class TestMuonOfOptax(Named):
    spec = {"kind": "muon", "flavour": "optax"}
    learning_rates = (0.1, 0.2)
    schedule = {"kind": "cosine", "decay_steps": 200}


class TestMuonOfKeras(Named):
    spec = {"kind": "muon", "flavour": "keras"}
    learning_rates = (0.3, 0.5)
    schedule = {"kind": "cosine", "decay_steps": 200}


class TestScheduleFreeSGD(Named):
    spec = "schedule_free_sgd"
    learning_rates = (0.3, 0.6)


class TestScheduleFreeAdamW(Named):
    spec = "schedule_free_adamw"
    schedule = {"kind": "warmup", "warmup_steps": 10}


class TestScheduleFreeAdamWOfThePaper(Named):
    spec = {"kind": "schedule_free_adamw", "flavour": "paper"}
    learning_rates = (0.1, 0.3)


class TestEverythingAroundARule(Named):
    spec = {
        "kind": "adamw",
        "clip": {"kind": "norm", "at": 1.0},
        "l2": 0.01,
        "l1": 0.001,
        "accumulate": 2,
    }


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


def test_line_searches_get_the_loss_as_a_function():
    """L-BFGS with its line search reaches Rosenbrock's minimum, (1, 1)."""

    def loss(p):
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    optimizer = from_optax(optax.lbfgs())

    def body(carry, _):
        parameters, state = carry
        value, gradients = jax.value_and_grad(loss)(parameters)
        return optimizer.update(
            gradients, state, parameters, value=value, hvp=lambda v: v, loss=loss
        ), None

    with jax.enable_x64(True):
        start = jnp.array([-1.5, -0.6])
        carry = (start, optimizer.init(start))
        (end, _), _ = jax.jit(lambda c: jax.lax.scan(body, c, None, 60))(carry)
    np.testing.assert_allclose(end, [1.0, 1.0], atol=1e-6)


def test_what_is_no_transformation_is_refused():
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


RESETTABLE = [
    "sgd",
    {"kind": "sgd", "flavour": "keras", "momentum": 0.9},
    "muon",
    "schedule_free_adamw",
    {"kind": "schedule_free_sgd", "accumulate": 2},
    {"kind": "adabelief", "accumulate": 2},
]


@pytest.mark.parametrize("spec", RESETTABLE, ids=str)
def test_a_reset_begins_anew_but_for_the_schedule(spec):
    """After it the optimizer moves as a new one whose schedule is as far as this one's."""
    rates = np.array([1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.025, 0.01])
    start, gradient = {"a": jnp.ones((2, 3)), "b": jnp.ones(3)}, {"a": 0.3, "b": 0.4}
    gradients = jax.tree.map(lambda g, p: g * p, gradient, start)
    made = CATALOGUE.validate(spec)

    def follow(optimizer, parameters, state, steps):
        for _ in range(steps):
            parameters, state = optimizer.update(
                gradients, state, parameters, value=jnp.zeros(()), hvp=None, loss=None
            )
        return parameters, state

    optimizer = made.build(lambda t: jnp.asarray(rates)[t])
    moved, state = follow(optimizer, start, optimizer.init(start), 4)
    assert isinstance(optimizer, Resettable)
    found, _ = follow(optimizer, moved, optimizer.reset(state, moved), 4)
    done = 4 // made.batches_per_update
    later = made.build(lambda t: jnp.asarray(rates)[t + done])
    expected, _ = follow(later, moved, later.init(moved), 4)
    for name in start:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
