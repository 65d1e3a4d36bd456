"""Files of one's own: what ``.npz``, CSV and Parquet have in common."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from descentlab.core.errors import DataError, nearest
from descentlab.data.labels import make_targets
from descentlab.data.prepare import Raw

Part = tuple[np.ndarray, np.ndarray]
SHOWN = 12


def existing(path: str) -> Path:
    """Return the path of a file that is there; relative paths start at the current folder.

    Raises:
        DataError: it is not there, is a folder, or is empty.
    """
    found = Path(path).expanduser()
    if found.is_dir():
        raise DataError(f"'{path}' is a folder; give the path of one file")
    try:
        size = found.stat().st_size
    except FileNotFoundError:
        raise DataError(
            f"{path} is not there (relative paths are taken from the current folder, {Path.cwd()})"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot read {path!r}: {getattr(error, 'strerror', None) or error}; "
            "check the path and its permissions"
        ) from None
    if size == 0:
        raise DataError(f"{path} is empty; expected a file with data")
    return found


def assemble(
    path: Path, train: Part, test: Part | None, numeric: bool, columns: tuple[str, ...] = ()
) -> Raw:
    """Turn inputs and labels of a file into raw data, with the file's checksum."""
    parts = [train] if test is None else [train, test]
    targets, classes = make_targets([labels for _, labels in parts], numeric, str(path))
    pairs = [(inputs, y) for (inputs, _), y in zip(parts, targets, strict=True)]
    with open(path, "rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    source = {"files": [str(path)], "sha256": [checksum], "rows": sum(len(x) for x, _ in pairs)}
    official = pairs[1] if test is not None else None
    name = path.name.split(".")[0] or path.name
    return Raw(name, *pairs[0], classes, official, source, columns, str(path))


def absent(what: str, word: str, names: list[str], field: str) -> str:
    """Say that a file has no such column or array, which is nearest, and which there are."""
    guess = nearest(word, names)
    hint = f"; did you mean '{guess}'?" if guess else ""
    more = f", … {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (
        f"there is no {what} '{word}'{hint} (there are: {', '.join(names[:SHOWN])}{more}); "
        f"name it in '{field}'"
    )
