"""Landscapes against literal NumPy, their known minima, and what is refused."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.objectives import landscapes
from descentlab.objectives.specs import Landscape

RNG = np.random.default_rng(0)
LOWEST = -2.903534027771177


def _goldstein_price(p):
    x, y = p
    a = 19 - 14 * x + 3 * x * x - 14 * y + 6 * x * y + 3 * y * y
    b = 18 - 32 * x + 12 * x * x + 48 * y - 36 * x * y + 27 * y * y
    return (1 + (x + y + 1) ** 2 * a) * (30 + (2 * x - 3 * y) ** 2 * b)


LITERAL = {
    "saddle": (2, lambda p: 5 * p[0] ** 2 - p[1] ** 2 + p[1] ** 4 / 4),
    "rosenbrock": (
        5,
        lambda p: sum(100 * (p[i + 1] - p[i] ** 2) ** 2 + (1 - p[i]) ** 2 for i in range(4)),
    ),
    "himmelblau": (2, lambda p: (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2),
    "styblinski_tang": (
        3,
        lambda p: sum(x**4 - 16 * x**2 + 5 * x for x in p) / 2 + 39.16617 * 3,
    ),
    "goldstein_price": (2, _goldstein_price),
    "quadratic": (3, lambda p: (p[0] ** 2 + 10 * p[1] ** 2 + 100 * p[2] ** 2) / 2),
}

MINIMA = [
    ("saddle", (0, math.sqrt(2)), -1.0),
    ("saddle", (0, -math.sqrt(2)), -1.0),
    ("rosenbrock", (1, 1), 0.0),
    ("rosenbrock", (1, 1, 1, 1), 0.0),
    ("himmelblau", (3, 2), 0.0),
    ("himmelblau", (-2.805118086952745, 3.131312518250573), 0.0),
    ("himmelblau", (-3.779310253377747, -3.283185991286170), 0.0),
    ("himmelblau", (3.584428340330492, -1.848126526964404), 0.0),
    ("styblinski_tang", (LOWEST, LOWEST), 0.0),
    ("goldstein_price", (0, -1), 3.0),
    ("goldstein_price", (-0.6, -0.4), 30.0),
    ("quadratic", (0, 0, 0), 0.0),
]


def _function(name):
    return landscapes.quadratic(100.0) if name == "quadratic" else getattr(landscapes, name)


@pytest.mark.parametrize("name", LITERAL)
def test_against_a_literal_transcription(name):
    variables, literal = LITERAL[name]
    points = RNG.normal(0, 2, (4, 3, variables))
    with jax.enable_x64(True):
        found = np.asarray(_function(name)(jnp.asarray(points)))
    assert found.shape == (4, 3)
    expected = [literal(p) for p in points.reshape(-1, variables)]
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize(("name", "point", "value"), MINIMA)
def test_minima_have_their_value_no_slope_and_no_way_down(name, point, value):
    with jax.enable_x64(True):
        function, at = _function(name), jnp.asarray(point, float)
        assert float(function(at)) == pytest.approx(value, abs=2e-5)
        np.testing.assert_allclose(jax.grad(function)(at), 0, atol=1e-6)
        assert np.linalg.eigvalsh(jax.hessian(function)(at)).min() > 0


def test_the_published_curvatures_and_the_published_start():
    with jax.enable_x64(True):
        eigenvalues = np.linalg.eigvalsh(jax.hessian(landscapes.rosenbrock)(jnp.ones(2)))
        start = float(landscapes.rosenbrock(jnp.asarray([-1.54, -0.64])))
        at_saddle = np.linalg.eigvalsh(jax.hessian(landscapes.saddle)(jnp.zeros(2)))
    np.testing.assert_allclose(eigenvalues, [0.4, 1001.6], atol=0.01)
    assert start == pytest.approx(913.4, abs=0.05)
    np.testing.assert_allclose(at_saddle, [-2, 10])


@pytest.mark.parametrize(
    ("fields", "loss", "variables", "message"),
    [
        ({"function": "himmelblau"}, "cross_entropy", 3, "himmelblau.*2 variables; found 3"),
        ({"function": "rosenbrock"}, "cross_entropy", 1, "at least 2 variables; found 1 number$"),
        ({"function": "saddle"}, "mse", 2, "run.loss: 'mse' does not apply"),
        (
            {"function": "quadratic", "condition": 9.0},
            "cross_entropy",
            1,
            "run.objective.condition: 9",
        ),
    ],
)
def test_what_does_not_fit_is_named(fields, loss, variables, message):
    with pytest.raises(SpecError, match=message):
        Landscape(**fields).check(loss, variables)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"function": "quadratic"}, "needs 'condition'"),
        ({"function": "saddle", "condition": 3.0}, "'condition' 3 is for 'function: quadratic'"),
        ({"function": "quadratic", "condition": 0.1}, "condition"),
        ({"function": "sadle"}, "saddle"),
    ],
)
def test_fields_are_checked(fields, message):
    with pytest.raises(SpecError, match=message):
        Landscape.parse({"kind": "landscape", **fields}, "run.objective")
