"""Prediction files of any framework: CSV, Parquet, NPZ; read in pieces, larger than memory or not.

A file has a column (an array) ``label``, and ``prediction``, or ``probability_…`` or
``logit_…`` for every class, or both. What follows the underline is the class: its number
or its name. An NPZ may hold one array ``probability`` or ``logit`` instead, ``[n, K]``.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from descentlab.core.errors import DataError
from descentlab.evaluation.columns import (
    WHOLE,
    Columns,
    Words,
    class_values,
    joined,
    list_hint,
    score_matrix,
    wanted,
)
from descentlab.evaluation.comparison import Comparison, compare
from descentlab.evaluation.evaluate import evaluate_predictions
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.results import Evaluation
from descentlab.evaluation.scores import Scores

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".npz")
SPILL_BYTES = 2 << 30
ROWS = 1 << 18
BLOCK_BYTES = 32 << 20
TEXT_BYTES = 32
MISSING = ("", "NA", "NaN", "nan", "null")
DAMAGE = (zipfile.BadZipFile, zlib.error)

Progress = Callable[[int], None]


@dataclass
class _Pieces:
    """What has been read so far; scores go to a temporary file once they are large."""

    labels: list[np.ndarray | Words] = field(default_factory=list)
    predictions: list[np.ndarray | Words] = field(default_factory=list)
    kept: list[np.ndarray] = field(default_factory=list)
    bytes: int = 0
    spill: Any = None
    spilt: int = 0
    like: np.ndarray | None = None

    def add_scores(self, block: np.ndarray, most: int) -> None:
        self.bytes += block.nbytes
        if self.bytes <= most:
            self.kept.append(block)
            return
        if self.spill is None:
            self.spill = tempfile.TemporaryFile(prefix="descentlab-")  # noqa: SIM115 (see close)
        self.spill.write(np.ascontiguousarray(block).data)
        self.spilt += len(block)
        self.like = block[:0]

    def scores(self) -> tuple[np.ndarray, ...]:
        """Return the scores, those in the file mapped at once (a mapping holds the file open)."""
        if self.like is None:
            return tuple(self.kept)
        self.spill.flush()
        shape = self.spilt, self.like.shape[1]
        return *self.kept, np.memmap(self.spill, self.like.dtype, "r", shape=shape)

    def close(self) -> None:
        """Close the temporary file; what is mapped stays readable, and goes with its last user."""
        if self.spill is not None:
            self.spill.close()


def read_predictions(
    path: str | os.PathLike[str], *, progress: Progress | None = None, memory: int = SPILL_BYTES
) -> Predictions:
    """Read a prediction file.

    Args:
        path: a ``.csv``, ``.csv.gz``, ``.tsv``, ``.parquet`` or ``.npz`` file.
        progress: called with the number of examples read so far.
        memory: bytes of scores that are kept in memory; the rest goes to a temporary
            file that is mapped, so that files larger than memory can be evaluated.

    Raises:
        DataError: the file is not there, is damaged, or says nothing to evaluate.
    """
    source = Path(path)
    if source.is_dir():
        raise DataError(f"{source}: is a folder; give a file ({', '.join(SUFFIXES)})")
    if not source.is_file():
        raise DataError(f"{source}: no such file")
    name = source.name.lower()
    if not name.endswith(SUFFIXES):
        raise DataError(
            f"{source}: expected a prediction file ({', '.join(SUFFIXES)}); "
            f"found '{source.suffix or source.name}'"
        )
    import pyarrow as pa

    try:
        if name.endswith(".npz"):
            return _from_npz(source)
        blocks = _parquet(source) if name.endswith(".parquet") else _csv(source)
        return _collected(blocks, source, progress, memory)
    except (ValueError, pa.ArrowException, OSError, EOFError, *DAMAGE) as error:
        message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{source}: {message}") from None


def _collected(
    blocks: Iterator[Any], source: Path, progress: Progress | None, memory: int
) -> Predictions:
    columns, pieces, done = None, _Pieces(), 0
    text = not source.name.lower().endswith(".parquet")
    missing = f" (an empty field, {', '.join(MISSING[1:])} say that there is none)" if text else ""
    with contextlib.closing(pieces):
        for block in blocks:
            if columns is None:
                columns = Columns.of(block.schema.names, str(source))
            pieces.labels.append(class_values(block, columns.label, done, missing))
            if columns.prediction:
                found = class_values(block, columns.prediction, done, missing)
                pieces.predictions.append(found)
            if columns.scale:
                pieces.add_scores(score_matrix(block, columns.scores, done, missing), memory)
            done += block.num_rows
            if progress:
                progress(done)
        if columns is None or not done:
            raise DataError(f"{source}: expected at least one example; the file has none")
        scores = Scores(columns.scale, pieces.scores()) if columns.scale else None
    labels = joined(pieces.labels, columns.written)
    predictions = joined(pieces.predictions, columns.written) if columns.prediction else None
    return Predictions.of_values(labels, predictions, scores, columns.classes)


def _parquet(source: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        schema, metadata = file.schema_arrow, file.metadata
        for name in set(WHOLE) & set(schema.names):
            if (hint := list_hint(schema.field(name).type)) and wanted(schema.names) == ["label"]:
                raise DataError(f"{source}: column '{name}'{hint}")
        Columns.of(schema.names, str(source))
        columns = wanted(schema.names)
        width = sum(_width(schema.field(name).type) for name in columns)
    rows = max(1, min(ROWS, BLOCK_BYTES // width))
    # With a buffer a column's pages are read one after the other, not its row group at once.
    buffer = min(1 << 20, max(1 << 12, BLOCK_BYTES // len(columns)))
    with pq.ParquetFile(source, metadata=metadata, buffer_size=buffer) as file:
        yield from file.iter_batches(batch_size=rows, columns=columns)


def _width(kind: Any) -> int:
    """Return about how many bytes a value has."""
    try:
        return max(1, kind.bit_width // 8)
    except ValueError:
        return TEXT_BYTES


def _csv(source: Path) -> Iterator[Any]:
    """Yield blocks of a CSV file; labels and predictions as text, scores as float64."""
    import pyarrow as pa
    import pyarrow.csv as csv

    parse = csv.ParseOptions(delimiter="\t" if source.suffix == ".tsv" else ",")
    read = csv.ReadOptions(block_size=8 << 20)
    with csv.open_csv(source, read_options=read, parse_options=parse) as reader:
        names = reader.schema.names
    Columns.of(names, str(source))
    columns = wanted(names)
    types = {n: pa.float64() if "_" in n else pa.string() for n in columns}
    convert = csv.ConvertOptions(
        column_types=types, include_columns=columns, strings_can_be_null=True,
        null_values=list(MISSING),
    )  # fmt: skip
    with csv.open_csv(
        source, read_options=read, parse_options=parse, convert_options=convert
    ) as reader:
        yield from reader


def _from_npz(source: Path) -> Predictions:
    try:
        with source.open("rb") as file, np.load(file, allow_pickle=False) as found:
            arrays: Mapping[str, np.ndarray] = {name: found[name] for name in found.files}
    except (ValueError, AttributeError, TypeError):
        raise DataError(
            f"{source}: expected an NPZ archive of arrays of numbers or text; it is none, or it "
            "holds Python objects, which are not read because they could run code"
        ) from None
    whole = [name for name in WHOLE if name in arrays]
    if len(whole) > 1:
        raise DataError(f"{source}: expected logits or probabilities; found both: {whole}")
    if whole and "label" in arrays:
        return Predictions.of_values(
            arrays["label"],
            arrays.get("prediction"),
            Scores.of("logits" if whole[0].startswith("logit") else "probabilities",
                      arrays[whole[0]]),
            _npz_classes(arrays, None),
        )  # fmt: skip
    columns = Columns.of(list(arrays), str(source))
    shapes = {name: arrays[name].shape for name in wanted(list(arrays))}
    if len({shape[:1] for shape in shapes.values()}) > 1:
        lengths = ", ".join(f"{n} {s[0] if s else 'none'}" for n, s in shapes.items())
        raise DataError(f"{source}: arrays of different lengths: {lengths}")
    scores = None
    if columns.scale:
        stacked = np.column_stack([arrays[name] for name in columns.scores])
        scores = Scores.of(columns.scale, stacked)
    prediction = arrays[columns.prediction] if columns.prediction else None
    return Predictions.of_values(
        arrays["label"], prediction, scores, _npz_classes(arrays, columns.classes)
    )


def _npz_classes(
    arrays: Mapping[str, np.ndarray], of_columns: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """Return the names of the classes: those of the columns if these have names, or ``classes``."""
    found = arrays.get("classes")
    if found is None:
        return of_columns
    if found.ndim != 1:
        raise ValueError(f"classes: expected one name a class; found shape {found.shape}")
    names = tuple(map(str, found.astype(str).tolist()))
    if of_columns and set(names) != set(of_columns):
        found, of = ", ".join(names[:8]), ", ".join(of_columns[:8])
        raise ValueError(f"classes are {found}, but the columns are of {of}")
    return of_columns or names


def evaluate_file(
    path: str | os.PathLike[str],
    *,
    against: str | os.PathLike[str] | None = None,
    recall_at_least: float | None = None,
    progress: Progress | None = None,
) -> tuple[Evaluation, Comparison | None]:
    """Evaluate a prediction file, and compare it with another one of the same examples.

    Raises:
        DataError: a file cannot be read, or its numbers cannot be what they are said to be.
    """
    given = read_predictions(path, progress=progress)
    try:
        found = evaluate_predictions(given, recall_at_least=recall_at_least)
    except ValueError as error:
        taken = ""
        if "sum to 1" in str(error) and not all(map(str.isdecimal, given.classes)):
            taken = f"; what was taken for classes: {', '.join(given.classes[:12])}"
        raise DataError(f"{path}: {error}{taken}") from None
    if against is None:
        return found, None
    other = read_predictions(against, progress=progress)
    names = Path(path).name, Path(against).name
    if names[0] == names[1]:  # in two folders
        names = str(path), str(against)
    try:
        return found, compare(given, other, names=names)
    except ValueError as error:
        raise DataError(f"{path} and {against}: {error}") from None
