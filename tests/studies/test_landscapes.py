"""Studies of landscapes: runs against NumPy, what may be combined, what seeds do."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.studies.configurations import configurations
from descentlab.studies.result import StudyResult
from descentlab.studies.run import run
from descentlab.studies.spec import Study

BOWL = {
    "name": "bowl",
    "run": {
        "objective": {"kind": "landscape", "function": "quadratic", "condition": 10},
        "data": "none",
        "model": {"kind": "point", "start": [3, -2]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "batches": "full",
        "precision": "float64",
        "steps": 50,
        "record": {"every": 1, "train": "evaluated"},
    },
    "seeds": 2,
}


def _bowl(**changes):
    raw = copy.deepcopy(BOWL)
    raw["run"] |= changes
    return raw


def test_descent_is_the_one_that_numpy_does(tmp_path):
    raw = _bowl()
    raw["vary"] = {"optimizer.learning_rate": [0.1, 0.05], "model.start": [[3, -2], [0.5, 1]]}
    run(Study.parse(raw), tmp_path / "r")
    result = StudyResult(tmp_path / "r")
    assert result.metrics == ["train_loss", "train_x1", "train_x2"]
    curvatures = np.array([1.0, 10.0])
    for configuration in result.configurations:
        rate = configuration.run.optimizer.learning_rate
        path = [np.array(configuration.run.model.start)]
        for _ in range(50):
            path.append(path[-1] - rate * curvatures * path[-1])
        path = np.array(path)
        for seed in (0, 1):
            for metric, expected in {
                "train_loss": (curvatures * path**2).sum(axis=1) / 2,
                "train_x1": path[:, 0],
                "train_x2": path[:, 1],
            }.items():
                curve = result.curves(metric, [configuration.id])
                found = curve[curve["seed"] == seed]["value"]
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_the_minimum_of_a_saddle_is_found_from_where_it_can_be(tmp_path):
    raw = _bowl(objective={"kind": "landscape", "function": "saddle"}, steps=400)
    raw["vary"] = {"model.start": [[1, 0], [1, 1e-3]]}
    run(Study.parse(raw), tmp_path / "r")
    frame = StudyResult(tmp_path / "r").frame().set_index(["configuration", "seed"])
    assert frame.loc[("c00", 0), "train_loss"] == pytest.approx(0, abs=1e-12)
    assert frame.loc[("c01", 0), "train_loss"] == pytest.approx(-1, abs=1e-12)
    assert frame.loc[("c01", 0), "train_x2"] == pytest.approx(np.sqrt(2), abs=1e-6)


def test_spread_displaces_each_seed_by_the_same_deviates(tmp_path):
    raw = _bowl(steps=1)
    raw["vary"] = {"model.spread": [0, 0.5, 1.0]}
    raw["seeds"] = 3
    run(Study.parse(raw), tmp_path / "r")
    curves = StudyResult(tmp_path / "r").curves("train_x1")
    start = curves[curves["step"] == 0].pivot(index="configuration", columns="seed", values="value")
    assert (start.loc["c00"] == 3).all()
    moved = start - 3
    np.testing.assert_allclose(2 * moved.loc["c01"], moved.loc["c02"], rtol=1e-12)
    assert moved.loc["c02"].nunique() == 3


def test_points_of_other_sizes_share_a_study(tmp_path):
    raw = _bowl(objective={"kind": "landscape", "function": "rosenbrock"}, steps=2)
    raw["vary"] = {"model.start": [[0, 0], [0, 0, 0], [0, 0, 0, 0, 0]]}
    run(Study.parse(raw), tmp_path / "r")
    curves = StudyResult(tmp_path / "r").curves("train_loss")
    first = curves[(curves["step"] == 0) & (curves["seed"] == 0)]
    assert first["value"].tolist() == [1, 2, 4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "linear"}, "run.model: expected 'point'.*found 'linear'"),
        ({"data": "iris"}, "run.data: expected 'none'.*found 'iris'"),
        ({"loss": "mse"}, "run.loss: 'mse' does not apply"),
        ({"objective": "classification"}, "run.model: 'point' is for"),
        ({"objective": "regression", "model": "linear"}, "run.data: 'none' is for"),
        ({"model": {"kind": "point", "start": []}}, "run.model.start"),
        ({"model": {"kind": "point", "start": [1], "spread": -1}}, "run.model.spread"),
        ({"data": {"kind": "none", "split": {"test": 0.5}}}, "nothing to split"),
        (
            {"objective": {"kind": "landscape", "function": "himmelblau"},
             "model": {"kind": "point", "start": [1, 2, 3]}},
            "run.model.start: himmelblau is a function of 2 variables; found 3 numbers",
        ),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_refused_before_anything_runs(changes, message):
    with pytest.raises(SpecError, match=message):
        configurations(Study.parse(_bowl(**changes)))
