from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from descentlab.report.axes import axis_of
from descentlab.report.curves import MOST_RECORDS, Band, bands
from descentlab.report.plots import spread


def flat(*means: float) -> Band:
    mean = np.array(means)
    unknown = np.full(len(mean), np.nan)
    return Band(np.arange(len(mean)), mean, unknown, unknown, np.ones(len(mean), bool), (), 1)


def test_bands_are_scipys_intervals(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.mnist_ten(tmp_path)
    found = bands(result, "test_accuracy", ["c03"], epochs=True)
    assert list(found.bands) == ["c03"]
    band = found.bands["c03"]
    values = np.array([result.runs["c03", seed]["test_accuracy"] for seed in range(5)])
    low, high = stats.t.interval(0.95, 4, values.mean(axis=0), stats.sem(values))
    np.testing.assert_allclose(band.mean, values.mean(axis=0))
    np.testing.assert_allclose(band.low, low)
    np.testing.assert_allclose(band.high, high)
    np.testing.assert_array_equal(band.x, np.arange(16))
    assert band.whole.all()
    assert (found.thinned, band.runs) == (0, 5)


def test_records_that_are_missing_are_not_invented(fakes: ModuleType, tmp_path: Path) -> None:
    found = bands(fakes.mnist_ten(tmp_path), "train_loss", ["c00"], epochs=True)
    assert found.bands["c00"].x[0] == 1  # a running mean has nothing to say at the start


def test_a_diverged_run_ends_in_a_cross(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.with_divergence(tmp_path)
    band = bands(result, "test_loss", ["c00"], epochs=False).bands["c00"]
    assert [x for x, _ in band.crosses] == [360, 675]  # the last records before 400 and 700
    assert band.crosses[0][1] == result.runs["c00", 1]["test_loss"][8]
    assert band.whole.tolist() == [step <= 360 for step in band.x]
    gone = bands(result, "test_loss", ["c04"], epochs=False).bands["c04"]
    assert len(gone.crosses) == 5


def test_one_run_has_no_band(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.mnist_ten(tmp_path, seeds=1)
    band = bands(result, "test_loss", ["c00"], epochs=True).bands["c00"]
    assert np.isnan(band.low).all()


def test_long_curves_are_thinned(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.logistic_descent(tmp_path, seeds=2, records=1001)
    found = bands(result, "train_loss", ["c00"], epochs=False)
    band = found.bands["c00"]
    assert found.thinned == 1001
    assert len(band.x) <= MOST_RECORDS
    assert (band.x[0], band.x[-1]) == (0, 1000)
    assert len(band.low) == len(band.whole) == len(band.x)


def test_only_the_curves_that_are_drawn_are_asked_for(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.digits(tmp_path)
    asked = []

    def curves(metric: str, configurations: list[str] | None = None):
        asked.append(configurations)
        return fakes.FakeResult.curves(result, metric)

    result.curves = curves
    bands(result, "test_loss", ["c02", "c01"], epochs=True)
    assert asked == [["c02", "c01"]]


@pytest.mark.parametrize(
    ("metric", "means", "kind"),
    [
        ("test_loss", (2.3, 0.1), "linear"),
        ("test_loss", (2.3, 0.001), "log"),
        ("test_loss", (2.3, 0.0), "linear"),
        ("test_accuracy", (0.5, 0.8), "linear"),
        ("test_accuracy", (0.1, 0.98), "error"),
        ("test_accuracy", (0.5, 1.0), "linear"),
        ("test_accuracy", (0.1, 0.98, 1.0), "error"),
        ("test_score", (-3.0, 12.0), "linear"),
    ],
)
def test_the_kind_of_axis(metric: str, means: tuple[float, ...], kind: str) -> None:
    assert axis_of(metric, [flat(*means)]).kind == kind


def test_a_loss_that_explodes_is_cut() -> None:
    axis = axis_of("train_loss", [flat(0.7, 0.1), flat(0.7, 1e30)])
    assert axis.high == pytest.approx(700)
    assert np.isfinite(axis.at(np.array([1e30, 0.0, 1e-300]))).all()


values = st.floats(1e-6, 1e4)


@given(st.lists(values, min_size=1, max_size=9), st.sampled_from(["a_loss", "an_accuracy"]))
def test_an_axis_has_ticks_in_order_and_within_it(means: list[float], metric: str) -> None:
    means = [x / (1e4 + 1) for x in means] if metric == "an_accuracy" else means
    axis = axis_of(metric, [flat(*means)])
    low, high = axis.ends
    assert low < high
    places = [place for place, _ in axis.ticks]
    assert 1 <= len(places) <= 9
    assert all(low - 1e-9 <= place <= high + 1e-9 for place in places)
    assert len({text for _, text in axis.ticks}) == len(places)
    inside = axis.at(np.array(means))
    assert ((inside >= low) & (inside <= high)).all()


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.01, 0.2))
def test_labels_keep_apart_and_in_order(wanted: list[float], apart: float) -> None:
    places = spread(np.array(wanted), apart)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) >= apart - 1e-9).all()
    if len(wanted) > 1 and np.diff(np.sort(wanted)).min() >= apart:
        np.testing.assert_allclose(places, wanted, atol=1e-9)
    assert np.mean(places) == pytest.approx(np.mean(wanted)) if wanted else len(places) == 0


def test_a_coordinate_is_neither_an_accuracy_nor_drawn_to_where_a_run_fled() -> None:
    near, far = flat(0.9, 0.9999999), replace(flat(0.9, -1e30), crosses=((1.0, -1e30),))
    axis = axis_of("train_x2", [near, far])
    assert axis.kind == "linear"
    assert axis.low > 0.5
    assert axis.high < 1.5
