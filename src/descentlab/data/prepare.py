"""From raw arrays to a data set: checks, a seeded split, input scaling."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from descentlab.core.errors import DataError
from descentlab.data.dataset import Dataset, Examples
from descentlab.data.scaling import scale_inputs
from descentlab.data.splits import choose, describe

if TYPE_CHECKING:
    from descentlab.data.fields import Scale, Split


@dataclasses.dataclass(frozen=True)
class Raw:
    """What a reader returns: data as it is.

    Attributes:
        name: the data set's.
        inputs: ``[n, …]``, numbers.
        targets: class numbers ``[n]`` int32, or numbers ``[n, outputs]``.
        classes: names of the classes; none for numeric targets.
        test: inputs and targets of an official test part, if there is one.
        source: facts for provenance (files, checksums).
        columns: names of the features, for messages.
        place: what messages call the data: its file or its name.
    """

    name: str
    inputs: np.ndarray
    targets: np.ndarray
    classes: tuple[str, ...]
    test: tuple[np.ndarray, np.ndarray] | None = None
    source: dict[str, Any] = dataclasses.field(default_factory=dict)
    columns: tuple[str, ...] = ()
    place: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", self.place or self.name)


def prepare(raw: Raw, split: Split, scale: Scale) -> Dataset:
    """Check raw data, split it, and scale its inputs.

    Raises:
        DataError: numbers that are not finite, labels outside the classes, a single
            class, or a split that leaves nothing to train on.
    """
    check(raw)
    classification = bool(raw.classes)
    chosen = choose(raw.targets, split, classification, raw.place)
    parts = {
        name: (raw.inputs, raw.targets) if len(chosen) == 1 else (raw.inputs[i], raw.targets[i])
        for name, i in chosen.items()
    }
    if raw.test is not None and split.test is None:
        parts["test"] = raw.test
    scaled, words = scale_inputs({name: x for name, (x, _) in parts.items()}, scale, raw.place)
    examples = {name: Examples(scaled[name], parts[name][1]) for name in parts}
    official = None if raw.test is None else len(raw.test[0])
    notes = {
        **raw.source,
        "examples": {name: len(part) for name, part in examples.items()},
        "split": describe(split, classification, official),
        "scaling": words,
    }
    return Dataset(
        raw.name,
        examples["train"],
        examples.get("validation"),
        examples.get("test"),
        raw.classes,
        notes,
    )


def check(raw: Raw) -> None:
    """Raise :class:`DataError` for data that nothing can be learnt from safely."""
    _check_part(raw, raw.inputs, raw.targets, raw.place)
    if raw.classes and len(np.unique(raw.targets)) < 2:
        raise DataError(
            f"{raw.place}: all {len(raw.targets)} examples are of one class; two are needed"
        )
    if raw.test is None:
        return
    inputs, targets = raw.test
    place = f"{raw.place}, test part"
    _check_part(raw, inputs, targets, place)
    bytes_in = [x.dtype == np.uint8 for x in (raw.inputs, inputs)]
    for what, found, expected in (
        ("inputs", inputs.shape[1:], raw.inputs.shape[1:]),
        ("targets", targets.shape[1:], raw.targets.shape[1:]),
    ):
        if found != expected:
            raise DataError(
                f"{place}: {what} of shape {found} an example; train has {expected}, "
                "and both must be the same"
            )
    if bytes_in[0] != bytes_in[1]:
        raise DataError(
            f"{place}: inputs are {inputs.dtype}, train's {raw.inputs.dtype}; "
            "store both as bytes (uint8) or neither, so that one scale fits both"
        )


def _check_part(raw: Raw, inputs: np.ndarray, targets: np.ndarray, place: str) -> None:
    if len(inputs) != len(targets):
        raise DataError(
            f"{place}: {len(inputs)} inputs and {len(targets)} labels; expected as many of each"
        )
    if len(inputs) == 0:
        raise DataError(f"{place}: there are no examples; at least two are needed")
    if inputs[0].size == 0:
        raise DataError(f"{place}: an example has no features (inputs are {inputs.shape})")
    for name, values in (("inputs", inputs), ("targets", targets)):
        if not np.issubdtype(values.dtype, np.integer) and not np.isfinite(values).all():
            row, *at = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise DataError(
                f"{place}: {name} hold {values[(row, *at)]} in row {row} (counted from 0), "
                f"{_column(raw, name, at)}; remove or fill in such rows first"
            )
    if raw.classes:
        strange = targets[(targets < 0) | (targets >= len(raw.classes))]
        if len(strange):
            raise DataError(
                f"{place}: labels must be 0 … {len(raw.classes) - 1}, found {strange[0]}; "
                "correct or remove such examples"
            )


def _column(raw: Raw, name: str, at: list[int]) -> str:
    if name == "inputs" and raw.columns and len(at) == 1:
        return f"column '{raw.columns[at[0]]}'"
    return f"column {at[0]}" if len(at) == 1 else f"place {tuple(at)}"
