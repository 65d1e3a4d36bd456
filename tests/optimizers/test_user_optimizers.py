"""Optimizers of one's own in study files: used, or refused with what is wrong."""

from __future__ import annotations

import pytest

from descentlab.core.errors import SpecError
from descentlab.studies.run import run
from descentlab.studies.spec import Study

HERE = "tests.optimizers.user_optimizers"


def study(kind):
    return Study.parse({
        "name": "own",
        "run": {
            "data": "iris",
            "model": "logistic",
            "optimizer": {"kind": f"{HERE}:{kind}"},
            "steps": 3,
            "batches": "full",
        },
    })  # fmt: skip


def test_an_optimizer_of_ones_own_trains(tmp_path):
    losses = run(study("PlainSpec"), tmp_path).curves("train_loss")["value"]
    assert losses.iloc[-1] < losses.iloc[0]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("NoOptimizerSpec", r"extends descentlab\.optimizers\.base\.OptimizerSpec"),
        ("WithoutLossSpec", r"run\.optimizer: WithoutLoss\.update must take .*loss"),
    ],
)
def test_what_is_none_is_refused_before_training(tmp_path, kind, says):
    with pytest.raises(SpecError, match=says):
        run(study(kind), tmp_path / "out")
    assert not list(tmp_path.rglob("*.parquet"))
