"""The rows of an evaluation's tables, before they become text or HTML."""

from __future__ import annotations

from dataclasses import dataclass

from descentlab.evaluation.comparison import Comparison
from descentlab.evaluation.results import ClassFigures, Estimate, Evaluation
from descentlab.evaluation.sentences import plain
from descentlab.report.evaluation import wording
from descentlab.report.names import ABSENT

BASELINES = ("majority", "stratified")
MOST_SINGLE = 48  # rows of single classes in a table of differences
_CLASS = "_class_"


@dataclass(frozen=True)
class FigureRow:
    """One figure of the whole, with what the baselines would score.

    Attributes:
        name: for people.
        estimate: the figure.
        baselines: as text, one for each of ``BASELINES``.
        lower: whether lower is better.
        over: how many classes entered it, where not all did.
    """

    name: str
    estimate: Estimate
    baselines: tuple[str, ...]
    lower: bool
    over: str


@dataclass(frozen=True)
class DifferenceRow:
    """One figure of two models.

    Attributes:
        name: for people.
        values: of the first and of the second, as text.
        estimate: the difference, first minus second.
        better: ``first`` or ``second`` where the examples tell, else ''.
        lower: whether lower is better.
    """

    name: str
    values: tuple[str, ...]
    estimate: Estimate
    better: str
    lower: bool


def figure_rows(evaluation: Evaluation) -> list[FigureRow]:
    """Return the figures of the whole: those of the predictions, then AUC, then precision."""
    rows = []
    for key, name, estimate in wording.named_estimates(evaluation):
        beside = tuple(_baseline(evaluation, which, key, estimate) for which in BASELINES)
        lower = key in wording.LOWER_IS_BETTER
        over = wording.counted(estimate, evaluation.classes)
        rows.append(FigureRow(name, estimate, beside, lower, over))
    return rows


def _baseline(evaluation: Evaluation, which: str, key: str, estimate: Estimate) -> str:
    found = evaluation.baselines.get(which, {})
    if key not in found:
        return ABSENT
    if found[key] is None:
        return "undefined (n = 0)" if key.endswith("_precision") else "undefined (one class)"
    return wording.number(found[key], wording.written(estimate).decimals or None)


def difference_rows(compared: Comparison) -> list[DifferenceRow]:
    """Return the figures of two models and their differences, those of single classes last."""
    rows = []
    for key, estimate in compared.differences.items():
        values = (compared.first.get(key), compared.second.get(key))
        decimals = wording.written(estimate).decimals or None
        known = tuple(ABSENT if v is None else wording.number(v, decimals) for v in values)
        lower, better = key in wording.LOWER_IS_BETTER, compared.better.get(key, "")
        rows.append(DifferenceRow(_difference_name(key), known, estimate, better, lower))
    return rows


def shown_differences(compared: Comparison) -> tuple[list[DifferenceRow], str]:
    """Return the rows of a comparison's table, and a note where there are more.

    Of many rows of single classes those are shown that tell the models apart, the largest
    differences first to stay.
    """
    rows = difference_rows(compared)
    single = [row for row, key in zip(rows, compared.differences, strict=True) if _CLASS in key]
    if len(single) <= MOST_SINGLE:
        return rows, ""
    single.sort(key=lambda row: -abs(row.estimate.value or 0.0))
    kept = [row for row in single if row.better][:MOST_SINGLE]
    more = len(single) - len(kept)
    note = f"{more:,} more differences of single classes are in --json."
    return [row for row in rows if row in kept or row not in single], note


def _difference_name(key: str) -> str:
    figure, single, name = key.partition(_CLASS)
    if single:
        return f"{'AUC' if figure == 'auc' else wording.figure_name(figure)} of {plain(name)}"
    if key.startswith("auc_"):
        return wording.AUC.get(key.removeprefix("auc_"), key)
    return wording.figure_name(key)


def class_estimates(evaluation: Evaluation) -> list[str]:
    """Return the attributes of a class that its table shows; AUC only where there are scores."""
    names = ["precision", "recall", "f1"]
    scored = evaluation.scores is not None or any(each.auc.defined for each in evaluation.per_class)
    return [*names, "auc"] if scored else names


def shown_classes(evaluation: Evaluation) -> list[ClassFigures]:
    """Return all classes in their order, or of very many the worst by recall."""
    if len(evaluation.per_class) <= wording.MOST_CLASSES:
        return list(evaluation.per_class)
    return wording.worst(evaluation.per_class, wording.WORST_CLASSES)


def left_out(evaluation: Evaluation) -> str:
    """Say how many classes ``shown_classes`` leaves out, or ''."""
    hidden = len(evaluation.per_class) - len(shown_classes(evaluation))
    if not hidden:
        return ""
    shown = len(evaluation.per_class) - hidden
    return f"The {shown} classes with the lowest recall; {hidden:,} more are not shown."
