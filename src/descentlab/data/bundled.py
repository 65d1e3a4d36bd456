"""The data sets that scikit-learn ships, read without importing it.

Importing ``sklearn.datasets`` takes more than a second, its small files a few
hundredths, so they are read directly. Where a version keeps them elsewhere or
differently, its own loader is asked.
"""

from __future__ import annotations

import gzip
import importlib.util
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from descentlab.core.errors import DataError
from descentlab.data.prepare import Raw

SHAPES = {
    "digits": (1797, 64),
    "breast_cancer": (569, 30),
    "iris": (150, 4),
    "wine": (178, 13),
}
_FILES = {"wine": "wine_data.csv", "digits": "digits.csv.gz"}


def read_bundled(name: str) -> Raw:
    """Read a data set that scikit-learn ships; images as float32 ``[n, 8, 8]``.

    Raises:
        DataError: scikit-learn is not installed, or not whole.
    """
    try:
        inputs, targets, classes = _read_file(name) or _ask_loader(name)
        version = metadata.version("scikit-learn")
    except (ImportError, OSError) as error:
        raise DataError(
            f"{name} ships with scikit-learn, which cannot be read ({error}); "
            "install it again: python -m pip install --force-reinstall scikit-learn"
        ) from None
    if name == "digits":
        inputs = inputs.reshape(-1, 8, 8).astype(np.float32)
    source = {"files": [f"scikit-learn {version}, load_{name}"], "rows": len(inputs)}
    return Raw(name, inputs, targets.astype(np.int32), classes, None, source)


def _read_file(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]] | None:
    """Read the packaged file; None where it is not as expected."""
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        return None
    file = _FILES.get(name, f"{name}.csv")
    path = Path(found.submodule_search_locations[0]) / "datasets" / "data" / file
    rows, features = SHAPES[name]
    try:
        content = path.read_bytes()
        text = gzip.decompress(content) if file.endswith(".gz") else content
        lines = text.decode().splitlines()
        classes = tuple("0123456789")
        if name != "digits":  # a first line with the numbers of rows and features, and the classes
            first, *lines = lines
            classes = tuple(first.split(",")[2:])
        table = np.array([line.split(",") for line in lines], np.float64)
    except (OSError, EOFError, ValueError):
        return None
    targets = table[:, -1].astype(np.int32)
    right = table.shape == (rows, features + 1) and set(targets) == set(range(len(classes)))
    return (table[:, :-1], targets, classes) if right else None


def _ask_loader(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    from sklearn import datasets

    loaded: Any = getattr(datasets, f"load_{name}")()
    return loaded.data, loaded.target, tuple(map(str, loaded.target_names))
