"""The study file of a results folder: it is read back as the very configurations it was of."""

from __future__ import annotations

import copy
import json
import time

import pytest

from descentlab.core.errors import DescentLabError
from descentlab.core.yaml import read_yaml, write_yaml
from descentlab.studies import resolving
from descentlab.studies.configurations import configurations
from descentlab.studies.prepare import expand, prepare
from descentlab.studies.resolving import check_resolved, resolved
from descentlab.studies.spec import Study

RUN = {"data": "iris", "model": {"kind": "mlp", "hidden": [4]}, "optimizer": "sgd", "epochs": 9}
INNER = {"optimizer": {"kind": "lookahead", "inner": "sgd", "k": 3}}
RATES = {"optimizer.learning_rate": [0.1, 0.2]}

VARIED = [
    ({}, {"optimizer.kind": ["adam", "adamw"]}),
    ({}, {"optimizer.kind": ["adamw", "adam", "rmsprop", "sgd", "lion"], **RATES}),
    ({"optimizer": {"kind": "sgd", "learning_rate": 0.3}}, {"optimizer.kind": ["sgd", "adam"]}),
    ({"optimizer": {"kind": "adamw", "weight_decay": 0.5}}, {"optimizer.kind": ["adamw", "adam"]}),
    ({"optimizer": {"kind": "adam", "epsilon": 1e-5}},
     {"optimizer.kind": ["adam", "rmsprop"], "optimizer.flavour": ["torch", "keras"]}),
    (INNER, {"optimizer.inner.kind": ["sgd", "adam"]}),
    (INNER, {"optimizer.inner.kind": ["adam", "adamw", "sgd"], "optimizer.k": [2, 5]}),
    (INNER, {"optimizer.inner": ["adam", {"kind": "sgd", "momentum": 0.5}],
             "optimizer.inner.flavour": ["torch", "keras"]}),
    ({}, {"optimizer": ["adam", "rmsprop"], "optimizer.flavour": ["keras", "torch"]}),
    ({}, {"schedule.kind": ["constant", "cosine"]}),
    ({}, {"schedule": ["constant", {"kind": "warmup", "warmup_steps": 3}], **RATES}),
    ({}, {"model": ["logistic", {"kind": "mlp"}]}),
    ({"model": "logistic"}, {"model.kind": ["logistic", "mlp"]}),
    ({}, {"batches.kind": ["shuffled", "full", "single", "replacement"]}),
    ({}, {"model.initial": ["torch", {"kind": "normal", "std": 0.5}]}),
    ({}, {"model.initial.kind": ["glorot", "he"]}),
    ({}, {"optimizer.clip": [None, {"kind": "norm", "at": 1.0}, {"kind": "value", "at": 1.0}]}),
    ({"optimizer": {"kind": "sgd", "clip": {"kind": "norm", "at": 1.0}}},
     {"optimizer.clip.kind": ["norm", "value"]}),
    ({}, {"way": {"a": {"optimizer.kind": "adam", "optimizer.beta1": 0.8},
                  "b": {"optimizer.kind": "sgd", "optimizer.momentum": 0.7},
                  "c": {"optimizer.kind": "adamw"}}, **RATES}),
    ({}, {"way": {"a": {"optimizer": "adamw", "optimizer.flavour": "keras"},
                  "b": {"optimizer.clip.kind": "norm", "optimizer.clip.at": 2.0}}}),
    ({}, [{"optimizer.kind": ["adam", "adamw"]}, {"optimizer.momentum": [0.1, 0.9]}]),
    ({}, [{"optimizer": ["adam", "adamw"]}, RATES]),
    ({"optimizer": "adam"},
     [{"optimizer.flavour": ["keras", "optax"]}, {"optimizer.beta1": [0.5, 0.6]}]),
    (INNER, [{"optimizer.inner.kind": ["adamw", "adam"]}, {"optimizer.k": [4]},
             {"optimizer": ["sgd"], "optimizer.learning_rate": [1.0]}]),
]  # fmt: skip

SPACES = [
    ({"optimizer": {"kind": "rmsprop", "momentum": 0.9}},
     {"optimizer.flavour": ["torch", "keras"], "optimizer.learning_rate": {"low": 0.1, "high": 1}}),
    ({}, {"optimizer": ["adam", "adamw", "sgd"],
          "optimizer.flavour": {"choices": ["keras", "torch"], "when": {"optimizer": "adam"}},
          "optimizer.learning_rate": {"low": 1e-3, "high": 1, "log": True}}),
    ({}, {"model.activation": ["relu", "tanh"],
          "optimizer.momentum": {"low": 0.1, "high": 0.9, "when": {"model.activation": "relu"}}}),
    ({}, {"batches": ["full", {"kind": "shuffled", "size": 16}],
          "batches.size": {"choices": [8, 32], "when": {"batches": "shuffled"}},
          "optimizer": {"choices": ["adamw", "adam"], "when": {"batches": "full"}},
          "model.activation": ["relu", "tanh"]}),
    (INNER, {"optimizer.inner": ["sgd", "adam"], "model.activation": ["relu", "tanh"],
             "optimizer.k": {"kind": "int", "low": 2, "high": 5}}),
]  # fmt: skip

SEARCHES = [
    {"kind": "random", "trials": 5},
    {"kind": "sobol", "trials": 5},
    {"kind": "successive_halving", "trials": 5},
    {"kind": "hyperband", "factor": 4},
    {"kind": "optuna", "trials": 6, "batch": 3, "sampler": "random"},
    {"kind": "grid"},
]


def check_alike(raw: dict) -> None:
    prepared = expand(prepare(Study.parse(copy.deepcopy(raw))).study)
    text = write_yaml(prepared.resolved)
    again = expand(Study.parse(read_yaml(text, "file")))
    assert again.configurations == prepared.configurations
    assert again.resolved == prepared.resolved


@pytest.mark.parametrize(("run", "vary"), VARIED)
def test_a_varied_study_is_read_back_alike(run, vary) -> None:
    check_alike({"name": "x", "run": {**RUN, **run}, "vary": vary})


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search["kind"])
@pytest.mark.parametrize(("run", "space"), SPACES)
def test_a_search_is_read_back_alike(run, space, search) -> None:
    if search["kind"] == "grid":
        space = {k: v for k, v in space.items() if not isinstance(v, dict) or "low" not in v}
    elif search["kind"] == "optuna":
        pytest.importorskip("optuna")
    elif search["kind"] == "hyperband" and "low" not in str(space):
        space = {**space, "optimizer.learning_rate": {"low": 0.1, "high": 0.9}}
    metric = {} if search["kind"] in ("grid", "random", "sobol") else {"metric": "train_loss"}
    check_alike(
        {"name": "x", "run": {**RUN, **run}, "search": {**search, **metric, "space": space}}
    )


def test_what_all_kinds_share_and_what_was_given_stay_in_the_file() -> None:
    run = {**RUN, "optimizer": {"kind": "adam", "beta2": 0.9}}
    study = Study.parse({"name": "x", "run": run, "vary": {"optimizer.kind": ["adam", "adamw"]}})
    found = resolved(study, configurations(study))["run"]["optimizer"]
    assert found["beta2"] == 0.9 and found["learning_rate"] == 0.001 and "weight_decay" not in found


def test_what_would_be_read_back_otherwise_is_refused_before_training() -> None:
    raw = {"name": "x", "run": RUN, "vary": {"optimizer.kind": ["adam", "adamw"]}}
    study = Study.parse(raw)
    found = configurations(study)
    written = resolved(study, found)
    check_resolved(study, found, written)
    written["run"]["optimizer"]["weight_decay"] = None
    with pytest.raises(DescentLabError, match=r"kind = adamw, run\.optimizer\.weight_decay is 0"):
        check_resolved(study, found, written)
    written["run"]["optimizer"]["momentum"] = 0.5
    with pytest.raises(DescentLabError, match=r"read back alike: .*momentum: unknown field"):
        check_resolved(study, found, written)


def test_of_many_configurations_each_alternative_is_read_back(monkeypatch) -> None:
    monkeypatch.setattr(resolving, "CHECKED", 20)
    rates = [i / 1000 for i in range(1, 200)]
    vary = [{"optimizer.learning_rate": rates}, {"optimizer.kind": ["adam", "adamw"]}]
    study = Study.parse({"name": "x", "run": RUN, "vary": vary})
    found = configurations(study)
    written = resolved(study, found)
    assert len(json.dumps(written["run"])) < 3000
    check_resolved(study, found, written)
    written["run"]["optimizer"]["weight_decay"] = None
    begun = time.monotonic()
    with pytest.raises(DescentLabError, match="weight_decay"):
        check_resolved(study, found, written)
    assert time.monotonic() - begun < 5
