"""Time to target in studies."""

from __future__ import annotations

import json

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.studies.run import run
from descentlab.studies.spec import Study
from descentlab.studies.times import machines, profile, seconds_an_update, times_to_target
from tests.studies.claims.conftest import made  # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    from .conftest import SMALL

    return run(Study.parse(SMALL | {"seeds": 3}), tmp_path_factory.mktemp("times") / "r")


def test_times_are_the_first_records_at_the_target(result) -> None:
    target = float(result.frame()["test_loss"].median())
    for each in times_to_target(result, "test_loss", target):
        curves = result.curves("test_loss", [each.configuration])
        there = curves[curves["value"] <= target].groupby("seed")["step"].min()
        assert each.steps.reached == len(there) and each.steps.runs == 3
        if len(there) == 3:
            assert each.steps.value == sorted(there)[1]
            assert each.epochs.value == pytest.approx(each.steps.value / 4)  # updates an epoch
        assert json.dumps(each.to_json())


def test_diverged_runs_and_those_that_fall_short_are_censored(result) -> None:
    found = {t.configuration: t for t in times_to_target(result, "test_accuracy", 2.0)}
    assert len(found) == 4
    assert all(t.steps.value is None and t.steps.reached == 0 for t in found.values())


@pytest.mark.parametrize("target", [float("nan"), float("inf"), float("-inf")])
def test_a_target_is_a_finite_number(result, target) -> None:
    with pytest.raises(SpecError, match="--reach: expected a finite number"):
        times_to_target(result, "test_loss", target)


def test_runs_that_diverged_never_get_there(made) -> None:  # noqa: F811
    """Three of six seeds diverge early and one gets there late, so half never do."""

    def outcome(labels, seed, random):
        late = [2.0, 1.9, 1.8, 0.5] if seed == 5 else [2.0, 1.9, 1.8]
        return None if seed < 3 else {"test_loss": late}

    for each in times_to_target(made(outcome, []), "test_loss", 0.6):
        assert (each.steps.value, each.steps.reached, each.steps.runs) == (None, 1, 6)


def test_the_machine_is_known(result) -> None:
    session = result.provenance["sessions"][0]
    (found,) = machines([result])
    assert found.endswith(session["device"]) and (session["processor"] or "") in found


def test_seconds_follow_from_what_training_took(result) -> None:
    pace = seconds_an_update(result)
    assert set(pace) == {c.id for c in result.configurations}
    assert all(0 < seconds < 1 for seconds in pace.values())
    each = times_to_target(result, "test_loss", 1e9)[0]
    assert each.seconds is not None and each.seconds.value == pytest.approx(0.0)


def test_a_profile_compares_labels_over_studies(result) -> None:
    found = profile([result, result], "test_loss", 0.9, "model.activation")
    assert set(found.methods) == {"tanh", "relu"} and found.times.shape == (2, 2)
    assert found.shares[:, 0].max() == 1.0 and np.all(np.diff(found.shares, axis=1) >= 0)


def test_unknown_metrics_and_factors_are_named(result) -> None:
    with pytest.raises(SpecError, match="unknown metric 'test_los'; did you mean 'test_loss'"):
        times_to_target(result, "test_los", 1.0)
    with pytest.raises(SpecError, match=r"unknown factor 'activation'.*'model.activation'"):
        profile([result], "test_loss", 1.0, "activation")
