"""Train and test of a data set as a study would have them, unscaled, with group ids."""

from __future__ import annotations

import dataclasses
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import PlainValidator

from descentlab.core.errors import DataError, SpecError, unknown
from descentlab.core.spec import Spec
from descentlab.data.specs import CATALOGUE, Csv, Data, Npz, Parquet

if TYPE_CHECKING:
    from descentlab.data.fields import Split
    from descentlab.data.prepare import Raw

INPUTS = ("images", "inputs", "x", "X", "data", "features")
LABELS = ("labels", "label", "targets", "target", "y", "Y")
TEST = 0.2  # set apart where neither the data nor the caller says what the test part is
KINDS = {".npz": "npz", ".csv": "csv", ".csv.gz": "csv", ".parquet": "parquet"}
Part = tuple[np.ndarray, np.ndarray | None]


@dataclasses.dataclass(frozen=True)
class Sides:
    """Train and test as they are, before any scaling.

    Attributes:
        name: what the data are called.
        train: inputs and labels (None where there are none).
        test: likewise.
        split: in words, how the test part came about.
        rows: the rows of the data that the training and the test examples are.
        one_table: whether both were drawn from one table, so that rows are its.
        groups: group ids of both sides; None where no group was asked for.
    """

    name: str
    train: Part
    test: Part
    split: str
    rows: tuple[np.ndarray, np.ndarray]
    one_table: bool
    groups: tuple[np.ndarray, np.ndarray] | None = None


def load_sides(
    data: Data | Mapping[str, Any] | str | os.PathLike[str],
    group: str | None = None,
    *,
    label: str | None = None,
    test: float | int | None = None,
    seed: int | None = None,
) -> Sides:
    """Load train and test as a study would; see :func:`descentlab.studies.leaks.leaks`."""
    source = os.fspath(data) if isinstance(data, os.PathLike) else data
    if isinstance(source, str) and source.lower().endswith(".npz"):
        names = _array_names(source)
        if any(name.startswith("train_") for name in names):
            if test is not None or seed is not None:
                raise DataError(
                    f"{source} has a test part of its own (test_…), which is the one to check; "
                    "leave out 'test' and 'seed'"
                )
            return _named_sides(source, names, group, label)
    spec = _spec(source)
    if label is not None:
        spec = _with_label(spec, label)
    if group is not None:
        spec = _without_feature(spec, group)
    return _split_sides(spec, group, test, seed)


class _Holder(Spec):
    data: Annotated[Any, PlainValidator(CATALOGUE.validate)]


def _spec(source: Data | Mapping[str, Any] | str) -> Data:
    if not isinstance(source, str):
        return _Holder.parse({"data": source}).data
    path = Path(source)
    lower = path.name.lower()
    for suffix, kind in KINDS.items():
        if lower.endswith(suffix):
            return _Holder.parse({"data": {"kind": kind, "path": source}}).data
    if lower.endswith((".yaml", ".yml")):
        return _of_study(source)
    if path.exists() and source not in CATALOGUE.kinds:
        raise SpecError(
            f"{source}: expected a study (.yaml), a table (.csv, .csv.gz, .parquet) or "
            "arrays (.npz)"
        )
    if ":" not in source and source not in CATALOGUE.kinds:
        raise SpecError(f"{unknown('data set', source, CATALOGUE.kinds)}; or name a file")
    if source in ("npz", "csv", "parquet"):
        raise SpecError(f"'{source}' is a kind of file; name the file itself, such as my.{source}")
    return _Holder.parse({"data": source}).data


def _of_study(source: str) -> Data:
    from descentlab.studies.configurations import configurations
    from descentlab.studies.load import load_study

    found = {c.run.data.model_dump_json(): c.run.data for c in configurations(load_study(source))}
    if len(found) > 1:
        raise SpecError(
            f"{source} varies its data ({len(found)} different); check one at a time, from a "
            "copy of the study that names only that"
        )
    return next(iter(found.values()))


def _with_label(spec: Data, label: str) -> Data:
    if "label" not in type(spec).model_fields:
        raise SpecError(f"only a file of your own has a 'label' to name; found {spec.resolved()}")
    return type(spec).parse({**spec.model_dump(), "label": label})


def _without_feature(spec: Data, group: str) -> Data:
    """Leave the group's column out of the inputs, unless they are named one by one."""
    from descentlab.data.own import absent

    if not isinstance(spec, (Csv, Parquet)) or spec.features is not None:
        return spec
    names = _columns(spec)
    if names and group not in names:
        raise DataError(f"{spec.path}: {absent('column', group, names, 'group')}")
    others = [n for n in names if n not in (spec.label, group)]
    features = tuple(n for n in others if not n.startswith("__index_level_"))
    return spec.model_copy(update={"features": features})


def _split_sides(
    spec: Data, group: str | None, test: float | int | None, seed: int | None
) -> Sides:
    from descentlab.data.prepare import check
    from descentlab.data.splits import choose, describe

    raw = spec.raw()
    check(raw)
    split, remark = _split(spec.split, raw, test, seed)
    chosen = choose(raw.targets, split, bool(raw.classes), raw.place)
    train, drawn = chosen["train"], chosen.get("test")
    official = raw.test if drawn is None else (raw.inputs[drawn], raw.targets[drawn])
    assert official is not None  # _split saw to it
    groups = None if group is None else _groups(spec, raw, group, train, drawn)
    words = describe(split, bool(raw.classes), None if raw.test is None else len(raw.test[0]))
    return Sides(
        raw.name,
        (raw.inputs[train], raw.targets[train]),
        official,
        words + remark,
        (train, np.arange(len(official[0])) if drawn is None else drawn),
        drawn is not None,
        groups,
    )


def _split(split: Split, raw: Raw, test: float | int | None, seed: int | None) -> tuple[Split, str]:
    """Return the split to check, and a remark where the data did not say it."""
    if isinstance(test, float) and test >= 1 and test.is_integer():
        test = int(test)
    given = {"test": test, "seed": seed}
    asked = {name: value for name, value in given.items() if value is not None}
    split = type(split).parse({**split.model_dump(), **asked}, "split")
    if split.test == 0:
        raise DataError(f"{raw.place}: 'split.test: 0' sets no test part apart to be checked")
    if split.test is not None or raw.test is not None:
        return split, ""
    remark = " (drawn for this check, because the data say nothing of a test part)"
    return split.model_copy(update={"test": TEST}), remark


def _groups(
    spec: Data, raw: Raw, group: str, train: np.ndarray, drawn: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(spec, Npz):
        names = _array_names(spec.path)
        ids = _array(spec.path, names, group, "group")
        official = None if drawn is not None else _array(spec.path, names, f"test_{group}", "group")
    elif isinstance(spec, (Csv, Parquet)):
        ids, official = _column(spec, group), None
    else:
        raise DataError(
            f"{raw.place} has no groups; '{group}' can be a column or an array of your own file"
        )
    if len(ids) != len(raw.inputs):
        raise DataError(
            f"{raw.place}: {len(ids)} values of '{group}' and {len(raw.inputs)} examples; "
            "expected one an example"
        )
    if drawn is not None:
        return ids[train], ids[drawn]
    assert official is not None and raw.test is not None
    if len(official) != len(raw.test[0]):
        raise DataError(
            f"{raw.place}: {len(official)} values of 'test_{group}' and {len(raw.test[0])} test "
            "examples; expected one an example"
        )
    return ids[train], official


def _named_sides(path: str, names: list[str], group: str | None, label: str | None) -> Sides:
    """Return the sides of an ``.npz`` whose arrays are called ``train_…`` and ``test_…``."""
    words = [n.removeprefix("train_") for n in names if n.startswith("train_")]
    both = [word for word in words if f"test_{word}" in names]
    inputs = next((word for word in INPUTS if word in both), None)
    if inputs is None:
        raise DataError(
            f"{path}: expected inputs such as 'train_images' and 'test_images'; "
            f"found {', '.join(names[:12])}"
        )
    label = label.removeprefix("train_") if label else next((w for w in LABELS if w in both), None)
    wanted = {"inputs": inputs, "label": label, "group": group and group.removeprefix("train_")}
    found: dict[str, list[np.ndarray]] = {}
    for field, word in wanted.items():
        if word:
            found[field] = [_array(path, names, f"{s}_{word}", field) for s in ("train", "test")]
    sizes = [len(side) for side in found["inputs"]]
    for field, sides in found.items():
        if [len(side) for side in sides] != sizes:
            raise DataError(
                f"{path}: {sizes[0]} training and {sizes[1]} test examples, but "
                f"{len(sides[0])} and {len(sides[1])} values of '{wanted[field]}'"
            )
    labels = found.get("label", [None, None])
    parts = [(found["inputs"][i], labels[i]) for i in (0, 1)]
    groups = found.get("group")
    rows = np.arange(sizes[0]), np.arange(sizes[1])
    split = "test: the official test part"
    name = Path(path).name.split(".")[0]
    pair = None if groups is None else (groups[0], groups[1])
    return Sides(name, parts[0], parts[1], split, rows, False, pair)


def _array_names(path: str) -> list[str]:
    """Return the names of the arrays of an ``.npz``; none where the reader is to complain."""
    from descentlab.data.own import existing

    try:
        with zipfile.ZipFile(existing(path)) as packed:
            return [name.removesuffix(".npy") for name in packed.namelist()]
    except (OSError, zipfile.BadZipFile):
        return []


def _array(path: str, names: list[str], name: str, field: str) -> np.ndarray:
    from descentlab.data.own import absent

    if name not in names:
        raise DataError(f"{path}: {absent('array', name, names, field)}")
    try:
        with np.load(Path(path).expanduser(), allow_pickle=False) as arrays:
            return arrays[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: the array '{name}' cannot be read ({error})") from None


def _columns(spec: Csv | Parquet) -> list[str]:
    """Return the names of a table's columns; none where the reader is to complain."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    from descentlab.data.own import existing

    path = existing(spec.path)
    try:
        if isinstance(spec, Parquet):
            return pyarrow.parquet.read_schema(path).names
        with pyarrow.csv.open_csv(path, *_how(spec)) as opened:
            return opened.schema.names
    except (pa.ArrowException, OSError, ValueError):
        return []


def _column(spec: Csv | Parquet, name: str) -> np.ndarray:
    """Return one column of a table that has been read already: text of a CSV, else values."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    from descentlab.data.own import absent, existing

    names, path = _columns(spec), existing(spec.path)
    if name not in names:
        raise DataError(f"{spec.path}: {absent('column', name, names, 'group')}")
    if isinstance(spec, Parquet):
        values = pyarrow.parquet.read_table(path, columns=[name])[name]
    else:
        how = pyarrow.csv.ConvertOptions(
            include_columns=[name], column_types={name: pa.string()}, strings_can_be_null=True
        )
        values = pyarrow.csv.read_csv(path, *_how(spec), how)[name]
    found = np.empty(len(values), object)
    found[:] = values.to_pylist()
    return found


def _how(spec: Csv) -> tuple[Any, Any]:
    import pyarrow.csv

    return (
        pyarrow.csv.ReadOptions(autogenerate_column_names=not spec.header),
        pyarrow.csv.ParseOptions(delimiter=spec.delimiter),
    )
