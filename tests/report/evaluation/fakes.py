"""Evaluations made up for the tests of how they are shown; their figures are only plausible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from descentlab.evaluation.results import (
    Calibration,
    ClassFigures,
    Curve,
    Estimate,
    Evaluation,
    RecallTarget,
)

HAM = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
HAM_SUPPORT = (65, 103, 220, 23, 223, 1341, 28)
NEVER = "undefined (never predicted)"
NOT_THERE = "undefined (n = 0)"


def wilson(hits: float, n: float) -> Estimate:
    if not n:
        return Estimate.undefined(NOT_THERE)
    z, p = 1.96, hits / n
    middle = (p + z * z / 2 / n) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return Estimate(p, max(0.0, middle - half), min(1.0, middle + half), "Wilson")


def around(value: float | None, half: float, method: str, over: tuple[int, ...] | None = None):
    if value is None:
        return Estimate.undefined(NOT_THERE)
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), method, over=over)


def simulated(support: Sequence[int], skill: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities of a classifier that leans to common classes."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(support)), support)
    share = np.maximum(np.asarray(support, float), 1) / max(1, sum(support))
    logits = generator.normal(size=(len(labels), len(support))) + 0.7 * np.log(share)
    logits[np.arange(len(labels)), labels] += skill * generator.gamma(2.0, 0.5, len(labels))
    logits -= logits.max(axis=1, keepdims=True)
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def curves(positive: np.ndarray, score: np.ndarray, points: int = 200) -> tuple[Curve, Curve]:
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    n = np.arange(1, len(order) + 1)
    keep = np.unique(np.linspace(0, len(order) - 1, points).astype(int))
    all_hits, rest = max(1, hits[-1]), max(1, len(order) - hits[-1])
    x, y = (n - hits)[keep] / rest, hits[keep] / all_hits
    threshold = score[order][keep]
    roc = Curve(np.r_[0.0, x], np.r_[0.0, y], np.r_[np.inf, threshold])
    precision = (hits / n)[keep]
    return roc, Curve(np.r_[y[::-1], 0.0], np.r_[precision[::-1], 1.0], np.r_[threshold[::-1], 1.0])


def area(curve: Curve) -> float:
    return float(abs(np.trapezoid(curve.y, curve.x)))


def evaluation(
    classes: Sequence[str] = HAM,
    support: Sequence[int] = HAM_SUPPORT,
    skill: float = 3.0,
    *,
    scores: bool = True,
    target: float | None = None,
    seed: int = 0,
) -> Evaluation:
    labels, probabilities = simulated(support, skill, seed)
    answers = probabilities.argmax(axis=1)
    size = len(classes)
    matrix = np.zeros((size, size), int)
    np.add.at(matrix, (labels, answers), 1)
    rows, columns = np.nonzero(matrix)
    roc, precision_recall = {}, {}
    per_class = []
    for i, name in enumerate(classes):
        auc = average = Estimate.undefined(NOT_THERE if scores else "undefined without scores")
        if scores and support[i]:
            roc[i], precision_recall[i] = curves(labels == i, probabilities[:, i])
            auc = around(area(roc[i]), 0.5 / np.sqrt(support[i]) / 2, "DeLong")
            average = around(area(precision_recall[i]), 0.05, "bootstrap")
        hits, n, predicted = matrix[i, i], matrix[i].sum(), matrix[:, i].sum()
        f1 = 2 * hits / (n + predicted) if n else None
        per_class.append(
            ClassFigures(
                name, int(n), int(predicted), int(hits),
                wilson(hits, predicted) if predicted else Estimate.undefined(NEVER),
                wilson(hits, n), around(f1, 1 / np.sqrt(n + predicted + 1), "Dirichlet posterior"),
                auc, average,
            )
        )  # fmt: skip
    if scores:
        positive = labels[:, None] == np.arange(size)
        roc["micro"], _ = curves(positive.ravel(), probabilities.ravel())
        grid = np.linspace(0, 1, 100)
        found = [np.interp(grid, c.x, c.y) for k, c in roc.items() if k != "micro"]
        roc["macro"] = Curve(grid, np.mean(found, axis=0), grid[::-1])
    present = tuple(i for i in range(size) if support[i])
    over = present if len(present) < size else None
    return _assembled(
        classes, matrix, (rows, columns, matrix[rows, columns]), tuple(per_class), roc,
        precision_recall, _calibration(probabilities, labels) if scores else None,
        over, scores=scores, target=target,
    )  # fmt: skip


def _calibration(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> Calibration:
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((sure * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, sure, bins) / count
    accuracy = tuple(wilson(right[place == b].sum(), count[b]) for b in range(bins))
    return Calibration(
        np.linspace(0, 1, bins + 1), count, confidence, accuracy, around(0.061, 0.012, "bootstrap")
    )


def _assembled(
    classes, matrix, cells, per_class, roc, precision_recall, calibration, over, *, scores, target
):
    n = int(matrix.sum())
    hits = int(np.trace(matrix))
    mean = {
        name: float(np.mean([v for c in per_class if (v := getattr(c, name).value) is not None]))
        for name in ("precision", "recall", "f1")
    }
    figures = {
        "accuracy": wilson(hits, n),
        "balanced_accuracy": around(mean["recall"], 0.03, "Dirichlet posterior", over),
        "macro_precision": around(mean["precision"], 0.03, "Dirichlet posterior", over),
        "macro_recall": around(mean["recall"], 0.03, "Dirichlet posterior", over),
        "macro_f1": around(mean["f1"], 0.03, "Dirichlet posterior", over),
        "weighted_f1": around(hits / n, 0.02, "Dirichlet posterior"),
        "matthews": Estimate(0.412, 0.383, 0.441, "bootstrap"),
        "kappa": Estimate(0.397, 0.368, 0.427, "bootstrap"),
    }
    if scores:
        figures |= {
            "log_loss": Estimate(0.8123, 0.7712, 0.8534, "bootstrap"),
            "brier": around(0.412, 0.013, "bootstrap"),
            "calibration_error": around(0.061, 0.012, "bootstrap"),
        }
    support = [c.support for c in per_class]
    common = int(np.argmax(support))
    share = support[common] / n
    areas = [c.auc.value for c in per_class if c.auc.value is not None]
    auc = (
        {
            k: around(float(np.mean(areas)), 0.01, "bootstrap")
            for k in ("macro", "weighted", "micro")
        }
        if scores
        else {}
    )
    return Evaluation(
        examples=n,
        classes=tuple(classes),
        matrix=matrix,
        cells=cells,
        figures=figures,
        auc=auc,
        average_precision={"macro": around(0.571, 0.02, "bootstrap", over)} if scores else {},
        per_class=per_class,
        roc=roc,
        precision_recall=precision_recall,
        calibration=calibration,
        scores="probabilities" if scores else None,
        baselines={
            "majority": {
                "auc_macro": 0.5,
                "accuracy": share, "balanced_accuracy": 1 / len(classes), "macro_f1": 0.114,
                "macro_precision": None, "matthews": None, "kappa": 0.0, "log_loss": np.inf,
            },
            "stratified": {
                "auc_macro": 0.5,
                "accuracy": share**2, "balanced_accuracy": 1 / len(classes), "macro_f1": 0.141,
                "matthews": 0.0, "kappa": 0.0,
            },
        },
        majority=classes[common],
        verdict=(
            f"The model beats always answering '{classes[common]}' ({share:.1%}) with confidence.",
            f"It misses most of '{min(per_class, key=lambda c: c.recall.value or 0).name}'.",
            "Accuracy is the wrong measure here; read balanced accuracy.",
        ),
        notes=("probabilities were taken as given; each row sums to one within 1e-6.",),
        targets=_targets(per_class, target, scores=scores) if target else (),
    )  # fmt: skip


def _targets(per_class, target: float, *, scores: bool) -> tuple[RecallTarget, ...]:
    found = []
    for each in per_class:
        recall = each.recall
        if recall.value is None:
            found.append(RecallTarget(each.name, target, recall, "undefined"))
            continue
        answer = "yes" if recall.low > target else "no" if recall.high < target else "undecided"
        there = {}
        if scores:
            there = {
                "threshold": 0.1371, "reached": wilson(target * each.support, each.support),
                "precision": wilson(0.2 * each.support, each.support), "flagged": 3 * each.support,
            }  # fmt: skip
        found.append(RecallTarget(each.name, target, recall, answer, **there))
    return tuple(found)


def two(**more) -> Evaluation:
    return evaluation(("benign", "malignant"), (900, 100), 2.0, **more)


def ham(**more) -> Evaluation:
    return evaluation(target=0.8, **more)


def with_absent() -> Evaluation:
    """Seven classes, one of which has no examples."""
    return evaluation(support=(*HAM_SUPPORT[:-1], 0), target=0.8)


def digits() -> Evaluation:
    return evaluation([str(i) for i in range(10)], [1000] * 10, 14.0)


def hundred() -> Evaluation:
    names = [f"class_{i:02d}_of_cifar" if i % 7 else f"aquarium_fish_{i}" for i in range(100)]
    return evaluation(names, [60] * 100, 5.0, target=0.5)


def without_width(found: Evaluation) -> Evaluation:
    """Every interval of zero width."""

    def flat(e: Estimate) -> Estimate:
        return e if e.value is None else replace(e, low=e.value, high=e.value)

    names = ("precision", "recall", "f1", "auc", "average_precision")
    return replace(
        found,
        figures={k: flat(e) for k, e in found.figures.items()},
        auc={k: flat(e) for k, e in found.auc.items()},
        per_class=tuple(
            replace(each, **{n: flat(getattr(each, n)) for n in names}) for each in found.per_class
        ),
    )
