"""What answers without a model would score: always the commonest class, or by lot."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from descentlab.evaluation import counts
from descentlab.evaluation.counts import Margins

TOP = (2, 3, 5)
AREAS = ("macro", "weighted", "ovo_macro", "ovo_weighted")
WEIGHTS = ("macro", "weighted", "micro")


def baselines(support: Int[np.ndarray, " classes"]) -> dict[str, Mapping[str, float | None]]:
    """Return the expected figures of two classifiers that do not look at the example.

    ``majority`` always answers the commonest class; ``stratified`` draws its answer with
    the classes' frequencies (its figures are those of the expected confusion matrix).
    Both know the frequencies of this very test set, so that they are not made worse than
    they could be. As probabilities both give the frequencies, so that every class's area is
    ½ and its average precision its frequency; pooled over classes (``micro``) they do
    better than that, because common classes then rank above rare ones. None where a figure
    is undefined, or a mean would be over fewer classes than the model's.

    Args:
        support: examples of each class.
    """
    n = float(support.sum())
    share = support / n
    common = np.zeros(len(support))
    common[int(support.argmax())] = 1
    entropy = -float((share[share > 0] * np.log(share[share > 0])).sum())
    together = float((share**2).sum())
    spread = 1 - together
    brier = spread / 2 if len(support) == 2 else spread
    order = np.sort(share)[::-1].cumsum()
    scores = {
        "log_loss": entropy,
        "brier": brier,
        **{f"top_{k}": float(order[k - 1]) for k in TOP if k < len(support)},
    }
    scores |= _areas(support)
    found = {}
    for name, answers in (("majority", common), ("stratified", share)):
        margins = Margins(support * answers, support.astype(float), n * answers)
        figures = _of_counts(margins) | scores
        if name == "majority":  # a mean over the one class that it ever predicts
            figures["macro_precision"] = figures["weighted_precision"] = np.nan
        found[name] = {k: float(v) if np.isfinite(v) else None for k, v in figures.items()}
    return found


def _of_counts(m: Margins) -> dict[str, np.ndarray]:
    return {
        "accuracy": counts.accuracy(m),
        "balanced_accuracy": counts.balanced_accuracy(m),
        "macro_precision": counts.macro(counts.precision(m)),
        "macro_recall": counts.macro(counts.recall(m)),
        "macro_f1": counts.macro(counts.f1(m)),
        "weighted_precision": counts.weighted(counts.precision(m), m.support),
        "weighted_recall": counts.weighted(counts.recall(m), m.support),
        "weighted_f1": counts.weighted(counts.f1(m), m.support),
        "micro_f1": counts.accuracy(m),
        "matthews": counts.matthews(m),
        "kappa": counts.kappa(m),
    }


def _areas(support: Int[np.ndarray, " classes"]) -> dict[str, float]:
    """Return the areas of frequencies given as probabilities, NaN with one class alone."""
    share = support / support.sum()
    there, k = support > 0, len(support)
    if there.sum() < 2:
        names = [f"auc_{name}" for name in (*AREAS, "micro")]
        return dict.fromkeys((*names, *(f"average_precision_{n}" for n in WEIGHTS)), np.nan)
    order = np.argsort(-support, kind="stable")
    last = np.append(np.diff(support[order]) != 0, True)  # of classes equally common
    hits, pairs = share[order].cumsum()[last], np.flatnonzero(last) + 1.0
    gained, false = np.diff(hits, prepend=0), (pairs - hits) / (k - 1)
    middle = hits - gained / 2
    return dict.fromkeys((f"auc_{name}" for name in AREAS), 0.5) | {
        "auc_micro": float((np.diff(false, prepend=0) * middle).sum()),
        "average_precision_macro": float(share[there].mean()),
        "average_precision_weighted": float((share**2).sum()),
        "average_precision_micro": float((gained * hits / pairs).sum()),
    }
