"""Schedules against Optax's, with settings as numbers and as traced arrays."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from descentlab.core.spec import split_floats, with_floats
from descentlab.optimizers.schedule_specs import CATALOGUE
from descentlab.optimizers.specs import CATALOGUE as OPTIMIZERS

SCHEDULES = {
    "constant": ("constant", optax.constant_schedule(1.0)),
    "exponential": (
        {"kind": "exponential", "decay_rate": 0.3, "decay_steps": 7},
        optax.exponential_decay(1.0, 7, 0.3),
    ),
    "cosine": (
        {"kind": "cosine", "decay_steps": 13, "final": 0.05},
        optax.cosine_decay_schedule(1.0, 13, alpha=0.05),
    ),
    "warmup": (
        {"kind": "warmup", "warmup_steps": 9, "initial": 0.1},
        optax.linear_schedule(0.1, 1.0, 9),
    ),
}


def test_every_schedule_is_compared():
    assert set(SCHEDULES) == set(CATALOGUE.kinds)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("x64", "tolerance"), [(False, 3e-7), (True, 1e-14)])
def test_against_optax(name, x64, tolerance):
    raw, reference = SCHEDULES[name]
    spec = CATALOGUE.validate(raw)
    steps = np.arange(30)
    with jax.enable_x64(x64):
        floats = {k: jnp.asarray(v) for k, v in split_floats(spec)[1].items()}

        def factors(floats, steps):
            schedule = with_floats(spec, floats).build()
            return jax.vmap(lambda t: schedule(t) * jnp.ones(()))(steps)

        found = jax.jit(factors)(floats, jnp.asarray(steps, jnp.int32))
        plain = np.array([float(spec.build()(jnp.asarray(t, jnp.int32))) for t in steps])
    with jax.enable_x64(True):
        expected = np.array([float(reference(jnp.asarray(t))) for t in steps])
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(plain, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_applied_rate_is_the_learning_rate_times_the_factor_from_step_0_on(name):
    raw, _ = SCHEDULES[name]
    schedule = CATALOGUE.validate(raw).build()
    optimizer = OPTIMIZERS.validate({"kind": "sgd", "learning_rate": 0.5}).build(schedule)
    theta = jnp.zeros(())
    state = optimizer.init(theta)
    for step in range(12):
        moved, state = optimizer.update(jnp.ones(()), state, theta, value=theta, hvp=None)
        expected = 0.5 * float(schedule(jnp.asarray(step, jnp.int32)))
        assert float(theta - moved) == pytest.approx(expected, rel=1e-5, abs=1e-6)
        theta = moved


def test_far_steps_stay_finite_and_on_the_last_value():
    far = jnp.asarray(2**31 - 1, jnp.int32)
    found = {
        name: float(CATALOGUE.validate(raw).build()(far)) for name, (raw, _) in SCHEDULES.items()
    }
    assert found == pytest.approx({"constant": 1, "exponential": 0, "cosine": 0.05, "warmup": 1})


def test_updates_are_counted_only_where_a_schedule_needs_it():
    spec, theta = OPTIMIZERS.validate("sgd"), jnp.zeros(2)
    plain = spec.build(CATALOGUE.validate("constant").build()).init(theta)
    counted = spec.build(CATALOGUE.validate(SCHEDULES["cosine"][0]).build()).init(theta)
    assert jax.tree.leaves(plain) == []
    assert [leaf.dtype for leaf in jax.tree.leaves(counted)] == [jnp.int32]
