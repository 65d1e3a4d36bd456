"""MNIST and data sets of its form: four idx files, verified."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from descentlab.core.errors import DataError
from descentlab.data import idx
from descentlab.data.download import require
from descentlab.data.locate import PublicData, verify
from descentlab.data.prepare import Raw


def read_images(data: PublicData, classes: tuple[str, ...]) -> Raw:
    """Read images uint8 ``[n, rows, columns]`` and labels of train and test.

    Structure is checked before checksums, because it says more about what is wrong. Every
    file's checksum is worked out every time: it takes a tenth of a second.

    Args:
        data: its files: train images, train labels, test images, test labels.
        classes: names of the classes.

    Raises:
        DataError: a file is missing, damaged, or not the published one.
    """
    paths = require(data)
    contents = [idx.read_bytes(path) for path in paths]
    arrays = [
        idx.parse(content, str(path), dimensions=3 if number % 2 == 0 else 1)
        for number, (content, path) in enumerate(zip(contents, paths, strict=True))
    ]
    _check_structure(paths, arrays, len(classes))
    for file, path, content in zip(data.files, paths, contents, strict=True):
        verify(file, path, content)
    train, labels, test, test_labels = arrays
    source = {
        "files": [str(path) for path in paths],
        "md5": [file.content_md5 for file in data.files],
        "rows": len(train) + len(test),
    }
    official = test, test_labels.astype(np.int32)
    place = f"{data.name} ({paths[0].parent})"
    return Raw(data.name, train, labels.astype(np.int32), classes, official, source, place=place)


def _check_structure(paths: list[Path], arrays: list[np.ndarray], classes: int) -> None:
    for images, labels in ((0, 1), (2, 3)):
        if len(arrays[images]) != len(arrays[labels]):
            raise DataError(
                f"{paths[images]} has {len(arrays[images])} images and {paths[labels]} "
                f"{len(arrays[labels])} labels; expected as many of each, fetch both again"
            )
        high = int(arrays[labels].max(initial=0))
        if high >= classes:
            raise DataError(
                f"{paths[labels]}: labels must be 0 … {classes - 1}, found {high}; fetch it again"
            )
