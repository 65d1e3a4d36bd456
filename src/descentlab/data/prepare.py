"""From raw arrays to a data set: checks, seeded splits, input scaling."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from descentlab.core.errors import DataError
from descentlab.core.spec import Spec
from descentlab.data.dataset import Dataset, Examples

Scale = Literal["none", "unit", "standardize", "minmax"]
Share = Annotated[float, Field(ge=0, lt=1)] | Annotated[int, Field(ge=0)]


class Split(Spec):
    """How many examples are set apart, as a share (below 1) or a number, and by which seed.

    ``test`` is left at the official test part where a data set has one. With
    ``stratify`` each class is split in the same proportion.
    """

    floats_are_data: ClassVar[bool] = False
    validation: Share = 0
    test: Share | None = None
    seed: int = Field(default=0, ge=0)
    stratify: bool = True


@dataclasses.dataclass(frozen=True)
class Raw:
    """What a reader returns: training data, an official test part if there is one, facts."""

    name: str
    inputs: np.ndarray
    targets: np.ndarray
    classes: tuple[str, ...]
    test: tuple[np.ndarray, np.ndarray] | None = None
    source: dict[str, Any] = dataclasses.field(default_factory=dict)
    columns: tuple[str, ...] = ()


def prepare(raw: Raw, split: Split, scale: Scale) -> Dataset:
    """Check raw data, split it, and scale its inputs.

    Raises:
        DataError: numbers that are not finite, labels outside the classes, a single
            class, or a split that leaves nothing to train on.
    """
    check(raw, raw.inputs, raw.targets)
    if raw.test is not None:
        check(raw, *raw.test)
    chosen = _parts(raw, split)
    parts = {name: (raw.inputs[index], raw.targets[index]) for name, index in chosen.items()}
    if raw.test is not None and split.test is None:
        parts["test"] = raw.test
    scaled, words = _scaled({name: x for name, (x, _) in parts.items()}, scale)
    examples = {name: Examples(scaled[name], parts[name][1]) for name in parts}
    notes = {
        **raw.source,
        "examples": {name: len(part) for name, part in examples.items()},
        "split": _split_words(raw, split),
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


def check(raw: Raw, inputs: np.ndarray, targets: np.ndarray) -> None:
    """Raise :class:`DataError` for data that nothing can be learnt from safely."""
    if len(inputs) == 0:
        raise DataError(f"{raw.name}: there are no examples")
    if len(inputs) != len(targets):
        raise DataError(
            f"{raw.name}: {len(inputs)} inputs and {len(targets)} labels; expected as many of each"
        )
    for name, values in (("inputs", inputs), ("targets", targets)):
        if not np.issubdtype(values.dtype, np.integer) and not np.isfinite(values).all():
            place = np.argwhere(~np.isfinite(values.reshape(len(values), -1)))[0]
            column = (
                raw.columns[place[1]] if name == "inputs" and raw.columns else f"column {place[1]}"
            )
            raise DataError(
                f"{raw.name}: {name} hold {values.reshape(len(values), -1)[tuple(place)]} in "
                f"row {place[0]} ({column}); remove or fill in such rows first"
            )
    if raw.classes:
        low, high = int(targets.min()), int(targets.max())
        if low < 0 or high >= len(raw.classes):
            raise DataError(
                f"{raw.name}: labels must be 0 … {len(raw.classes) - 1}, "
                f"found {low if low < 0 else high}"
            )
        if len(np.unique(targets)) < 2:
            raise DataError(
                f"{raw.name}: all {len(targets)} examples are of one class; two are needed"
            )


def split_indices(
    targets: np.ndarray, counts: dict[str, int], seed: int, stratify: bool
) -> dict[str, np.ndarray]:
    """Split 0 … n-1 into parts of the given sizes and ``train``, seeded, each part sorted.

    With ``stratify`` every class gives each part its share, remainders going to the
    classes with the largest ones, so that sizes are exact.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    rest = generator.permutation(len(targets))
    parts: dict[str, np.ndarray] = {}
    for name, count in counts.items():
        if stratify:
            taken = _stratified(targets[rest], count)
        else:
            taken = np.arange(len(rest)) < count
        parts[name], rest = np.sort(rest[taken]), rest[~taken]
    return {"train": np.sort(rest), **parts}


def _stratified(labels: np.ndarray, count: int) -> np.ndarray:
    classes, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    ideal = sizes * (count / len(labels))
    quota = np.floor(ideal).astype(int)
    order = np.argsort(-(ideal - quota), kind="stable")
    quota[order[: count - quota.sum()]] += 1
    taken = np.zeros(len(labels), bool)
    for number in range(len(classes)):
        taken[np.flatnonzero(inverse == number)[: quota[number]]] = True
    return taken


def _parts(raw: Raw, split: Split) -> dict[str, np.ndarray]:
    n = len(raw.targets)
    counts: dict[str, int] = {}
    for name in ("test", "validation"):
        share = getattr(split, name)
        if share:
            counts[name] = round(share * n) if isinstance(share, float) else share
            if counts[name] == 0:
                raise DataError(
                    f"{raw.name}: split.{name} = {share} of {n} examples is none; make it larger"
                )
    left = n - sum(counts.values())
    if left < 1:
        raise DataError(
            f"{raw.name}: split takes {sum(counts.values())} of {n} examples "
            "and leaves none to train on"
        )
    parts = split_indices(raw.targets, counts, split.seed, split.stratify and bool(raw.classes))
    if raw.classes and len(np.unique(raw.targets[parts["train"]])) < 2:
        raise DataError(
            f"{raw.name}: the split leaves one class to train on; set less apart, or stratify"
        )
    return parts


def _split_words(raw: Raw, split: Split) -> str:
    words = []
    for name in ("validation", "test"):
        share = getattr(split, name)
        if share:
            size = (
                f"{share:.4g} of the examples" if isinstance(share, float) else f"{share} examples"
            )
            kind = "stratified" if split.stratify and raw.classes else "simple"
            words.append(f"{name}: {size}, {kind} random split, seed {split.seed}")
    if raw.test is not None and split.test is None:
        words.append("test: the official test part")
    return "; ".join(words) or "no split: all examples are for training"


def _scaled(inputs: dict[str, np.ndarray], scale: Scale) -> tuple[dict[str, np.ndarray], str]:
    train = inputs["train"]
    kept = np.float32 if train.dtype == np.uint8 or train.dtype == np.float32 else np.float64
    if scale == "none":
        return {k: np.asarray(x, kept) for k, x in inputs.items()}, "inputs as they are"
    if scale == "unit":
        top = 255 if train.dtype == np.uint8 else float(np.abs(train).max()) or 1.0
        words = f"inputs divided by {top:g}" + (
            "" if train.dtype == np.uint8 else ", the largest of train"
        )
        return {k: np.asarray(x, kept) / kept(top) for k, x in inputs.items()}, words
    if scale == "minmax":
        low, high = train.min(axis=0), train.max(axis=0)
        shift, width = low.astype(kept), _positive((high - low).astype(kept))
        words = "each feature to [0, 1] by train's least and largest"
    else:
        shift = train.mean(axis=0, dtype=np.float64).astype(kept)
        width = _positive(train.std(axis=0, dtype=np.float64).astype(kept))
        words = "each feature to mean 0 and standard deviation 1 of train (population form)"
    return {k: (np.asarray(x, kept) - shift) / width for k, x in inputs.items()}, words


def _positive(width: np.ndarray) -> np.ndarray:
    return np.where(width > 0, width, np.ones_like(width))
