"""Whole runs, where each gradient depends on the updates before it; and Optax's rules as ours."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from descentlab.core.spec import split_floats, with_floats
from descentlab.optimizers.protocol import from_optax
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.specs import CATALOGUE

from . import test_against_references as literal
from . import test_optimizer_contract as contract

STEPS = 100
CURVATURE = np.array([0.1, 1.0, 3.0, 0.5])
GOAL = np.array([0.0, 1.0, -1.0, 2.0])
START = np.array([2.0, -0.5, 0.5, 0.4])

EVERY_FLOAT = {
    "sgd": {"kind": "sgd", "learning_rate": 0.05, "momentum": 0.8, "nesterov": True},
    "rmsprop": {"kind": "rmsprop", "epsilon": 1e-3, "decay": 0.9, "momentum": 0.5},
    "adam": {"kind": "adam", "learning_rate": 0.02, "epsilon": 1e-3},
}


def hill(theta):
    """A quadratic and a quartic; operators only, so that it is JAX's and NumPy's at once."""
    return 0.5 * (CURVATURE * (theta - GOAL) ** 2).sum() + 0.25 * ((theta - GOAL) ** 4).sum()


def slope(theta):
    return CURVATURE * (theta - GOAL) + (theta - GOAL) ** 3


def train(spec, schedule):
    """Return the parameters after each update."""
    optimizer = spec.build(schedule.build())

    def body(carry, _):
        theta, state = carry
        value, gradient = jax.value_and_grad(hill)(theta)
        carry = optimizer.update(gradient, state, theta, value=value, hvp=lambda v: v)
        return carry, carry[0]

    start = jnp.asarray(START)
    return jax.lax.scan(body, (start, optimizer.init(start)), None, STEPS)[1]


@functools.cache
def ours(name: str, factor: str) -> np.ndarray:
    spec, schedule = (
        CATALOGUE.validate(literal.RULES[name]),
        SCHEDULES.validate(literal.FACTORS[factor][0]),
    )
    with jax.enable_x64(True):
        return np.asarray(jax.jit(lambda: train(spec, schedule))())


def apart(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest distance between two paths, relative to the expected one's displacement then."""
    moved = np.linalg.norm(expected - START, axis=1)
    return float((np.linalg.norm(found - expected, axis=1) / moved).max())


@pytest.mark.parametrize("factor", literal.FACTORS)
@pytest.mark.parametrize("name", literal.RULES)
def test_a_run_is_the_literal_rules(name, factor):
    rule, s = literal.RULES[name], literal.FACTORS[factor][1]
    path = [START]
    gradients = (slope(path[-1]) for _ in range(STEPS))
    rates = [rule["learning_rate"] * s(t) for t in range(STEPS)]
    transcription = {"sgd": literal.sgd, "rmsprop": literal.rmsprop, "adam": literal.adam}
    for theta in transcription[rule["kind"]](START, gradients, rates, **rule):
        path.append(theta)
    assert apart(ours(name, factor), np.array(path[1:])) <= 1e-10


@pytest.mark.parametrize("factor", literal.FACTORS)
@pytest.mark.parametrize("name", literal.RULES)
def test_a_run_is_torchs_with_its_own_scheduler(name, factor):
    torch = pytest.importorskip("torch")
    rule = dict(literal.RULES[name])
    make = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam}
    make = make[rule.pop("kind")]
    names = {"learning_rate": "lr", "decay": "alpha", "epsilon": "eps"}
    betas = {"betas": (rule.pop("beta1", 0.9), 0.999)} if make is torch.optim.Adam else {}
    theta = torch.tensor(START, requires_grad=True)
    optimizer = make([theta], **{names.get(k, k): v for k, v in rule.items()}, **betas)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, literal.FACTORS[factor][1])
    curvature, goal, path = torch.tensor(CURVATURE), torch.tensor(GOAL), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        away = theta - goal
        (0.5 * (curvature * away**2).sum() + 0.25 * (away**4).sum()).backward()
        optimizer.step()
        scheduler.step()
        path.append(theta.detach().numpy().copy())
    assert apart(ours(name, factor), np.array(path)) <= 1e-10


@pytest.mark.parametrize("kind", CATALOGUE.kinds)
def test_every_float_acts_and_may_differ_from_run_to_run(kind):
    """One program trains runs that differ in one float each, and each as it would alone."""
    spec = CATALOGUE.validate(EVERY_FLOAT[kind])
    schedule = SCHEDULES.validate({"kind": "exponential", "decay_rate": 0.2, "decay_steps": 40})
    floats = split_floats(spec)[1] | {"decay_rate": schedule.decay_rate}  # type: ignore[attr-defined]
    optional = [n for n, f in type(spec).model_fields.items() if "float" in str(f.annotation)]
    assert set(floats) == {*optional, "decay_rate"}

    def run(floats):
        return train(with_floats(spec, floats), with_floats(schedule, floats))

    rows = [floats] + [{**floats, name: 0.9 * value} for name, value in floats.items()]
    with jax.enable_x64(True):
        batch = {name: jnp.asarray([row[name] for row in rows]) for name in floats}
        together, alone = np.asarray(jax.jit(jax.vmap(run))(batch)), jax.jit(run)
        for row, beside in zip(rows, together, strict=True):
            own = np.asarray(alone({name: jnp.asarray(value) for name, value in row.items()}))
            assert apart(beside, own) <= 1e-12
    for name, path in zip(floats, together[1:], strict=True):
        assert apart(path, together[0]) > 1e-6, f"{name} has no effect"


def test_the_contract_and_the_references_leave_no_kind_out():
    tested = (CATALOGUE.validate(case.spec).kind for case in contract.Named.__subclasses__())
    assert set(tested) == set(CATALOGUE.kinds)
    assert {rule["kind"] for rule in literal.RULES.values()} == set(CATALOGUE.kinds)


@pytest.mark.parametrize("make", [optax.adam, optax.lion])
def test_a_wrapped_transformation_is_the_transformation(make):
    def step(optimizer, theta, state):
        return optimizer.update(jax.grad(hill)(theta), state, theta, value=hill(theta), hvp=None)

    def steps(theta):
        wrapped, plain, other = from_optax(make(0.05)), make(0.05), theta
        state, plain_state = wrapped.init(theta), plain.init(theta)
        for _ in range(10):
            theta, state = step(wrapped, theta, state)
            updates, plain_state = plain.update(jax.grad(hill)(other), plain_state, other)
            other = optax.apply_updates(other, updates)
        return theta, other

    with jax.enable_x64(True):
        theta, other = steps(jnp.asarray(START))
    np.testing.assert_array_equal(theta, other)
    assert hill(np.asarray(theta)) < hill(START)


def test_a_wrapped_transformation_is_told_the_loss():
    """On a plateau the rate halves every two updates; while the loss falls it stays."""
    plateau = optax.contrib.reduce_on_plateau(factor=0.5, patience=2, cooldown=0)
    optimizer = from_optax(optax.chain(optax.sgd(1.0), plateau))

    def moves(losses):
        theta, state, found = jnp.zeros(()), optimizer.init(jnp.zeros(())), []
        for loss in losses:
            before = theta
            theta, state = optimizer.update(
                jnp.ones(()), state, theta, value=jnp.asarray(loss), hvp=None
            )
            found.append(float(before - theta))
        return found

    assert moves([8.0, 7.0, 6.0, 5.0, 4.0, 3.0]) == [1] * 6
    assert moves([8.0] * 7) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]
