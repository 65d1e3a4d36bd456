"""Searches with rungs: nothing trained twice, curves as if never paused, kills survived."""

from __future__ import annotations

import copy
import math
import os

import numpy as np
import pandas as pd
import pytest

from descentlab.core.errors import SpecError
from descentlab.engine import lanes
from descentlab.engine.strategy import Strategy
from descentlab.store.folder import Folder
from descentlab.studies import execute as executing
from descentlab.studies.result import StudyResult
from descentlab.studies.run import Options, execute, prepare, run
from descentlab.studies.search.promotions import rung_values
from descentlab.studies.spec import Study
from tests.studies.test_faults import Killed, killed_at

RATES = {"low": 1e-4, "high": 0.3, "log": True}
SEARCH = {
    "name": "searched",
    "run": {
        "data": {"kind": "iris", "split": {"validation": 30, "test": 30}},
        "model": {"kind": "mlp", "hidden": [8], "dropout": 0.1},
        "optimizer": {"kind": "adam", "learning_rate": 0.1},
        "batches": {"kind": "shuffled", "size": 16},
        "epochs": 9,
    },
    "search": {
        "kind": "hyperband",
        "space": {"optimizer.learning_rate": RATES, "model.activation": ["relu", "tanh"]},
    },
    "seeds": 2,
}


@pytest.fixture
def raw():
    return copy.deepcopy(SEARCH)


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(executing, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(lanes, "_longer", lambda length, done, seconds: 11)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(Study.parse(SEARCH), tmp_path_factory.mktemp("whole") / "r", reproducible=True)


def records(result: StudyResult) -> pd.DataFrame:
    return pd.concat([result.curves(metric).assign(metric=metric) for metric in result.metrics])


def test_promotions_follow_from_the_curves(whole) -> None:
    search = whole.search
    assert search.over and whole.complete
    for rung in search.standings.rungs:
        curves = whole.curves("validation_accuracy", list(rung.members))
        end = curves[np.isclose(curves["epoch"], rung.epochs)]
        means = end.groupby("configuration")["value"].mean()
        assert dict(rung.values) == pytest.approx(means.to_dict())
        best = means.reset_index().sort_values(["value", "configuration"], ascending=[False, True])
        assert list(rung.survivors) == best["configuration"].tolist()[: len(rung.survivors)]
    assert [len(r.members) for r in search.standings.rungs] == [9, 3, 1, 5, 1, 3]


def test_nothing_is_trained_twice_and_nothing_that_is_not_wanted(whole) -> None:
    frame = whole.curves("train_loss")
    assert not frame.duplicated(["configuration", "seed", "step"]).any()
    reached = frame.groupby("configuration")["epoch"].max()
    wanted = {t.configuration.id: float(t.epochs) for t in whole.search.trials}
    assert reached.to_dict() == wanted
    assert whole.search.trained == 2 * sum(wanted.values()) < whole.search.full


def test_a_promoted_run_is_bit_equal_to_one_that_was_never_paused(whole, raw, tmp_path) -> None:
    best = whole.search.trials[0]
    assert best.initial_epoch > 0 or best.bracket == 2
    chosen = [t.configuration for t in whole.search.trials if t.initial_epoch > 0][:2]
    del raw["search"]
    raw["vary"] = {
        "setting": {c.id: dict(c.values) for c in chosen} | {
            "other": {"optimizer.learning_rate": 0.05, "model.activation": "relu"}}
    }  # fmt: skip
    alone = run(Study.parse(raw), tmp_path / "alone", reproducible=True)
    for number, configuration in enumerate(chosen):
        for metric in whole.metrics:
            found = whole.curves(metric, [configuration.id]).drop(columns="configuration")
            expected = alone.curves(metric, [f"c{number:02d}"]).drop(columns="configuration")
            expected = expected[expected["epoch"] <= found["epoch"].max()]
            pd.testing.assert_frame_equal(
                found.reset_index(drop=True), expected.reset_index(drop=True), check_exact=True
            )


@pytest.fixture
def short(raw):
    """A search that is over after seven epochs of its longest setting."""
    raw["search"]["factor"], raw["run"]["epochs"], raw["seeds"] = 2, 4, 1
    return Study.parse(raw)


def test_killed_at_any_write_the_rerun_makes_the_same_promotions(
    short, tmp_path, monkeypatch, often
) -> None:
    """Every fifteenth of the calls that change files, each folder then run to the end."""
    options = Options(reproducible=True)
    whole = run(short, tmp_path / "whole", reproducible=True)
    expected = records(whole)
    survived, number = False, 2
    while not survived:
        folder = Folder(tmp_path / f"r{number}")
        with killed_at(monkeypatch, number):
            try:
                for _ in execute(prepare(short), folder, options):
                    pass
                survived = True
            except Killed:
                pass
        found = run(short, folder, reproducible=True)
        pd.testing.assert_frame_equal(records(found), expected, check_exact=True)
        assert found.search.standings == whole.search.standings
        number += 15
    assert number > 60


def test_killed_again_and_again_in_one_folder_it_gets_there(
    short, tmp_path, monkeypatch, often
) -> None:
    folder = Folder(tmp_path / "r")
    for number in range(20, 400, 20):
        with killed_at(monkeypatch, number):
            try:
                for _ in execute(prepare(short), folder, Options(reproducible=True)):
                    pass
                break
            except Killed:
                continue
    expected = records(run(short, tmp_path / "whole", reproducible=True))
    pd.testing.assert_frame_equal(records(StudyResult(folder)), expected, check_exact=True)


def test_a_finished_search_is_not_touched_again(raw, tmp_path) -> None:
    folder = tmp_path / "r"
    run(Study.parse(raw), folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    run(Study.parse(raw), folder)
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_lost_checkpoint_costs_training_and_no_promotion(raw, tmp_path, often, whole) -> None:
    folder = tmp_path / "r"
    progress = execute(prepare(Study.parse(raw)), Folder(folder), Options(reproducible=True))
    for _ in range(12):
        next(progress)
    progress.close()
    for path in sorted((folder / "checkpoints").iterdir())[::2]:
        os.unlink(path)
    found = run(Study.parse(raw), folder, reproducible=True)
    pd.testing.assert_frame_equal(records(found), records(whole), check_exact=True)


def test_diverged_settings_never_go_on_and_a_bracket_of_them_ends(raw, tmp_path) -> None:
    raw["run"]["optimizer"] = {"kind": "sgd", "learning_rate": 1.0}
    raw["search"]["space"] = {"optimizer.learning_rate": {"low": 1e20, "high": 1e30}}
    raw["seeds"] = 1
    result = run(Study.parse(raw), tmp_path / "r")
    assert result.search.over and all(t.status == "diverged" for t in result.search.trials)
    assert all(rung.survivors == () for rung in result.search.standings.rungs)
    assert len(result.search.standings.rungs) == 3  # each bracket ended at its first
    from descentlab.report.search import sentences

    assert any("every setting diverged" in text for text in sentences(result, result.search))


def test_half_the_settings_diverge_and_the_others_are_promoted(raw, tmp_path) -> None:
    raw["run"]["optimizer"] = {"kind": "sgd", "learning_rate": 1.0}
    raw["search"]["space"] = {
        "optimizer.learning_rate": [0.01 * k for k in range(1, 10)]
        + [10.0**k for k in range(20, 30)]
    }
    raw["seeds"] = 1
    result = run(Study.parse(raw), tmp_path / "r")
    bad = {t.configuration.id for t in result.search.trials if t.status == "diverged"}
    assert bad and all(not bad & set(rung.survivors) for rung in result.search.standings.rungs)
    reached = result.curves("train_loss").groupby("configuration")["epoch"].max()
    for trial in result.search.trials:
        if trial.configuration.id not in bad:
            assert reached[trial.configuration.id] == trial.epochs  # eliminated ones stop


def test_the_audit_finishes_eliminated_settings_and_says_what_pruning_cost(raw, tmp_path) -> None:
    raw["search"]["audit"], raw["seeds"] = 3, 1
    result = run(Study.parse(raw), tmp_path / "r")
    audited = [t for t in result.search.trials if t.status == "audited"]
    assert len(audited) == 3 and all(t.epochs == 9 for t in audited)
    best = max(t.value for t in result.search.trials if t.status == "finished")
    assert result.search.regret == pytest.approx(max(t.value for t in audited) - best)


def test_a_metric_that_the_study_does_not_record_is_refused(raw, tmp_path) -> None:
    raw["search"]["metric"] = "validation_f1"
    with pytest.raises(SpecError, match=r"search\.metric: unknown metric 'validation_f1'"):
        run(Study.parse(raw), tmp_path / "r")


def test_values_at_rungs_are_means_over_all_seeds(whole) -> None:
    values = rung_values(whole.study, whole.folder, "validation_loss")
    curves = whole.curves("validation_loss")
    for (name, epoch), value in values.items():
        own = curves[(curves["configuration"] == name) & np.isclose(curves["epoch"], epoch)]
        assert len(own) == 2 and value == pytest.approx(own["value"].mean())
    assert not any(math.isnan(value) for value in values.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": {"record": {"every": 5}}}, r"leave 'run\.record\.every' at 'epoch'"),
        ({"search": {"kind": "successive_halving", "trials": 5, "minimum": 12}},
         r"search\.minimum: 12 epochs, but 'run\.epochs' is 9"),
        ({"search": {"space": {"epochs": [3, 9, 27], "model.activation": ["relu", "tanh"]}}},
         r"search\.space\.epochs: the rungs of a search decide"),
        ({"search": {"space": {"record.every": ["epoch", 7]}}}, r"search\.space\.record\.every"),
    ],
)  # fmt: skip
def test_what_would_leave_a_rung_without_figures_is_refused(raw, change, message) -> None:
    for part, fields in change.items():
        raw[part] |= fields
    with pytest.raises(SpecError, match=message):
        Study.parse(raw)


def test_seeds_beside_one_that_diverged_are_trained_whatever_stops_the_search(
    raw, tmp_path, often
) -> None:
    raw["run"]["optimizer"] = {"kind": "sgd", "learning_rate": 1.0}
    raw["search"] = {"kind": "successive_halving", "trials": 4,
                     "space": {"optimizer.learning_rate": [0.01, 0.1, 1.0, 1e12]}}  # fmt: skip
    raw["seeds"] = 3
    study = Study.parse(raw)
    options = Options(reproducible=True, strategy=Strategy("map", 1, 1))
    whole = run(study, tmp_path / "whole", reproducible=True, strategy="map:1x1")
    for stops in (5, 6, 8):
        folder = Folder(tmp_path / f"r{stops}")
        progress = execute(prepare(study), folder, options)
        for _ in range(stops):
            next(progress)
        progress.close()
        found = run(study, folder, reproducible=True, strategy="map:1x1")
        assert found.search.over
        pd.testing.assert_frame_equal(records(found), records(whole), check_exact=True)


def test_a_search_goes_on_in_the_other_mode_with_every_run(raw, tmp_path) -> None:
    """Widths share a program; in reproducible mode each has its own, and takes its runs along."""
    raw["run"]["model"] = {"kind": "mlp", "hidden": [8]}
    raw["search"]["space"] = {"model.hidden.0": [8, 12], "optimizer.learning_rate": RATES}
    study = Study.parse(raw)
    folder = Folder(tmp_path / "r")
    options = Options(strategy=Strategy("vmap", 4, 1))
    progress = execute(prepare(study), folder, options)
    next(progress)
    progress.close()
    found = run(study, folder, reproducible=True)
    whole = run(study, tmp_path / "whole", reproducible=True)
    assert found.search.over
    assert found.search.standings.rungs[0].members == whole.search.standings.rungs[0].members
    assert len(records(found)) == len(records(whole))
