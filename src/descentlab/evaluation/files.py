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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from descentlab.core.errors import DataError, nearest
from descentlab.evaluation.comparison import Comparison, compare
from descentlab.evaluation.evaluate import evaluate_predictions
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.results import Evaluation, Scale
from descentlab.evaluation.scores import Scores

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".npz")
SPILL_BYTES = 2 << 30
ROWS = 1 << 18
WHOLE = ("logit", "logits", "probability", "probabilities")
DAMAGE = (zipfile.BadZipFile, zlib.error)

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Columns:
    """Which columns of a file are what.

    Attributes:
        label, prediction: names of columns, the latter None where there is none.
        scale: of the scores.
        scores: their columns in the order of the classes.
        classes: what follows the underline in these; None where these are 0 … K-1.
    """

    label: str
    prediction: str | None
    scale: Scale | None
    scores: tuple[str, ...]
    classes: tuple[str, ...] | None

    @classmethod
    def of(cls, names: Sequence[str], source: str) -> Columns:
        """Find the columns by their names.

        Raises:
            DataError: there is no label, or nothing to compare it with.
        """
        twice = next((name for name in _wanted(names) if list(names).count(name) > 1), None)
        if twice:
            raise DataError(f"{source}: column '{twice}' is there twice; keep one of them")
        if "label" not in names:
            guess = nearest("label", list(names))
            hint = f"; is it '{guess}'? Rename it to 'label'" if guess else ""
            raise DataError(
                f"{source}: expected a column 'label' with the true classes; "
                f"found {', '.join(list(names)[:12]) or 'none'}{hint}"
            )
        found: dict[Scale, list[str]] = {
            "logits": [name for name in names if name.startswith("logit_")],
            "probabilities": [name for name in names if name.startswith("probability_")],
        }
        given: list[Scale] = [scale for scale, columns in found.items() if columns]
        prediction = "prediction" if "prediction" in names else None
        if len(given) == 2:
            raise DataError(f"{source}: expected logit_… or probability_… columns; found both")
        if not given and prediction is None:
            raise DataError(
                f"{source}: expected 'prediction', 'probability_0' … or 'logit_0' … beside "
                f"'label'; found {', '.join(list(names)[:12])}"
            )
        if not given:
            return cls("label", prediction, None, (), None)
        scale = given[0]
        columns = found[scale]
        classes = [name.split("_", 1)[1] for name in columns]
        numbers = {int(c): name for c, name in zip(classes, columns, strict=True) if c.isdigit()}
        if len(numbers) == len(columns):
            if sorted(numbers) == list(range(len(columns))):
                return cls(
                    "label", prediction, scale, tuple(numbers[i] for i in sorted(numbers)), None
                )
            order = sorted(numbers)
            return cls("label", prediction, scale, tuple(numbers[i] for i in order),
                       tuple(map(str, order)))  # fmt: skip
        return cls("label", prediction, scale, tuple(columns), tuple(classes))


@dataclass
class _Pieces:
    """What has been read so far; scores go to a temporary file once they are large."""

    labels: list[np.ndarray] = field(default_factory=list)
    predictions: list[np.ndarray] = field(default_factory=list)
    scores: list[np.ndarray] = field(default_factory=list)
    bytes: int = 0
    spill: Any = None

    def add_scores(self, block: np.ndarray, most: int) -> None:
        self.bytes += block.nbytes
        if self.bytes <= most:
            self.scores.append(block)
            return
        if self.spill is None:
            self.spill = tempfile.TemporaryFile(prefix="descentlab-")  # noqa: SIM115 (see close)
        start = self.spill.seek(0, os.SEEK_END)
        self.spill.write(np.ascontiguousarray(block).data)
        self.spill.flush()
        self.scores.append(np.memmap(self.spill, block.dtype, "r", offset=start, shape=block.shape))

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
    with contextlib.closing(pieces):
        for block in blocks:
            if columns is None:
                columns = Columns.of(block.schema.names, str(source))
            pieces.labels.append(_classes(block, columns.label, done))
            if columns.prediction:
                pieces.predictions.append(_classes(block, columns.prediction, done))
            if columns.scale:
                pieces.add_scores(_matrix(block, columns.scores, done), memory)
            done += block.num_rows
            if progress:
                progress(done)
    if columns is None or not done:
        raise DataError(f"{source}: expected at least one example; the file has none")
    scores = Scores(columns.scale, tuple(pieces.scores)) if columns.scale else None
    predictions = _joined(pieces.predictions) if columns.prediction else None
    return Predictions.of_values(_joined(pieces.labels), predictions, scores, columns.classes)


def _parquet(source: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        names = file.schema_arrow.names
        wanted = _wanted(names)
        Columns.of(names, str(source))
        yield from file.iter_batches(batch_size=ROWS, columns=wanted)


def _csv(source: Path) -> Iterator[Any]:
    """Yield blocks of a CSV file; labels and predictions as text, scores as float64."""
    import pyarrow as pa
    import pyarrow.csv as csv

    parse = csv.ParseOptions(delimiter="\t" if source.suffix == ".tsv" else ",")
    with csv.open_csv(source, parse_options=parse) as reader:
        names = reader.schema.names
    Columns.of(names, str(source))
    wanted = _wanted(names)
    types = {n: pa.float64() if "_" in n else pa.string() for n in wanted}
    convert = csv.ConvertOptions(
        column_types=types, include_columns=wanted, strings_can_be_null=True,
        null_values=["", "NA", "NaN", "nan", "null"],
    )  # fmt: skip
    read = csv.ReadOptions(block_size=8 << 20)
    with csv.open_csv(
        source, read_options=read, parse_options=parse, convert_options=convert
    ) as reader:
        yield from reader


def _wanted(names: Sequence[str]) -> list[str]:
    scores = ("logit_", "probability_")
    return [name for name in names if name in ("label", "prediction") or name.startswith(scores)]


def _classes(block: Any, name: str, start: int) -> np.ndarray:
    """Return a column of classes: whole numbers, or text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = block.column(name)
    if column.null_count:
        first = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise ValueError(f"{name}: example {start + first} has none")
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        for kind in (pa.int64(), pa.float64()):
            with contextlib.suppress(pa.ArrowInvalid):
                numbers = pc.cast(column, kind).to_numpy(zero_copy_only=False)
                if kind == pa.int64() or (np.abs(numbers) < 2**53).all():  # exact
                    return numbers
        encoded = column.dictionary_encode()
        words = np.array(encoded.dictionary.to_pylist(), dtype=str)
        return words[encoded.indices.to_numpy(zero_copy_only=False)]
    return column.to_numpy(zero_copy_only=False)


def _matrix(block: Any, names: Sequence[str], start: int) -> np.ndarray:
    """Return columns of scores side by side, in their own precision."""
    columns = [block.column(name) for name in names]
    for name, column in zip(names, columns, strict=True):
        if column.null_count:
            first = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise ValueError(f"{name}: example {start + first} has none")
    arrays = [column.to_numpy(zero_copy_only=False) for column in columns]
    dtype = np.result_type(*arrays)
    if dtype.kind not in "fiu":
        raise ValueError(f"{names[0]} …: expected numbers; found {columns[0].type}")
    matrix = np.empty((block.num_rows, len(arrays)), dtype if dtype.kind == "f" else np.float64)
    for k, array in enumerate(arrays):
        matrix[:, k] = array
    return matrix


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    if len({piece.dtype.kind for piece in pieces}) > 1 and any(p.dtype.kind == "U" for p in pieces):
        pieces = [_text(piece) for piece in pieces]
    return np.concatenate(pieces)


def _text(piece: np.ndarray) -> np.ndarray:
    whole = piece.dtype.kind == "f" and not (piece % 1).any()
    return (piece.astype(np.int64) if whole else piece).astype(str)


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
        names = arrays.get("classes")
        return Predictions.of_values(
            arrays["label"],
            arrays.get("prediction"),
            Scores.of("logits" if whole[0].startswith("logit") else "probabilities",
                      arrays[whole[0]]),
            None if names is None else names.tolist(),
        )  # fmt: skip
    columns = Columns.of(list(arrays), str(source))
    shapes = {name: arrays[name].shape for name in _wanted(list(arrays))}
    if len({shape[:1] for shape in shapes.values()}) > 1:
        lengths = ", ".join(f"{n} {s[0] if s else 'none'}" for n, s in shapes.items())
        raise DataError(f"{source}: arrays of different lengths: {lengths}")
    scores = None
    if columns.scale:
        stacked = np.column_stack([arrays[name] for name in columns.scores])
        scores = Scores.of(columns.scale, stacked)
    prediction = arrays[columns.prediction] if columns.prediction else None
    return Predictions.of_values(arrays["label"], prediction, scores, columns.classes)


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
        raise DataError(f"{path}: {error}") from None
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
