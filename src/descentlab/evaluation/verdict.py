"""Plain sentences, the most important first: better than the majority answer? what is missed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from descentlab.evaluation.counts import Cells
from descentlab.evaluation.proportions import mcnemar, paired_difference
from descentlab.evaluation.results import ClassFigures, Estimate

MISSED = 0.5
IMBALANCE = 1.5
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
            f"{_share(figures['accuracy'])} of the answers are right.",
        )
    return tuple(
        filter(
            None,
            [
                _beats_majority(cells, figures["accuracy"], per_class, support, level),
                _missed(per_class),
                _never(per_class),
                _measure(figures, per_class, support),
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
    difference, low, high = paired_difference(model, majority, n, level)
    p = mcnemar(model, majority)
    share = (
        f"always answering '{per_class[common].name}' is right for {_percent(support[common] / n)}"
    )
    ends = f"{100 * level:.0f} % interval {_points(low)} to {_points(high)}"
    points = f"{_points(difference)} points, {ends}"
    evidence = f"({points}; McNemar p {_p(p)})"
    start = f"{_share(accuracy)} of the answers are right; {share}."
    if p < 1 - level and difference > 0:
        return f"{start} The model beats the majority answer {evidence}."
    if p < 1 - level:
        return f"{start} The model is worse than the majority answer {evidence}."
    return f"{start} Whether the model beats the majority answer can't be told {evidence}."


def _missed(per_class: Sequence[ClassFigures]) -> str:
    found = [
        each for each in per_class
        if each.hits and each.recall.high is not None and each.recall.high < MISSED
    ]  # fmt: skip
    if not found:
        return ""
    found.sort(key=lambda each: each.recall.value or 0)
    listed = _listed([f"'{c.name}' ({c.hits} of {c.support})" for c in found])
    return f"It misses more than half of {listed}: recall is below 50 % with confidence."


def _never(per_class: Sequence[ClassFigures]) -> str:
    found = [each for each in per_class if each.support and not each.hits]
    if not found:
        return ""
    listed = _listed([f"'{each.name}' (0 of {each.support})" for each in found])
    return f"It never finds {listed}."


def _measure(
    figures: Mapping[str, Estimate], per_class: Sequence[ClassFigures], support: np.ndarray
) -> str:
    there = support[support > 0]
    largest = there.max() / there.sum()
    most = _percent(largest)
    if largest * len(there) < IMBALANCE:
        return (
            "The classes are about equally common, so accuracy is a fair summary; "
            f"balanced accuracy is {_plain(figures['balanced_accuracy'])}."
        )
    name = per_class[int(support.argmax())].name
    advice = (
        f"Accuracy is the wrong measure here: {most} of the examples are '{name}', which "
        f"decides it. Balanced accuracy, where every class counts the same, is "
        f"{_plain(figures['balanced_accuracy'])}, macro F1 {_plain(figures['macro_f1'])}."
    )
    return advice if largest >= 0.5 or there.min() * 10 <= there.max() else (
        f"Accuracy leans towards '{name}' ({most} of the examples); balanced accuracy is "
        f"{_plain(figures['balanced_accuracy'])}, macro F1 {_plain(figures['macro_f1'])}."
    )  # fmt: skip


def _small(per_class: Sequence[ClassFigures]) -> str:
    found = [each for each in per_class if 0 < each.support < 30]
    if not found:
        return ""
    listed = _listed([f"'{each.name}' ({each.support})" for each in found])
    return f"Few examples of {listed}: look at the intervals of these classes, not at the figures."


def _share(estimate: Estimate) -> str:
    ends = "" if estimate.low is None else f" [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"  # type: ignore[operator]
    return f"{100 * (estimate.value or 0):.1f} %{ends}"


def _plain(estimate: Estimate) -> str:
    if estimate.value is None:
        return estimate.reason
    ends = "" if estimate.low is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    return f"{estimate.value:.3f}{ends}"


def _listed(items: Sequence[str]) -> str:
    shown = list(items[:MOST_NAMED])
    if len(items) > MOST_NAMED:
        shown.append(f"{len(items) - MOST_NAMED} more classes")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _p(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"= {p:.2g}"
