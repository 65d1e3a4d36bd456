"""Nearest neighbours between two sides: what is compared, and the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Int, Num

NEIGHBOURS = 10
WAVES = 7  # across an image in either direction: about as much as 15 × 15 pixels can show
VALUES = 4_000_000  # of a block of rows
TEST_ROWS, TRAIN_ROWS = 256, 65_536  # of a product, which takes 64 MB
RUN = 64  # columns of a product of which at first only the largest value is looked at

Progress = Callable[[float], None]
View = tuple[Num[np.ndarray, "n_train features"], Num[np.ndarray, "n_test features"]]


def blocks(rows: Num[np.ndarray, "n ..."]) -> Iterator[np.ndarray]:
    """Part an array into blocks of rows, of about four million values each."""
    size = max(1, VALUES // max(1, rows[:1].size))
    return (rows[i : i + size] for i in range(0, len(rows), size))


def neighbours(
    train: Float[np.ndarray, "n_train features"],
    test: Float[np.ndarray, "n_test features"],
    count: int = NEIGHBOURS,
    *,
    progress: Progress | None = None,
) -> tuple[Int[np.ndarray, "n_test count"], Float[np.ndarray, "n_test count"]]:
    r"""Return the nearest training rows of each test row, nearest first, and their distances.

    The nearest have the largest :math:`q \cdot t - |t|^2 / 2`, found in blocks of float32
    matrix products; of some more than ``count`` of them the distances are then worked out
    in float64, so that rounding does not make two rows the same that are not.

    Args:
        train: float32.
        test: float32.
        count: how many, at most as many as there are training rows but one.
        progress: called with the share that is done, after each block.
    """
    count = min(count, len(train) - 1)
    most = min(count + 6, len(train))
    half = np.concatenate([(x.astype(np.float64) ** 2).sum(axis=1) / 2 for x in blocks(train)])
    known = np.concatenate([train, -half[:, None].astype(np.float32)], axis=1)
    index, distance = np.empty((len(test), count), np.int64), np.empty((len(test), count))
    for start in range(0, len(test), TEST_ROWS):
        rows = test[start : start + TEST_ROWS]
        asked = np.concatenate([rows, np.ones((len(rows), 1), np.float32)], axis=1)
        found = _candidates(known, asked, most)
        exact = _distances(train, rows, found)
        order = np.argsort(exact, axis=1, kind="stable")[:, :count]
        index[start : start + len(rows)] = np.take_along_axis(found, order, axis=1)
        distance[start : start + len(rows)] = np.take_along_axis(exact, order, axis=1)
        if progress is not None:
            progress((start + len(rows)) / len(test))
    return index, distance


def dimension_of(distance: Float[np.ndarray, "n count"]) -> float:
    r"""Return the dimension m in which points seem to be spread, from neighbours' distances.

    .. math:: \mathrm E \log(d_k / d_j) = \tfrac1m \sum_{i=j}^{k-1} \tfrac1i

    with k the last and j the middle one, which copies of some examples hardly disturb.
    At least 1; infinite where there is nothing to tell it by.

    Source: Levina and Bickel, Maximum likelihood estimation of intrinsic dimension, NIPS
    17 (2004), with two neighbours instead of all.
    """
    last = distance.shape[1]
    middle = max(1, last // 2)
    distance = distance[distance[:, middle - 1] > 0]
    spread = np.log(distance[:, -1] / distance[:, middle - 1])
    if len(spread) == 0 or spread.mean() <= 0:
        return float("inf")
    return float(max(1.0, (1 / np.arange(middle, last)).sum() / spread.mean()))


def table_view(train: np.ndarray, test: np.ndarray) -> list[View]:
    """Return ``[n, features]`` with features of mean 0 and standard deviation 1 in train."""
    mean = train.mean(axis=0, dtype=np.float64)
    squares = np.zeros(train.shape[1])
    for part in blocks(train):
        squares += ((part - mean) ** 2).sum(axis=0)
    width = np.sqrt(squares / len(train))
    # A feature that is constant in train has no spread to measure by, only its own size.
    width = np.where(width > 1e-12 * np.abs(mean), width, np.where(mean == 0, 1.0, np.abs(mean)))
    sides = [[((x - mean) / width).astype(np.float32) for x in blocks(y)] for y in (train, test)]
    return [(np.concatenate(sides[0]), np.concatenate(sides[1]))]


def image_views(train: np.ndarray, test: np.ndarray) -> list[View]:
    """Return images by their low frequencies, and by the magnitudes of these alone."""
    waves, magnitudes = [], []
    for side in (train, test):
        parts = [_frequencies(x) for x in blocks(side)]
        pairs = [np.concatenate([np.real(f), np.imag(f)], axis=1) for f in parts]
        waves.append(np.concatenate(pairs))
        magnitudes.append(np.concatenate([np.abs(f) for f in parts]))
    return [(waves[0], waves[1]), (magnitudes[0], magnitudes[1])]


def _candidates(train: np.ndarray, rows: np.ndarray, most: int) -> np.ndarray:
    """Return the numbers of the training rows with the largest products, in any order."""
    index = np.empty((len(rows), 0), np.int64)
    score = np.empty((len(rows), 0), np.float32)
    for start in range(0, len(train), TRAIN_ROWS):
        product = rows @ train[start : start + TRAIN_ROWS].T
        columns = _largest(product, most)
        index = np.concatenate([index, columns + start], axis=1)
        score = np.concatenate([score, np.take_along_axis(product, columns, axis=1)], axis=1)
        if index.shape[1] > most:
            best = np.argpartition(-score, most - 1, axis=1)[:, :most]
            index = np.take_along_axis(index, best, axis=1)
            score = np.take_along_axis(score, best, axis=1)
    return index


def _largest(values: np.ndarray, most: int) -> np.ndarray:
    """Return the columns of the ``most`` largest values of each row, in any order.

    They lie in the ``most`` sets of ``RUN`` evenly spaced columns with the largest maxima,
    so that few values need to be put in order.
    """
    width = values.shape[1]
    if width <= most:
        return np.broadcast_to(np.arange(width), values.shape)
    whole = width // RUN * RUN
    if whole < 4 * RUN * most:
        return np.argpartition(values, width - most, axis=1)[:, width - most :]
    step = whole // RUN
    peaks = values[:, :whole].reshape(len(values), RUN, -1).max(axis=1)
    runs = np.argpartition(peaks, peaks.shape[1] - most, axis=1)[:, peaks.shape[1] - most :]
    columns = (runs[:, :, None] + np.arange(0, whole, step)).reshape(len(values), -1)
    rest = np.broadcast_to(np.arange(whole, width), (len(values), width - whole))
    columns = np.concatenate([columns, rest], axis=1)
    chosen = np.take_along_axis(values, columns, axis=1)
    best = np.argpartition(chosen, chosen.shape[1] - most, axis=1)[:, chosen.shape[1] - most :]
    return np.take_along_axis(columns, best, axis=1)


def _distances(train: np.ndarray, rows: np.ndarray, found: np.ndarray) -> np.ndarray:
    distance = np.empty(found.shape)
    for number in range(found.shape[1]):
        gap = train[found[:, number]].astype(np.float64) - rows
        distance[:, number] = np.sqrt(np.einsum("ij,ij->i", gap, gap))
    return distance


def _frequencies(images: np.ndarray) -> np.ndarray:
    """Return the low frequencies of images ``[n, h, w, …]`` but the mean, each row to norm 1."""
    if images.ndim == 4 and images.shape[1] <= 4 < images.shape[3]:
        images = np.moveaxis(images, 1, 3)  # channels came first
    height, width = images.shape[1:3]
    found = np.fft.rfft2(images.astype(np.float32), axes=(1, 2))
    down = np.abs(np.fft.fftfreq(height, 1 / height)) <= WAVES
    across = np.arange(min(WAVES, width // 2) + 1)
    found = found[:, down][:, :, across]
    weight = np.where((across > 0) & (2 * across != width), 2**0.5, 1.0)  # its mirror image too
    found *= weight.reshape(1, 1, -1, *[1] * (images.ndim - 3))
    scale = np.maximum(np.abs(found[:, 0, 0]).reshape(len(found), -1).max(axis=1), 1e-30)
    found[:, 0, 0] = 0
    flat = found.reshape(len(found), -1)
    norm = np.linalg.norm(flat, axis=1)
    flat /= np.where(norm > 1e-6 * scale, norm, np.inf)[:, None]  # else it is one plain colour
    return flat.astype(np.complex64)
