"""Segments: the curves of one chunk of runs over one stretch of steps, as Parquet.

Columns: ``run``, ``configuration``, ``seed``, ``step``, ``epoch``, ``diverged`` and
one a metric. A diverged run ends with one row at the step where it diverged, with
``diverged`` true and no metrics. A run's last row is marked ``last``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from descentlab.core.errors import StoreError
from descentlab.store.folder import Folder

if TYPE_CHECKING:
    import pandas as pd

SEGMENTS = "segments"
NAME = re.compile(r"(k[\w-]*-\d+-\d+)\.parquet")
KEYS = ("run", "configuration", "seed", "step", "epoch", "diverged", "last")


def write_segment(
    folder: Folder,
    name: str,
    columns: Mapping[str, Sequence | np.ndarray],
    metadata: Mapping[str, str],
) -> None:
    """Write one segment; when the file is there, the stretch is done."""
    table = pa.table({key: pa.array(values, from_pandas=True) for key, values in columns.items()})
    table = table.replace_schema_metadata(dict(metadata))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    folder.write(f"{SEGMENTS}/{name}.parquet", sink.getvalue())


def segment_names(folder: Folder) -> list[str]:
    """Return the names of the segments in a folder, without path and suffix.

    Other files are left out, copies under another name too, which would count rows twice.
    """
    found = (NAME.fullmatch(name.rsplit("/", 1)[1]) for name in folder.names(SEGMENTS))
    return [match[1] for match in found if match]


def read_segment(
    folder: Folder, name: str, columns: Sequence[str] | None = None, *, rows: bool = True
) -> pa.Table:
    """Read one segment, or its columns' names alone; a damaged file is named, with what to do."""
    path = f"{SEGMENTS}/{name}.parquet"
    source = folder.local / path if folder.local else pa.BufferReader(folder.read(path))
    try:
        with pq.ParquetFile(source) as file:
            wanted = (
                None if columns is None else [c for c in columns if c in file.schema_arrow.names]
            )
            return file.read(columns=wanted) if rows else file.schema_arrow.empty_table()
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(
            f"{folder.at(path)} is damaged ({str(error).splitlines()[0]}); "
            "delete it and run the study again: the few runs in it are trained anew"
        ) from None


def segment_notes(folder: Folder, name: str) -> dict[str, str]:
    """Return what was written beside a segment's rows: its cohort, seconds, updates."""
    metadata = read_segment(folder, name, rows=False).schema.metadata or {}
    return {key.decode(): value.decode() for key, value in metadata.items()}


def query(
    folder: Folder, sql: str, columns: Sequence[str] | None = None, *, cohorts: bool = False
) -> pd.DataFrame:
    """Answer an SQL query over the table ``segments`` with DuckDB, in memory.

    Args:
        folder: a results folder.
        sql: a query that reads from ``segments``.
        columns: the columns that the query needs; all by default.
        cohorts: add a column ``cohort``.
    """
    import duckdb

    names = segment_names(folder)
    tables = [read_segment(folder, name, columns) for name in names]
    if cohorts:
        tables = [
            table.append_column("cohort", pa.array([name.rsplit("-", 3)[0]] * len(table)))
            for table, name in zip(tables, names, strict=True)
        ]
    if not tables:
        raise StoreError(f"{folder} has no results yet; run the study first")
    segments = pa.concat_tables(tables, promote_options="default")
    with duckdb.connect() as connection:
        connection.register("segments", segments)
        return connection.execute(sql).df()
