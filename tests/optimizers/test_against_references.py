"""Each rule against a literal NumPy float64 transcription, and against PyTorch.

A hundred updates with the same gradients, some large and some tiny (which shows where ε
is), at a constant rate and at one that falls (which shows where the rate is applied).
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.spec import split_floats, with_floats
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.specs import CATALOGUE

STEPS = 100
SCALES = np.array([1e3, 1.0, 1e-3, 1e-6, 1e-9])
START = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
TOLERANCE = 1e-10

RULES = {
    "sgd": {"kind": "sgd", "learning_rate": 0.1},
    "momentum": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    "nesterov": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "rmsprop": {"kind": "rmsprop", "learning_rate": 0.01},
    "rmsprop-momentum": {"kind": "rmsprop", "learning_rate": 0.01, "decay": 0.9, "momentum": 0.8},
    "adam": {"kind": "adam", "learning_rate": 0.01},
    "adam-other": {"kind": "adam", "learning_rate": 0.01, "beta1": 0.5, "epsilon": 1e-4},
}
FALLING = {"kind": "exponential", "decay_rate": 0.1, "decay_steps": 20}
FACTORS = {"constant": ("constant", lambda t: 1.0), "falling": (FALLING, lambda t: 0.1 ** (t / 20))}


def gradients() -> np.ndarray:
    return np.random.default_rng(0).normal(0.3, 1.0, (STEPS, len(SCALES))) * SCALES


def sgd(theta, gradients, rates, momentum=0.0, nesterov=False, **_):
    b = np.zeros_like(theta)
    for g, rate in zip(gradients, rates, strict=True):
        b = momentum * b + g
        theta = theta - rate * (g + momentum * b if nesterov else b)
        yield theta


def rmsprop(theta, gradients, rates, decay=0.99, epsilon=1e-8, momentum=0.0, **_):
    v, b = np.zeros_like(theta), np.zeros_like(theta)
    for g, rate in zip(gradients, rates, strict=True):
        v = decay * v + (1 - decay) * g**2
        b = momentum * b + g / (np.sqrt(v) + epsilon)
        theta = theta - rate * b
        yield theta


def adam(theta, gradients, rates, beta1=0.9, beta2=0.999, epsilon=1e-8, **_):
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        yield theta


@functools.cache
def ours(name: str, factor: str) -> np.ndarray:
    """Run the rule compiled, with its floats and the schedule's as traced arrays."""
    spec, plan = CATALOGUE.validate(RULES[name]), SCHEDULES.validate(FACTORS[factor][0])

    def run(floats, plan_floats, start, gradients):
        optimizer = with_floats(spec, floats).build(with_floats(plan, plan_floats).build())

        def body(carry, gradient):
            value = jnp.zeros(())
            carry = optimizer.update(gradient, carry[1], carry[0], value=value, hvp=lambda v: v, loss=lambda p: value)
            return carry, carry[0]

        return jax.lax.scan(body, (start, optimizer.init(start)), gradients)[1]

    with jax.enable_x64(True):
        data = [{k: jnp.asarray(v) for k, v in split_floats(s)[1].items()} for s in (spec, plan)]
        return np.asarray(jax.jit(run)(*data, jnp.asarray(START), jnp.asarray(gradients())))


def apart(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest distance over the run, coordinate by coordinate, relative to the displacement."""
    moved = np.abs(expected - START)
    return float((np.abs(found - expected) / np.maximum(moved, 1e-6 * np.abs(START))).max())


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", RULES)
def test_against_a_literal_transcription(name, factor):
    rule, s = RULES[name], FACTORS[factor][1]
    rates = [rule["learning_rate"] * s(t) for t in range(STEPS)]
    literal = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}[rule["kind"]]
    expected = np.array(list(literal(START, gradients(), rates, **rule)))
    assert apart(ours(name, factor), expected) < TOLERANCE


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", RULES)
def test_against_torch(name, factor):
    torch = pytest.importorskip("torch")
    rule, s = dict(RULES[name]), FACTORS[factor][1]
    kind, rate = rule.pop("kind"), rule.pop("learning_rate")
    renamed = {"decay": "alpha", "epsilon": "eps"}
    settings = {renamed.get(k, k): v for k, v in rule.items() if not k.startswith("beta")}
    if "beta1" in rule:
        settings["betas"] = (rule["beta1"], 0.999)
    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    make = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam}
    optimizer = make[kind]([theta], lr=rate, **settings)
    expected = []
    for t, g in enumerate(gradients()):
        optimizer.param_groups[0]["lr"] = rate * s(t)
        theta.grad = torch.tensor(g)
        optimizer.step()
        expected.append(theta.detach().numpy().copy())
    assert apart(ours(name, factor), np.array(expected)) < TOLERANCE


def test_where_the_rate_is_applied_shows_once_it_falls():
    """The other convention, the rate inside the velocity (Keras), is measurably another rule."""
    rates = [0.1 * 0.1 ** (t / 20) for t in range(STEPS)]
    velocity, theta, path = np.zeros_like(START), START, []
    for g, rate in zip(gradients(), rates, strict=True):
        velocity = 0.9 * velocity - rate * g
        theta = theta + velocity
        path.append(theta)
    assert apart(ours("momentum", "falling"), np.array(path)) > 0.01
