"""Tables of one's own, CSV and Parquet: a label column and feature columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from descentlab.core.errors import DataError
from descentlab.data.own import absent, assemble, existing
from descentlab.data.prepare import Raw


def read_csv(
    path: str,
    label: str,
    features: tuple[str, ...] | None,
    numeric: bool,
    delimiter: str = ",",
    header: bool = True,
) -> Raw:
    """Read a CSV file, gzipped if its name ends in ``.gz``; without header, columns f0, f1, ….

    Raises:
        DataError: the file is missing, damaged or ragged, lacks a column, or a feature
            holds something that is no number.
    """
    found = existing(path)
    table = _parse_csv(found, delimiter, header)
    names = table.column_names
    if len(names) == 1:
        raise DataError(
            f"{path} has one column, '{names[0][:60]}'; expected a label and features. "
            f"Is {delimiter!r} what parts its values? ('delimiter' says it)"
        )
    return _from_table(found, table, label, features, numeric)


def read_parquet(path: str, label: str, features: tuple[str, ...] | None, numeric: bool) -> Raw:
    """Read a Parquet file; see :func:`read_csv`."""
    import pyarrow as pa
    import pyarrow.parquet

    found = existing(path)
    try:
        table = pyarrow.parquet.ParquetFile(found).read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path} is no Parquet file or is damaged: {_first_line(error)}; write it again"
        ) from None
    return _from_table(found, table, label, features, numeric)


def _parse_csv(path: Path, delimiter: str, header: bool) -> Any:
    import pyarrow as pa
    import pyarrow.csv

    def parse(threads: bool) -> Any:
        table = pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(autogenerate_column_names=not header, use_threads=threads),
            pyarrow.csv.ParseOptions(delimiter=delimiter),
        )
        _ = table.column_names  # only this decodes the header
        return table

    try:
        try:
            return parse(threads=True)
        except pa.ArrowInvalid:
            return parse(threads=False)  # slower, and its message has the row's number
    except (pa.ArrowException, OSError, ValueError) as error:
        message = _first_line(error)
        if "Expected" in message and "columns" in message:
            remedy = "mend that row, so that each has as many values as the header"
        elif isinstance(error, UnicodeDecodeError):
            message = f"its header is not in UTF-8 ({message})"
            remedy = "save it again as UTF-8"
        elif isinstance(error, OSError):
            remedy = "it is damaged, or not packed as its name says; write it again"
        else:
            remedy = "expected a table in UTF-8 with a header"
        raise DataError(f"{path} cannot be read: {message}; {remedy}") from None


def _from_table(
    path: Path, table: Any, label: str, features: tuple[str, ...] | None, numeric: bool
) -> Raw:
    names = table.column_names
    # pandas keeps a data frame's index in such columns; row numbers are no feature.
    others = [n for n in names if n != label and not n.startswith("__index_level_")]
    chosen = list(features) if features is not None else others
    for name, field in ((label, "label"), *((name, "features") for name in chosen)):
        if name not in names:
            raise DataError(f"{path}: {absent('column', name, names, field)}")
        if names.count(name) > 1:
            raise DataError(
                f"{path}: the column '{name}' is there {names.count(name)} times; "
                "rename all but one"
            )
    if not chosen:
        raise DataError(f"{path}: no feature columns beside the label '{label}'; add some")
    if table.num_rows == 0:
        raise DataError(f"{path}: there are no rows below the header; at least two are needed")
    inputs = np.empty((table.num_rows, len(chosen)))
    for number, name in enumerate(chosen):
        inputs[:, number] = _numbers(path, name, table[name])
    train = inputs, _labels(path, label, table[label])
    return assemble(path, train, None, numeric, tuple(chosen))


def _numbers(path: Path, name: str, values: Any) -> np.ndarray:
    """Return a column as float64, missing values as NaN."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if types.is_boolean(values.type):
        values = values.cast(pa.int8())
    kind = values.type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return values.cast(pa.float64(), safe=False).to_numpy()
    if types.is_null(kind):
        raise DataError(f"{path}: column '{name}' is empty; leave it out of 'features'")
    found = ""
    if types.is_string(kind) or types.is_large_string(kind):
        row, text = next(
            (i, t) for i, t in enumerate(values.to_pylist()) if t is None or not _is_number(t)
        )
        found = f" such as '{(text or '')[:40]}' in row {row} (counted from 0)"
    raise DataError(
        f"{path}: column '{name}' holds {kind}{found}, not numbers; correct it, "
        "or name the columns to use in 'features'"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _labels(path: Path, name: str, values: Any) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        raise DataError(
            f"{path}: the label column '{name}' holds {values.type}; "
            "expected UTF-8 text or whole numbers"
        )
    return values.to_numpy(zero_copy_only=False)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
