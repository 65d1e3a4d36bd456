"""A small real study, quick to train, that exercises every kind of write."""

from __future__ import annotations

import copy

import pytest

from descentlab.studies.spec import Study

SMALL = {
    "name": "small",
    "question": "Does it hold?",
    "run": {
        "data": {"kind": "iris", "split": {"test": 30}},
        "model": {"kind": "mlp", "hidden": [6]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "batches": {"kind": "shuffled", "size": 32},
        "epochs": 6,
        "record": {"predictions": True},
    },
    "vary": {
        "model.activation": ["tanh", "relu"],
        "optimizer.learning_rate": [0.05, 1e30],
    },
    "seeds": 2,
}


@pytest.fixture
def small():
    """The study as plain values, for a test to change."""
    return copy.deepcopy(SMALL)


@pytest.fixture
def study(small):
    """The study: two cohorts; with ReLU the larger rate diverges."""
    return Study.parse(small)
