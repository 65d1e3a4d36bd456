"""The catalogue of landscapes: formulas, gradients, minima, and formulas that users type."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.core.formulas import FormulaError, evaluate, parse
from descentlab.objectives.landscape_catalogue import (
    LANDSCAPES,
    NAMES,
    find_landscape,
    function_of,
)
from descentlab.objectives.typed import CONSTANTS

POINTS = 10_000
CONDITIONED = {"ravine": 37.5, "noisy_quadratic": 3.0}


def _landscape(name):
    return find_landscape(name, condition=CONDITIONED.get(name))


def _points(landscape):
    (a, b), (c, d) = landscape.domain
    return np.random.default_rng(1).uniform((a, c), (b, d), (POINTS, 2))


def _by_formula(landscape, points):
    names = dict(zip(NAMES, points.T, strict=True)) | CONSTANTS
    return evaluate(parse(landscape.formula), names)


def _function(landscape):
    function = function_of(landscape)
    return lambda point: function(point, landscape.settings)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_the_formula_shown_is_what_is_computed(name):
    landscape = _landscape(name)
    points = _points(landscape)
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(_function(landscape))(jnp.asarray(points)))
    np.testing.assert_allclose(found, _by_formula(landscape, points), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", [*LANDSCAPES, "exp(-abs(w1))*sin(w2) + max(w1, w2)^2/3"])
def test_gradients_equal_central_differences(name):
    landscape = _landscape(name)
    points = _points(landscape).astype(np.longdouble)  # so that rounding leaves the sixth digit
    step = np.longdouble(1e-6)
    with jax.enable_x64(True):
        slope = jax.jit(jax.vmap(jax.grad(_function(landscape))))
        found = np.asarray(slope(jnp.asarray(points, float)))
    for axis in range(2):
        away = np.zeros(2, np.longdouble)
        away[axis] = step
        up, down = (_by_formula(landscape, points + s * away) for s in (1, -1))
        expected = np.asarray((up - down) / (2 * step), float)
        error = np.abs(found[:, axis] - expected) / np.maximum(1, np.abs(expected))
        kinks = np.abs(points).min(axis=1) < 1e-5  # abs and max have no slope there
        kinks |= np.abs(points[:, 0] - points[:, 1]) < 1e-5
        assert error[~kinks].max() < 1e-6


@pytest.mark.parametrize(
    ("name", "number"), [(n, i) for n in LANDSCAPES for i in range(len(LANDSCAPES[n].minima))]
)
def test_newton_comes_to_the_stated_minima(name, number):
    landscape = _landscape(name)
    minimum = landscape.minima[number]
    function = _function(landscape)
    with jax.enable_x64(True):
        value = float(function(jnp.asarray(minimum.point)))
        assert value == pytest.approx(minimum.value, abs=1e-8)
        if name == "ackley":  # a tip: no Newton step leads there
            ring = np.random.default_rng(0).normal(0, 0.01, (500, 2))
            assert float(function(jnp.asarray(ring)).min()) > 0
            return
        at = jnp.asarray(minimum.point) + jnp.asarray([0.004, -0.003]) * landscape.diagonal / 7
        for _ in range(30):
            at = at - jnp.linalg.solve(jax.hessian(function)(at), jax.grad(function)(at))
        np.testing.assert_allclose(at, minimum.point, atol=1e-8)
        assert np.linalg.eigvalsh(jax.hessian(function)(at)).min() > 0


def test_stated_values_are_the_functions_values():
    for landscape in LANDSCAPES.values():
        for minimum in landscape.minima:
            assert minimum.value == pytest.approx(
                float(_by_formula(landscape, np.asarray([minimum.point]))[0]), abs=1e-8
            ), (landscape.name, minimum)
        values = [minimum.value for minimum in landscape.minima]
        assert values == sorted(values)
        (a, b), (c, d) = landscape.domain
        x, y = landscape.start
        assert a <= x <= b and c <= y <= d
        assert landscape.source and landscape.about.endswith(".")
        if landscape.minima:
            assert landscape.lowest == landscape.minima[0].value


def test_published_minima():
    assert [m.value for m in LANDSCAPES["styblinski_tang"].minima] == pytest.approx(
        [0, 14.14, 14.14, 28.27], abs=0.01
    )
    assert [m.value for m in LANDSCAPES["goldstein_price"].minima] == [3, 30]
    assert [m.value for m in LANDSCAPES["himmelblau"].minima] == [0, 0, 0, 0]


def test_settings_are_data_of_one_function():
    wide, narrow = find_landscape("ravine", condition=1e4), find_landscape("quadratic")
    assert wide.key == narrow.key and wide != narrow
    assert wide.formula == "(w1^2 + 10000*w2^2)/2"
    assert find_landscape("Goldstein-Price").name == "goldstein_price"
    assert find_landscape("rosenbrock", variance=0.5).noisy
    assert not find_landscape("noisy_quadratic", variance=0).noisy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rosenbrok", "did you mean 'rosenbrock'"),
        ("w1 + w3", "'w3' is no variable here"),
        ("x^2", "'x' is no variable"),
        ("3 + pi", "neither w1 nor w2"),
        ("[w1, w2]", "vectors and '@' are not"),
        ("dot(w1, w2)", "is for vectors"),
        ("w1^", r"formula: expected a number.*column 4"),
        ("__import__('os')", "no part of a formula"),
        ("w1.real", "no part of a formula"),
        ("eval(w1)", "unknown function 'eval'"),
        ("w1 + " * 250 + "w1", "at most 1,000 are read"),
        ("+".join(["w1*w2"] * 150), "in a row"),
        ("(" * 60 + "w1" + ")" * 60, "levels deep"),
        ("*".join(f"({'+'.join(['w1'] * 20)})" for _ in range(10)), "at most 300"),
        ("", "expected a number"),
    ],
)
def test_what_is_no_landscape_is_refused(text, message):
    with pytest.raises(SpecError, match=message):
        find_landscape(text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"condition": 0.5}, "condition: expected a number from 1"),
        ({"condition": float("nan")}, "condition: expected"),
        ({"variance": -1.0}, "variance: expected a number from 0"),
        ({"domain": ((1, 0), (0, 1))}, "domain: w1 from 1 to 0"),
        ({"domain": ((0, float("inf")), (0, 1))}, "domain: w1"),
        ({"domain": (1, 2, 3)}, "domain: expected four numbers"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(SpecError, match=message):
        find_landscape("ravine", **settings)
    with pytest.raises(SpecError, match="rosenbrock has none to set"):
        find_landscape("rosenbrock", condition=3.0)


def test_a_fault_has_its_column():
    with pytest.raises(FormulaError) as fault:
        find_landscape("w1 + w2*foo")
    assert fault.value.at == 8


def test_the_documentation_lists_every_landscape_as_it_is():
    page = Path(__file__).parents[2] / "docs" / "landscapes.md"
    rows = {}
    for line in page.read_text().splitlines():
        name, *cells = [cell.strip() for cell in line.split("|")[1:-1]] or [""]
        rows.setdefault(name.strip("`"), cells)
    for name, landscape in LANDSCAPES.items():
        formula, _, minima, source = rows[name]
        assert formula == f"`{landscape.formula}`"
        assert source == landscape.source
        for minimum in landscape.minima if name != "cliff" else ():
            x, y = minimum.point
            assert f"({x:.4g}, {y:.4g})".replace("-", "−") in minima
        assert bool(landscape.minima) == (minima != "none")
