"""Tuning, basins, stability, minima and diagnoses, against NumPy and closed forms."""

from __future__ import annotations

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.engine.descents.basins import DIVERGED, NONE, basins
from descentlab.engine.descents.diagnosis import diagnose
from descentlab.engine.descents.minima import find_minima
from descentlab.engine.descents.outcome import OUTCOMES
from descentlab.engine.descents.planar import newton, saddle_free
from descentlab.engine.descents.run import run
from descentlab.engine.descents.sharpness import bound, sharpness
from descentlab.engine.descents.stability import stability
from descentlab.engine.descents.tune import RATES, tune
from descentlab.objectives.landscape_catalogue import find_landscape
from descentlab.optimizers import curvature
from tests.engine import literal_descents as literal

GOLDSTEIN, FROM = find_landscape("goldstein_price"), (-0.67, 0.46)
RAVINE = find_landscape("ravine", condition=100)


@pytest.fixture(scope="module")
def tuned():
    vary = ("learning_rate", "decay")
    names = ("gd", "momentum", "rmsprop", "adam")
    return {name: tune(GOLDSTEIN, name, FROM, 150, vary=vary) for name in names}


def test_goldstein_and_price_tuned_as_it_is_known(tuned):
    for name, highest in {"gd": 3.03, "momentum": 3.001, "rmsprop": 3.001, "adam": 3.001}.items():
        found = tuned[name]
        assert found.best.final_cost <= highest
        assert found.target == 3 and found.tolerance == pytest.approx(0.0959, abs=1e-4)
        assert 9000 < found.tried < 11000
        for choice in (found.best, found.robust):
            (again,) = run(GOLDSTEIN, [choice.method], FROM, 150)
            assert again.final_cost == pytest.approx(choice.final_cost, rel=1e-6)
            low = again.cost <= 3 + found.tolerance
            assert low[choice.epochs :].all() and not low[choice.epochs - 1]
    assert tuned["gd"].best.settings["learning_rate"] == pytest.approx(4.145e-5, rel=0.01)
    assert tuned["gd"].best.success == pytest.approx(0.13, abs=0.04)
    assert tuned["gd"].robust.success < 0.4
    assert "No setting is sure" in tuned["gd"].sentences()[0]
    for name in ("momentum", "rmsprop", "adam"):
        assert tuned[name].robust.success > 0.95
    robust = tuned["rmsprop"].robust.settings
    assert robust == pytest.approx({"learning_rate": 1.281, "decay": 1.0}, rel=0.02)


@pytest.mark.parametrize("name", ["gd", "adam"])
def test_success_is_the_share_that_numpy_finds(tuned, name):
    choice = tuned[name].best
    rate, decay = choice.settings["learning_rate"], choice.settings["decay"]
    sevenths, fifths = ((np.arange(n) + 0.5) / n * 2 - 1 for n in (7, 5))
    hits = []
    for dx, dy, off in itertools.product(sevenths, sevenths, fifths):
        start = (FROM[0] + 0.02 * dx, FROM[1] + 0.02 * dy)
        _, cost = literal.descend(
            literal.goldstein_price, name, start, 150, rate * (1 + 0.05 * off), decay
        )
        hits.append(cost[-1] <= 3 + tuned[name].tolerance)
    assert np.mean(hits) == pytest.approx(choice.success, abs=0.009)  # two of 245, by rounding


def test_a_fluke_is_called_one():
    found = tune(GOLDSTEIN, "momentum", FROM, 150)
    assert set(found.best.settings) == {"learning_rate", "decay", "beta"}
    assert found.fluke and found.robust.success > found.best.success + 0.1
    assert "is a fluke" in found.sentences()[0]
    plain = found.to_json()
    assert plain["best"]["settings"] == found.best.settings
    assert plain["robust"]["optimizer"]["momentum"] == found.robust.settings["beta"]


def test_where_no_setting_succeeds_the_lowest_found_is_the_target():
    found = tune(find_landscape("beale"), "gd", (-3.0, 2.0), 5)
    assert found.target > 0 and found.target == pytest.approx(found.best.final_cost, rel=0.01)
    assert "No setting came to the minimum" in " ".join(found.sentences())
    assert RATES[0] <= found.best.settings["learning_rate"] <= RATES[1]
    assert "beta" not in found.best.settings


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("hyperbolic_saddle", {}, "has no minimum on its map"),
        ("rosenbrock", {"steps": 0}, "steps: "),
        ("rosenbrock", {"steps": 3000}, "steps: .* from 1 to 2,000"),
        ("rosenbrock", {"settings": 3}, "settings: "),
        ("rosenbrock", {"vary": ("rate",)}, "vary: unknown setting 'rate'"),
        ("rosenbrock", {"start": (1, math.nan)}, "start: w2"),
        ("exp(1000*w1^2)", {"start": (5.0, 5.0)}, "every one of .* diverged|no minimum"),
    ],
)
def test_what_cannot_be_tuned_is_refused(name, options, message):
    start, steps = options.pop("start", (0.5, 0.5)), options.pop("steps", 10)
    with pytest.raises(SpecError, match=message):
        tune(find_landscape(name), "gd", start, steps, **options)


def test_basins_are_those_that_numpy_finds():
    found = basins(find_landscape("himmelblau"), "gd lr=0.01", 150, columns=23, rows=17)
    assert found.index.shape == (17, 23) and found.index.dtype == np.int8
    minima = np.array([m.point for m in found.minima])
    assert found.counts[NONE] + sum(found.counts[n] for n in range(4)) == 17 * 23
    for row, column in itertools.product(range(0, 17, 3), range(0, 23, 3)):
        start = (-5 + 10 * column / 22, -5 + 10 * row / 16)
        path, _ = literal.descend(literal.himmelblau, "gd", start, 150, 0.01)
        away = np.linalg.norm(minima - path[-1], axis=1)
        expected = int(away.argmin()) if away.min() <= found.radius else NONE
        assert found.index[row, column] == expected


def test_basins_of_who_falls_and_of_who_is_too_slow():
    fallen = basins(find_landscape("hyperbolic_saddle"), "gd lr=0.5", 60, columns=20, rows=20)
    assert fallen.counts == {NONE: 0, DIVERGED: 400}
    slow = basins(find_landscape("rosenbrock"), "gd lr=1e-6", 10, columns=20, rows=20)
    assert slow.counts[NONE] == 400
    newton_found = basins(find_landscape("saddle"), "newton", 50, columns=30, rows=30)
    assert newton_found.counts[NONE] > 0, "Newton goes to the saddle from some starts"
    with pytest.raises(SpecError, match=r"columns, rows: .* starts of"):
        basins(find_landscape("saddle"), "gd", 5000, columns=1000, rows=1000)
    with pytest.raises(SpecError, match="columns: expected a whole number"):
        basins(find_landscape("saddle"), "gd", 50, columns=1)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("(w1 - 1)^2 + 10*w2^2", [(1, 0)]),
        ("w1^4 + w2^2", [(0, 0)]),
        ("abs(w1) + abs(w2 - 1)", [(0, 1)]),
        ("sqrt(w1^2 + w2^2)", [(0, 0)]),
        ("log(w1)^2 + w2^2", [(1, 0)]),
        ("w1*w2", []),
        ("w1^2 - w2^2", []),
        ("cos(w1) + w2^2", [(math.pi, 0), (-math.pi, 0)]),
        (
            find_landscape("goldstein_price").formula,
            [(0, -1), (-0.6, -0.4), (1.8, 0.2), (1.2, 0.8)],
        ),
        (
            find_landscape("himmelblau").formula,
            [m.point for m in find_landscape("himmelblau").minima],
        ),
    ],
)
def test_minima_of_typed_formulas_are_found(text, points):
    found = find_minima(find_landscape(text))
    assert len(found) == len(points)
    for point in points:
        assert min(math.dist(point, m.point) for m in found) < 1e-3
    assert [m.value for m in found] == sorted(m.value for m in found)


def test_every_dent_of_rastrigins_function_is_found():
    found = find_minima(find_landscape("rastrigin"))
    assert len(found) == 121
    nearest = {tuple(round(x / 0.995) for x in m.point) for m in found}
    assert nearest == set(itertools.product(range(-5, 6), repeat=2))


@pytest.mark.parametrize("damping", [0.0, 0.7])
def test_newton_in_the_plane_is_newton(damping):
    pairs = (newton(damping), curvature.newton(damping, 2)), (
        saddle_free(damping), curvature.saddle_free(damping, 2)
    )  # fmt: skip
    random = np.random.default_rng(3)
    with jax.enable_x64(True):
        for mine, dense in pairs:
            for _ in range(25):
                half = random.normal(size=(2, 2))
                matrix, slope = jnp.asarray(half + half.T), jnp.asarray(random.normal(size=2))
                step, notes = mine(slope, lambda v, m=matrix: m @ v)
                expected, told = dense(slope, lambda v, m=matrix: m @ v)
                np.testing.assert_allclose(step, expected, rtol=1e-9)
                assert set(notes) == set(told)
                for name, value in told.items():
                    assert float(notes[name]) == pytest.approx(float(value), rel=1e-9)


def test_stability_ends_where_it_must_on_a_quadratic():
    found = stability(RAVINE, "gd", (-4.5, 2.0), 400, columns=64, rows=16, rates=(1e-4, 0.2))
    assert found.other == "beta" and found.outcome.shape == (16, 64)
    limit = 2 * (1 + found.values[:, None]) / 100
    diverges = found.outcome == OUTCOMES.index("diverges")
    near = np.abs(found.rates / limit - 1) < 0.07
    assert (diverges == (found.rates > limit))[~near].all()
    assert found.counts["converges"] > 0 and sum(found.counts.values()) == 64 * 16
    slow = found.outcome[0, found.rates < 2e-3]  # gradient descent: (1 - η)^400 of the way is left
    assert (slow == OUTCOMES.index("crawls")).all()
    swings = stability(RAVINE, "gd", (-4.5, 2.0), 60, columns=2, rows=2, rates=(0.0199, 0.01995))
    assert swings.outcome[0].tolist() == [OUTCOMES.index("oscillates")] * 2


def test_stability_of_methods_without_momentum_is_over_the_decay():
    found = stability(RAVINE, "adagrad", (-4.5, 2.0), 20, columns=8, rows=6)
    assert found.other == "decay" and found.values[0] == pytest.approx(1e-4)
    with pytest.raises(SpecError, match="adagrad has no momentum"):
        stability(RAVINE, "adagrad schedule=cosine", (1.0, 1.0), 20)
    with pytest.raises(SpecError, match="rates: expected two numbers"):
        stability(RAVINE, "gd", (1.0, 1.0), 20, rates=(1.0, 0.1))
    with pytest.raises(SpecError, match="values: expected two numbers from 0"):
        stability(RAVINE, "gd", (1.0, 1.0), 20, values=(0.0, 1.0))


@pytest.mark.parametrize(
    ("text", "outcome", "told"),
    [
        ("gd lr=0.0201", "diverges", "above 2/η = 99.5"),
        ("gd lr=0.0199", "oscillates", "0.995 of 2/η"),
        ("gd lr=0.005", "crawls", "a larger learning rate would be stable"),
        ("gd lr=0.0195 ", "converges", "stays below 2/η"),
        ("momentum lr=0.0385", "diverges", "2(1+β)/η"),
        ("momentum lr=0.037", "converges", "stays below 2(1+β)/η"),
        ("nesterov lr=0.0145", "diverges", "(1+2β)"),
    ],
)
def test_a_diagnosis_says_what_and_why(text, outcome, told):
    steps = 600 if outcome == "converges" else 150
    (descent,) = run(RAVINE, [text], (-4.5, 2.0), steps)
    found = diagnose(descent)
    assert found.outcome == outcome
    assert told in " ".join(found.sentences)
    assert found.curvature == pytest.approx(100)
    assert found.end_curvature == pytest.approx((1, 100))
    assert (found.first_above is not None) == (found.sharpness > found.limit)
    assert found.to_json()["outcome"] == outcome


def test_curvature_on_the_way_and_what_adam_is_stable_below():
    rosenbrock = find_landscape("rosenbrock")
    (gd,) = run(rosenbrock, ["gd lr=0.001"], (-1.54, -0.64), 150)
    along = sharpness(gd)
    for t in (0, 1, 60, 150):
        x, y = gd.iterates[t]
        matrix = [[2 - 400 * (y - 3 * x * x), -400 * x], [-400 * x, 200]]
        low, high = np.linalg.eigvalsh(matrix)
        assert (along.smallest[t], along.largest[t]) == pytest.approx((low, high), rel=1e-9)
    (adam,) = run(rosenbrock, ["adam lr=0.01"], (-1.54, -0.64), 20)
    assert bound(adam.method).factor == pytest.approx(38)  # Cohen et al. 2022
    second = np.zeros(2)
    for t in range(4):
        second = 0.999 * second + 0.001 * adam.gradients[t] ** 2
    scale = np.sqrt(second / (1 - 0.999**4)) + 1e-8
    x, y = adam.iterates[3]
    matrix = np.array([[2 - 400 * (y - 3 * x * x), -400 * x], [-400 * x, 200]])
    expected = np.linalg.eigvalsh(matrix / np.sqrt(np.outer(scale, scale)))[-1]
    assert sharpness(adam).scaled[3] == pytest.approx(expected, rel=1e-9)
    assert diagnose(run(rosenbrock, ["lion"], (1.0, 1.0), 5)[0]).limit is None


def test_a_diagnosis_of_rest_at_a_saddle_and_of_a_fall():
    saddle = find_landscape("hyperbolic_saddle")
    (rest,) = run(saddle, ["gd lr=0.1"], (1.5, 0.0), 300)
    assert "a saddle and no minimum" in diagnose(rest).sentences[0]
    (fall,) = run(saddle, ["gd lr=0.1"], (1.5, 0.01), 300)
    assert diagnose(fall).outcome == "diverges" and "falls on" in diagnose(fall).sentences[0]
