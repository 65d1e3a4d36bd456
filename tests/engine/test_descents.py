"""Descents: iterates against literal NumPy and the engine's runs, divergence, noise, refusals."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.engine.descents.method import Method
from descentlab.engine.descents.programs import PROGRAMS
from descentlab.engine.descents.run import run
from descentlab.engine.descents.sweep import sweep
from descentlab.objectives.landscape_catalogue import find_landscape
from descentlab.optimizers.specs import CATALOGUE
from descentlab.studies.landscapes import study_of
from descentlab.studies.result import StudyResult
from descentlab.studies.run import run as run_study
from descentlab.studies.spec import Study
from tests.engine import literal_descents as literal

ROSENBROCK = find_landscape("rosenbrock")
VALLEY = (-1.54, -0.64)
KINDS = [
    *(kind for kind in CATALOGUE.kinds if kind not in ("lookahead", "schedule_free_sgd")),
    "momentum lr=0.0002 lr_decay=0.01",
    "nesterov lr=0.0002",
    "schedule_free_sgd lr=0.0005",
    "lookahead inner=adam inner.lr=0.1",
    "rmsprop flavour=paper lr=0.01",
    "adam lr=0.1 schedule=cosine",
    "adam lr=0.1 clip.kind=norm clip.at=1.0 l2=0.01",
    "sgd lr=0.0005 accumulate=2",
    "newton lr=0.5",
    "saddle_free damping=1.0",
]


@pytest.mark.parametrize("method", ["gd", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize(
    ("name", "function", "start", "rates"),
    [
        ("rosenbrock", literal.rosenbrock, VALLEY, (0.001, 0.0003, 0.01, 0.01)),
        ("himmelblau", literal.himmelblau, (0.5, -1.5), (0.01, 0.002, 0.02, 0.3)),
        ("ravine", literal.ravine, (-4.5, 2.0), (0.019, 0.01, 0.1, 0.5)),
        ("goldstein_price", literal.goldstein_price, (-0.67, 0.46), (1e-6, 1e-7, 0.05, 0.05)),
    ],
)
@pytest.mark.parametrize("decay", [0.0, 0.03])
def test_iterates_equal_a_loop_of_numpy(method, name, function, start, rates, decay):
    rate = dict(zip(["gd", "momentum", "rmsprop", "adam"], rates, strict=True))[method]
    path, cost = literal.descend(function, method, start, 150, rate, decay)
    (found,) = run(find_landscape(name), [f"{method} lr={rate} lr_decay={decay}"], start, 150)
    np.testing.assert_allclose(found.path, path, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.cost, cost, rtol=1e-12, atol=1e-12)
    slopes = [np.hypot(*function(p)[1]) for p in path]
    np.testing.assert_allclose(found.gradient_norm, slopes, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found.rate[1:], rate / (1 + decay * np.arange(1, 151)), rtol=1e-14)
    assert not found.diverged and np.isnan(found.rate[0])


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0.001, {"gd": 0.364, "momentum": None, "rmsprop": 580, "adam": 607}),
        (0.01, {"gd": None, "momentum": None, "rmsprop": 2.53, "adam": 11.75}),
    ],
)
def test_the_valley_as_it_is_known(rate, expected):
    found = run(ROSENBROCK, [f"{name} lr={rate}" for name in expected], VALLEY, 150)
    for descent, final in zip(found, expected.values(), strict=True):
        assert descent.cost[0] == pytest.approx(913.4, abs=0.05)
        assert descent.diverged == (final is None)
        if final is None:
            at = descent.diverged_at
            assert np.isfinite(descent.cost[:at]).all() and not np.isfinite(descent.cost[at])
            assert descent.to_json()["diverged"] is True
        else:
            assert descent.final_cost == pytest.approx(final, rel=0.003)


@pytest.mark.parametrize("text", KINDS)
def test_every_method_descends_as_studies_train_it_and_as_sweeps_do(text, tmp_path):
    landscape, start, steps = find_landscape("himmelblau"), (0.5, -1.5), 30
    method = Method.of(text)
    assert Method.of(method.text()) == method
    assert Method.of(method.resolved()) == method
    (found,) = run(landscape, [method], start, steps)
    run_study(Study.parse(study_of(landscape, [method], start, steps)), tmp_path / "r")
    result = StudyResult(tmp_path / "r")
    for metric, column in {
        "train_loss": found.cost, "train_x1": found.path[:, 0], "train_x2": found.path[:, 1],
    }.items():  # fmt: skip
        curve = result.curves(metric).sort_values("step")["value"].to_numpy()
        np.testing.assert_allclose(column, curve, rtol=1e-9, atol=1e-10)
    starts = np.asarray([start, (3.0, 3.5), (-4.0, 1.0)])
    ends = sweep(landscape, method, starts, steps)
    np.testing.assert_allclose(ends.point[0], found.path[-1], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(ends.cost[0], found.cost[-1], rtol=1e-9, atol=1e-10)


def test_other_numbers_take_no_other_compilation():
    ravine = find_landscape("ravine", condition=30)
    run(ravine, ["adam lr=0.1", "gd schedule.kind=cosine"], (1.0, 2.0), 150)
    before = PROGRAMS.compilations
    other = find_landscape("ravine", condition=70)
    adam, cosine = run(other, ["adam lr=0.2 beta2=0.99", "gd schedule=cosine"], (-1, 0.5), 11)
    assert PROGRAMS.compilations == before
    assert len(adam.cost) == 12
    np.testing.assert_allclose(
        cosine.rate[1:], 0.01 * (1 + np.cos(np.pi * np.arange(11) / 11)) / 2, rtol=1e-12
    )
    (long,) = run(other, ["adam lr=0.2 beta2=0.99"], (-1, 0.5), 400)
    np.testing.assert_array_equal(long.path[:12], adam.path)


def test_company_does_not_matter_and_threads_may_share():
    alone = run(ROSENBROCK, ["adam lr=0.05"], VALLEY, 100)[0]
    found: list = []

    def work():
        found.append(run(ROSENBROCK, ["gd lr=1", "adam lr=0.05"], VALLEY, 100)[1])

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    for descent in found:
        np.testing.assert_array_equal(descent.path, alone.path)


def test_noise_is_of_the_seed_and_has_the_variance_chosen():
    noisy = find_landscape("noisy_quadratic", condition=4, variance=2.25)
    (found,) = run(noisy, ["gd lr=0.01"], (3.0, 2.0), 2000, seed=5)
    again, adam = run(noisy, ["gd lr=0.01", "adam lr=0.1"], (3.0, 2.0), 2000, seed=5)
    (other,) = run(noisy, ["gd lr=0.01"], (3.0, 2.0), 2000, seed=6)
    np.testing.assert_array_equal(found.path, again.path)
    assert not np.allclose(found.path[1:], other.path[1:])
    noise = found.gradients - found.iterates * [1, 4]
    np.testing.assert_allclose(adam.gradients - adam.iterates * [1, 4], noise, atol=1e-12)
    assert noise.mean(axis=0) == pytest.approx([0, 0], abs=0.15)
    assert noise.var(axis=0) == pytest.approx([2.25, 2.25], rel=0.1)
    path, cost = literal.descend(
        lambda p: literal.ravine(p, 4.0), "gd", (3.0, 2.0), 2000, 0.01, noise=noise
    )
    np.testing.assert_allclose(found.path, path, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(found.cost, cost, rtol=1e-9, atol=1e-11)


def test_slow_weights_are_handed_over_and_fast_ones_seen():
    (found,) = run(find_landscape("ravine"), ["lookahead inner=gd k=5"], (1.0, 1.0), 20)
    assert (found.path[1:5] == found.path[0]).all() and (found.path[5] != found.path[4]).all()
    assert (found.iterates[1] != found.path[1]).any()
    np.testing.assert_allclose(found.gradients, found.iterates * [1, 100])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps: expected a whole number from 1 to 100,000, found 0"),
        ({"steps": 1 << 20}, "steps: "),
        ({"steps": True}, "steps: "),
        ({"steps": 2.5}, "steps: "),
        ({"start": (float("nan"), 0)}, "start: w1 must be a finite number"),
        ({"start": (0, float("inf"))}, "start: w2 must be"),
        ({"start": (0, 1, 2)}, "start: expected two numbers"),
        ({"start": "01"}, "start: expected two numbers"),
        ({"start": ("a", 1)}, "start: w1"),
        ({"seed": -1}, "seed: "),
        ({"methods": []}, "optimizers: expected 1 to 32, found 0"),
        ({"methods": ["gd"] * 33}, "optimizers: .*found 33"),
        ({"methods": ["adm"]}, "did you mean 'adam'"),
        ({"methods": ["adam learning_rate=-1"]}, "optimizer.learning_rate: .*found -1"),
        ({"methods": ["adam lr=1e999"]}, "optimizer.learning_rate"),
        ({"methods": ["adam lr=.nan"]}, "optimizer.learning_rate"),
        ({"methods": ["adam lr=fast"]}, "optimizer.learning_rate"),
        ({"methods": ["adam lr"]}, "expected field=value after 'adam', found 'lr'"),
        ({"methods": ["adam lr=1 lr=2"]}, "optimizer.lr: given twice"),
        ({"methods": ["adam lr=1 learning_rate=2"]}, "optimizer.lr: learning_rate is given too"),
        ({"methods": ["adam bta1=0.5"]}, "optimizer.bta1: unknown field"),
        ({"methods": ["adam lr_decay=1 schedule=cosine"]}, "leave one out"),
        ({"methods": ["adam decay=-1"]}, "schedule.decay"),
        ({"methods": [""]}, "expected 'KIND field=value"),
        ({"methods": [3]}, "expected 'KIND field=value"),
        ({"methods": ["gd" + " x=1" * 2000]}, "at most 2,000"),
        ({"methods": ["lookahead inner=adam k=500"]}, "optimizer.k: 500 updates"),
        ({"methods": ["adam schedule.kind=cosine schedule.decay_steps=999"]}, "schedule.decay"),
    ],
)
def test_nonsense_is_refused_by_name(changes, message):
    given = {"methods": ["gd"], "start": (0.0, 1.0), "steps": 150, "seed": 0} | changes
    with pytest.raises(SpecError, match=message):
        run(ROSENBROCK, given["methods"], given["start"], given["steps"], seed=given["seed"])
