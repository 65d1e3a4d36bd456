"""Evaluate a classifier's predictions: every figure with an interval, a baseline, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from descentlab.evaluation import counts
from descentlab.evaluation.areas import MEANS, Areas, areas
from descentlab.evaluation.baselines import TOP, baselines
from descentlab.evaluation.counts import DENSE_CLASSES, Cells, Margins, count_cells
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.probabilistic import Sums, calibration, least, mean_estimate, summarise
from descentlab.evaluation.proportions import f1_interval, z_quantile
from descentlab.evaluation.resampling import posterior_interval
from descentlab.evaluation.results import Calibration, ClassFigures, Estimate, Evaluation
from descentlab.evaluation.targets import proportion, recall_targets
from descentlab.evaluation.verdict import verdict

POSTERIOR = "Dirichlet posterior"
NO_SCORES = "undefined (no scores)"


def evaluate(
    labels: Any,
    predictions: Any = None,
    *,
    probabilities: Any = None,
    logits: Any = None,
    classes: Sequence[Any] | None = None,
    recall_at_least: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Evaluate the predictions of a classifier.

    Args:
        labels: true classes ``[n]``: numbers 0 … K-1, or names.
        predictions: predicted classes ``[n]``; those with the highest score by default.
        probabilities: ``[n, K]``, each row summing to 1.
        logits: ``[n, K]``, instead of probabilities: log probabilities up to a constant a row.
        classes: names in the order of the scores' columns.
        recall_at_least: a recall to be answered for, class by class.
        level: the nominal coverage of the intervals.
        seed: of the posterior and bootstrap draws.

    Raises:
        ValueError: the arrays cannot be what they are said to be; the message says why.

    >>> evaluate([0, 1, 1, 1], [0, 1, 1, 0]).figures["accuracy"].value
    0.75
    """
    given = Predictions.of(
        labels, predictions, probabilities=probabilities, logits=logits, classes=classes
    )
    return evaluate_predictions(given, recall_at_least=recall_at_least, level=level, seed=seed)


def evaluate_predictions(
    given: Predictions, *, recall_at_least: float | None = None, level: float = 0.95, seed: int = 0
) -> Evaluation:
    """Evaluate predictions that are checked and numbered already; see :func:`evaluate`."""
    z_quantile(level)  # refuses what is no level
    if recall_at_least is not None and not 0 < recall_at_least <= 1:
        raise ValueError(
            f"expected a recall above 0 and at most 1, such as 0.8; found {recall_at_least:g}"
        )
    labels, scores = given.labels, given.scores
    best, sums = summarise(scores, labels) if scores is not None else (None, None)
    answers = best if given.answers is None else given.answers
    assert answers is not None
    found = areas(labels, scores, level, recall=recall_at_least) if scores is not None else None
    cells = count_cells(labels, answers, len(given.classes))
    margins = cells.margins()
    figures = _figures(cells, margins, level, seed)
    calibrated = None if sums is None else calibration(sums.bins, level=level, seed=seed)
    figures |= _score_figures(sums, calibrated, len(given.classes), level)
    per_class = _per_class(margins, given.classes, found, level)
    support = margins.support.astype(np.int64)
    nothing: dict[str, Estimate] = dict.fromkeys(MEANS[:3], Estimate.undefined(NO_SCORES))
    wanted = recall_at_least
    thresholds = found.thresholds if found else {}
    return Evaluation(
        examples=len(labels),
        classes=given.classes,
        matrix=cells.matrix() if len(given.classes) <= DENSE_CLASSES else None,
        cells=(cells.row, cells.column, cells.count),
        figures=figures,
        auc=found.auc if found else nothing,
        average_precision=found.average_precision if found else nothing,
        per_class=per_class,
        roc=found.roc if found else {},
        precision_recall=found.precision_recall if found else {},
        calibration=calibrated,
        scores=None if scores is None else scores.scale,
        baselines=baselines(support),
        majority=given.classes[int(support.argmax())],
        verdict=verdict(cells, figures, per_class, level),
        notes=_notes(given, best, sums),
        targets=() if wanted is None else recall_targets(per_class, thresholds, wanted, level),
        level=level,
    )


def _per_class(
    m: Margins, classes: Sequence[str], found: Areas | None, level: float
) -> tuple[ClassFigures, ...]:
    f1 = counts.f1(m)
    low, high = f1_interval(m.hits, m.support + m.predicted - 2 * m.hits, level)
    nothing = Estimate.undefined(NO_SCORES)
    rows = []
    for k, name in enumerate(classes):
        hits, support, predicted = (int(x[k]) for x in (m.hits, m.support, m.predicted))
        score = (
            Estimate(float(f1[k]), float(low[k]), float(high[k]), "Beta posterior")
            if support + predicted
            else Estimate.undefined("undefined (n = 0)")
        )
        rows.append(
            ClassFigures(
                name, support, predicted, hits,
                proportion(hits, predicted, level), proportion(hits, support, level), score,
                found.auc_by_class[k] if found else nothing,
                found.precision_by_class[k] if found else nothing,
            )
        )  # fmt: skip
    return tuple(rows)


def _figures(cells: Cells, m: Margins, level: float, seed: int) -> dict[str, Estimate]:
    """Return the figures that need counts alone, those of many classes by draws."""
    n, hits = int(m.support.sum()), int(m.hits.sum())
    there, named = m.support > 0, m.predicted > 0
    means = {
        "balanced_accuracy": (_macro, counts.recall, there),
        "macro_precision": (_macro, counts.precision, named),
        "macro_recall": (_macro, counts.recall, there),
        "macro_f1": (_macro, counts.f1, there | named),
        "weighted_precision": (_weighted, counts.precision, there & named),
        "weighted_f1": (_weighted, counts.f1, there),
    }
    functions = {name: partial(mean, figure, over) for name, (mean, figure, over) in means.items()}
    chance = {"matthews": counts.matthews, "kappa": counts.kappa}
    ends = posterior_interval(cells, functions | chance, level=level, seed=seed)
    found = {"accuracy": proportion(hits, n, level)}
    for name, (*_, over) in means.items():
        found[name] = _estimate(functions[name](m), ends[name], POSTERIOR, over)
    one = "undefined (one class only in labels or in predictions)"
    for name, function in chance.items():
        found[name] = _estimate(function(m), ends[name], POSTERIOR, None, one)
    found["weighted_recall"] = replace(found["accuracy"], over=_entered(there))
    found["micro_f1"] = found["accuracy"]
    return found


def _macro(figure: Any, over: np.ndarray, m: Margins) -> np.ndarray:
    return counts.macro(figure(m), over)


def _weighted(figure: Any, over: np.ndarray, m: Margins) -> np.ndarray:
    return counts.weighted(np.where(over, figure(m), np.nan), m.support)


def _estimate(
    value: Any, ends: tuple[float, float], method: str, over: np.ndarray | None,
    reason: str = "undefined (n = 0)",
) -> Estimate:  # fmt: skip
    if not np.isfinite(value):
        return Estimate.undefined(reason)
    low, high = ends if np.isfinite(ends).all() else (None, None)
    return Estimate(float(value), low, high, method, over=_entered(over))


def _entered(over: np.ndarray | None) -> tuple[int, ...] | None:
    """Return the classes that entered a mean, None where all did or it is none over classes."""
    return None if over is None or over.all() else tuple(np.flatnonzero(over).tolist())


def _score_figures(
    sums: Sums | None, calibrated: Calibration | None, classes: int, level: float
) -> dict[str, Estimate]:
    """Return log loss, Brier score (half of it for two classes, as scikit-learn) and top k."""
    if sums is None or calibrated is None:
        names = ("log_loss", "brier", "calibration_error")
        return dict.fromkeys(names, Estimate.undefined(NO_SCORES))
    half = 0.5 if classes == 2 else 1.0
    found = {
        "log_loss": mean_estimate(sums.loss, sums.count, level),
        "brier": mean_estimate(sums.brier * [half, half**2], sums.count, level, 2 * half),
        "calibration_error": calibrated.error,
    }
    for k in TOP:
        if k < classes:
            found[f"top_{k}"] = proportion(int(sums.ranks[:k].sum()), sums.count, level)
    return found


def _notes(given: Predictions, best: Any, sums: Sums | None) -> tuple[str, ...]:
    notes = []
    if given.scores is not None and given.answers is not None:
        differ = int((np.asarray(best) != given.answers).sum())
        if differ:
            notes.append(
                "The predictions given differ from the class with the highest score in "
                f"{differ:,} of {len(given.labels):,} examples; counts are of those given."
            )
    if sums is not None and sums.raised and given.scores is not None:
        dtype = given.scores.pieces[0].dtype
        lie, count = ("lies", "counts") if sums.raised == 1 else ("lie", "count")
        notes.append(
            f"{sums.raised:,} of the true classes' probabilities {lie} below {least(dtype):.2g}, "
            f"the smallest that log loss tells apart in {dtype}, and {count} as that, as in "
            "scikit-learn."
        )
    if given.scores is not None:
        notes.append(
            "The scores are logits; classes are ranked by the log-odds ln p/(1−p) of their "
            "softmax, and thresholds are such log-odds."
            if given.scores.scale == "logits"
            else "The scores are probabilities."
        )
    return tuple(notes)
