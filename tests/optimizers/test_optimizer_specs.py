"""What a study file may say of optimizers and schedules, and what it hears when it errs."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import PlainValidator

from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec, split_floats
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.specs import CATALOGUE


class Run(Spec):
    optimizer: Annotated[Any, PlainValidator(CATALOGUE.validate)] = "sgd"
    schedule: Annotated[Any, PlainValidator(SCHEDULES.validate)] = "constant"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"kind": "sgd", "nesterov": True}, "'nesterov: true' needs a 'momentum'"),
        ({"kind": "sgd", "momentun": 0.9}, r"run\.optimizer\.momentun: .*did you mean 'momentum'"),
        ({"kind": "sgd", "momentum": 1.0}, r"run\.optimizer\.momentum: .*less than 1"),
        ({"kind": "sgd", "learning_rate": -1.0}, r"run\.optimizer\.learning_rate"),
        ({"kind": "sgd", "learning_rate": float("nan")}, r"run\.optimizer\.learning_rate"),
        ({"kind": "adam", "epsilon": 0.0}, r"run\.optimizer\.epsilon: .*greater than 0"),
        ({"kind": "adam", "beta1": "high"}, r"run\.optimizer\.beta1: .*number"),
        ("adma", "unknown optimizer 'adma'; did you mean 'adam'"),
    ],
)
def test_faults_name_their_path(raw, message):
    with pytest.raises(SpecError, match=message):
        Run.parse({"optimizer": raw}, "run")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("exponential", r"run\.schedule\.decay_steps: .*required"),
        ({"kind": "exponential", "decay_steps": 0}, r"run\.schedule\.decay_steps"),
        ({"kind": "exponential", "decay_steps": 2, "decay_rate": 0}, r"run\.schedule\.decay_rate"),
        ({"kind": "warmup", "warmup_steps": 2.5}, r"run\.schedule\.warmup_steps"),
    ],
)
def test_faults_of_schedules_name_their_path(raw, message):
    with pytest.raises(SpecError, match=message):
        Run.parse({"schedule": raw}, "run")


AROUND = {"l2": None, "l1": None, "weight_decay": None, "clip": None, "accumulate": 1}


def test_defaults_are_torchs_and_written_out():
    """That they are is for test_defaults; that nothing is left unsaid, for this."""
    written = {name: CATALOGUE.validate(name).resolved() for name in ("sgd", "rmsprop", "adam")}
    assert written == {
        "sgd": AROUND
        | {
            "kind": "sgd",
            "flavour": "torch",
            "learning_rate": 0.01,
            "momentum": None,
            "nesterov": False,
            "dampening": None,
            "dampen_first": False,
            "rate": "after",
            "gradient": "here",
        },
        "rmsprop": AROUND
        | {
            "kind": "rmsprop",
            "flavour": "torch",
            "learning_rate": 0.01,
            "decay": 0.99,
            "epsilon": 1e-8,
            "epsilon_at": "outside",
            "centred": False,
            "momentum": None,
            "rate": "after",
        },
        "adam": AROUND
        | {
            "kind": "adam",
            "flavour": "torch",
            "learning_rate": 0.001,
            "beta1": 0.9,
            "beta2": 0.999,
            "epsilon": 1e-8,
            "epsilon_at": "corrected",
        },
    }


def test_every_float_is_data():
    spec = CATALOGUE.validate({"kind": "sgd", "momentum": 0.5, "nesterov": True})
    assert split_floats(spec)[1] == {"learning_rate": 0.01, "momentum": 0.5}
    schedule = SCHEDULES.validate({"kind": "cosine", "decay_steps": 5})
    assert split_floats(schedule)[1] == {"final": 0.0}
