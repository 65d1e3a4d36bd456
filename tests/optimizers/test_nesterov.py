"""Nesterov's gradient taken ahead, against Sutskever's equations as a loop."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.optimizers.rules.sgd import SGD
from tests.optimizers.descending import descend

START, STEPS = np.array([1.5, -2.0, 0.5]), 40
CURVES = np.array([1.0, 0.2, 5.0])
PAPER = {"kind": "sgd", "flavour": "paper", "momentum": 0.9, "nesterov": True}


def bowl(p):
    return (CURVES * p**2).sum() / 2 + (p**4).sum() / 40


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_what_is_evaluated_is_sutskevers_iterate(factor):
    """v ← μ v - η ∇f(θ + μ v), θ ← θ + v; the engine holds θ + μ v."""
    schedule = {"kind": "step", "every": 10, "factor": factor}
    found = descend(PAPER | {"learning_rate": 0.05}, bowl, START, STEPS, schedule)
    theta, v, thetas, ahead = START, np.zeros(3), [START], [START]
    for t in range(STEPS):
        point = theta + 0.9 * v
        gradient = CURVES * point + point**3 / 10
        v = 0.9 * v - 0.05 * factor ** (t // 10) * gradient
        theta = theta + v
        thetas.append(theta)
        ahead.append(theta + 0.9 * v)
    np.testing.assert_allclose(found.evaluated, thetas, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found.points, ahead, rtol=1e-11, atol=1e-13)


def test_the_points_of_gradients_are_those_of_the_other_form():
    here = descend(PAPER | {"gradient": "here"}, bowl, START, STEPS)
    ahead = descend(PAPER, bowl, START, STEPS)
    np.testing.assert_allclose(ahead.points, here.points, rtol=1e-12)
    np.testing.assert_array_equal(here.evaluated, here.points)
    assert np.abs(ahead.evaluated - here.evaluated)[1:].min() > 0


def test_a_gradient_ahead_needs_the_rate_inside():
    with pytest.raises(SpecError, match="it needs 'rate: inside'"):
        SGD.parse(PAPER | {"rate": "after"}, "run.optimizer")
