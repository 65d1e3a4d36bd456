"""The studies landscape-valley and landscape-tuning: what is known of them, and literal NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.engine.descents.tune import tune
from descentlab.objectives.landscape_catalogue import find_landscape
from descentlab.studies.claims.verdicts import judge
from descentlab.studies.configurations import configurations
from descentlab.studies.load import load_study
from descentlab.studies.result import StudyResult
from descentlab.studies.run import run
from tests.engine import literal_descents as literal

METHODS = {
    "gradient descent": "gd", "momentum": "momentum", "RMSProp": "rmsprop", "Adam": "adam",
}  # fmt: skip


@pytest.fixture(scope="module")
def valley(tmp_path_factory):
    folder = tmp_path_factory.mktemp("valley") / "r"
    run(load_study("landscape-valley", seeds=3), folder)
    return StudyResult(folder)


def test_the_valley_is_as_it_is_known(valley):
    known = {
        ("gradient descent", 0.001): 0.364, ("RMSProp", 0.001): 580, ("Adam", 0.001): 607,
        ("RMSProp", 0.01): 2.53, ("Adam", 0.01): 11.75, ("momentum", 0.001): None,
    }  # fmt: skip
    frame, seen = valley.frame(), set()
    for each in valley.configurations:
        if each.labels["start"] != "as given":
            continue
        rate = each.run.optimizer.learning_rate
        final = known[each.labels["method"], rate]
        seen.add((each.labels["method"], rate))
        rows = frame[frame["configuration"] == each.id]
        assert rows["diverged"].all() == (final is None)
        _, cost = literal.descend(
            literal.rosenbrock, METHODS[each.labels["method"]], (-1.54, -0.64), 150, rate
        )
        assert cost[0] == pytest.approx(913.4, abs=0.05)
        if final is not None:
            assert rows["train_loss"].to_numpy() == pytest.approx([final] * 3, rel=0.003)
            curve = valley.curves("train_loss", [each.id])
            found = curve[curve["seed"] == 0].sort_values("step")["value"]
            np.testing.assert_allclose(found, cost, rtol=1e-10)
    assert seen == set(known)


def test_the_valleys_claims_get_verdicts(valley):
    verdicts = {verdict.claim.name: verdict.verdict for verdict in judge(valley)}
    assert verdicts["at 0.001 gradient descent ends 500 lower than RMSProp and Adam"] == "supported"
    assert len(verdicts) == 5


def test_the_tuned_settings_are_those_that_the_search_finds():
    landscape = find_landscape("goldstein_price")
    found = {
        name: tune(landscape, method, (-0.67, 0.46), 150, vary=("learning_rate", "decay"))
        for name, method in METHODS.items()
    }
    for each in configurations(load_study("landscape-tuning")):
        choice = getattr(found[each.labels["method"]], each.labels["setting"])
        settings = {"learning_rate": each.run.optimizer.learning_rate,
                    "decay": getattr(each.run.schedule, "decay", 0.0)}  # fmt: skip
        assert settings == pytest.approx(choice.settings, rel=1e-9)


def test_tuned_methods_end_where_they_are_known_to(tmp_path):
    run(load_study("landscape-tuning", seeds=2), tmp_path / "r")
    result = StudyResult(tmp_path / "r")
    frame = result.frame().set_index(["configuration", "seed"])
    for each in result.configurations:
        curve = result.curves("train_loss", [each.id])
        if each.labels["start"] == "as given":
            assert curve[curve["step"] == 0]["value"].to_numpy() == pytest.approx(9594.5, abs=0.1)
            final = frame.loc[each.id, "train_loss"].to_numpy()
            highest = 3.1 if each.labels["method"] == "gradient descent" else 3.001
            assert (final < highest).all() and (final >= 3).all()
