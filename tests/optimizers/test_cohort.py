"""Every optimizer in the engine: side by side as alone, and stopped and gone on to the bit."""

from __future__ import annotations

import itertools

import jax
import numpy as np
import pytest

from descentlab.engine.program import Program
from descentlab.engine.strategy import Strategy
from descentlab.optimizers.specs import CATALOGUE

STEPS, CUT = 7, 3
NEEDED = {"lookahead": {"inner": {"kind": "sgd", "momentum": 0.9}}}
SCHEDULES = [
    {"kind": "step", "every": 2},
    {"kind": "warmup", "warmup_steps": 3},
    {"kind": "cosine", "decay_steps": STEPS},
    "constant",
]
AROUND = {"clip": {"kind": "norm", "at": 0.5}, "l2": 0.01, "l1": 0.001, "accumulate": 2}
RUNS = [
    *((kind, SCHEDULES[number % 3]) for number, kind in enumerate(CATALOGUE.kinds)),
    ("schedule_free_adamw", "constant"),
    ({"kind": "sgd", "flavour": "keras", "momentum": 0.9}, SCHEDULES[0]),
    ({"kind": "muon", "flavour": "optax"}, SCHEDULES[2]),
    ({"kind": "adamw", **AROUND}, SCHEDULES[0]),
    ({"kind": "muon", **AROUND}, {"kind": "warmup", "warmup_steps": 2}),
]
UNPADDED = ("adam", "muon", "schedule_free_sgd")
"""Also by a program for one run; the contract has that of each optimizer without the engine."""


@pytest.fixture
def small(cohort):
    """Make a cohort of two learning rates, one of them with two seeds."""

    def make(optimizer, schedule):
        optimizer = {"kind": optimizer} if isinstance(optimizer, str) else optimizer
        optimizer = {**NEEDED.get(optimizer["kind"], {}), **optimizer}
        spec = CATALOGUE.kinds[optimizer["kind"]]
        rates = (0.01, 0.003) if "learning_rate" in spec.model_fields else (0.01,)
        return cohort(
            rates=rates,
            seeds=(0, 4),
            optimizer=optimizer,
            schedule=schedule,
            model={"kind": "linear", "initial": "torch"},
            epochs=None,
            steps=STEPS,
            precision="float64",
            record={"every": 1, "train": "evaluated"},
        )

    return make


def whole(program, runs, *cuts):
    """Train runs with stops at ``cuts``; return the last state and all rows."""
    with program.precision():
        seeds, floats = program.inputs(runs)
        data = program.cohort.arrays.parts
        data = {k: tuple(map(jax.numpy.asarray, v)) for k, v in data.items()}
        state, made, edges = program.start(seeds, floats), [], [0, *cuts, STEPS]
        for start, until in itertools.pairwise(edges):
            state, rows, *_ = program.advance(state, seeds, floats, data, start, until)
            fresh = len(program.cohort.records(start if start else -1, until))
            made.append(np.asarray(rows)[:, :fresh])
        return state, np.concatenate(made, axis=1)


@pytest.mark.parametrize(("optimizer", "schedule"), RUNS, ids=str)
def test_side_by_side_as_alone_and_stopped_as_in_one_go(small, optimizer, schedule):
    """To the bit at one width; a single run within the rounding of other matrix products."""
    one = small(optimizer, schedule)
    program = Program(one, Strategy("vmap", 2, 1))
    first, last = one.runs[0], one.runs[-1]
    state, rows = whole(program, (first, last))
    assert np.isfinite(rows).all() and np.ptp(rows[0, :, 0]) > 0
    stopped, again = whole(program, (first, last), CUT, CUT + 1)
    np.testing.assert_array_equal(rows, again)
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(stopped), strict=True):
        np.testing.assert_array_equal(a, b)
    _, turned = whole(program, (last, first))
    np.testing.assert_array_equal(rows[0], turned[1])
    _, alone = whole(program, (last,))
    np.testing.assert_array_equal(rows[1], alone[0])
    if optimizer in UNPADDED:
        _, alone = whole(Program(one, Strategy("map", 1, 1)), (last,))
        np.testing.assert_allclose(rows[1], alone[0], rtol=1e-8, atol=1e-11)
