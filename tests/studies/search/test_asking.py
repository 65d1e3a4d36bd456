"""Settings asked of Optuna: what it is told, what is kept, and going on after a stop."""

from __future__ import annotations

import copy
import itertools
import math

import pandas as pd
import pytest

from descentlab.core.errors import SpecError
from descentlab.core.yaml import read_yaml
from descentlab.store.folder import Folder
from descentlab.studies.result import StudyResult
from descentlab.studies.run import Options, execute, prepare, run
from descentlab.studies.search import asking
from descentlab.studies.search.batches import final_values
from descentlab.studies.search.spec import Optuna
from descentlab.studies.spec import Study

optuna = pytest.importorskip("optuna")

SEARCH = {
    "name": "asked",
    "run": {
        "data": {"kind": "iris", "split": {"validation": 30}},
        "model": {"kind": "mlp", "hidden": [8]},
        "optimizer": {"kind": "adam", "learning_rate": 0.1},
        "batches": {"kind": "shuffled", "size": 16},
        "epochs": 3,
    },
    "search": {
        "kind": "optuna",
        "trials": 14,
        "batch": 4,
        "space": {
            "model.hidden.0": {"kind": "int", "low": 4, "high": 8, "step": 4},
            "model.activation": ["relu", "tanh"],
            "optimizer": [{"kind": "adam"}, {"kind": "sgd"}],
            "optimizer.learning_rate": {"low": 1e-3, "high": 1.0, "log": True},
            "optimizer.momentum": {"low": 0.0, "high": 0.9, "when": {"optimizer": "sgd"}},
        },
    },
    "seeds": 2,
}


@pytest.fixture
def raw():
    return copy.deepcopy(SEARCH)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(Study.parse(SEARCH), tmp_path_factory.mktemp("whole") / "r", reproducible=True)


def asked(result: StudyResult) -> list:
    return [dict(each.values) for each in result.study.search.asked]


def records(result: StudyResult) -> pd.DataFrame:
    return pd.concat([result.curves(metric).assign(metric=metric) for metric in result.metrics])


def test_all_trials_are_trained_once_with_what_their_conditions_allow(whole) -> None:
    found = asked(whole)
    assert len(found) == 14 and len({str(sorted(v.items(), key=str)) for v in found}) == 14
    for values in found:
        assert ("optimizer.momentum" in values) == (values["optimizer"]["kind"] == "sgd")
        assert values["model.hidden.0"] in (4, 8)
    assert whole.complete and len(whole.frame()) == 28


def test_the_sampler_is_told_every_figure_of_the_batches_before(whole) -> None:
    """A literal ask-and-tell loop asks for the same settings, batch by batch."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    values = final_values(whole.study, whole.configurations, whole.folder)
    found = asked(whole)
    for start in range(0, 14, 4):
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0)
        )
        for number in range(start):
            study.enqueue_trial(_params(found[number]))
            trial = study.ask()
            _suggest(trial)
            study.tell(trial, values[number])
        study.sampler = optuna.samplers.TPESampler(seed=start)
        for number in range(start, min(14, start + 4)):
            assert _suggest(study.ask()) == found[number]


KINDS = [{"kind": "adam"}, {"kind": "sgd"}]


def _params(values: dict) -> dict:
    numbered = {
        "model.activation": ["relu", "tanh"].index(values["model.activation"]),
        "optimizer": KINDS.index(values["optimizer"]),
    }
    return values | numbered


def _suggest(trial) -> dict:
    values = {"model.hidden.0": trial.suggest_int("model.hidden.0", 4, 8, step=4)}
    activation = trial.suggest_categorical("model.activation", [0, 1])
    values["model.activation"] = ["relu", "tanh"][activation]
    values["optimizer"] = KINDS[trial.suggest_categorical("optimizer", [0, 1])]
    rate = trial.suggest_float("optimizer.learning_rate", 1e-3, 1.0, log=True)
    values["optimizer.learning_rate"] = rate
    if values["optimizer"]["kind"] == "sgd":
        values["optimizer.momentum"] = trial.suggest_float("optimizer.momentum", 0.0, 0.9)
    return values


@pytest.mark.parametrize("events", [3, 9, 14])
def test_stopped_anywhere_it_asks_for_the_same_settings(whole, raw, tmp_path, events) -> None:
    folder = Folder(tmp_path / "r")
    progress = execute(prepare(Study.parse(raw)), folder, Options(reproducible=True))
    for _ in itertools.islice(progress, events):
        pass
    progress.close()
    found = run(Study.parse(raw), folder, reproducible=True)
    assert asked(found) == asked(whole)
    pd.testing.assert_frame_equal(records(found), records(whole), check_exact=True)


def test_what_was_asked_is_trained_again_without_optuna(whole, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(asking, "_optuna", lambda: pytest.fail("Optuna was asked"))
    path = tmp_path / "again.yaml"
    path.write_bytes(whole.folder.read("study.yaml"))
    again = run(path, tmp_path / "r", reproducible=True)
    pd.testing.assert_frame_equal(records(again), records(whole), check_exact=True)


def test_a_setting_that_diverged_ranks_last(raw) -> None:
    search = Optuna(
        trials=60, batch=20, sampler="tpe", space={"x": {"low": 0.0, "high": 1.0}}, options={}
    )
    first = asking.ask(search, (), lower_is_better=True)
    search = search.model_copy(update={"asked": first})
    values = [math.nan if a.values["x"] > 0.5 else a.values["x"] + 5 for a in first]
    second = asking.ask(search, values, lower_is_better=True)
    assert sum(a.values["x"] <= 0.5 for a in second) >= 15


def test_a_sampler_with_a_state_keeps_it_between_batches() -> None:
    space = {"x": {"low": -3.0, "high": 3.0}, "y": {"low": -3.0, "high": 3.0}}
    search = Optuna(trials=80, batch=10, sampler="cmaes", space=space)
    while len(search.asked) < 80:
        values = [(a.values["x"] - 1) ** 2 + (a.values["y"] + 2) ** 2 for a in search.asked]
        more = asking.ask(search, values, lower_is_better=True)
        search = search.model_copy(update={"asked": (*search.asked, *more)})
    assert any("cma" in key for a in search.asked for key in a.attributes)
    last = search.asked[-10:]
    assert sum((a.values["x"] - 1) ** 2 + (a.values["y"] + 2) ** 2 for a in last) / 10 < 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampler": "tpee"}, r"search\.sampler: unknown sampler 'tpee'.*tpe"),
        ({"sampler": "nowhere:Sampler"}, r"search\.sampler: 'nowhere:Sampler' cannot be made"),
        ({"sampler": "builtins:dict"}, r"'builtins:dict' cannot be made: it is no optuna"),
        ({"options": {"gama": 3}}, r"search\.sampler: 'tpe' cannot be made.*gama"),
        ({"space": {"model.activation": ["relu", "tanh"]}}, "only 2; ask for fewer"),
        ({"metric": "validation_f1"}, r"search\.metric: unknown metric 'validation_f1'"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_training(raw, tmp_path, change, message) -> None:
    raw["search"] |= change
    with pytest.raises(SpecError, match=message):
        run(Study.parse(raw), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_without_the_package_the_message_says_how_to_get_it(raw, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(SpecError, match=r"pip install 'descentlab\[optuna\]'"):
        prepare(Study.parse(raw))


def test_the_study_file_of_the_folder_holds_what_was_asked(whole) -> None:
    plain = read_yaml(whole.folder.read("study.yaml"), "study.yaml")
    assert [each["values"] for each in plain["search"]["asked"]] == asked(whole)


def test_the_summary_ranks_all_and_points_out_the_edge(whole) -> None:
    from descentlab.report.search import sentences

    found = whole.search
    assert found.over and not found.rungs and len(found.trials) == 14
    means = whole.frame().groupby("configuration")["validation_accuracy"].mean()
    best = found.trials[0]
    assert best.value == pytest.approx(means.max()) and best.status == "finished"
    width = best.configuration.values["model.hidden.0"]  # 4 or 8, both ends of their range
    text = sentences(whole, found)
    assert any(f"model.hidden.0 = {width}" in sentence for sentence in text)
    assert text[0].startswith("It trains every setting in full: 14 settings")
