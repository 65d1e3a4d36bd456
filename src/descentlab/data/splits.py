"""Seeded random splits, stratified or simple."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from descentlab.core.errors import DataError

if TYPE_CHECKING:
    from descentlab.data.fields import Split


def split_indices(
    targets: np.ndarray, counts: dict[str, int], seed: int, stratify: bool
) -> dict[str, np.ndarray]:
    """Split 0 … n-1 into parts of the given sizes and ``train``, seeded, each part sorted.

    With ``stratify`` each class c gives a part ⌊n_c·size/n⌋ or ⌈n_c·size/n⌉ examples, the
    extra ones coming from the classes with the largest remainders, so that sizes are exact.

    Args:
        targets: class numbers ``[n]`` (or anything of length n without ``stratify``).
        counts: the size of each part but ``train``, drawn in this order.
        seed: of the shuffle.
        stratify: whether classes keep their proportions.

    Returns:
        Indices by part; the parts are disjoint and together complete.
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
    # In whole numbers, so that which class is rounded up is the same on every machine.
    quota, remainder = np.divmod(sizes.astype(np.int64) * count, max(1, len(labels)))
    order = np.argsort(-remainder, kind="stable")
    quota[order[: count - quota.sum()]] += 1
    taken = np.zeros(len(labels), bool)
    for number in range(len(classes)):
        taken[np.flatnonzero(inverse == number)[: quota[number]]] = True
    return taken


def choose(
    targets: np.ndarray, split: Split, classification: bool, place: str
) -> dict[str, np.ndarray]:
    """Return the indices of the parts that a specification asks for.

    Raises:
        DataError: a part would be empty, or training would be left with no example or
            with one class.
    """
    n = len(targets)
    counts: dict[str, int] = {}
    for name in ("test", "validation"):
        share = getattr(split, name)
        if share:
            counts[name] = round(share * n) if isinstance(share, float) else share
            if counts[name] == 0:
                raise DataError(
                    f"{place}: split.{name} = {share} of {n} examples is none; make it larger"
                )
    if n - sum(counts.values()) < 1:
        asked = " and ".join(f"{count} for {name}" for name, count in counts.items())
        raise DataError(
            f"{place}: split takes {asked} of {n} examples and leaves none to train on; "
            "set less apart"
        )
    parts = split_indices(targets, counts, split.seed, split.stratify and classification)
    if classification and len(np.unique(targets[parts["train"]])) < 2:
        raise DataError(
            f"{place}: the split leaves one class to train on; set less apart, or stratify"
        )
    return parts


def describe(split: Split, classification: bool, official: int | None) -> str:
    """Say in words how the data is split.

    Args:
        split: what was asked for.
        classification: whether ``stratify`` applies.
        official: examples of the official test part; None if there is no such part.
    """
    words = []
    for name in ("validation", "test"):
        share = getattr(split, name)
        if share:
            size = (
                f"{share:.4g} of the examples" if isinstance(share, float) else f"{share} examples"
            )
            kind = "stratified" if split.stratify and classification else "simple"
            words.append(f"{name}: {size}, {kind} random split, seed {split.seed}")
    if official is not None:
        used = "test: the official test part"
        left = f"the official test part ({official} examples) is left out"
        words.append(used if split.test is None else left)
    return "; ".join(words) or "no split: all examples are for training"
