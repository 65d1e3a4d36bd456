"""Segments: the curves of one chunk of runs over one stretch of steps, as Parquet.

Columns: ``run``, ``configuration``, ``seed``, ``step``, ``epoch``, ``diverged`` and
one a metric. A diverged run ends with one row at the step where it diverged, with
``diverged`` true and no metrics. A run's last row is marked ``last``.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from descentlab.core.errors import StoreError
from descentlab.store.folder import Folder

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

SEGMENTS = "segments"
READINGS = "readings"
"""The folder of readings: a file beside each segment whose runs have some, under its name."""

NAME = re.compile(r"(k[\w-]*-\d+-\d+)\.parquet")
SAMPLE = 4096
"""Figures of a column that are looked at to choose how it is laid down."""

KEYS = ("run", "configuration", "seed", "step", "epoch", "diverged", "last")


def write_segment(
    folder: Folder,
    name: str,
    columns: Mapping[str, Sequence | np.ndarray | pa.Array],
    metadata: Mapping[str, str],
) -> None:
    """Write one segment; when the file is there, the stretch is done.

    Strings may come as a dictionary array, which is much faster; they are read as strings.
    """
    folder.write(f"{SEGMENTS}/{name}.parquet", _packed(columns, metadata))


def write_readings(
    folder: Folder, name: str, columns: Mapping[str, Sequence | np.ndarray | pa.Array]
) -> None:
    """Write what was read at every update of a segment's stretch, before that segment.

    Columns: ``configuration``, ``seed``, ``step`` (the number of updates, this one included)
    and one a reading.
    """
    folder.write(f"{READINGS}/{name}.parquet", _packed(columns, {}))


def _packed(
    columns: Mapping[str, Sequence | np.ndarray | pa.Array], metadata: Mapping[str, str]
) -> bytes:
    table = pa.table({key: _array(values) for key, values in columns.items()})
    listed: Any = [key for key in table.column_names if _worth_listing(table[key])]
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        use_dictionary=listed,
        store_schema=False,  # Arrow's own, which would tell readers of dictionary arrays
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(dict(metadata))
    return sink.getvalue()


def _array(values: Any) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)


def _worth_listing(column: pa.ChunkedArray) -> bool:
    """Return whether a column's values repeat, so that a list of them and numbers are shorter.

    The numbers of a noisy loss hardly ever repeat: a list would only be added to them.
    """
    if not pa.types.is_floating(column.type):
        return not pa.types.is_boolean(column.type)
    sample = column.to_numpy()[:: max(1, len(column) // SAMPLE)]
    return len(np.unique(sample)) < len(sample) / 2


def segment_names(folder: Folder) -> list[str]:
    """Return the names of the segments in a folder, without path and suffix.

    Other files are left out, copies under another name too, which would count rows twice.
    """
    found = (NAME.fullmatch(name.rsplit("/", 1)[1]) for name in folder.names(SEGMENTS))
    return [match[1] for match in found if match]


def reading_names(folder: Folder) -> list[str]:
    """Return the names of the segments that have readings beside them."""
    there = {name.rsplit("/", 1)[1] for name in folder.names(READINGS)}
    return [name for name in segment_names(folder) if f"{name}.parquet" in there]


def orphaned_readings(folder: Folder) -> list[str]:
    """Return the names of readings whose segment was never written or was deleted."""
    own = (NAME.fullmatch(name.rsplit("/", 1)[1]) for name in folder.names(READINGS))
    return sorted({match[1] for match in own if match} - set(segment_names(folder)))


def read_segment(
    folder: Folder,
    name: str,
    columns: Sequence[str] | None = None,
    *,
    rows: bool = True,
    table: str = SEGMENTS,
) -> pa.Table:
    """Read one segment, or its columns' names alone; a damaged file is named, with what to do."""
    path = f"{table}/{name}.parquet"
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
    folder: Folder,
    sql: str,
    columns: Sequence[str] | None = None,
    *,
    cohorts: bool = False,
    table: str = SEGMENTS,
) -> pd.DataFrame:
    """Answer an SQL query over the table ``segments`` with DuckDB, in memory.

    Args:
        folder: a results folder.
        sql: a query that reads from ``table``.
        columns: the columns that the query needs, all by default: no others are fetched
            from an object store. Of local files only what is needed is read in any case.
        cohorts: add a column ``cohort``.
        table: ``segments`` or ``readings``.
    """
    import duckdb

    names = segment_names(folder) if table == SEGMENTS else reading_names(folder)
    if not names:
        raise StoreError(f"{folder} has no results yet; run the study first")
    with duckdb.connect() as connection:
        try:
            if folder.local:
                _show_files(connection, folder, table, names, cohorts)
            else:
                _show_tables(connection, folder, table, names, columns, cohorts)
            return connection.execute(sql).df()
        except duckdb.Error:
            for name in names:
                read_segment(folder, name, table=table)  # names the file if one is damaged
            raise


def _show_files(
    connection: DuckDBPyConnection, folder: Folder, table: str, names: list[str], cohorts: bool
) -> None:
    """Let DuckDB read local files itself: piece by piece, and only what a query needs."""
    paths = [os.path.abspath(folder.at(f"{table}/{name}.parquet")) for name in names]
    exact = [re.sub(r"([*?[])", r"[\1]", path) for path in paths]
    files = connection.read_parquet(
        exact, union_by_name=True, hive_partitioning=False, filename=True
    )
    name = "parse_filename(filename, true)"
    cohort = f", regexp_replace({name}, '(-[^-]*){{1,3}}$', '') AS cohort" if cohorts else ""
    files.project(f"* EXCLUDE (filename){cohort}").create_view(table)


def _show_tables(
    connection: DuckDBPyConnection,
    folder: Folder,
    table: str,
    names: list[str],
    columns: Sequence[str] | None,
    cohorts: bool,
) -> None:
    """Read the files of an object store into memory."""
    tables = [read_segment(folder, name, columns, table=table) for name in names]
    if cohorts:
        tables = [
            each.append_column("cohort", pa.array([name.rsplit("-", 3)[0]] * len(each)))
            for each, name in zip(tables, names, strict=True)
        ]
    connection.register(table, pa.concat_tables(tables, promote_options="permissive"))
