"""What was read at every update: courses of rates, and runs without any figure."""

from __future__ import annotations

import copy
import re
from typing import Any, cast

import numpy as np
import pytest

from descentlab.report.answers import answers
from descentlab.report.axes import Axis, axis_of, cut
from descentlab.report.curves import Band
from descentlab.report.html import page
from descentlab.report.layers import flat, log_axis
from descentlab.report.plots import Line, describe
from descentlab.report.updates import _courses, _per_epoch
from descentlab.studies.run import run
from descentlab.studies.spec import Study

STUDY: dict[str, Any] = {
    "name": "updates",
    "run": {
        "data": {"kind": "digits"},
        "model": "logistic",
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "epochs": 2,
    },
    "seeds": 1,
}
PER_EPOCH = 29


@pytest.fixture
def raw() -> dict[str, Any]:
    return copy.deepcopy(STUDY)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_a_run_that_diverged_before_its_first_record_has_a_course_too(raw, tmp_path, loss) -> None:
    raw["run"] |= {"loss": loss, "schedule": {"kind": "step", "every": 5}}
    raw["run"]["model"] = {"kind": "mlp", "hidden": [8]}
    raw["vary"] = {"optimizer.learning_rate": [1e20, 0.1]}
    result = run(Study.parse(raw), tmp_path)
    assert set(result.frame()["diverged"]) == {True, False}
    assert _per_epoch(cast("Any", result)) == {"c00": PER_EPOCH, "c01": PER_EPOCH}
    assert "2 of 2 courses" in page(result)


@pytest.mark.parametrize("nothing", ["read", "declared"])
def test_without_any_figure_of_the_rate_there_is_no_picture_of_it(
    raw, tmp_path, nothing, monkeypatch
) -> None:
    raw["run"] |= {"schedule": "cosine", "record": {"gradient_norms": True}}
    result = run(Study.parse(raw), tmp_path)
    assert "Learning rates by update" in page(result)
    curves = result.curves
    if nothing == "read":
        monkeypatch.setattr(
            result,
            "curves",
            lambda name, **more: (
                curves(name, **more).assign(value=np.nan)
                if name in result.readings
                else curves(name, **more)
            ),
        )
    else:
        unknown = lambda run, batches, per_epoch: np.full(len(batches), np.nan)  # noqa: E731
        monkeypatch.setattr("descentlab.report.updates.declared_rates", unknown)
    assert "Learning rates by update" not in page(result)


def test_a_line_without_points_is_described_by_nothing() -> None:
    nothing = np.zeros(0)
    empty = Band(nothing, nothing, nothing, nothing, nothing.astype(bool), (), 1)
    one = np.ones(2)
    full = Band(one, one, one, one, one.astype(bool), (), 1)
    text = describe([Line("empty", "#000000", empty), Line("full", "#000000", full)])
    assert "full from 1 to 1" in text and "empty" not in text


def test_all_configurations_are_compared_and_tiny_rates_are_told_apart(raw, tmp_path) -> None:
    raw["run"]["schedule"] = "cosine"
    rates = [10.0**-k for k in range(1, 10)] + [2e-14, 1e-14, 1e-13]
    raw["vary"] = {"optimizer.learning_rate": rates, "optimizer.l2": [0.0, 1e-4]}
    result = run(Study.parse(raw), tmp_path)
    text = page(result)
    assert "updates of 24 configurations compared" in text
    assert "drawn once: 8 of 12 courses" in text
    assert len(re.findall(r"The two agree at ([\d,]+) updates", text)) == 1
    courses = _courses(cast("Any", result), answers(cast("Any", result)).rows)
    assert len({course.key for course in courses}) == len(rates)
    assert max(course.apart for course in courses) < 1e-5


def test_it_says_how_many_configurations_were_looked_at(raw, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("descentlab.report.updates.MOST_COMPARED", 2)
    raw["run"]["schedule"] = "cosine"
    raw["vary"] = {"optimizer.learning_rate": [0.1, 0.2, 0.3]}
    assert "2 configurations compared (2 of 3 were looked at)" in page(
        run(Study.parse(raw), tmp_path)
    )


def test_a_spike_does_not_flatten_the_others() -> None:
    random = np.random.default_rng(0)
    values = random.normal(0, 1, 300)
    assert not cut(values).cut and cut(values).high == values.max()
    values[[3, 4, 5]] = 2.6e9, 1e7, 1e4
    axis = cut(values)
    assert axis.cut and axis.note == "outliers cut off" and 1 < axis.high < 10
    assert axis.low == values.min()  # nothing lies far out at that end
    assert not cut(np.array([-1.0, 0.0, 1.0, 900.0])).cut  # few points are no spike
    nothing, x = np.full(300, np.nan), np.arange(300.0)
    band = Band(x, values, nothing, nothing, np.ones(300, bool), (), 1)
    assert axis_of("train_loss", [band]) == axis
    ordinary = Band(x, np.exp(-x / 50) - 0.5, nothing, nothing, np.ones(300, bool), (), 1)
    assert not axis_of("train_loss", [ordinary]).cut


def test_norms_by_layer_of_many_decades_are_on_a_log_scale_though_half_are_zero() -> None:
    norms = [flat(np.arange(4), np.array(own)) for own in ([0, 0, 0, 0], [1e-9, 1e-3, 1, 1e9])]
    assert log_axis(norms, zeros=1.0).kind == "log" and log_axis(norms, zeros=1.0).low == 1e-9
    assert log_axis(norms).kind == "linear"
    assert log_axis(norms[:1], zeros=1.0).kind == "linear"


def test_readings_stand_in_the_panels_of_the_tables(raw, tmp_path) -> None:
    """Of all configurations of the tables, each table a panel, and not of the best alone."""
    raw["run"]["record"] = {"gradient_norms": True}
    rates = [0.01, 0.02, 0.04, 0.08]
    raw["vary"] = {
        "optimizer": ["sgd", "rmsprop", "adam"],
        "optimizer.learning_rate": rates,
    }
    text = page(run(Study.parse(raw), tmp_path))
    section = text[text.index('aria-labelledby="updates"') :].partition("</section>")[0]
    assert "Gradient norm by update" in section
    for rate in rates:
        assert f"learning rate {rate}" in section
    for rule in ("sgd", "rmsprop", "adam"):
        assert f"optimizer {rule}" in section


def test_numbers_of_a_log_axis_are_written_in_one_way() -> None:
    texts = [text for _, text in Axis("log", 1e-9, 1e5).ticks]
    assert texts and all(text.startswith("10") for text in texts)
    assert [text for _, text in Axis("log", 0.01, 100).ticks] == ["100", "10", "1", "0.1", "0.01"]
