"""Arrays of one's own in an ``.npz`` file; pickled objects are never read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from descentlab.core.errors import DataError
from descentlab.data.own import absent, assemble, existing
from descentlab.data.prepare import Raw


def read_npz(path: str, inputs: str, label: str, numeric: bool) -> Raw:
    """Read inputs and labels; arrays with ``test_`` before their names are the test part.

    Raises:
        DataError: the file is missing or damaged, lacks an array, or holds something that
            is no numbers where inputs are expected.
    """
    found = existing(path)
    wanted = [inputs, label, f"test_{inputs}", f"test_{label}"]
    names, arrays = _load(found, wanted)
    for name, field in ((inputs, "inputs"), (label, "label")):
        if name not in arrays:
            raise DataError(f"{path}: {absent('array', name, names, field)}")
    lone = [name for name in wanted[2:] if name in arrays]
    if len(lone) == 1:
        other = next(name for name in wanted[2:] if name not in arrays)
        raise DataError(f"{path} has '{lone[0]}' but not '{other}'; a test part needs both")
    train = _inputs(path, inputs, arrays[inputs]), _labels(path, label, arrays[label])
    test = None
    if lone:
        x, y = (arrays[name] for name in wanted[2:])
        test = _inputs(path, wanted[2], x), _labels(path, wanted[3], y)
    return assemble(found, train, test, numeric)


def _load(path: Path, wanted: list[str]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the names of all arrays of a file, and those arrays that are wanted."""
    name = ""
    try:
        with open(path, "rb") as opened:  # which np.load would leave open if it fails
            loaded: Any = np.load(opened, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                raise DataError(
                    f"{path} is one array (.npy); store inputs and labels together with "
                    "numpy.savez(path, inputs=…, label=…)"
                )
            arrays = {}
            names = list(loaded.files)
            for name in wanted:  # and no others, which may be anything
                if name in names:
                    arrays[name] = loaded[name]
            return names, arrays
    except DataError:
        raise
    except Exception as error:  # what a damaged archive raises depends on where the damage is
        if "Object arrays" in str(error) or "pickle" in str(error):
            what = f"array '{name}'" if name else "the file"
            raise DataError(
                f"{path}: {what} holds pickled Python objects, which are never read because "
                "they can run code; store numbers or text instead"
            ) from None
        raise DataError(
            f"{path} is no .npz file or is damaged: {str(error) or type(error).__name__}; "
            "write it again with numpy.savez"
        ) from None


def _inputs(path: str, name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf" or array.ndim < 2:
        raise DataError(
            f"{path}: '{name}' must hold numbers of shape [examples, …features], "
            f"found {array.dtype} {array.shape}"
        )
    return array if array.dtype in (np.uint8, np.float32) else array.astype(np.float64)


def _labels(path: str, name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim == 0:
        raise DataError(f"{path}: '{name}' is a single value; expected one label an example")
    return array
