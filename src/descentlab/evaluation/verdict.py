"""Plain sentences, the most important first: better than the majority answer? what is missed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from descentlab.evaluation.counts import Cells
from descentlab.evaluation.proportions import PairedAccuracy
from descentlab.evaluation.results import ClassFigures, Estimate
from descentlab.evaluation.sentences import (
    decimals_of,
    evidence,
    figure,
    named,
    percent,
    points,
    share_of,
    shares,
)

MISSED = 0.5  # a recall below it misses more than it finds
RANKED = 0.9  # an AUC from which on a class is ranked well
WRONG = 1 / 3  # a precision below which a class is flagged too often
FLAGGED = 10  # times from which on that is worth a sentence
UNEVEN = 2  # largest class over smallest from which on they are not about equally common
RARE = 10  # and from which on accuracy hardly sees the smallest
LEANS = 0.2  # share of the examples from which on one class can be said to decide
MOST_NAMED = 6


def verdict(
    cells: Cells,
    figures: Mapping[str, Estimate],
    per_class: Sequence[ClassFigures],
    level: float = 0.95,
) -> tuple[str, ...]:
    """Say whether the model beats the majority answer, what it misses, which figure to use."""
    support = np.array([each.support for each in per_class])
    if (support > 0).sum() < 2:
        return (
            "Every example is of one class: nothing can be said about telling classes apart. "
            f"{share_of(figures['accuracy'])} of the answers are right.",
        )
    never = [each for each in per_class if each.support and not each.hits]
    missed = sorted(
        (each for each in per_class if each.hits and (_high(each.recall) or 1) < MISSED),
        key=lambda each: each.recall.value or 0,
    )
    return tuple(
        filter(
            None,
            [
                _beats_majority(cells, figures["accuracy"], per_class, support, level),
                _missed(missed),
                _never(never),
                _ranked(missed + never),
                _flagged(per_class),
                _measure(figures, per_class, support, bool(missed or never)),
                _small(per_class),
            ],
        )
    )


def _beats_majority(
    cells: Cells, accuracy: Estimate, per_class: Sequence[ClassFigures], support: np.ndarray,
    level: float,
) -> str:  # fmt: skip
    common = int(support.argmax())
    n = int(support.sum())
    right = cells.row == cells.column
    model = int(cells.count[right & (cells.row != common)].sum())
    majority = int(cells.count[~right & (cells.row == common)].sum())
    gap = PairedAccuracy.of(model, majority, n, level)
    (share,) = shares([support[common] / n], decimals_of(points(gap)[0]))
    start = (
        f"{share_of(accuracy)} of the answers are right; always answering "
        f"{named(per_class[common].name)} is right for {share}."
    )
    return (
        start
        + (
            f" Whether the model beats the majority answer can't be told ({evidence(gap)}).",
            f" The model beats the majority answer ({evidence(gap)}).",
            f" The model is worse than the majority answer ({evidence(gap)}).",
        )[gap.better]
    )


def _missed(found: Sequence[ClassFigures]) -> str:
    if not found:
        return ""
    listed = _listed([f"{named(c.name)} ({c.hits:,} of {c.support:,})" for c in found])
    return f"It misses more than half of {listed}: recall is below 50 % with confidence."


def _never(found: Sequence[ClassFigures]) -> str:
    if not found:
        return ""
    listed = _listed([f"{named(each.name)} (0 of {each.support:,})" for each in found])
    return f"It never finds {listed}."


def _ranked(lost: Sequence[ClassFigures]) -> str:
    """Say of which lost classes the scores know more than the answers show."""
    found = [each for each in lost if (each.auc.value or 0) >= RANKED and (each.auc.low or 0) > 0.5]
    if not found:
        return ""
    listed = _listed([f"{named(c.name)} (AUC {figure(c.auc)})" for c in found])
    return (
        f"The scores rank {listed} well: the threshold is what is wrong, not the ranking. "
        "--recall-at-least names the one that would find enough of them."
    )


def _flagged(per_class: Sequence[ClassFigures]) -> str:
    """Say which classes are answered far more often than they occur."""
    found = [
        each for each in per_class
        if each.predicted >= FLAGGED and each.predicted > 2 * each.support
        and (each.precision.value or 0) < WRONG and (_high(each.precision) or 1) < 0.5
    ]  # fmt: skip
    if not found:
        return ""
    found.sort(key=lambda each: each.hits - each.predicted)
    listed = _listed([
        f"{named(c.name)} ({c.predicted:,} times, there are {c.support:,}; "
        f"{percent(c.hits / c.predicted)} of the times it is right)"
        for c in found
    ])  # fmt: skip
    return f"It answers far too often {listed}."


def _measure(
    figures: Mapping[str, Estimate], per_class: Sequence[ClassFigures], support: np.ndarray,
    lost: bool,
) -> str:  # fmt: skip
    there = support[support > 0]
    most, least, n = int(there.max()), int(there.min()), int(there.sum())
    name = named(per_class[int(support.argmax())].name)
    balanced, f1 = (figure(figures[key], len(support)) for key in ("balanced_accuracy", "macro_f1"))
    both = f"alanced accuracy is {balanced}, macro F1 {f1}."
    if most < UNEVEN * least:
        if lost:
            return (
                "The classes are about equally common, but accuracy does not show which of them "
                f"are missed; look at their recall. B{both}"
            )
        return (
            "The classes are about equally common, so accuracy is a fair summary; balanced "
            f"accuracy is {balanced}."
        )
    (share,) = shares([most / n])
    every = f"Balanced accuracy, where every class counts the same, is {balanced}, macro F1 {f1}."
    if most >= n / 2:
        return (
            f"Accuracy is the wrong measure here: {share} of the examples are {name}, which "
            f"decides it. {every}"
        )
    if most >= RARE * least:
        rare = named(per_class[int(np.where(support > 0, support, n + 1).argmin())].name)
        return (
            f"Accuracy is the wrong measure here: it hardly sees {rare} ({least:,} of {n:,} "
            f"examples). {every}"
        )
    if most >= LEANS * n and (support == most).sum() == 1:
        return f"Accuracy leans towards {name} ({share} of the examples); b{both}"
    return f"The classes are not equally common ({least:,} to {most:,} examples); b{both}"


def _small(per_class: Sequence[ClassFigures]) -> str:
    found = [each for each in per_class if 0 < each.support < 30]
    if not found:
        return ""
    listed = _listed([f"{named(each.name)} ({each.support})" for each in found])
    return f"Few examples of {listed}: look at the intervals of these classes, not at the figures."


def _high(estimate: Estimate) -> float | None:
    return None if estimate.value is None else estimate.high


def _listed(items: Sequence[str]) -> str:
    shown = list(items[:MOST_NAMED])
    if len(items) > MOST_NAMED:
        shown.append(f"{len(items) - MOST_NAMED:,} more classes")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
