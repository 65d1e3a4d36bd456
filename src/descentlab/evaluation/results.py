"""What an evaluation says: estimates with intervals, figures by class, curves, sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.counts import shares

Scale = Literal["logits", "probabilities"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its confidence interval, or the reason why it is undefined.

    Attributes:
        value: the figure, or None where it is undefined.
        low, high: ends of the interval; None where there is none.
        method: how the interval was made, such as ``Wilson``.
        reason: why there is no value, such as ``undefined (n = 0)``.
        over: of a mean over classes, the indices of those that entered it.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""
    reason: str = ""
    over: tuple[int, ...] | None = None

    @classmethod
    def undefined(cls, reason: str) -> Estimate:
        """Return an estimate without a value."""
        return cls(None, reason=reason)

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def to_json(self, classes: Sequence[str] = ()) -> dict[str, Any]:
        """Return ``{value, low, high}``, or ``{value: null, reason}``, JSON having no ∞.

        ``over`` names the classes that entered a mean where not all did; with ``method``
        it is left out where there is nothing to say.
        """
        if self.value is None:
            return {"value": None, "reason": self.reason}
        if not math.isfinite(self.value):
            return {"value": None, "reason": "undefined" if math.isnan(self.value) else "infinite"}
        found: dict[str, Any] = {k: _number(getattr(self, k)) for k in ("value", "low", "high")}
        if self.method:
            found["method"] = self.method
        if self.over is not None and classes:
            found["over"] = [classes[i] for i in self.over]
        return found


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class against all others."""

    name: str
    support: int
    predicted: int
    hits: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auc: Estimate
    average_precision: Estimate


@dataclass(frozen=True)
class Curve:
    """A ROC or precision–recall curve, thinned to what a plot shows.

    For ROC ``x`` is the false positive rate and ``y`` the true positive rate; for
    precision–recall ``x`` is the recall and ``y`` the precision. ``threshold`` is the
    score from which on an example counts as positive (the first of a ROC is infinite).
    """

    x: Float[np.ndarray, " points"]
    y: Float[np.ndarray, " points"]
    threshold: Float[np.ndarray, " points"]


@dataclass(frozen=True)
class Calibration:
    """How often the most probable class is right, by how probable it was said to be.

    Attributes:
        edges: of the bins of confidence, equally wide, from 0 to 1.
        count: examples in each bin.
        confidence: their mean confidence (NaN in an empty bin).
        accuracy: share of them that is right, with Wilson intervals.
        error: the expected calibration error, the mean of |accuracy − confidence|
            weighted by the counts.
    """

    edges: Float[np.ndarray, " bins+1"]
    count: Int[np.ndarray, " bins"]
    confidence: Float[np.ndarray, " bins"]
    accuracy: tuple[Estimate, ...]
    error: Estimate

    def to_json(self) -> list[dict[str, Any]]:
        """Return a row for each bin that is not empty."""
        ends = self.edges[:-1], self.edges[1:]
        rows = zip(*ends, self.count, self.confidence, self.accuracy, strict=True)
        return [
            {
                "from": float(start),
                "to": float(end),
                "examples": int(count),
                "confidence": _number(float(confidence)),
                "accuracy": accuracy.to_json(),
            }
            for start, end, count, confidence, accuracy in rows
            if count
        ]


@dataclass(frozen=True)
class RecallTarget:
    """Whether a class reaches a recall, and what the threshold would be that does.

    Attributes:
        name: the class.
        target: the recall wanted.
        recall: as the model answers now.
        answer: ``yes`` or ``no`` where the interval tells, else ``undecided``;
            ``undefined`` without examples.
        threshold: answer with this class wherever its score is at least this (from
            logits, the log-odds of their softmax); None without scores.
        reached: the recall at the threshold.
        precision: the precision there, the price.
        flagged: how many examples are then given the class.
    """

    name: str
    target: float
    recall: Estimate
    answer: Literal["yes", "no", "undecided", "undefined"]
    threshold: float | None = None
    reached: Estimate | None = None
    precision: Estimate | None = None
    flagged: int | None = None


@dataclass(frozen=True)
class Confusion:
    """An off-diagonal cell: ``count`` examples of ``label`` were taken for ``prediction``."""

    label: str
    prediction: str
    count: int
    share: float
    """Of the examples of ``label``."""


@dataclass(frozen=True)
class Evaluation:
    """Everything that one set of predictions says about a classifier.

    Attributes:
        examples: number of predictions.
        classes: names, in the order of the matrix.
        matrix: counts, a row a true class, a column a predicted one; None above a thousand
            classes.
        cells: the matrix's filled cells as three arrays: rows, columns, counts.
        figures: by name: ``accuracy``, ``balanced_accuracy``, ``macro_precision``,
            ``macro_recall``, ``macro_f1``, ``weighted_…``, ``micro_f1``, ``matthews``,
            ``kappa``, ``log_loss``, ``brier``, ``calibration_error``, ``top_2`` ….
        auc: ``macro``, ``weighted``, ``micro`` (one against the rest), ``ovo_macro``,
            ``ovo_weighted`` (one against one).
        average_precision: ``macro``, ``weighted``, ``micro``.
        per_class: by class.
        roc, precision_recall: by class index; and by ``macro`` and ``micro`` for ROC.
        calibration: None without scores.
        scores: what the scores are, or None where there are predictions alone.
        baselines: ``majority`` and ``stratified``: figure name → expected value.
        majority: the commonest class's name.
        verdict: plain sentences, the most important first.
        notes: what the reader must know about conventions and oddities of this input.
        targets: answers to recall targets, if any were asked for.
        level: the nominal coverage of the intervals.
    """

    examples: int
    classes: tuple[str, ...]
    matrix: Int[np.ndarray, "classes classes"] | None
    cells: tuple[Int[np.ndarray, " cells"], ...]
    figures: Mapping[str, Estimate]
    auc: Mapping[str, Estimate]
    average_precision: Mapping[str, Estimate]
    per_class: tuple[ClassFigures, ...]
    roc: Mapping[int | str, Curve]
    precision_recall: Mapping[int | str, Curve]
    calibration: Calibration | None
    scores: Scale | None
    baselines: Mapping[str, Mapping[str, float | None]]
    majority: str
    verdict: tuple[str, ...]
    notes: tuple[str, ...]
    targets: tuple[RecallTarget, ...] = ()
    level: float = 0.95

    def confusions(self, most: int = 5) -> list[Confusion]:
        """Return the largest confusions, by count."""
        row, column, count = self.cells
        wrong = np.flatnonzero(row != column)
        wrong = wrong[np.argsort(-count[wrong], kind="stable")][:most]
        return [
            Confusion(
                self.classes[row[i]],
                self.classes[column[i]],
                int(count[i]),
                float(count[i] / self.per_class[row[i]].support),
            )
            for i in wrong
        ]

    def _shares(self, by: Literal["row", "column"]) -> list[list[float | None]] | None:
        if self.matrix is None:
            return None
        return [[_number(value) for value in row] for row in shares(self.matrix, by).tolist()]

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as ``descentlab evaluate --json`` prints it."""

        def figures(found: Mapping[str, Estimate]) -> dict[str, Any]:
            return {name: estimate.to_json(self.classes) for name, estimate in found.items()}

        return {
            "examples": self.examples,
            "classes": list(self.classes),
            **figures(self.figures),
            "auc": figures(self.auc),
            "average_precision": figures(self.average_precision),
            "per_class": [_class_json(each) for each in self.per_class],
            "confusion_matrix": None if self.matrix is None else self.matrix.tolist(),
            "confusion_matrix_by_row": self._shares("row"),
            "confusion_matrix_by_column": self._shares("column"),
            "confusions": [vars(each) for each in self.confusions(20)],
            "baselines": {name: dict(found) for name, found in self.baselines.items()},
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "scores": self.scores,
            "recall_targets": [_target_json(each) for each in self.targets],
            "level": self.level,
            "verdict": list(self.verdict),
            "notes": list(self.notes),
        }


def names(classes: Sequence[str], over: Sequence[int] | None) -> str:
    """Return the names of the classes that entered a mean, for a sentence."""
    return "all classes" if over is None else ", ".join(classes[i] for i in over)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _class_json(each: ClassFigures) -> dict[str, Any]:
    figures = ("precision", "recall", "f1", "auc", "average_precision")
    return {
        "class": each.name,
        "support": each.support,
        "predicted": each.predicted,
        **{name: getattr(each, name).to_json() for name in figures},
    }


def _target_json(each: RecallTarget) -> dict[str, Any]:
    optional = {
        name: None if found is None else found.to_json()
        for name, found in (("reached", each.reached), ("precision", each.precision))
    }
    return {
        "class": each.name,
        "target": each.target,
        "recall": each.recall.to_json(),
        "answer": each.answer,
        "threshold": _number(each.threshold),
        "flagged": each.flagged,
        **optional,
    }
