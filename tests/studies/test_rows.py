"""The columns of a segment against a literal loop over runs and records."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from descentlab.engine.lanes import Stretch
from descentlab.engine.training import Run
from descentlab.studies.rows import reading_columns, segment_columns

RUNS = tuple(Run(f"c{c}-s{seed}", seed, {}) for seed in (0, 7) for c in (0, 1))
END = 40


def stretches(cuts: list[int], diverged: list[int], seed: int = 0) -> list[Stretch]:
    """Return stretches of four runs, a record every 2 updates, NaN from where a run diverged."""
    random = np.random.default_rng(seed)
    rows = random.random((len(RUNS), END // 2 + 1, 2)).astype(np.float32)
    for run, bad in enumerate(diverged):
        if bad >= 0:
            rows[run, (bad + 1) // 2 :] = np.nan
    training = SimpleNamespace(steps=END)
    metrics = ("train_loss", "train_accuracy")
    cohort = SimpleNamespace(training=training, metrics=metrics, steps_per_epoch=8)
    job: Any = SimpleNamespace(
        program=SimpleNamespace(cohort=cohort, readings=("learning_rate", "curvature")), runs=RUNS
    )
    read = random.random((len(RUNS), END, 2)).astype(np.float32)
    found = []
    for start, end in pairwise(cuts):
        steps = tuple(
            s for s in range(0, END + 1, 2) if (start < s or s == start == 0) and s <= end
        )
        bad = np.asarray([b if 0 <= b <= end else -1 for b in diverged])
        own = rows[:, [s // 2 for s in steps]]
        readings = read[:, start:end]
        found.append(Stretch(job, start, end, steps, own, bad, None, 0.1, readings))  # pyright: ignore
    return found


def literal(given: list[Stretch], ended: np.ndarray) -> list[tuple]:
    found = []
    bad = given[-1].diverged
    for i, run in enumerate(RUNS):
        if ended[i]:
            continue
        own = []
        for stretch in given:
            for place, step in enumerate(stretch.steps):
                figures = stretch.rows[i, place]
                if bad[i] < 0 or step < bad[i] or (step == bad[i] and np.isfinite(figures).all()):
                    own.append((step, False, *map(float, figures)))
        if bad[i] >= 0:
            own.append((int(bad[i]), True, None, None))
        over = bad[i] >= 0 or given[-1].end >= END
        for place, (step, diverged, loss, accuracy) in enumerate(own):
            last = over and place == len(own) - 1
            configuration = run.id.split("-")[0]
            found.append((run.id, configuration, run.seed, step, step / 8, diverged, last, loss,
                          accuracy))  # fmt: skip
    return found


@pytest.mark.parametrize("cuts", [[0, END], [0, 11, 20, END], [0, 17], [17, 30, END]])
@pytest.mark.parametrize("diverged", [[-1] * 4, [-1, 20, -1, 13], [18, 19, 20, 21], [0, 1, 2, -1]])
def test_columns_are_those_of_a_literal_loop(cuts, diverged) -> None:
    given = stretches(cuts, diverged)
    ended = np.asarray([0 <= bad <= cuts[0] and cuts[0] > 0 for bad in diverged])
    columns = segment_columns(given, ended)
    table = pa.table({
        name: values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
        for name, values in columns.items()
    })  # fmt: skip
    assert [tuple(row.values()) for row in table.to_pylist()] == literal(given, ended)
    assert table.schema.field("seed").type == pa.int64()
    assert table.schema.field("train_loss").type == pa.float32()


def test_a_chunk_whose_runs_have_all_ended_leaves_no_rows() -> None:
    columns = segment_columns(stretches([20, END], [3, 4, 5, 6]), np.ones(4, bool))
    assert all(len(values) == 0 for values in columns.values())
    assert columns["run"].type.value_type == pa.string()


@pytest.mark.parametrize("cuts", [[0, END], [0, 11, 20, END], [0, 17], [17, 30, END]])
@pytest.mark.parametrize("diverged", [[-1] * 4, [-1, 20, -1, 13], [18, 19, 20, 21], [0, 1, 2, -1]])
def test_readings_are_those_of_a_literal_loop(cuts, diverged) -> None:
    given = stretches(cuts, diverged)
    ended = np.asarray([0 <= bad <= cuts[0] and cuts[0] > 0 for bad in diverged])
    expected = []
    for i, run in enumerate(RUNS):
        if ended[i]:
            continue
        for stretch in given:
            for update in range(stretch.start, stretch.end):
                bad = given[-1].diverged[i]
                if bad < 0 or update + 1 <= bad:
                    figures = map(float, stretch.readings[i, update - stretch.start])
                    expected.append((run.id.split("-")[0], run.seed, update + 1, *figures))
    columns = reading_columns(given, ended)
    table = pa.table({k: v if isinstance(v, pa.Array) else pa.array(v) for k, v in columns.items()})
    assert table.column_names[3:] == ["learning_rate", "curvature"]
    assert [tuple(row.values()) for row in table.to_pylist()] == expected
