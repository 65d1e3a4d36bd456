"""Scores of classes, a row an example: logits or probabilities, in one or more pieces.

Probabilities and logits are told apart by whoever gives them, never guessed. For
ranking, a class's logit is no use by itself, since softmax compares it with the others:
the log-odds stand in, which order examples as the probability does but keep apart what
rounds to 0 or 1 as a probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.results import Scale

BLOCK = 1 << 15
SUM_TOLERANCE = {np.dtype(np.float16): 2e-2, np.dtype(np.float32): 1e-3}
MOST_TOLERANCE = 0.05
ONE_COLUMN: dict[Scale, str] = {
    "probabilities": "one column; for two classes give both: np.column_stack([1 - p, p])",
    "logits": "one column; for two classes give both: np.column_stack([np.zeros_like(z), z])",
}


@dataclass(frozen=True)
class Scores:
    """Logits or probabilities of every class for every example.

    Attributes:
        scale: which of the two.
        pieces: arrays ``[examples, classes]`` one after the other, in memory or mapped.
    """

    scale: Scale
    pieces: tuple[Float[np.ndarray, "n classes"], ...]

    @classmethod
    def of(cls, scale: Scale, array: np.ndarray) -> Scores:
        """Return scores of one array.

        Raises:
            ValueError: it is not ``[examples, classes]`` of numbers.
        """
        array = np.asarray(array)
        if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.shape[1]:
            one = array.ndim == 1 and array.dtype.kind in "fiu"
            hint = f"; {ONE_COLUMN[scale]}" if one else ""
            raise ValueError(
                f"expected {scale} as numbers [examples, classes]; found {array.dtype} of "
                f"shape {array.shape}{hint}"
            )
        return cls(scale, (array if array.dtype.kind == "f" else array.astype(np.float64),))

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.pieces[0].shape[1]

    def __len__(self) -> int:
        """Return the number of examples."""
        return sum(map(len, self.pieces))

    @property
    def starts(self) -> list[int]:
        """Number of the first example of each piece."""
        return [0, *np.cumsum([len(piece) for piece in self.pieces])[:-1].tolist()]

    def column(self, k: int) -> Float[np.ndarray, " n"]:
        """Return what examples are ranked by for class ``k``: its probability or its log-odds."""
        if self.scale == "probabilities":
            return _joined([piece[:, k] for piece in self.pieces])
        both = zip(self.pieces, self._norms, strict=True)
        return _joined([_log_odds(piece[:, k], k, norms) for piece, norms in both])

    def own(self, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Return the same of each example for its own class."""
        found = []
        for number, (piece, start) in enumerate(zip(self.pieces, self.starts, strict=True)):
            label = labels[start : start + len(piece)]
            values = np.empty(len(piece), piece.dtype)
            for first in range(0, len(piece), BLOCK):
                part = slice(first, first + BLOCK)
                values[part] = piece[part][np.arange(len(label[part])), label[part]]
            if self.scale == "logits":
                values = _log_odds(values, label, self._norms[number])
            found.append(values)
        return _joined(found)

    @cached_property
    def _norms(self) -> list[Norms]:
        types = [np.promote_types(piece.dtype, np.float32) for piece in self.pieces]
        found = [_norms(piece, dtype) for piece, dtype in zip(self.pieces, types, strict=True)]
        if any(each.wide for each in found):  # log-odds of all rows in one precision
            found = [_norms(piece, np.dtype(np.float64)) for piece in self.pieces]
        return found


@dataclass(frozen=True)
class Norms:
    """What turns a row's logits into log-odds.

    Attributes:
        best: the class with the highest logit.
        highest: its logit z.
        total: Σ exp(z_j - z), at least 1.
        rest: ln Σ exp(z_j) over the other classes.
        wide: whether a row's logits are so far apart that their difference overflows.
    """

    best: Int[np.ndarray, " n"]
    highest: Float[np.ndarray, " n"]
    total: Float[np.ndarray, " n"]
    rest: Float[np.ndarray, " n"]
    wide: bool


def _log_odds(logit: np.ndarray, k: int | np.ndarray, norms: Norms) -> np.ndarray:
    """Return ln p/(1-p) = z_k - ln Σ_{j≠k} exp z_j.

    Those beyond a quarter of the precision's largest number are brought nearer: all are
    finite, as are their differences, and they keep their order.
    """
    logit = logit.astype(norms.highest.dtype, copy=False)
    top = norms.best == k
    with np.errstate(over="ignore"):
        above = logit - norms.highest
        found = above - np.log(np.maximum(norms.total - np.exp(above), 1e-30))
        found[top] = logit[top] - norms.rest[top]
    most = np.finfo(found.dtype).max
    far = np.abs(found) > most / 4
    if far.any():
        quarter = logit[far] / 4 - np.where(top, norms.rest, norms.highest)[far] / 4
        found[far] = np.sign(quarter) * (most / 4 + (np.abs(quarter) - most / 16) / 2)
    return found


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    # Half precision is widened, which changes no value, because it sorts slowly.
    return np.array(whole, np.float32 if whole.dtype == np.float16 else whole.dtype)


def _norms(logits: np.ndarray, dtype: np.dtype) -> Norms:
    n, classes = logits.shape
    wide = False
    best = np.zeros(n, np.min_scalar_type(classes))
    highest, total, rest = (np.empty(n, dtype) for _ in range(3))
    for start in range(0, n, BLOCK):
        part = slice(start, start + BLOCK)
        block = np.array(logits[part].T, dtype, order="C")
        best[part], highest[part] = best_class(block)
        with np.errstate(over="ignore"):
            wide = wide or not np.isfinite(highest[part] - block.min(axis=0)).all()
            total[part] = np.exp(block - highest[part]).sum(axis=0)
            if classes == 1:
                rest[part] = -np.inf
                continue
            block[best[part], np.arange(block.shape[1])] = -np.inf
            second = block.max(axis=0)
            rest[part] = second + np.log(np.exp(block - second).sum(axis=0))
    return Norms(best, highest, total, rest, wide)


def best_class(
    block: Float[np.ndarray, "classes n"],
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return the class with the highest score, the first of equal ones, and that score."""
    highest = block[0].copy()
    best = np.zeros(block.shape[1], np.min_scalar_type(len(block)))
    for k in range(1, len(block)):
        np.copyto(best, k, where=block[k] > highest, casting="unsafe")
        np.maximum(highest, block[k], out=highest)
    return best, highest


def check(scale: Scale, block: Float[np.ndarray, "classes n"], dtype: np.dtype, start: int) -> None:
    """Refuse scores that are none.

    Raises:
        ValueError: NaN or infinite ones, or probabilities outside [0, 1] or not summing to 1.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # such sums are looked at below
        sums = block.sum(axis=0)
    if scale == "logits":
        if not np.isfinite(sums).all():  # finite logits may have an infinite sum
            infinite = ~np.isfinite(block).all(axis=0)
            if infinite.any():
                _refuse(infinite, start, "logits are finite numbers")
        return
    if np.isnan(sums).any():
        _refuse(np.isnan(sums), start, "probabilities are numbers, none is NaN")
    tolerance = SUM_TOLERANCE.get(dtype, 1e-4)
    if not (np.abs(sums - 1) <= tolerance).all():
        wrong = ~(np.abs(sums - 1) <= max(tolerance, _rounding(block, dtype)))
        if wrong.any():
            _refuse_sums(block, wrong, sums, start)
    if block.min() < -tolerance or block.max() > 1 + tolerance:
        _refuse(
            ((block < -tolerance) | (block > 1 + tolerance)).any(axis=0), start,
            "probabilities lie between 0 and 1; logits are given as logit_… (logits=…)",
        )  # fmt: skip


def _rounding(block: Float[np.ndarray, "classes n"], dtype: np.dtype) -> float:
    """Return how far from 1 a sum may be because its terms were rounded to 2 … 6 decimals.

    Each of K terms is wrong by at most half a unit of the last decimal. Fewer decimals, or
    more classes than they can tell apart, would excuse sums of any size.
    """
    precision = np.finfo(dtype).eps
    for decimals in range(1, 7):
        unit = 10.0**-decimals
        if precision > unit / 100:
            return 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            shifted = block / unit
            fits = np.abs(shifted - np.rint(shifted)) <= 2 * precision / unit
        if fits.all():
            most = 0.5 * unit * len(block) * (1 + 1e-6)
            return most if decimals > 1 and most <= MOST_TOLERANCE else 0.0
    return 0.0


def _refuse_sums(
    block: Float[np.ndarray, "classes n"], wrong: np.ndarray, sums: np.ndarray, start: int
) -> None:
    total = sums[wrong][0]
    before, after = "", ""
    if (block < 0).any():
        before = "; logits are given as logit_… (logits=…)"
    elif len(block) == 1:
        after = f"; {ONE_COLUMN['probabilities']}"
    elif abs(total - 100) < 5:
        after = "; are they percentages? Divide them by 100"
    elif abs(total - 1) < 0.2:
        after = "; are they rounded? Write more digits"
    _refuse(wrong, start, f"probabilities of an example sum to 1{before}",
            f" (its sum is {total:.6g}){after}")  # fmt: skip


def _refuse(wrong: Any, start: int, rule: str, more: str = "") -> None:
    first = int(np.flatnonzero(wrong)[0])
    raise ValueError(f"{rule}; example {start + first} breaks that{more}")
