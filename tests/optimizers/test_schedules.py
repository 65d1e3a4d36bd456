"""Schedules against Optax's, with settings as numbers and as traced arrays."""

from __future__ import annotations

import math

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
    "step": (
        {"kind": "step", "every": 6, "factor": 0.3},
        optax.exponential_decay(1.0, 6, 0.3, staircase=True),
    ),
    "inverse_time": ({"kind": "inverse_time", "decay": 0.07}, lambda t: 1 / (1 + 0.07 * float(t))),
    "polynomial": (
        {"kind": "polynomial", "decay_steps": 17, "power": 2.5, "final": 0.2},
        optax.polynomial_schedule(1.0, 0.2, 2.5, 17),
    ),
    "cosine_restarts": (
        {"kind": "cosine_restarts", "period": 4, "multiply": 2, "final": 0.1},
        lambda t: restarted(int(t), 4, 2, 0.1),
    ),
    "one_cycle": (
        {"kind": "one_cycle", "cycle_steps": 21, "rise": 0.34, "initial": 0.05, "final": 1e-3},
        optax.cosine_onecycle_schedule(21, 1.0, 0.34, 20.0, 50.0),
    ),
    "inverse_sqrt": ({"kind": "inverse_sqrt", "warmup_steps": 6}, lambda t: noam(int(t), 6)),
    "warmup_stable_decay": (
        {"kind": "warmup_stable_decay", "warmup_steps": 5, "stable_steps": 8, "decay_steps": 9,
         "final": 0.1},
        optax.join_schedules(
            [optax.linear_schedule(0.0, 1.0, 5), optax.constant_schedule(1.0),
             optax.linear_schedule(1.0, 0.1, 9)],
            [5, 13],
        ),
    ),
}  # fmt: skip


def restarted(step: int, period: int, multiply: int, final: float) -> float:
    """Count periods off one by one."""
    while step >= period:
        step, period = step - period, period * multiply
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * step / period))


def noam(step: int, warmup: int) -> float:
    """Vaswani et al. 2017, eq. 3, over its own peak; the width cancels."""
    rate = lambda s: 512**-0.5 * min(s**-0.5, s * warmup**-1.5)  # noqa: E731
    return rate(step + 1) / rate(warmup)


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
        moved, state = optimizer.update(
            jnp.ones(()), state, theta, value=theta, hvp=None, loss=None
        )
        expected = 0.5 * float(schedule(jnp.asarray(step, jnp.int32)))
        assert float(theta - moved) == pytest.approx(expected, rel=1e-5, abs=1e-6)
        theta = moved


def test_far_steps_stay_finite_and_on_the_last_value():
    far = jnp.asarray(2**31 - 1, jnp.int32)
    found = {
        name: float(CATALOGUE.validate(raw).build()(far)) for name, (raw, _) in SCHEDULES.items()
    }
    restarts = found.pop("cosine_restarts")
    assert 0.1 <= restarts <= 1
    assert found == pytest.approx(
        {"constant": 1, "exponential": 0, "cosine": 0.05, "warmup": 1, "step": 0,
         "inverse_time": 1 / (1 + 0.07 * 2**31), "polynomial": 0.2, "one_cycle": 1e-3,
         "inverse_sqrt": (6 / 2**31) ** 0.5, "warmup_stable_decay": 0.1}, rel=1e-4
    )  # fmt: skip


def test_updates_are_counted_only_where_a_schedule_needs_it():
    spec, theta = OPTIMIZERS.validate("sgd"), jnp.zeros(2)
    plain = spec.build(CATALOGUE.validate("constant").build()).init(theta)
    counted = spec.build(CATALOGUE.validate(SCHEDULES["cosine"][0]).build()).init(theta)
    assert jax.tree.leaves(plain) == []
    count, rate = jax.tree.leaves(counted)  # and the rate that was applied
    assert (count.dtype, rate.dtype) == (jnp.int32, theta.dtype)


def test_any_schedule_follows_a_warmup():
    then = {"kind": "cosine", "decay_steps": 13, "final": 0.05}
    found = CATALOGUE.validate({"kind": "warmup", "warmup_steps": 5, "then": then}).build()
    alone = CATALOGUE.validate(then).build()
    for step in range(25):
        expected = step / 5 if step < 5 else float(alone(jnp.asarray(step - 5, jnp.int32)))
        assert float(found(jnp.asarray(step, jnp.int32))) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("period", "multiply"), [(1, 1), (3, 1), (2, 3), (1, 2)])
def test_restarts_come_where_periods_are_counted_off(period, multiply):
    raw = {"kind": "cosine_restarts", "period": period, "multiply": multiply}
    schedule = jax.jit(CATALOGUE.validate(raw).build())
    for step in (*range(60), 10_000, 999_999):
        expected = restarted(step, period, multiply, 0.0)
        assert float(schedule(jnp.asarray(step, jnp.int32))) == pytest.approx(expected, abs=2e-4)


def test_schedules_agree_with_torchs():
    """At the steps at which PyTorch has none of its own conventions (its one-cycle does)."""
    torch = pytest.importorskip("torch")
    rules = torch.optim.lr_scheduler
    for raw, make in {
        ("step", 6, 0.3): lambda o: rules.StepLR(o, 6, 0.3),
        ("cosine_restarts", 4, 2): lambda o: rules.CosineAnnealingWarmRestarts(o, 4, 2),
        ("polynomial", 17, 2.5): lambda o: rules.PolynomialLR(o, 17, 2.5),
    }.items():
        fields = {"step": ("every", "factor"), "cosine_restarts": ("period", "multiply"),
                  "polynomial": ("decay_steps", "power")}[raw[0]]  # fmt: skip
        ours = CATALOGUE.validate({"kind": raw[0], **dict(zip(fields, raw[1:], strict=True))})
        schedule = ours.build()
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        theirs = make(optimizer)
        for step in range(30):
            found = float(schedule(jnp.asarray(step, jnp.int32)))
            assert found == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-4, abs=1e-6)
            optimizer.step()
            theirs.step()
