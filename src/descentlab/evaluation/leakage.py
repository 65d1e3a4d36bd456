"""Leakage between train and test: exact duplicates, near duplicates, groups on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num

from descentlab.evaluation.neighbours import (
    NEIGHBOURS,
    VALUES,
    Progress,
    View,
    blocks,
    dimension_of,
    image_views,
    neighbours,
    table_view,
)

NEAR = 0.3  # a near duplicate is at most this share of the tenth neighbour's distance away
CHANCE = 0.05  # near duplicates that chance alone may be expected to make in a whole test set


@dataclass(frozen=True)
class Duplicates:
    """Test examples that are in train, value by value.

    Attributes:
        pairs: a row for each such test example, ascending: its number, and that of the
            first training example with the same values.
        n: test examples in all.
        different_labels: how many of them have another label than that training
            example; None without labels.
        within_train: training examples that repeat an earlier one.
        within_test: test examples that repeat an earlier one.
    """

    pairs: Int[np.ndarray, "found 2"]
    n: int
    different_labels: int | None
    within_train: int
    within_test: int

    @property
    def examples(self) -> int:
        """The number of test examples concerned."""
        return len(self.pairs)


@dataclass(frozen=True)
class NearDuplicates:
    """Test examples that nearly are in train.

    Attributes:
        pairs: a row for each such test example, the nearest first: its number, and that
            of its nearest training example.
        ratios: the distance of each pair as a share of the distance to the tenth neighbour.
        n: test examples in all.
        different_labels: how many of them have another label than that training
            example; None without labels.
        threshold: the ratio up to which a pair was counted.
        dimension: the dimension that the data seem to have around a test example.
    """

    pairs: Int[np.ndarray, "found 2"]
    ratios: Float[np.ndarray, " found"]
    n: int
    different_labels: int | None
    threshold: float
    dimension: float

    @property
    def examples(self) -> int:
        """The number of test examples concerned."""
        return len(self.pairs)


class SharedGroup(NamedTuple):
    """A group with members on both sides, and how many it has on each."""

    group: Any
    train: int
    test: int


@dataclass(frozen=True)
class Groups:
    """Groups (patients, lesions, sessions) with members in train and in test.

    Attributes:
        shared: those groups, the one with most test examples first.
        n: test examples in all.
        train_groups: different groups in train.
        test_groups: different groups in test.
        missing: examples on either side that say no group.
    """

    shared: tuple[SharedGroup, ...]
    n: int
    train_groups: int
    test_groups: int
    missing: int

    @property
    def examples(self) -> int:
        """The number of test examples whose group is in train too."""
        return sum(found.test for found in self.shared)

    @property
    def largest(self) -> SharedGroup | None:
        """The shared group with the most test examples."""
        return self.shared[0] if self.shared else None


def exact_duplicates(
    train: Num[np.ndarray, "n_train ..."],
    test: Num[np.ndarray, "n_test ..."],
    train_labels: Num[np.ndarray, " n_train"] | None = None,
    test_labels: Num[np.ndarray, " n_test"] | None = None,
) -> Duplicates:
    """Return the test examples whose values are, all of them, those of a training example.

    Both sides are compared in their common type, so bytes equal floats of the same
    values, and -0 equals 0. Rows are compared by a 64-bit BLAKE2 digest, and those
    that agree, value by value; beside the arrays this takes a few bytes an example.

    Args:
        train: one training example a row.
        test: one test example a row, of the same shape.
        train_labels: to count those that carry another label than their duplicate.
        test_labels: likewise.

    Raises:
        ValueError: an array is empty, holds NaN or no numbers, or shapes do not agree.

    >>> exact_duplicates(np.eye(3), np.array([[0, 1, 0], [1, 1, 1]])).pairs.tolist()
    [[0, 1]]
    """
    train, test = _checked(train, test)
    kind = np.result_type(train, test)
    digests = [_digests(x, kind) for x in (train, test)]
    known, first = np.unique(digests[0], return_index=True)
    place = np.minimum(np.searchsorted(known, digests[1]), len(known) - 1)
    found = np.flatnonzero(known[place] == digests[1])
    pairs = np.stack([found, first[place[found]]], axis=1)
    pairs = pairs[_same(train, test, pairs, kind)]
    return Duplicates(
        pairs,
        len(test),
        _different(pairs, train_labels, test_labels, len(train), len(test)),
        len(train) - len(known),
        len(test) - len(np.unique(digests[1])),
    )


def near_duplicates(
    train: Num[np.ndarray, "n_train ..."],
    test: Num[np.ndarray, "n_test ..."],
    threshold: float | None = None,
    *,
    images: bool | None = None,
    train_labels: Num[np.ndarray, " n_train"] | None = None,
    test_labels: Num[np.ndarray, " n_test"] | None = None,
    exact: Duplicates | None = None,
    progress: Progress | None = None,
) -> NearDuplicates:
    r"""Return the test examples that have a training example suspiciously close to them.

    .. math:: r = d_1 / d_{10}

    is the distance of a test example to its nearest training example as a share of that
    to its tenth nearest. It has no unit, follows the density around each example, and is
    not misled by a few more copies of an example in train. A pair is near if
    :math:`r \le` ``threshold``. Exact duplicates are not counted again.

    *Distances.* Of a table: Euclidean after each feature is standardised by train's mean
    and standard deviation. Of images: that of the two-dimensional Fourier transforms
    without the mean, to norm 1, up to seven waves in either direction (the Pearson
    correlation of two thumbnails); and the same of the transforms' magnitudes, which do
    not change where an image is shifted. The smaller of the two ratios counts. So
    brightness, contrast, a little noise and shifts do not hide a copy.

    *Threshold.* Where points are spread evenly in m dimensions, chance alone makes
    :math:`P(r \le t) \approx 9\,t^m`. Without ``threshold`` t is 0.3, or less where m is
    so small that more than 0.05 near duplicates would be expected in the whole test set;
    m is estimated from the fifth and the tenth neighbour, by
    :math:`\mathrm E \log(d_{10}/d_5) = \tfrac1m \sum_{i=5}^{9} \tfrac1i`.

    Every test example is compared with every training example, in blocks of float32
    matrix products; the distances to the ten nearest are then worked out in float64.

    Args:
        train: one training example a row; images are ``[n, height, width]``, with channels
            last or first.
        test: one test example a row, of the same shape.
        threshold: the largest ratio that counts, between 0 and 1.
        images: whether rows are images; by default those of three dimensions or more are.
        train_labels: to count those that carry another label than their duplicate.
        test_labels: likewise.
        exact: the exact duplicates, if they are known already.
        progress: called with the share that is done, from time to time.

    Raises:
        ValueError: an array is empty, holds NaN or no numbers, shapes do not agree, there
            are fewer than three training examples, or the threshold is out of range.

    Source: the ratio test of Lowe, Distinctive image features from scale-invariant
    keypoints, IJCV 60 (2004), here with the tenth neighbour; the dimension after Levina
    and Bickel, Maximum likelihood estimation of intrinsic dimension, NIPS 17 (2004).
    """
    shape = np.shape(train)
    rows = _checked(train, test)
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"expected a threshold between 0 and 1, such as {NEAR}; found {threshold}")
    if len(rows[0]) < 3:
        raise ValueError(f"expected at least 3 training examples; found {len(rows[0])}")
    images = len(shape) > 2 if images is None else images
    if images and len(shape) < 3:
        raise ValueError(f"expected images of shape [n, height, width, …]; found {shape}")
    if images:
        views = image_views(*(side.reshape(-1, *shape[1:]) for side in rows))
    else:
        views = table_view(*rows)
    nearest, ratio, dimension = _nearest(views, progress)
    if threshold is None:
        threshold = default_threshold(dimension, len(test), min(NEIGHBOURS, len(rows[0]) - 1))
    exact = exact or exact_duplicates(*rows)
    near = ratio <= threshold
    near[exact.pairs[:, 0]] = False
    found = np.flatnonzero(near)
    found = found[np.argsort(ratio[found], kind="stable")]
    pairs = np.stack([found, nearest[found]], axis=1)
    different = _different(pairs, train_labels, test_labels, len(train), len(test))
    return NearDuplicates(pairs, ratio[found], len(test), different, threshold, dimension)


def default_threshold(dimension: float, n_test: int, neighbours: int = NEIGHBOURS) -> float:
    r"""Return the ratio at which near duplicates begin: :math:`\min(0.3, (0.05 / 9n)^{1/m})`.

    Args:
        dimension: m, of the data around an example.
        n_test: n, the number of test examples.
        neighbours: 10, or fewer where train is that small; 9 is one less.
    """
    return min(NEAR, (CHANCE / ((neighbours - 1) * n_test)) ** (1 / dimension))


def shared_groups(train_groups: Any, test_groups: Any) -> Groups:
    """Return the groups that have examples in train and in test.

    Examples of one patient, lesion, speaker or session resemble each other; where they
    are on both sides, a model is tested on what it has in part seen. A missing id
    (None, NaN, NaT or an empty text) is no group.

    Args:
        train_groups: one id a training example, numbers or texts.
        test_groups: one id a test example.

    Raises:
        ValueError: there are no ids, not one an example, or texts on one side and numbers
            on the other.

    >>> shared_groups(["a", "b", "b"], ["b", "c", ""]).shared
    (SharedGroup(group='b', train=2, test=1),)
    """
    sides = [_ids(ids, name) for ids, name in ((train_groups, "train"), (test_groups, "test"))]
    counts = [Counter(i for i in ids if not _missing(i)) for ids in sides]
    kinds = [{isinstance(i, str) for i in count} for count in counts]
    if all(kinds) and kinds[0].isdisjoint(kinds[1]):
        raise ValueError(
            "expected group ids of one kind; found texts on one side and numbers on the other"
        )
    both = [SharedGroup(i, counts[0][i], n) for i, n in counts[1].items() if i in counts[0]]
    both.sort(key=lambda found: (-found.test, -found.train, str(found.group)))
    given = sum(count.total() for count in counts)
    return Groups(
        tuple(both),
        len(sides[1]),
        len(counts[0]),
        len(counts[1]),
        len(sides[0]) + len(sides[1]) - given,
    )


def _ids(ids: Any, name: str) -> list[Hashable]:
    array = np.asarray(ids)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"expected one group id an example in {name}; found shape {array.shape}")
    if array.dtype.kind in "US" and isinstance(ids, (list, tuple)):
        listed = list(ids)  # which NumPy would have turned into text, None too
    elif array.dtype.kind == "M":
        listed = array.astype(str).tolist()
    else:
        listed = array.tolist()
    return [i.decode(errors="replace") if isinstance(i, bytes) else i for i in listed]


def _missing(i: Any) -> bool:
    return i is None or i != i or (isinstance(i, str) and i.strip() in ("", "NaT"))


def _checked(train: Any, test: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides as ``[n, features]``, or say what is wrong with them."""
    sides = []
    for name, side in (("train", train), ("test", test)):
        array = np.asarray(side)
        if array.dtype.kind not in "biuf" or array.ndim < 1:
            raise ValueError(
                f"expected numbers of shape [n, …] in {name}; found {array.dtype} {array.shape}"
            )
        if array.size == 0:
            raise ValueError(f"expected examples in {name}; found an array of shape {array.shape}")
        flat = array.reshape(len(array), -1)
        if array.dtype.kind == "f" and not all(np.isfinite(x).all() for x in blocks(flat)):
            raise ValueError(f"expected finite numbers; found NaN or an infinity in {name}")
        sides.append((array.shape[1:], flat))
    (expected, train), (found, test) = sides
    if expected != found:
        raise ValueError(f"expected test examples of shape {expected}, as in train; found {found}")
    return train, test


def _digests(rows: np.ndarray, kind: np.dtype) -> np.ndarray:
    found = []
    for part in blocks(rows):
        block = part.astype(kind)
        if kind.kind == "f":
            block += kind.type(0)  # -0 to 0
        data, width = block.tobytes(), block.shape[1] * block.itemsize
        texts = (data[i * width : (i + 1) * width] for i in range(len(block)))
        digests = b"".join(hashlib.blake2b(text, digest_size=8).digest() for text in texts)
        found.append(np.frombuffer(digests, np.uint64))
    return np.concatenate(found)


def _same(train: np.ndarray, test: np.ndarray, pairs: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Return which pairs are the same value by value, not by digest alone."""
    equal = np.zeros(len(pairs), bool)
    size = max(1, VALUES // train.shape[1])
    for start in range(0, len(pairs), size):
        i, j = pairs[start : start + size].T
        equal[start : start + size] = (test[i].astype(kind) == train[j].astype(kind)).all(axis=1)
    return equal


def _different(pairs: np.ndarray, train: Any, test: Any, *sizes: int) -> int | None:
    """Count the pairs whose labels differ; None without labels."""
    if train is None or test is None:
        return None
    train, test = (np.asarray(labels).reshape(len(labels), -1) for labels in (train, test))
    if (len(train), len(test)) != sizes:
        raise ValueError(
            f"expected one label an example, {sizes[0]} in train and {sizes[1]} in test; "
            f"found {len(train)} and {len(test)}"
        )
    return int((test[pairs[:, 0]] != train[pairs[:, 1]]).any(axis=1).sum())


def _nearest(views: list[View], progress: Progress | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Return each test example's nearest, the ratio of the two distances, and the dimension."""
    nearest, ratio = np.zeros(len(views[0][1]), np.int64), np.full(len(views[0][1]), np.inf)
    dimension = float("inf")
    for number, (train, test) in enumerate(views):
        part = _part(progress, number, len(views))
        index, distance = neighbours(train, test, progress=part)
        far = distance[:, -1] > 1e-6  # else all neighbours are the same, and none stands out
        own = np.divide(distance[:, 0], distance[:, -1], out=np.ones(len(far)), where=far)
        nearest = np.where(own < ratio, index[:, 0], nearest)
        ratio = np.minimum(ratio, own)
        dimension = min(dimension, dimension_of(distance[far]))
    return nearest, ratio, dimension


def _part(progress: Progress | None, number: int, of: int) -> Progress | None:
    return None if progress is None else lambda share: progress((number + share) / of)
