"""Recall targets: does a class reach them, and at which threshold would it, at what price?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from descentlab.evaluation.areas import Threshold
from descentlab.evaluation.proportions import wilson
from descentlab.evaluation.results import ClassFigures, Estimate, RecallTarget


def recall_targets(
    per_class: Sequence[ClassFigures],
    thresholds: Mapping[int, Threshold],
    target: float,
    level: float = 0.95,
) -> tuple[RecallTarget, ...]:
    """Answer for every class whether its recall is at least ``target``.

    ``yes`` and ``no`` need the whole Wilson interval on one side. The threshold is the
    highest score from which on examples would have to be given the class for its recall
    to reach the target on these data, whatever the other classes' scores; with it come
    the recall and precision it would have and how many examples it flags. It is chosen
    on the data it is measured on, so on new data it will do a little worse.

    Args:
        per_class: the figures of each class.
        thresholds: those that would reach the target, by class.
        target: the recall wanted.
        level: the nominal coverage.
    """
    return tuple(_answer(k, each, thresholds.get(k), target, level)
                 for k, each in enumerate(per_class))  # fmt: skip


def _answer(
    k: int, each: ClassFigures, threshold: Threshold | None, target: float, level: float
) -> RecallTarget:
    answer: Literal["yes", "no", "undecided", "undefined"] = "undecided"
    recall = each.recall
    if recall.value is None or recall.low is None or recall.high is None:
        answer = "undefined"
    elif recall.low >= target:
        answer = "yes"
    elif recall.high < target:
        answer = "no"
    if threshold is None:
        return RecallTarget(each.name, target, recall, answer)
    hits, flagged = threshold.hits, threshold.flagged
    return RecallTarget(
        each.name, target, recall, answer, threshold.score,
        proportion(hits, each.support, level), proportion(hits, flagged, level), flagged,
    )  # fmt: skip


def proportion(hits: int, n: int, level: float = 0.95) -> Estimate:
    """Return hits / n with Wilson's interval, undefined where n is 0."""
    if n == 0:
        return Estimate.undefined("undefined (n = 0)")
    low, high = wilson(hits, n, level)
    return Estimate(hits / n, float(low), float(high), "Wilson")
