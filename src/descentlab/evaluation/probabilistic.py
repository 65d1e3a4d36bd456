"""One pass over scores: answers, log loss, Brier score, calibration, rank of the true class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.intervals import t_quantile
from descentlab.evaluation.proportions import wilson
from descentlab.evaluation.resampling import DRAWS, quantiles
from descentlab.evaluation.results import Calibration, Estimate
from descentlab.evaluation.scores import BLOCK, Scores, best_class, check

BINS = 15
MOST_RANKS = 10
BLOCK_VALUES = 1 << 22


@dataclass
class Sums:
    """Sums over examples; those of two sets of examples add up."""

    count: int
    loss: np.ndarray
    """Σ and Σ of squares of -ln p of the true class."""
    brier: np.ndarray
    """Σ and Σ of squares of Σ_k (p_k - [k is true])²."""
    raised: int
    """Examples whose true class was given a probability below :func:`least`, which counts."""
    ranks: np.ndarray
    """Examples whose true class came first, second, ….; the last place holds the rest."""
    bins: np.ndarray
    """By bin of confidence: examples, Σ confidence, right answers."""

    def __add__(self, other: Sums) -> Sums:
        """Return the sums over both sets."""
        return Sums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def summarise(scores: Scores, labels: Int[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Sums]:
    """Return the answers (the class with the highest score, the first of equal ones) and sums.

    Args:
        scores: of every class for every example; they are checked on the way.
        labels: true classes 0 … K-1.

    Raises:
        ValueError: a score is NaN or infinite, or probabilities do not sum to 1.
    """
    best = np.empty(len(scores), np.min_scalar_type(scores.classes))
    jobs = list(_ranges(scores))

    def work(job: tuple[np.ndarray, int]) -> Sums:
        rows, start = job
        block = _across(rows)
        check(scores.scale, block, rows.dtype, start)
        part = slice(start, start + len(rows))
        best[part], highest = best_class(block)
        return _sums(scores.scale, block, labels[part], best[part], highest, rows.dtype)

    with ThreadPoolExecutor(os.cpu_count()) as threads, np.errstate(over="ignore"):
        found = threads.map(work, jobs)
        total = next(found)
        for sums in found:
            total += sums
    return best, total


def least(dtype: np.dtype) -> float:
    """Return the lowest probability that log loss tells apart: ε, the step of numbers at 1.

    As in scikit-learn lower ones count as this, else a single 0 makes the mean infinite.
    """
    return float(np.finfo(dtype).eps)


def _ranges(scores: Scores) -> Iterator[tuple[np.ndarray, int]]:
    """Yield examples in blocks that are not large (each thread has a few), and their starts."""
    most = max(1, min(BLOCK, BLOCK_VALUES // scores.classes))
    for piece, offset in zip(scores.pieces, scores.starts, strict=True):
        for start in range(0, len(piece), most):
            yield piece[start : start + most], offset + start


def _across(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows.T, np.promote_types(rows.dtype, np.float32))


def _sums(
    scale: str, block: np.ndarray, labels: np.ndarray, best: np.ndarray, highest: np.ndarray,
    dtype: np.dtype,
) -> Sums:  # fmt: skip
    n = block.shape[1]
    true = block[labels, np.arange(n)]
    raised = 0
    if scale == "logits":
        with np.errstate(over="ignore"):  # exp(-∞) is 0, as it should be
            exps = np.exp(block - highest)
            own = np.exp(true - highest)
        total = exps.sum(axis=0)
        confidence = 1 / total
        own *= confidence
        loss = _loss(total, highest, true)
        squares = np.einsum("kn,kn->n", exps, exps) * confidence**2
    else:
        confidence, own = highest, true
        loss = _clipped(true, dtype)
        squares = np.einsum("kn,kn->n", block, block)
        raised = int((true < least(dtype)).sum())
    brier = squares - 2 * own + 1
    right = best == labels
    bin_ = np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1)
    bins = [
        np.bincount(bin_, weight, minlength=BINS)
        for weight in (None, confidence.astype(np.float64), right)
    ]
    return Sums(n, _moments(loss), _moments(brier), raised, _ranks(block, true, labels),
                np.array(bins))  # fmt: skip


def _loss(total: np.ndarray, highest: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return ln Σ exp(z_j - z) + (z - z_true); float32's extremes are finite in float64."""
    with np.errstate(over="ignore"):
        return np.log(total) + (highest.astype(np.float64) - true)


def _clipped(true: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return -np.log(np.clip(true.astype(np.float64), least(dtype), 1 - least(dtype)))


def _moments(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    with np.errstate(over="ignore"):
        return np.array([values.sum(), np.square(values).sum()])  # np.dot would start threads


def _ranks(block: np.ndarray, true: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count the examples by the rank of their class; of equal scores the later class is first."""
    classes = len(block)
    before = np.zeros(len(true), np.int32)
    for k in range(classes):
        before += block[k] > true
        before += (block[k] == true) & (k > labels)
    most = min(classes, MOST_RANKS)
    return np.bincount(np.minimum(before, most), minlength=most + 1)


def example_losses(scores: Scores, labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Return -ln p of the true class of each example, in nats, as :func:`summarise` has it."""
    found = np.empty(len(scores))
    for rows, start in _ranges(scores):
        block = _across(rows)
        part = slice(start, start + len(rows))
        true = block[labels[part], np.arange(block.shape[1])]
        if scores.scale == "logits":
            highest = block.max(axis=0)
            with np.errstate(over="ignore"):
                total = np.exp(block - highest).sum(axis=0)
            found[part] = _loss(total, highest, true)
        else:
            found[part] = _clipped(true, rows.dtype)
    return found


def mean_estimate(moments: np.ndarray, n: int, level: float, most: float = np.inf) -> Estimate:
    r"""Return a mean of independent positive values with its interval on the logarithm's scale.

    .. math:: \bar x \, \exp(\pm t\, s / (\bar x \sqrt n))

    which suits the long right tail of losses better than a symmetric one.
    """
    mean = float(moments[0] / n)
    if n < 2 or mean <= 0 or not np.isfinite(moments).all():
        return Estimate(mean, None, None)
    variance = max(0.0, (moments[1] - n * mean**2) / (n - 1))
    factor = float(np.exp(t_quantile(n, level) * (variance / n) ** 0.5 / mean))
    return Estimate(mean, mean / factor, min(most, mean * factor), "t, log scale")


def calibration(
    bins: Float[np.ndarray, "3 bins"], *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Calibration:
    r"""Return the calibration of the most probable class, from sums by bin of confidence.

    .. math:: ECE = \sum_b \frac{n_b}{n} \lvert acc_b - conf_b \rvert

    over 15 bins of equal width. Chance alone makes it positive: in a bin of few examples
    accuracy and confidence differ even if the model is perfectly calibrated. So the
    interval takes that excess off, and can lie below the figure; then believe the
    interval. Its upper end is the basic bootstrap's over the right and wrong answers of
    each bin; its lower end the percentile bootstrap's less the mean that a perfectly
    calibrated model would get by chance in these bins.

    Args:
        bins: examples, Σ confidence and right answers of each bin.
        level: the nominal coverage.
        draws: bootstrap replicates.
        seed: of the draws.

    Source: Guo et al., On calibration of modern neural networks, ICML (2017).
    """
    count, confidence, right = bins
    n = count.sum()
    with np.errstate(invalid="ignore"):
        mean, share = confidence / count, right / count
    low, high = wilson(right, count, level)
    accuracy = tuple(
        Estimate(float(s), float(a), float(b), "Wilson")
        if c
        else Estimate.undefined("undefined (n = 0)")
        for s, a, b, c in zip(share, low, high, count, strict=True)
    )
    error = float(np.nansum(np.abs(share - mean) * count) / n)
    shares = np.concatenate([right, count - right]) / n
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(int(n), shares / shares.sum(), size=draws)
    hits, wrong = drawn[:, : len(count)], drawn[:, len(count) :]
    expected = np.nan_to_num(mean).clip(0, 1)
    gaps = np.abs(hits - (hits + wrong) * expected).sum(axis=1) / n
    low_end = quantiles(gaps, level)[0]
    perfect = generator.binomial(count.astype(np.int64), expected, size=(draws, len(count)))
    chance = float(np.abs(perfect - count * expected).sum(axis=1).mean() / n)
    ends = np.clip([low_end - chance, 2 * error - low_end], 0, 1)
    estimate = Estimate(error, float(ends[0]), float(ends[1]), "bootstrap, less chance")
    edges = np.linspace(0, 1, len(count) + 1)
    return Calibration(edges, count.astype(np.int64), mean, accuracy, estimate)
