"""From a study file to configurations: grids, groups, labels, the resolved file, errors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descentlab.core.errors import SpecError
from descentlab.core.yaml import read_yaml, write_yaml
from descentlab.studies.configurations import configurations, count, factors
from descentlab.studies.load import library, load_study
from descentlab.studies.resolving import resolved
from descentlab.studies.run import Options, prepare
from descentlab.studies.spec import Study


def test_a_grid_has_every_combination_in_the_order_of_the_file(study):
    found = configurations(study)
    assert [c.id for c in found] == ["c00", "c01", "c02", "c03"]
    assert [tuple(c.labels.values()) for c in found] == [
        ("tanh", "0.05"), ("tanh", "1e+30"), ("relu", "0.05"), ("relu", "1e+30"),
    ]  # fmt: skip
    assert found[3].values == {"model.activation": "relu", "optimizer.learning_rate": 1e30}
    assert found[3].run.optimizer.learning_rate == 1e30


def test_groups_set_several_paths_together_and_grids_are_joined(small):
    small["vary"] = [
        {"method": {"a": {"optimizer": "adam", "batches": "full"}, "b": {"optimizer": "rmsprop"}}},
        {"optimizer": [{"kind": "sgd", "momentum": 0.9}, {"kind": "sgd", "momentum": 0.5}, "adam"]},
    ]
    study = Study.parse(small)
    found = configurations(study)
    assert count(study) == len(found) == 5
    assert factors(study) == ["method", "optimizer"]
    assert [c.run.optimizer.kind for c in found] == ["adam", "rmsprop", "sgd", "sgd", "adam"]
    assert [c.run.batches.kind for c in found][:2] == ["full", "shuffled"]
    assert [c.labels for c in found][2:] == [
        {"optimizer": name} for name in ("sgd(momentum=0.9)", "sgd(momentum=0.5)", "adam")
    ]
    assert found[0].values["optimizer"]["beta1"] == 0.9  # every default is there


def test_shallow_paths_are_set_before_deep_ones_whatever_their_order(small):
    small["vary"] = {"optimizer.learning_rate": [0.5, 0.25], "optimizer": ["sgd", "adam"]}
    found = configurations(Study.parse(small))
    assert [c.run.optimizer.learning_rate for c in found] == [0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize("name", library())
def test_a_resolved_study_of_the_library_means_the_same_study(name):
    study = load_study(name)
    found = configurations(study)
    text = write_yaml(resolved(study, found))
    again = Study.parse(read_yaml(text, name))
    assert configurations(again) == found
    assert resolved(again, configurations(again)) == resolved(study, found)
    assert {"precision", "schedule", "loss"} <= set(read_yaml(text, name)["run"])


values = {
    "optimizer.learning_rate": st.floats(1e-6, 10),
    "model.hidden": st.lists(st.integers(1, 64), max_size=3),
    "model.activation": st.sampled_from(["relu", "tanh", "gelu"]),
    "epochs": st.integers(1, 1000),
    "optimizer": st.sampled_from(["adam", {"kind": "sgd", "momentum": 0.5}, {"kind": "rmsprop"}]),
    "precision": st.sampled_from(["float32", "float64"]),
}
grids = st.dictionaries(st.sampled_from(list(values)), st.none(), min_size=1, max_size=3).flatmap(
    lambda paths: st.fixed_dictionaries(
        {p: st.lists(values[p], min_size=1, max_size=3, unique_by=str) for p in paths}
    )
)


@settings(max_examples=40)
@given(
    st.lists(grids, min_size=1, max_size=2),
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4, unique=True),
)
def test_resolving_is_the_same_study_for_any_grid(vary, seeds):
    from .conftest import SMALL

    study = Study.parse({**SMALL, "vary": vary, "seeds": seeds})
    try:
        found = configurations(study)
    except SpecError as error:
        assert "two configurations are the same run" in str(error)
        return
    again = Study.parse(read_yaml(write_yaml(resolved(study, found)), "file"))
    assert configurations(again) == found and again.seeds == study.seeds


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"vary": {"optimizer.learning_rat": [0.1]}},
            r"run\.optimizer\.learning_rat: unknown field; did you mean 'learning_rate'",
        ),
        (
            {"vary": {"model.activation": ["rleu"]}},
            r"run\.model\.activation: .*'relu'.*\(found 'rleu'\)\n.*in the configuration with",
        ),
        ({"vary": {"epochs.x": [1]}}, r"no fields to set|no such place"),
        ({"vary": {"model.activation": []}}, "at least one value"),
        ({"vary": {"model.activation": "relu"}}, "list of at least one value"),
        ({"vary": {"g": {"a": 3}}}, "the group 'g'"),
        ({"vary": {"epochs": [3, 3]}}, "two configurations are the same run"),
        ({"vary": 3}, "expected a grid"),
        ({"seeds": 0}, "number of seeds"),
        ({"seeds": True}, "expected a number"),
        ({"seeds": [1, 1]}, "seed 1 is there twice"),
        ({"seeds": [-1]}, r"seeds\.0"),
        ({"seeds": "many"}, "seeds"),
        ({"name": "a/b"}, "name"),
        ({"nmae": "x"}, "did you mean 'name'"),
        ({"run": {}}, r"run\.data: this field is required"),
        ({"run": []}, "run"),
    ],
)
def test_faults_of_a_study_are_named(small, change, message):
    with pytest.raises(SpecError, match=message):
        configurations(Study.parse({**small, **change}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, r"run\.epochs: .*greater than or equal to 1 \(found 0\)"),
        ({"epochs": None}, "either 'epochs' or 'steps'"),
        ({"steps": 5}, "either 'epochs' or 'steps'"),
        ({"epochs": "ten"}, r"run\.epochs: .*\(found 'ten'\)"),
        ({"epochs": True}, r"run\.epochs"),
        ({"precision": "float16"}, r"run\.precision: .*'float32' or 'float64'"),
        (
            {"optimizer": {"kind": "sdg"}},
            r"run\.optimizer: unknown optimizer 'sdg'; did you mean 'sgd'",
        ),
        (
            {"optimizer": {"kind": "sgd", "momentum": 1.5}},
            r"run\.optimizer\.momentum: .*less than 1",
        ),
        ({"optimizer": {"kind": "sgd", "nesterov": True}}, r"needs a 'momentum'"),
        ({"data": {"kind": "iris", "split": {"test": -1}}}, r"run\.data\.split\.test"),
        ({"batches": {"size": 0}}, r"run\.batches\.size"),
        ({"record": {"every": "step"}}, r"run\.record\.every"),
        ({"model": {"kind": "mlp", "hidden": [0]}}, r"run\.model\.hidden\.0"),
        ({"loss": "crossentropy"}, r"run\.loss: .*'cross_entropy'"),
    ],
)
def test_faults_of_a_run_name_their_path(small, change, message):
    small["run"].update(change)
    small.pop("vary")
    with pytest.raises(SpecError, match=message):
        configurations(Study.parse(small))


def test_a_million_runs_must_be_confirmed_and_are_not_expanded_before(small):
    small["vary"] = {
        "optimizer.learning_rate": [i / 1000 for i in range(1, 1001)],
        "optimizer.momentum": [i / 1000 for i in range(1000)],
    }
    with pytest.raises(SpecError, match=r"2,000,000 runs .* --yes"):
        prepare(Study.parse(small))
    small["vary"]["optimizer.momentum"] = [i / 1000 for i in range(60)]
    small["run"]["record"] = {}
    prepare_seconds = Study.parse({**small, "vary": {"epochs": [1, 2]}})
    assert len(prepare(prepare_seconds, Options(yes=True)).configurations) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["model.activation=gelu"], "the study varies 'model.activation'"),
        (["optimizer=adam"], "the study varies 'optimizer.learning_rate'"),
        (["run.optimizer.learning_rate=1"], "the study varies"),
        (["epochs"], "expected PATH=VALUE"),
        (["vary.epochs=1"], "'vary' cannot be changed"),
        (["epochs.x=1"], "no fields|no such place"),
        (["epochs=[1"], "not valid YAML"),
    ],
)
def test_settings_on_the_command_line_are_checked(tmp_path, small, changes, message):
    file = tmp_path / "small.yaml"
    file.write_text(write_yaml(small))
    with pytest.raises(SpecError, match=message):
        load_study(file, changes=changes)


def test_settings_on_the_command_line_are_set(tmp_path, small):
    file = tmp_path / "small.yaml"
    file.write_text(write_yaml(small))
    study = load_study(
        file, changes=["epochs=2", "run.data.split.seed=7", "question=why?"], seeds=3
    )
    run = configurations(study)[0].run
    assert (run.epochs, run.data.split.seed, study.question, study.seeds) == (
        2,
        7,
        "why?",
        (0, 1, 2),
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digits-optimizer", "did you mean 'digits-optimizers'"),
        ("nowhere.yaml", "cannot read the study file nowhere.yaml: No such file"),
        ("../etc/passwd", "unknown study"),
    ],
)
def test_a_study_that_is_not_there_is_named_with_the_nearest(name, message):
    with pytest.raises(SpecError, match=message):
        load_study(name)


def test_a_varied_flavour_is_the_same_when_its_study_is_loaded_again():
    raw = {
        "name": "flavours",
        "run": {
            "data": "digits",
            "model": "logistic",
            "optimizer": {"kind": "rmsprop", "momentum": 0.9, "decay": 0.8},
            "epochs": 1,
        },
        "vary": {
            "optimizer.flavour": ["torch", "keras", "optax"],
            "optimizer.momentum": [0.5, 0.9],
        },
    }
    study = Study.parse(raw)
    before = configurations(study)
    again = configurations(Study.parse(resolved(study, before)))
    assert [c.run for c in again] == [c.run for c in before]
    assert [c.run.optimizer.epsilon for c in before[::2]] == [1e-8, 1e-7, 1e-8]
    assert {c.run.optimizer.decay for c in again} == {0.8}  # given, so no flavour fills it
