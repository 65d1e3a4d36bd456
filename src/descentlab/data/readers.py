"""Readers: from files and generators to raw arrays."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from descentlab.core.errors import DataError, unknown
from descentlab.data import idx
from descentlab.data.locate import PublicData, require, verify
from descentlab.data.prepare import Raw


def read_idx(data: PublicData, classes: tuple[str, ...]) -> Raw:
    """Read a data set of four idx files, each verified against its published content."""
    arrays = []
    paths = require(data)
    for file, path in zip(data.files, paths, strict=True):
        content = idx.read_bytes(path)
        array = idx.parse(content, str(path))
        verify(file, path, content)
        arrays.append(array)
    images, labels, test_images, test_labels = arrays
    source = {"files": [str(path) for path in paths], "md5": [f.content_md5 for f in data.files]}
    test = test_images, test_labels.astype(np.int32)
    return Raw(data.name, images, labels.astype(np.int32), classes, test, source)


def read_bundled(name: str) -> Raw:
    """Read a data set that scikit-learn ships."""
    import sklearn
    from sklearn import datasets

    loaded: Any = getattr(datasets, f"load_{name}")()
    classes = tuple(map(str, loaded.target_names))
    source = {"files": [f"scikit-learn {sklearn.__version__}, load_{name}"]}
    columns = tuple(map(str, loaded.feature_names))
    inputs = loaded.images if name == "digits" else loaded.data
    kept = np.float32 if name == "digits" else np.float64
    return Raw(
        name,
        inputs.astype(kept),
        loaded.target.astype(np.int32),
        classes,
        None,
        source,
        () if name == "digits" else columns,
    )


def generate(name: str, examples: int, seed: int, **settings: Any) -> Raw:
    """Draw a generated data set; the same seed gives the same data."""
    generator = np.random.Generator(np.random.PCG64(seed))
    inputs, targets, classes = _GENERATORS[name](generator, examples, **settings)
    order = generator.permutation(examples)
    source = {"files": [f"generated: {name}, seed {seed}"]}
    labels = tuple(str(number) for number in range(classes))
    return Raw(name, inputs[order], targets[order].astype(np.int32), labels, None, source)


def _blobs(generator: Any, examples: int, classes: int, features: int, noise: float) -> Any:
    """Normal clouds of standard deviation ``noise`` around centres 2 apart on average."""
    targets = np.arange(examples) % classes
    centres = generator.normal(size=(classes, features))
    centres -= centres.mean(axis=0)
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    centres *= 2.0 / distances[np.triu_indices(classes, 1)].mean()
    return centres[targets] + generator.normal(0, noise, (examples, features)), targets, classes


def _moons(generator: Any, examples: int, noise: float) -> Any:
    """Two interleaved half circles of radius 1."""
    targets = np.arange(examples) % 2
    angle = np.pi * generator.uniform(size=examples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(targets[:, None] == 0, upper, lower)
    return points + generator.normal(0, noise, points.shape), targets, 2


def _circles(generator: Any, examples: int, noise: float) -> Any:
    """Two circles around the origin, of radius 1 and 1/2."""
    targets = np.arange(examples) % 2
    angle = 2 * np.pi * generator.uniform(size=examples)
    radius = np.where(targets == 0, 1.0, 0.5)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + generator.normal(0, noise, points.shape), targets, 2


def _spirals(generator: Any, examples: int, classes: int, noise: float) -> Any:
    """Arms of Archimedean spirals, three quarters of a turn and more, evenly rotated."""
    targets = np.arange(examples) % classes
    way = np.sqrt(generator.uniform(size=examples))
    angle = 3 * np.pi / 2 * way + 2 * np.pi * targets / classes
    points = way[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + generator.normal(0, noise, points.shape), targets, classes


_GENERATORS = {"blobs": _blobs, "moons": _moons, "circles": _circles, "spirals": _spirals}


def read_npz(path: Path, inputs: str, label: str, numeric: bool) -> Raw:
    """Read arrays of an ``.npz`` file; ``test_`` before the names gives a test part."""
    _exists(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            if not hasattr(file, "files"):
                raise DataError(
                    f"{path} holds one array; expected an .npz with '{inputs}' and '{label}'"
                )
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as .npz without pickled objects: {error}") from None
    for name in (inputs, label):
        if name not in arrays:
            raise DataError(f"{path}: {unknown('array', name, arrays)}")
    train = _numbers(path, inputs, arrays[inputs]), arrays[label]
    test = None
    if f"test_{inputs}" in arrays and f"test_{label}" in arrays:
        test = _numbers(path, f"test_{inputs}", arrays[f"test_{inputs}"]), arrays[f"test_{label}"]
    return _labelled(path, train, test, numeric, ())


def read_table(
    path: Path, label: str, features: tuple[str, ...] | None, numeric: bool, parquet: bool
) -> Raw:
    """Read a CSV or Parquet table: a label column and feature columns (all others by default)."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    _exists(path)
    try:
        table = pyarrow.parquet.read_table(path) if parquet else pyarrow.csv.read_csv(path)
    except (pa.ArrowInvalid, pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    names = list(features) if features else [n for n in table.column_names if n != label]
    for name in (label, *names):
        if name not in table.column_names:
            raise DataError(f"{path}: {unknown('column', name, table.column_names)}")
    if not names:
        raise DataError(f"{path}: no feature columns beside the label '{label}'")
    columns = [_column(path, name, table[name]) for name in names]
    targets = table[label].to_numpy(zero_copy_only=False)
    return _labelled(path, (np.stack(columns, axis=1), targets), None, numeric, tuple(names))


def _column(path: Path, name: str, values: Any) -> np.ndarray:
    column = values.to_numpy(zero_copy_only=False)
    if column.dtype == object or (
        not np.issubdtype(column.dtype, np.number) and column.dtype != bool
    ):
        raise DataError(
            f"{path}: column '{name}' holds {values.type}, not numbers; "
            "name the columns to use in 'features'"
        )
    return column.astype(np.float64)


def _numbers(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array) or array.ndim < 2:
        raise DataError(
            f"{path}: '{name}' must hold numbers [examples, …], found {array.dtype} {array.shape}"
        )
    return array if array.dtype in (np.uint8, np.float32) else array.astype(np.float64)


def _labelled(
    path: Path, train: tuple, test: tuple | None, numeric: bool, columns: tuple[str, ...]
) -> Raw:
    """Turn labels into class numbers in sorted order of their names, or leave them as numbers."""
    source = {"files": [str(path)]}
    pairs = [train] if test is None else [train, test]
    if numeric:
        try:
            targets = [np.asarray(y, np.float64) for _, y in pairs]
        except (TypeError, ValueError):
            raise DataError(f"{path}: the target is not numeric; leave 'target: classes'") from None
        classes: tuple[str, ...] = ()
    else:
        names = [_class_names(path, y) for _, y in pairs]
        known = np.unique(names[0])
        if len(known) > 10_000:
            raise DataError(
                f"{path}: {len(known)} different labels; for numbers use 'target: numeric'"
            )
        targets = [np.searchsorted(known, y).astype(np.int32) for y in names]
        for y, numbers in zip(names, targets, strict=True):
            strange = y[(numbers >= len(known)) | (known[np.minimum(numbers, len(known) - 1)] != y)]
            if len(strange):
                raise DataError(f"{path}: the test label '{strange[0]}' is not among train's")
        classes = tuple(map(str, known))
    parts = [(x, y) for (x, _), y in zip(pairs, targets, strict=True)]
    return Raw(path.stem, *parts[0], classes, parts[1] if test else None, source, columns)


def _class_names(path: Path, labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels).reshape(len(labels), -1)[:, 0]
    if labels.dtype == object:
        missing = np.flatnonzero([v is None or v != v for v in labels])
    else:
        missing = np.flatnonzero(labels != labels)
    if len(missing):
        raise DataError(f"{path}: the label in row {missing[0]} is missing; remove such rows first")
    if np.issubdtype(labels.dtype, np.floating):
        if (labels != np.round(labels)).any():
            fraction = labels[labels != np.round(labels)][0]
            raise DataError(
                f"{path}: labels are fractions such as {fraction}; use 'target: numeric'"
            )
        labels = labels.astype(np.int64)
    return labels.astype(str) if labels.dtype == object or labels.dtype.kind in "US" else labels


def _exists(path: Path) -> None:
    if not path.is_file():
        raise DataError(
            f"{path} is not there (paths are taken from the current folder, {Path.cwd()})"
        )
