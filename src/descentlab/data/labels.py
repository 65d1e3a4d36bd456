"""From labels and targets of one's own, of whatever type, to class numbers or numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from descentlab.core.errors import DataError

MOST_CLASSES = 10_000


class Targets(NamedTuple):
    """Targets of each part, and the names of the classes (none for numbers)."""

    parts: list[np.ndarray]
    classes: tuple[str, ...]


def make_targets(parts: list[np.ndarray], numeric: bool, place: str) -> Targets:
    """Turn the labels of train (and perhaps test) into targets.

    Args:
        parts: labels of train, then perhaps of test.
        numeric: numbers ``[n, outputs]`` for regression, instead of classes.
        place: the file, for messages.

    Returns:
        Class numbers ``[n]`` int32 by the classes' sorted order (numbers as numbers,
        everything else as text), or float64 ``[n, outputs]``.

    Raises:
        DataError: a label is missing or of no use, or is in test and not in train.
    """
    if numeric:
        return Targets([_numbers(part, place) for part in parts], ())
    names = [_class_names(np.asarray(part), place) for part in parts]
    if len({part.dtype.kind == "U" for part in names}) > 1:  # text here, numbers there
        names = [part.astype(str) for part in names]
    known = np.unique(names[0])
    if len(known) > MOST_CLASSES:
        raise DataError(
            f"{place}: {len(known)} different labels (at most {MOST_CLASSES}); "
            "for numbers to be predicted use 'target: numeric'"
        )
    targets = []
    for part in names:
        strange = part[~np.isin(part, known)]
        if len(strange):
            raise DataError(
                f"{place}: the test label '{strange[0]}' is not among train's; "
                "remove such examples, or add some to train"
            )
        targets.append(np.searchsorted(known, part).astype(np.int32))
    return Targets(targets, tuple(map(str, known)))


def _numbers(values: np.ndarray, place: str) -> np.ndarray:
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{place}: 'target: numeric' needs numbers, and the label column holds others; "
            "use 'target: classes' or another label"
        ) from None
    if numbers.ndim not in (1, 2):
        raise DataError(
            f"{place}: numeric targets must be [examples] or [examples, outputs], "
            f"found {numbers.shape}"
        )
    return numbers.reshape(len(numbers), -1) if len(numbers) else numbers.reshape(0, 1)


def _class_names(labels: np.ndarray, place: str) -> np.ndarray:
    """Return labels as integers, booleans or text; refuse what is missing or no label."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            f"{place}: expected one label an example, found labels of shape {labels.shape}; "
            "of one-hot rows store the argmax, for several numbers use 'target: numeric'"
        )
    if labels.dtype.kind == "f":
        return _whole(labels, place)
    if labels.dtype.kind in "biu":
        return labels
    if labels.dtype.kind not in "USOM":
        raise DataError(f"{place}: labels of type {labels.dtype}; expected text or whole numbers")
    listed = labels.tolist() if labels.dtype.kind != "M" else labels.astype(str).tolist()
    for row, value in enumerate(listed):
        if value is None or value != value or value in ("", b"", "NaT"):
            raise _missing(place, row)
        if isinstance(value, (list, dict, tuple, np.ndarray)):
            raise DataError(
                f"{place}: the label in row {row} (counted from 0) is a {type(value).__name__}; "
                "expected text or whole numbers"
            )
    try:
        return np.array([v.decode() if isinstance(v, bytes) else str(v) for v in listed], np.str_)
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: a label is not UTF-8 text ({error}); store it as text") from None


def _whole(labels: np.ndarray, place: str) -> np.ndarray:
    """Return whole numbers stored as floats as integers."""
    if np.isnan(labels).any():
        raise _missing(place, int(np.flatnonzero(np.isnan(labels))[0]))
    fractions = labels[(labels != np.round(labels)) | (np.abs(labels) > 2**53)]
    if len(fractions):
        raise DataError(
            f"{place}: labels such as {fractions[0]:g} are no class numbers; "
            "use 'target: numeric' for numbers to be predicted"
        )
    return labels.astype(np.int64)


def _missing(place: str, row: int) -> DataError:
    return DataError(
        f"{place}: the label in row {row} (counted from 0) is missing; remove such rows first"
    )
