"""Lookahead against its algorithm written as a loop, in NumPy and float64."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.optimizers.specs import CATALOGUE, Lookahead
from tests.optimizers.descending import descend

CURVES = np.array([1.0, 0.3, 4.0])
START = np.array([2.0, -3.0, 1.0])
STEPS = 60
NOISE = np.random.default_rng(3).normal(size=(STEPS, 3))


def noisy(p, batch):
    return (CURVES * p**2).sum() / 2 + (p**4).sum() / 40 + p @ batch


def gradient(p, batch):
    return CURVES * p + p**3 / 10 + batch


class Momentum:
    """PyTorch's: b ← μ b + g, θ ← θ - η b."""

    def __init__(self, rates):
        self.rates, self.b, self.t = rates, np.zeros(3), 0

    def step(self, theta, g):
        self.b = 0.9 * self.b + g
        self.t += 1
        return theta - self.rates[self.t - 1] * self.b

    def reset(self):
        self.b = np.zeros(3)

    def get(self):
        return [self.b]

    def put(self, moments):
        (self.b,) = moments


class Adam:
    """Algorithm 1 of Kingma & Ba."""

    def __init__(self, rates):
        self.rates, self.t = rates, 0
        self.reset()

    def step(self, theta, g):
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        self.count += 1
        self.t += 1
        m, v = self.m / (1 - 0.9**self.count), self.v / (1 - 0.999**self.count)
        return theta - self.rates[self.t - 1] * m / (np.sqrt(v) + 1e-8)

    def reset(self):
        self.m, self.v, self.count = np.zeros(3), np.zeros(3), 0

    def get(self):
        return [self.m, self.v]

    def put(self, moments):
        self.m, self.v = moments


def literal(inner, k, alpha, inner_state="keep", alpha_low=None, noise=NOISE):
    """Return fast, slow and synchronised points, and every α."""
    theta = phi = START
    fisher, before = np.zeros(3), [m.copy() for m in inner.get()]
    points, slow, fast, alphas = [START], [START], [START], []
    for t in range(STEPS):
        g = gradient(theta, noise[t])
        fisher = 0.999 * fisher + 0.001 * g**2
        theta = inner.step(theta, g)
        fast.append(theta)
        if (t + 1) % k == 0:
            if alpha_low is not None:
                A = np.diag(fisher / (1 - 0.999 ** (t + 1)))
                minimum = theta - np.linalg.inv(A) @ gradient(theta, noise[t])
                best = (phi - minimum) @ A @ (phi - theta) / ((phi - theta) @ A @ (phi - theta))
                alpha = np.clip(best, alpha_low, 1)
            phi = theta = phi + alpha * (theta - phi)
            if inner_state == "reset":
                inner.reset()
            if inner_state == "pull_back":
                before = [b + alpha * (m - b) for b, m in zip(before, inner.get(), strict=True)]
                inner.put(before)
        alphas.append(alpha)
        points.append(theta)
        slow.append(phi)
    return map(np.array, (points, slow, fast, alphas))


RATES = {
    "constant": ("constant", np.ones(STEPS)),
    "falling": ({"kind": "step", "every": 7, "factor": 0.7}, 0.7 ** (np.arange(STEPS) // 7)),
}
INNER = {
    "sgd": ({"kind": "sgd", "momentum": 0.9, "learning_rate": 0.05}, Momentum, 0.05),
    "adam": ({"kind": "adam", "learning_rate": 0.2}, Adam, 0.2),
}


@pytest.mark.parametrize("schedule", RATES)
@pytest.mark.parametrize("inner_state", ["keep", "reset", "pull_back"])
@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize(("k", "alpha"), [(1, 0.5), (5, 0.8), (6, 0.5), (7, 1.0)])
def test_it_is_algorithm_1(name, inner_state, schedule, k, alpha):
    spec, rule, rate = INNER[name]
    raw, factors = RATES[schedule]
    lookahead = {"kind": "lookahead", "inner": spec, "k": k, "alpha": alpha,
                 "inner_state": inner_state}  # fmt: skip
    found = descend(lookahead, noisy, START, STEPS, raw, NOISE)
    points, slow, fast, _ = literal(rule(rate * factors), k, alpha, inner_state)
    np.testing.assert_allclose(found.points, points, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.evaluated, slow, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.fast, fast, rtol=1e-10, atol=1e-12)
    if schedule == "falling":  # no reset rewinds it
        np.testing.assert_allclose(found.readings["learning_rate"], rate * factors)


@pytest.mark.parametrize("low", [0.01, 0.4])
@pytest.mark.parametrize("inner_state", ["keep", "pull_back"])
@pytest.mark.parametrize("name", INNER)
def test_an_adaptive_alpha_is_the_minimum_of_the_papers_quadratic(name, inner_state, low):
    spec, rule, rate = INNER[name]
    lookahead = {"kind": "lookahead", "inner": spec, "k": 5, "adaptive": True, "alpha_low": low,
                 "inner_state": inner_state}  # fmt: skip
    few = NOISE / 3
    found = descend(lookahead, noisy, START, STEPS, batches=few)
    points, slow, _, alphas = literal(rule(rate * np.ones(STEPS)), 5, 0.5, inner_state, low, few)
    np.testing.assert_allclose(found.points, points, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.evaluated, slow, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.readings["alpha"][4:], alphas[4:], rtol=1e-7)
    assert len(np.unique(alphas[4:])) > 3  # it does adapt


def test_lookahead_of_lookahead_is_the_loop_in_the_loop():
    sgd = {"kind": "sgd", "learning_rate": 0.05}
    once = {"kind": "lookahead", "inner": sgd, "k": 3}
    found = descend({"kind": "lookahead", "inner": once, "k": 6, "alpha": 0.8}, noisy, START, STEPS,
                    batches=NOISE)  # fmt: skip
    theta = inner = outer = START
    points = [START]
    for t in range(STEPS):
        theta = theta - 0.05 * gradient(theta, NOISE[t])
        if (t + 1) % 3 == 0:
            inner = theta = inner + 0.5 * (theta - inner)
        if (t + 1) % 6 == 0:
            outer = inner = theta = outer + 0.8 * (theta - outer)
        points.append(theta)
    np.testing.assert_allclose(found.points, points, rtol=1e-12)


def around(kind):
    made = {"lookahead": {"inner": "sgd"}}
    return {"kind": "lookahead", "inner": {"kind": kind, **made.get(kind, {})}, "k": 2}


@pytest.mark.parametrize("kind", sorted(CATALOGUE.kinds))
def test_it_goes_around_every_optimizer(kind):
    found = descend(around(kind), noisy, START, 6, batches=NOISE[:6])
    assert np.isfinite(found.evaluated).all()
    np.testing.assert_allclose(found.points[2], START + 0.5 * (found.fast[2] - START), rtol=1e-12)
    np.testing.assert_array_equal(found.points[1], found.fast[1])


@pytest.mark.parametrize("kind", sorted(CATALOGUE.kinds))
@pytest.mark.parametrize("inner_state", ["reset", "pull_back"])
def test_states_that_cannot_be_reset_or_pulled_back_say_so(kind, inner_state):
    spec = around(kind) | {"inner_state": inner_state}
    weights = {"lookahead", "schedule_free_sgd", "schedule_free_adamw"}
    without = {"newton", "saddle_free"}
    if kind in without or (kind in weights and inner_state == "pull_back"):
        with pytest.raises(SpecError, match=f"run.optimizer: 'inner_state: {inner_state}' is not"):
            Lookahead.parse(spec, "run.optimizer")
    else:
        assert np.isfinite(descend(spec, noisy, START, 6, batches=NOISE[:6]).evaluated).all()


@pytest.mark.parametrize("inner_state", ["keep", "reset"])
def test_an_inner_average_moves_along(inner_state):
    """At α = 1 nothing moves at a synchronisation: what is kept is as without Lookahead."""
    inner = {"kind": "schedule_free_sgd", "learning_rate": 0.2}
    spec = {"kind": "lookahead", "inner": inner, "k": 4, "inner_state": inner_state}
    alone = descend(inner, noisy, START, STEPS, batches=NOISE)
    same = descend(spec | {"alpha": 1.0}, noisy, START, STEPS, batches=NOISE)
    if inner_state == "keep":
        np.testing.assert_allclose(same.points, alone.points, rtol=1e-12)
    half = descend(spec | {"alpha": 0.5}, noisy, START, STEPS, batches=0 * NOISE)
    start, end = (noisy(p, 0 * p) for p in (half.points[0], half.points[-1]))
    assert end < 0.02 * start


def test_fast_weights_are_the_inner_ones_under_accumulation_too():
    inner = {"kind": "sgd", "learning_rate": 0.1}
    spec = {"kind": "lookahead", "inner": inner, "k": 2, "accumulate": 2}
    found = descend(spec, noisy, START, 8, batches=0 * NOISE[:8])
    once = descend({**spec, "accumulate": 1}, noisy, START, 4, batches=0 * NOISE[:4])
    np.testing.assert_allclose(found.fast[[2, 4, 6, 8]], once.fast[1:], rtol=1e-12)
    np.testing.assert_allclose(found.evaluated[[2, 4, 6, 8]], once.evaluated[1:], rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"k": 0}, "run.optimizer.k"),
        ({"alpha": 0.0}, "run.optimizer.alpha"),
        ({"alpha": 1.5}, "run.optimizer.alpha"),
        ({"alpha_low": 0.0}, "run.optimizer.alpha_low"),
        ({"inner": {"kind": "adam", "beta1": 1.0}}, "run.optimizer.inner.beta1"),
        ({"inner": {"kind": "sgd", "learning_rate": -1}}, "run.optimizer.inner.learning_rate"),
        ({"inner": {"kind": "sgd", "accumulate": 2}}, "give 'accumulate' to lookahead"),
        ({"inner": "adm"}, "adam"),
        ({"inner_state": "forget"}, "run.optimizer.inner_state"),
    ],
)
def test_bad_settings_are_named(change, says):
    with pytest.raises(SpecError, match=says):
        Lookahead.parse({"kind": "lookahead", "inner": "sgd"} | change, "run.optimizer")


def test_a_reset_reaches_the_innermost_optimizer_or_is_refused():
    nested = {"kind": "lookahead", "k": 2, "inner": {"kind": "lookahead", "inner": "newton"}}
    with pytest.raises(
        SpecError, match="'inner_state: reset' is not for lookahead, which takes keep"
    ):
        Lookahead.parse(nested | {"inner_state": "reset"}, "run.optimizer")
    assert Lookahead.parse(nested, "run.optimizer").inner_states == ("keep",)
