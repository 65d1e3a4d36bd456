"""Differences of two models' figures on the same examples, each with a paired interval.

An interval rests on how the examples differ. Where they do not (equal answers, or one
difference on every example) there is none, and the reason is said instead: an interval
without width would claim that other examples could not differ either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from descentlab.evaluation import counts
from descentlab.evaluation.areas import areas
from descentlab.evaluation.baselines import TOP
from descentlab.evaluation.counts import Margins
from descentlab.evaluation.intervals import t_interval
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.probabilistic import example_losses
from descentlab.evaluation.proportions import PairedAccuracy, z_quantile
from descentlab.evaluation.resampling import Sums, blocks, quantiles
from descentlab.evaluation.results import Estimate
from descentlab.evaluation.scores import Scores

SAME_ANSWERS = "no interval: identical answers"
SAME_SCORES = "no interval: identical scores"
NO_SPREAD = "no interval: no spread between examples"
ONE_EXAMPLE = "no interval: one example of a class"
UNDEFINED = "undefined for one of the models"
SAME = 1e-6
"""Of the largest loss: differences that are equal to this are one number with rounding errors."""
BLOCK = 1 << 17  # scores at once
MOST_CLASSES = 100
"""Up to which single classes are compared."""

Better = Literal["", "first", "second"]
BETTER: tuple[Better, ...] = ("", "first", "second")

Figure = Callable[[Margins], np.ndarray]
BY_CLASS: Mapping[str, Figure] = {"precision": counts.precision, "f1": counts.f1}


@dataclass(frozen=True)
class Difference:
    """A figure of two models on the same examples.

    Attributes:
        first, second: of each model, None where it is undefined.
        gap: first minus second, with its interval or the reason why there is none.
        better: ``first`` or ``second``, '' where it can't be told. Of shares of examples
            :class:`~descentlab.evaluation.proportions.PairedAccuracy` decides, of other
            figures the interval.
    """

    first: float | None
    second: float | None
    gap: Estimate
    better: Better = ""

    @classmethod
    def of_shares(
        cls, one: Bool[np.ndarray, " n"], two: Bool[np.ndarray, " n"], level: float
    ) -> Difference:
        """Compare how many examples each has right."""
        gap = paired(one, two, level)
        ends = Estimate(gap.difference, gap.low, gap.high, "Bonett and Price")
        return cls(float(one.mean()), float(two.mean()), ends, BETTER[gap.better])

    @classmethod
    def of(
        cls, one: float, two: float, ends: tuple[float, float], method: str, *,
        reason: str = "", lower: bool = False,
    ) -> Difference:  # fmt: skip
        """Put a difference together.

        Args:
            one: of the first model.
            two: of the second.
            ends: of the interval.
            method: how it was made.
            reason: why there is none, if so.
            lower: whether lower is better.
        """
        values = [value if np.isfinite(value) else None for value in (one, two)]
        if None in values:
            return cls(values[0], values[1], Estimate.undefined(UNDEFINED))
        gap = one - two
        if reason:
            return cls(one, two, Estimate(gap, None, None, reason=reason))
        which = 0 if ends[0] <= 0 <= ends[1] else 1 if (gap > 0) != lower else 2
        return cls(one, two, Estimate(gap, *ends, method), BETTER[which])


def paired(
    one: Bool[np.ndarray, " n"], two: Bool[np.ndarray, " n"], level: float
) -> PairedAccuracy:
    """Compare two shares of the same examples by those that only one has right."""
    b, c = int((one & ~two).sum()), int((two & ~one).sum())
    return PairedAccuracy.of(b, c, len(one), level)


def of_counts(
    labels: Int[np.ndarray, " n"],
    answers: Sequence[Int[np.ndarray, " n"]],
    classes: Sequence[str],
    figures: Mapping[str, Figure],
    *,
    level: float,
    draws: int,
    seed: int,
) -> dict[str, Difference]:
    """Compare figures of counts by a bootstrap over joint cells (label, answer, answer).

    With up to a hundred classes also precision, recall and F1 of each, such as
    ``recall_class_NAME``; a recall is a share of the class's examples and compared as such.
    """
    size = len(classes)
    code = (labels.astype(np.int64) * size + answers[0]) * size + answers[1]
    cells, count = np.unique(code, return_counts=True)
    row, rest = np.divmod(cells, size * size)
    sums = [Sums(row, column, size) for column in np.divmod(rest, size)]
    many = BY_CLASS if size <= MOST_CLASSES else {}
    wanted = {**figures, **{f"{name}_class": figure for name, figure in many.items()}}
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    generator = np.random.default_rng(seed)
    for block in blocks(draws, max(len(count), size)):
        replicate = generator.multinomial(count.sum(), count / count.sum(), size=block)
        margins = [s.margins(replicate) for s in sums]
        for name, figure in wanted.items():
            drawn[name].append(figure(margins[0]) - figure(margins[1]))
    same = bool((answers[0] == answers[1]).all())
    found: dict[str, Difference] = {}
    for name, figure in wanted.items():
        one, two = (np.atleast_1d(figure(s.margins(count[None]))[0]) for s in sums)
        gaps = np.concatenate(drawn.pop(name)).reshape(-1, len(one))
        for k in range(len(one)):
            key = f"{name}_{classes[k]}" if name.endswith("_class") else name
            found[key] = _resampled(float(one[k]), float(two[k]), gaps[:, k], same, level)
    for k in np.unique(labels) if size <= MOST_CLASSES else ():
        own = [each[labels == k] == k for each in answers]
        found[f"recall_class_{classes[k]}"] = Difference.of_shares(own[0], own[1], level)
    return found


def _resampled(
    one: float, two: float, gaps: Float[np.ndarray, " draws"], same: bool, level: float
) -> Difference:
    low, high = quantiles(gaps, level)
    reason = SAME_ANSWERS if same else "" if high - low > 1e-12 else NO_SPREAD
    return Difference.of(one, two, (low, high), "paired bootstrap", reason=reason)


def of_areas(first: Predictions, second: Predictions, level: float) -> dict[str, Difference]:
    """Compare areas after DeLong: the influences of examples are subtracted pair by pair."""
    assert first.scores is not None and second.scores is not None
    both = [areas(first.labels, scores, level) for scores in (first.scores, second.scores)]
    sample, n = both[0].sample, len(first.labels)
    if sample is None:
        return {}
    support = np.bincount(first.labels, minlength=len(first.classes))
    found = {}
    for key, influence in both[0].influence.items():
        single = isinstance(key, int)
        name = f"auc_class_{first.classes[key]}" if single else f"auc_{key}"
        one, two = ((a.auc_by_class[key] if single else a.auc[key]).value or 0.0 for a in both)  # type: ignore[index]
        variance = sample.variance_of_mean(influence - both[1].influence[key], n)
        half = z_quantile(level) * variance**0.5
        few = min(support[key], n - support[key]) if single else support[support > 0].min()
        reason = ONE_EXAMPLE if few < 2 else "" if half > 1e-9 else NO_SPREAD
        ends = max(-1.0, one - two - half), min(1.0, one - two + half)
        found[name] = Difference.of(one, two, ends, "DeLong", reason=reason)
    return found


def of_examples(first: Predictions, second: Predictions, level: float) -> dict[str, Difference]:
    """Compare log loss and Brier score by the differences of each example, top k by who has it."""
    assert first.scores is not None and second.scores is not None
    labels, classes = first.labels, len(first.classes)
    (one, rank), (two, other) = (_by_example(s, labels) for s in (first.scores, second.scores))
    half = 0.5 if classes == 2 else 1.0
    return {
        "log_loss": _of_losses(
            example_losses(first.scores, labels), example_losses(second.scores, labels), level
        ),
        "brier": _of_losses(half * one, half * two, level),
    } | {f"top_{k}": Difference.of_shares(rank < k, other < k, level) for k in TOP if k < classes}


def _of_losses(
    one: Float[np.ndarray, " n"], two: Float[np.ndarray, " n"], level: float
) -> Difference:
    means = float(one.mean()), float(two.mean())
    if not np.isfinite(means).all():
        return Difference.of(*means, (0, 0), "")
    size = max(np.abs(one).max(), np.abs(two).max())
    low, high = t_interval(one - two, level)[1:3]
    flat = low is None or high is None or np.ptp(one - two) <= SAME * size
    ends = low or 0.0, high or 0.0
    return Difference.of(*means, ends, "paired t", reason=NO_SPREAD if flat else "", lower=True)


def _by_example(
    scores: Scores, labels: Int[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return each example's Brier score, and the rank of its class among the scores from 0.

    Of equal scores the later class comes first, as in :mod:`.probabilistic`.
    """
    brier, rank = np.empty(len(scores)), np.empty(len(scores), np.int64)
    rows_at_once = max(1, BLOCK // scores.classes)
    for piece, offset in zip(scores.pieces, scores.starts, strict=True):
        for start in range(0, len(piece), rows_at_once):
            block = np.asarray(piece[start : start + rows_at_once], np.float64)
            part = slice(offset + start, offset + start + len(block))
            own, rows = labels[part], np.arange(len(block))
            true = block[rows, own][:, None]
            later = np.arange(block.shape[1]) > own[:, None]
            rank[part] = ((block > true) | ((block == true) & later)).sum(axis=1)
            if scores.scale == "logits":
                with np.errstate(over="ignore"):
                    block = np.exp(block - block.max(axis=1, keepdims=True))
                block /= block.sum(axis=1, keepdims=True)
            brier[part] = np.square(block).sum(axis=1) - 2 * block[rows, own] + 1
    return brier, rank
