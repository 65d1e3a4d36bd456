"""Spaces, and the settings that are drawn from them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.studies.run import prepare
from descentlab.studies.search.samples import settings
from descentlab.studies.spec import Study

RUN = {
    "data": {"kind": "iris", "split": {"validation": 30}},
    "model": {"kind": "mlp", "hidden": [4]},
    "optimizer": {"kind": "sgd", "learning_rate": 0.1},
    "epochs": 9,
}


def study(search: Any, **run: Any) -> Study:
    return Study.parse({"name": "x", "run": RUN | run, "search": search})


def drawn(search: dict[str, Any]) -> list[dict[str, Any]]:
    return settings(study(search).search, 9)


def random(space: Any, trials: int = 400, kind: str = "random") -> list[dict[str, Any]]:
    return drawn({"kind": kind, "trials": trials, "space": space})


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_ranges_are_filled_evenly_and_logarithms_in_the_logarithm(kind: str) -> None:
    space = {
        "optimizer.learning_rate": {"kind": "float", "low": 1e-4, "high": 1.0, "log": True},
        "model.dropout": {"low": 0.1, "high": 0.5},
        "model.hidden.0": {"kind": "int", "low": 16, "high": 512, "step": 16},
    }
    found = random(space, 512, kind)
    rates = np.log10([f["optimizer.learning_rate"] for f in found])
    tolerance = 20 if kind == "sobol" else 60
    assert np.histogram(rates, 4, (-4, 0))[0] == pytest.approx([128] * 4, abs=tolerance)
    drops = [f["model.dropout"] for f in found]
    assert np.histogram(drops, 4, (0.1, 0.5))[0] == pytest.approx([128] * 4, abs=tolerance)
    widths = {f["model.hidden.0"] for f in found}
    assert widths <= set(range(16, 513, 16)) and len(widths) == 32


def test_a_logarithmic_whole_number_has_both_ends() -> None:
    found = random({"model.hidden.0": {"kind": "int", "low": 1, "high": 8, "log": True}}, 8)
    assert sorted(f["model.hidden.0"] for f in found) == [*range(1, 9)]


def test_draws_are_the_same_for_a_seed_and_others_for_another() -> None:
    space = {"optimizer.learning_rate": {"low": 0.0, "high": 1.0}}
    search = {"kind": "random", "trials": 5, "space": space}
    assert drawn(search) == drawn(search) != drawn(search | {"seed": 1})
    assert drawn(search) == drawn(search | {"trials": 9})[:5]


def test_every_setting_is_drawn_once() -> None:
    space = {"model.hidden.0": [4, 8], "optimizer.learning_rate": [0.1, 0.01, 0.001]}
    for kind in ("random", "sobol"):
        found = random(space, 6, kind)
        assert len({json.dumps(f) for f in found}) == 6
    assert len(drawn({"kind": "grid", "space": space})) == 6
    with pytest.raises(SpecError, match=r"7 different settings .* only 6; .*kind: grid"):
        random(space, 7)


def test_a_dimension_may_depend_on_a_choice() -> None:
    space = {
        "optimizer": [{"kind": "sgd", "learning_rate": 0.1}, {"kind": "adam"}],
        "optimizer.momentum": {"low": 0.5, "high": 0.99, "when": {"optimizer": "sgd"}},
    }
    found = random(space, 40)
    assert any("optimizer.momentum" in f for f in found)
    for each in found:
        assert ("optimizer.momentum" in each) == (each["optimizer"]["kind"] == "sgd")
    configurations = prepare(study({"kind": "random", "trials": 10, "space": space})).configurations
    assert {c.labels["optimizer"] for c in configurations} == {"sgd", "adam"}


def test_the_resolved_study_gives_the_same_settings() -> None:
    space = {"model.hidden.0": {"kind": "int", "low": 4, "high": 99}}
    prepared = prepare(study({"kind": "hyperband", "space": space}))
    again = prepare(Study.parse(prepared.resolved))
    assert again.resolved == prepared.resolved and again.configurations == prepared.configurations


LR = "optimizer.learning_rate"
BAD = [
    ({"kind": "hyperbnd", "space": {LR: [1]}}, r"search.*'hyperbnd'.*'hyperband'"),
    ({"kind": "random", "trials": 3}, r"search\.space"),
    ({"kind": "random", "trials": 3, "space": {}}, r"search\.space"),
    ({"kind": "random", "trials": 0, "space": {LR: [1.0, 2.0]}}, r"search\.trials"),
    ({"kind": "random", "trials": 3, "space": {LR: []}}, "space"),
    ({"kind": "grid", "space": {LR: [0.1, 0.1]}}, "0.1 is there twice"),
    ({"kind": "grid", "space": {LR: {"low": 0.0, "high": 1.0}}}, "no end of values"),
    ({"kind": "sobol", "trials": 3, "space": {LR: {"low": 1.0, "high": 0.1}}}, "'low' below"),
    ({"kind": "sobol", "trials": 3, "space": {LR: {"low": 0.0, "high": 1.0, "log": True}}}, "0"),
    ({"kind": "random", "trials": 3, "space": {LR: {"low": 0.0, "hihg": 1.0}}}, "'high'"),
    ({"kind": "random", "trials": 3, "space": {LR: 7}}, "dimension|expected"),
    ({"kind": "random", "trials": 3, "space": {"optimizer.kind": ["sgd", "adam"]}}, "as a whole"),
    ({"kind": "grid", "space": {LR: {"kind": "categorical", "choices": [1.0], "when": {"x": 1}}}},
     r"depends on 'x'"),
    ({"kind": "grid", "space": {"optimizer.learning_rat": [1.0]}}, r"'learning_rate'"),
    ({"kind": "hyperband", "factor": 1, "space": {LR: [1.0, 2.0]}}, r"search\.factor"),
    ({"kind": "hyperband", "space": {LR: [1.0, 2.0]}}, "17 different settings are needed"),
]  # fmt: skip


@pytest.mark.parametrize(("search", "message"), BAD)
def test_spaces_that_cannot_be_searched_are_refused(search: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        prepare(study(search))


def test_a_study_varies_or_searches_and_rungs_are_epochs() -> None:
    search = {"kind": "hyperband", "space": {LR: {"low": 0.0, "high": 1.0}}}
    with pytest.raises(SpecError, match="either 'vary' or 'search'"):
        Study.parse({"name": "x", "run": RUN, "vary": {LR: [1.0]}, "search": search})
    steps = {k: v for k, v in RUN.items() if k != "epochs"} | {"steps": 10}
    with pytest.raises(SpecError, match=r"give 'run\.epochs'"):
        Study.parse({"name": "x", "run": steps, "search": search})


def test_what_is_too_large_or_too_small_is_said_at_once() -> None:
    rates = {"optimizer.learning_rate": [0.1, 0.01]}
    with pytest.raises(SpecError, match=r"20000 different settings .* only 2; ask for fewer"):
        random(rates, 20_000)
    with pytest.raises(SpecError, match="up to 100,000,000 settings; at most 1,000,000"):
        drawn({"kind": "grid", "space": {"model.hidden.0": {"kind": "int", "low": 1,
                                                            "high": 100_000_000}}})  # fmt: skip


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "the space is empty; give at least one path"),
        ({"optimizer": ["sgd", "adam"],
          "optimizer.momentum": {"low": 0.0, "high": 0.9, "when": {"optimizer": "sgdd"}}},
         r"when 'optimizer' is 'sgdd', which it never is \(choices: sgd, adam\)"),
        ({"run.model.activation": ["relu"], "model.activation": ["tanh"]}, "there twice"),
    ],
)  # fmt: skip
def test_spaces_that_cannot_be_meant_are_refused(space: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        random(space, 3)


def test_paths_may_be_given_as_they_stand_in_the_file() -> None:
    space = {
        "run.model.hidden": [[8, 4], [4]],
        "run.model.activation": {"choices": ["tanh", "relu"], "when": {"run.model.hidden": [8, 4]}},
    }
    for values in random(space, 3):
        assert ("model.activation" in values) == (values["model.hidden"] == [8, 4])


def test_two_settings_that_are_the_same_run_are_refused() -> None:
    same = {"kind": "grid", "space": {"optimizer": ["sgd", {"kind": "sgd"}]}}
    with pytest.raises(SpecError, match="two settings are the same run"):
        prepare(study(same))


def test_whole_kinds_are_named_by_what_differs() -> None:
    choices = [{"kind": "sgd", "learning_rate": 0.1}, {"kind": "sgd", "learning_rate": 0.01}]
    found = prepare(study({"kind": "grid", "space": {"optimizer": choices}})).configurations
    assert [c.labels["optimizer"] for c in found] == [
        "sgd(learning_rate=0.1)", "sgd(learning_rate=0.01)"
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "near"), [(0.0999, "upper"), (1.2e-4, "lower"), (0.01, None)])
def test_a_float_near_an_end_of_its_range_is_pointed_out(value: float, near: str | None) -> None:
    from descentlab.studies.search.summary import edges

    space = {"optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True}}
    parsed = study({"kind": "random", "trials": 1, "space": space})
    one = prepare(parsed).configurations[0]
    found = edges(parsed.search.space, one._replace(values={"optimizer.learning_rate": value}))
    assert [near in text for text in found] == ([True] if near else [])
