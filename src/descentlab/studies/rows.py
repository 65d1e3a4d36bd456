"""What a chunk's stretches leave behind: the columns of a segment, the test predictions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from descentlab.store.folder import Folder

if TYPE_CHECKING:
    import pyarrow as pa

    from descentlab.engine.lanes import Stretch


def segment_columns(stretches: list[Stretch], ended: np.ndarray) -> dict[str, Any]:
    """Lay the records of a chunk's stretches out as the columns of a segment.

    Args:
        stretches: stretches in order, none of them in an earlier segment.
        ended: which runs an earlier segment has recorded as diverged.
    """
    final = stretches[-1]
    cohort = final.job.program.cohort
    steps = np.concatenate([np.asarray(s.steps, np.int64) for s in stretches])
    values = np.concatenate([s.rows for s in stretches], axis=1)
    runs, own_steps, diverged, last, metrics = [], [], [], [], []
    for index, run in enumerate(final.job.runs):
        if ended[index]:
            continue
        own, table, bad = _rows_of(steps, values[index], int(final.diverged[index]))
        ends = np.zeros(len(own), bool)
        ends[-1:] = bad or final.end >= cohort.training.steps
        runs.append(run)
        own_steps.append(own)
        diverged.append(ends & bad)
        last.append(ends)
        metrics.append(table)
    step = np.concatenate([*own_steps, np.zeros(0, np.int64)])
    table = np.concatenate([*metrics, np.zeros((0, values.shape[2]), values.dtype)])
    lengths = np.asarray([len(own) for own in own_steps], np.int64)
    return {
        "run": _repeated([run.id for run in runs], lengths),
        "configuration": _repeated([run.id.rsplit("-s", 1)[0] for run in runs], lengths),
        "seed": np.repeat(np.asarray([run.seed for run in runs], np.int64), lengths),
        "step": step,
        "epoch": step / cohort.steps_per_epoch,
        "diverged": np.concatenate([*diverged, np.zeros(0, bool)]),
        "last": np.concatenate([*last, np.zeros(0, bool)]),
        **{name: table[:, i] for i, name in enumerate(cohort.metrics)},
    }


def reading_columns(stretches: list[Stretch], ended: np.ndarray) -> dict[str, Any]:
    """Lay what was read at every update of a chunk's stretches out as columns.

    A diverged run's readings end with the update after which it was seen to diverge.

    Args:
        stretches: stretches in order, none of them in an earlier segment.
        ended: which runs an earlier segment has recorded as diverged.
    """
    final, first = stretches[-1], stretches[0].start
    values = np.concatenate([s.readings for s in stretches], axis=1)
    chosen = [i for i in range(len(final.job.runs)) if not ended[i]]
    bad = [int(final.diverged[i]) for i in chosen]
    lengths = np.asarray([final.end - first if b < 0 else max(0, b - first) for b in bad], np.int64)
    table = np.concatenate([values[i, :n] for i, n in zip(chosen, lengths, strict=True)])
    runs = [final.job.runs[i] for i in chosen]
    return {
        "configuration": _repeated([run.id.rsplit("-s", 1)[0] for run in runs], lengths),
        "seed": np.repeat(np.asarray([run.seed for run in runs], np.int64), lengths),
        "step": np.concatenate([np.arange(first + 1, first + 1 + n) for n in lengths]),
        **{name: table[:, i] for i, name in enumerate(final.job.program.readings)},
    }


def _repeated(values: list[str], times: np.ndarray) -> pa.DictionaryArray:
    """Return each string as often as asked, without making that many Python strings."""
    import pyarrow as pa

    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    indices = np.repeat(np.asarray([places[value] for value in values], np.int32), times)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(places), pa.string()))


def _rows_of(
    steps: np.ndarray, values: np.ndarray, bad: int
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return a run's records; a diverged one's end with an empty row at the step where it did.

    A record at that very step stays if its figures are finite: whether it does must
    not depend on where a segment happened to end.
    """
    if bad < 0:
        return steps, values, False
    keep = (steps < bad) | ((steps == bad) & np.isfinite(values).all(axis=1))
    empty = np.full((1, values.shape[1]), np.nan, values.dtype)
    return np.append(steps[keep], bad), np.vstack([values[keep], empty]), True


def write_predictions(folder: Folder, stretch: Stretch) -> None:
    """Write the test outputs of a finished chunk, one file a run, as ``evaluate`` reads them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    cohort = stretch.job.program.cohort
    labels = cohort.arrays.parts["test"][1]
    assert stretch.outputs is not None
    for run, outputs in zip(stretch.job.runs, stretch.outputs, strict=True):
        sink = io.BytesIO()
        table = pa.table(
            _prediction_columns(labels, outputs, "accuracy" in cohort.training.objective.metrics)
        )
        pq.write_table(table, sink, compression="zstd")
        folder.write(f"predictions/{run.id}.parquet", sink.getvalue())


def _prediction_columns(
    labels: np.ndarray, outputs: np.ndarray, classes: bool
) -> dict[str, np.ndarray]:
    if not classes:
        names = (
            ["prediction"]
            if outputs.shape[1] == 1
            else [f"prediction_{i}" for i in range(outputs.shape[1])]
        )
        return {"label": labels.reshape(len(labels), -1)[:, 0]} | dict(
            zip(names, outputs.T, strict=True)
        )
    if outputs.shape[1] == 1:  # one logit: that of class 1 against class 0
        outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
    logits = {f"logit_{i}": column for i, column in enumerate(outputs.T)}
    return {"label": labels, "prediction": outputs.argmax(axis=1).astype(np.int32), **logits}
