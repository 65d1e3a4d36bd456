"""What is evaluated: true classes, answers, scores, checked and put into one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from descentlab.evaluation.scores import ONE_COLUMN, Scores


@dataclass(frozen=True)
class Predictions:
    """Labels and predictions of one set of examples; classes are numbered 0 … K-1.

    Attributes:
        labels: true classes.
        answers: predicted classes; None where they are those with the highest score.
        scores: logits or probabilities, if there are any.
        classes: names.
    """

    labels: Int[np.ndarray, " n"]
    answers: Int[np.ndarray, " n"] | None
    scores: Scores | None
    classes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        labels: Any,
        predictions: Any = None,
        *,
        probabilities: Any = None,
        logits: Any = None,
        classes: Sequence[Any] | None = None,
    ) -> Predictions:
        """Check arrays and number the classes.

        Args:
            labels: true classes, as numbers 0 … K-1 or as names.
            predictions: predicted classes; those with the highest score by default.
            probabilities: ``[n, K]``.
            logits: ``[n, K]``, instead of probabilities.
            classes: names in the order of the scores' columns. By default the numbers
                0 … K-1, or, without scores, the values that occur, sorted.

        Raises:
            ValueError: nothing to evaluate, lengths that differ, a label that is no class.
        """
        if probabilities is not None and logits is not None:
            raise ValueError("expected probabilities or logits; both were given")
        scores = None
        if logits is not None:
            scores = Scores.of("logits", logits)
        elif probabilities is not None:
            scores = Scores.of("probabilities", probabilities)
        return cls.of_values(labels, predictions, scores, classes)

    @classmethod
    def of_values(
        cls, labels: Any, predictions: Any, scores: Scores | None, classes: Sequence[Any] | None
    ) -> Predictions:
        """Number the classes of labels and predictions; see :meth:`of`."""
        labels = _values(labels, "labels")
        given = None if predictions is None else _values(predictions, "predictions")
        if scores is None and given is None:
            raise ValueError("expected predictions, probabilities or logits; there are only labels")
        for name, length in (
            ("predictions", given if given is None else len(given)),
            ("scores", scores if scores is None else len(scores)),
        ):
            if length is not None and length != len(labels):
                raise ValueError(f"{len(labels)} labels, but {name} of {length} examples")
        if not len(labels):
            raise ValueError("expected at least one example; there is none")
        names = _class_names(labels, given, scores, classes)
        return cls(*_numbered(labels, given, names), scores, names)


def _values(values: Any, what: str) -> np.ndarray:
    """Return one value an example: whole numbers, or text."""
    array = np.asarray(values)
    if array.dtype.kind == "U" and not isinstance(values, np.ndarray):
        array = np.asarray(values, object)  # else a missing one would be the text "nan"
    if array.ndim != 1:
        raise ValueError(f"expected one value an example in {what}; found shape {array.shape}")
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            first = int(np.flatnonzero(~np.isfinite(array))[0])
            raise ValueError(f"{what}: example {first} has none ({array[first]})")
        if (array % 1).any():
            first = int(np.flatnonzero(array % 1)[0])
            raise ValueError(f"{what}: expected classes; example {first} has {array[first]:g}")
        if (np.abs(array) >= 2**53).any():
            raise ValueError(f"{what}: floats of 2^53 and more are not exact; give them as text")
        return array.astype(np.int64)
    if array.dtype.kind == "O":
        missing = np.array([_missing(value) for value in array], bool)
        if missing.any():
            raise ValueError(f"{what}: example {int(np.flatnonzero(missing)[0])} has none")
        return array.astype(str)
    if array.dtype.kind not in "iuU":
        raise ValueError(f"{what}: expected classes as numbers or text; found {array.dtype}")
    return array


def _missing(value: Any) -> bool:
    try:
        return value is None or not bool(value == value)
    except TypeError:  # pandas' NA is neither
        return True


def _class_names(
    labels: np.ndarray, given: np.ndarray | None, scores: Scores | None,
    classes: Sequence[Any] | None,
) -> tuple[str, ...]:  # fmt: skip
    if scores is not None and scores.classes == 1:
        _refuse_one_column(labels, given, scores)
    if classes is None and scores is not None:
        return tuple(map(str, range(scores.classes)))
    if classes is None:
        assert given is not None
        if labels.dtype.kind != given.dtype.kind and "U" in (labels.dtype.kind, given.dtype.kind):
            labels, given = labels.astype(str), given.astype(str)
        both = np.unique(labels), np.unique(given)
        if min(map(len, both)) > 1 and not np.isin(*both).any():
            raise ValueError(
                f"labels are {_few(both[0])}, predictions are {_few(both[1])}: no class is in "
                "both; write them alike, or say the classes (classes=…)"
            )
        return tuple(map(str, np.union1d(*both).tolist()))
    names = tuple(map(str, classes))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"expected every class once; '{twice}' is there twice")
    if scores is not None and scores.classes != len(names):
        raise ValueError(f"{len(names)} classes, but scores of {scores.classes}")
    return names


def _refuse_one_column(labels: np.ndarray, given: np.ndarray | None, scores: Scores) -> None:
    for values in (labels, given):
        if values is not None and (values != values[0]).any():
            raise ValueError(
                f"classes {_few(np.unique(values), 3)}, but scores of one class: "
                f"{ONE_COLUMN[scores.scale]}"
            )


def _numbered(
    labels: np.ndarray, given: np.ndarray | None, names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return classes as numbers.

    Values are names where all that are numbers are among the names; else numbers are
    places in the list of names, in labels and predictions alike, unless the names are
    numbers themselves.
    """
    both = {"label": labels} if given is None else {"label": labels, "prediction": given}
    whole = [values for values in both.values() if values.dtype.kind in "iu"]
    place = {name: number for number, name in enumerate(names)}
    plain = names == tuple(map(str, range(len(names))))
    unnamed = any(str(value) not in place for v in whole for value in _distinct(v, plain))
    by_place = plain or (unnamed and not all(_is_number(name) for name in names))
    found = [
        _places(values, names, what)
        if by_place and values.dtype.kind in "iu"
        else _by_name(values, names, place, what)
        for what, values in both.items()
    ]
    return found[0], found[1] if given is not None else None


def _distinct(values: np.ndarray, plain: bool) -> np.ndarray:
    return np.empty(0) if plain else np.unique(values)


def _is_number(name: str) -> bool:
    return name.isascii() and name.lstrip("-").isdecimal()


def _by_name(
    values: np.ndarray, names: tuple[str, ...], place: dict[str, int], what: str
) -> np.ndarray:
    found, inverse = np.unique(values, return_inverse=True)
    numbers = [place.get(str(value), -1) for value in found]
    if -1 in numbers:
        wrong = found[numbers.index(-1)]
        first = int(np.flatnonzero(inverse == numbers.index(-1))[0])
        raise ValueError(
            f"{what} '{wrong}' (example {first}) is none of the classes {_few(names)}; "
            "say the classes in the order of the scores"
        )
    return np.array(numbers, np.min_scalar_type(len(names)))[inverse]


def _places(values: np.ndarray, names: tuple[str, ...], what: str) -> np.ndarray:
    bad = (values < 0) | (values >= len(names))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        plain = names == tuple(map(str, range(len(names))))
        also = "" if plain else f", or one of {_few(names)}"
        raise ValueError(
            f"{what} {values[first]} (example {first}) is none of the classes "
            f"0 … {len(names) - 1}{also}"
        )
    return values.astype(np.int64) if values.dtype == np.uint64 else values  # uint64 + int64: float


def _few(names: Sequence[Any] | np.ndarray, most: int = 8) -> str:
    shown = ", ".join(map(str, names[:most]))
    return shown + (f", … ({len(names)})" if len(names) > most else "")
