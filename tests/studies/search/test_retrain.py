"""The best of a search trained anew, and what the report says of a search."""

from __future__ import annotations

import copy
import json

import pytest

from descentlab.core.errors import SpecError
from descentlab.report.html import page
from descentlab.report.search import sentences
from descentlab.studies.run import execute, prepare, run
from descentlab.studies.search.retrain import retrain_study
from descentlab.studies.spec import Study
from tests.studies.search.test_rungs import SEARCH

SPACE = {"optimizer.learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1], "model.hidden.0": [4, 8]}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    raw = copy.deepcopy(SEARCH)
    raw["run"]["epochs"], raw["seeds"], raw["search"]["space"] = 3, 1, SPACE
    return run(Study.parse(raw), tmp_path_factory.mktemp("searched") / "r")


def test_the_best_meets_a_baseline_with_seeds_that_the_search_has_not_seen(searched, tmp_path):
    best = searched.search.trials[0].configuration
    study = retrain_study(searched, epochs=5, seeds=3, baseline=["optimizer.learning_rate=0.5"])
    assert set(study.seeds).isdisjoint(searched.study.seeds) and study.run["epochs"] == 5
    first, second = prepare(study).configurations
    assert first.run.optimizer == best.run.optimizer
    assert second.run.optimizer.learning_rate == 0.5
    assert second.run.model == best.run.model
    verdict = run(study, tmp_path / "r").claims()[0]
    assert verdict.claim.name == "the best found beats the baseline" and verdict.seeds == 3


def test_without_a_baseline_the_best_is_alone(searched):
    study = retrain_study(searched, seeds=2)
    assert len(prepare(study).configurations) == 1 and study.run["epochs"] == 3


def test_baselines_that_are_none_are_refused(searched):
    rate = searched.search.trials[0].configuration.values["optimizer.learning_rate"]
    for change, message in {
        f"optimizer.learning_rate={rate}": "the best setting itself",
        "optimizer.rate=1": "no such place", "learning": "PATH=VALUE",
    }.items():  # fmt: skip
        with pytest.raises(SpecError, match=message):
            retrain_study(searched, baseline=[change])


def test_a_search_that_goes_on_has_no_best_yet(tmp_path):
    from descentlab.store.folder import Folder
    from descentlab.studies.result import StudyResult

    progress = execute(prepare(Study.parse(SEARCH)), Folder(tmp_path / "r"))
    next(progress)
    progress.close()
    with pytest.raises(SpecError, match="run it to its end first"):
        retrain_study(StudyResult(tmp_path / "r"))


def test_the_report_says_what_was_found_and_what_it_cost(searched):
    text = " ".join(sentences(searched, searched.search))
    best = searched.search.trials[0]
    assert f"at epoch {best.epochs} (bracket {best.bracket + 1}" in text
    trained, full = searched.search.trained, searched.search.full
    assert f"{round(trained)} of the {full} epochs" in text and trained < full
    html = page(searched)
    assert 'id="search"' in html and "descentlab retrain DIR" in html
    found = json.loads(json.dumps(searched.summary(), allow_nan=False))["search"]
    assert len(found["trials"]) == 5 and found["over"]


def test_values_at_the_end_of_their_range_are_pointed_out(searched):
    values = searched.search.trials[0].configuration.values
    width = values["model.hidden.0"]
    side = "smallest" if width == 4 else "largest"
    assert f"model.hidden.0 = {width} is the {side} that was searched" in searched.search.at_edges
    inner = 0.001 < values["optimizer.learning_rate"] < 0.1
    assert any("learning_rate" in text for text in searched.search.at_edges) is not inner


def test_seeds_of_the_search_are_left_out_whatever_they_are(tmp_path):
    raw = copy.deepcopy(SEARCH)
    raw["run"]["epochs"], raw["seeds"] = 1, [1000, 1002]
    raw["search"]["space"] = {"optimizer.learning_rate": [0.01, 0.1]}
    result = run(Study.parse(raw), tmp_path / "r")
    assert retrain_study(result, seeds=3).seeds == (1001, 1003, 1004)
