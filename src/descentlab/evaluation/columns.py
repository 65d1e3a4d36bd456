"""Which columns of a prediction file are what, and the classes and scores that stand in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from descentlab.core.errors import DataError, nearest
from descentlab.evaluation.results import Scale

WHOLE = ("logit", "logits", "probability", "probabilities")
PREFIXES: dict[Scale, str] = {"logits": "logit_", "probabilities": "probability_"}
OTHER_CLASS: dict[Scale, str] = {"logits": "0", "probabilities": "1 − p"}
# As programs write numbers: no leading zero, no sign +, no exponent but that of NumPy's savetxt.
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]+)?|-?[0-9]\.[0-9]{18}e[+-][0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class Columns:
    """Which columns of a file are what.

    Attributes:
        label, prediction: names of columns, the latter None where there is none.
        scale: of the scores.
        scores: their columns in the order of the classes.
        classes: what follows the underline in these; None where these are 0 … K-1.
        written: numbers of classes as the columns write them, such as 01, and as they are.
    """

    label: str
    prediction: str | None
    scale: Scale | None
    scores: tuple[str, ...]
    classes: tuple[str, ...] | None
    written: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[str], source: str) -> Columns:
        """Find the columns by their names.

        Raises:
            DataError: there is no label, or nothing to compare it with.
        """
        _check_names(names, source)
        found: dict[Scale, list[str]] = {
            scale: [name for name in names if name.startswith(prefix)]
            for scale, prefix in PREFIXES.items()
        }
        given: list[Scale] = [scale for scale, columns in found.items() if columns]
        prediction = "prediction" if "prediction" in names else None
        if len(given) == 2:
            raise DataError(f"{source}: expected logit_… or probability_… columns; found both")
        if not given and prediction is None:
            one = next((name for name in names if name in WHOLE), None)
            raise DataError(
                f"{source}: expected 'prediction', 'probability_0' … or 'logit_0' … beside "
                f"'label'; found {_listed(names)}{_whole_hint(one)}"
            )
        if not given:
            return cls("label", prediction, None, (), None)
        scale = given[0]
        if len(found[scale]) == 1:
            raise DataError(f"{source}: {_one_column(found[scale][0], scale)}")
        return cls("label", prediction, scale, *_ordered(found[scale]))


def wanted(names: Sequence[str]) -> list[str]:
    """Return the columns that say something."""
    scores = tuple(PREFIXES.values())
    return [name for name in names if name in ("label", "prediction") or name.startswith(scores)]


def _check_names(names: Sequence[str], source: str) -> None:
    twice = next((name for name in wanted(names) if list(names).count(name) > 1), None)
    if twice:
        raise DataError(f"{source}: column '{twice}' is there twice; keep one of them")
    spaced = next((n for n in names if n != n.strip() and wanted([n.strip()])), None)
    if spaced:
        raise DataError(f"{source}: column '{spaced}' has spaces around its name; remove them")
    if "label" in names:
        return
    guess = nearest("label", list(names))
    hint = f"; is it '{guess}'? Rename it to 'label'" if guess else ""
    if len(names) == 1 and (mark := next((m for m in ";\t|" if m in names[0]), None)):
        shown = "tabs; call the file .tsv" if mark == "\t" else f"'{mark}'"
        hint = f"; columns are divided by commas (.csv) or tabs (.tsv), here by {shown}"
    raise DataError(
        f"{source}: expected a column 'label' with the true classes; found {_listed(names)}{hint}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(list(names)[:12]) or "none"


def _whole_hint(name: str | None) -> str:
    if name is None:
        return ""
    if name.startswith("logit"):
        return f"; '{name}' is one column; for two classes give logit_0 (0) and logit_1"
    return f"; '{name}' is one column; for two classes give probability_0 (1 − p) and probability_1"


def _one_column(name: str, scale: Scale) -> str:
    prefix, value = PREFIXES[scale], OTHER_CLASS[scale]
    other = {f"{prefix}1": f"{prefix}0", f"{prefix}0": f"{prefix}1"}.get(name)
    return (
        f"found one column of {scale}, '{name}', taken for those of the class "
        f"'{name.removeprefix(prefix)}'; for two classes give "
        f"{other or 'a column of the other class'} ({value}) as well; "
        "if it is something else, rename it"
    )


def _ordered(
    columns: Sequence[str],
) -> tuple[tuple[str, ...], tuple[str, ...] | None, dict[str, str]]:
    """Return the columns in the order of their classes, the classes, and how these are written."""
    ends = [name.split("_", 1)[1] for name in columns]
    both = zip(ends, columns, strict=True)
    numbers = {int(end): name for end, name in both if end.isascii() and end.isdecimal()}
    if len(numbers) < len(columns):
        return tuple(columns), tuple(ends), {}
    order = sorted(numbers)
    classes = None if order == list(range(len(order))) else tuple(map(str, order))
    written = {end: str(int(end)) for end in ends}
    return tuple(numbers[number] for number in order), classes, written


@dataclass(frozen=True)
class Words:
    """A piece of a column of text: its distinct words, and which of them each example has."""

    words: list[str]
    index: np.ndarray


def class_values(block: Any, name: str, start: int, missing: str = "") -> np.ndarray | Words:
    """Return a column of classes of an Arrow table: numbers, or text.

    Args:
        block: of the table.
        name: of the column.
        start: number of its first example.
        missing: what counts as missing, for the message.

    Raises:
        ValueError: one is missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _present(block, name, start, missing)
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        encoded = column.dictionary_encode()
        return Words(encoded.dictionary.to_pylist(), encoded.indices.to_numpy())
    return _floats(column).to_numpy(zero_copy_only=False)


def joined(pieces: Sequence[np.ndarray | Words], written: Mapping[str, str]) -> np.ndarray:
    """Return a column's pieces as one; text becomes numbers where all of it is such.

    Numbers are what a program would write, so that no two names become one class: 1, or 1.0
    beside it, but not 01, +1 or 1e5, unless the columns of scores are numbered like this.
    """
    words = [piece for piece in pieces if isinstance(piece, Words)]
    if not words:
        return np.concatenate([piece for piece in pieces if isinstance(piece, np.ndarray)])
    names = sorted({written.get(word, word) for piece in words for word in piece.words})
    place = {name: number for number, name in enumerate(names)}
    index = [
        np.array([place[written.get(word, word)] for word in piece.words], np.intp)[piece.index]
        for piece in words
    ]
    return _numbers(names)[np.concatenate(index)]


def _numbers(names: Sequence[str]) -> np.ndarray:
    if all(map(NUMBER.fullmatch, names)):
        if not any("." in name for name in names):
            whole = [int(name) for name in names]
            if min(whole) >= -(2**63) and max(whole) < 2**63:
                return np.array(whole, np.int64)
        elif max(abs(float(name)) for name in names) < 2**53:  # exact
            return np.array(names, np.float64)
    return np.array(names, str)


def score_matrix(block: Any, names: Sequence[str], start: int, missing: str = "") -> np.ndarray:
    """Return columns of scores side by side, in their own precision.

    Raises:
        ValueError: one is missing, or is no number.
    """
    columns = [_floats(_present(block, name, start, missing)) for name in names]
    arrays = [column.to_numpy(zero_copy_only=False) for column in columns]
    wrong = next((i for i, array in enumerate(arrays) if array.dtype.kind not in "fiu"), None)
    if wrong is not None:
        raise ValueError(
            f"{names[wrong]}: expected numbers; found {columns[wrong].type}"
            f"{list_hint(columns[wrong].type)}"
        )
    dtype = np.result_type(*arrays)
    matrix = np.empty((block.num_rows, len(arrays)), dtype if dtype.kind == "f" else np.float64)
    for k, array in enumerate(arrays):
        matrix[:, k] = array
    return matrix


def _floats(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cast(column, pa.float64()) if pa.types.is_decimal(column.type) else column


def list_hint(kind: Any) -> str:
    """Return what to do about a column of lists, nothing for others."""
    import pyarrow as pa

    tests = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    return "; lists are not read: give one column a class" if any(t(kind) for t in tests) else ""


def _present(block: Any, name: str, start: int, missing: str) -> Any:
    column = block.column(name)
    if column.null_count:
        first = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise ValueError(f"{name}: example {start + first} has none{missing}")
    return column
