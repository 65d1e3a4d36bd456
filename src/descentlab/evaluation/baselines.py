"""What answers without a model would score: always the commonest class, or by lot."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from descentlab.evaluation import counts
from descentlab.evaluation.counts import Margins

TOP = (2, 3, 5)
AREAS = ("macro", "weighted", "micro", "ovo_macro", "ovo_weighted")


def baselines(support: Int[np.ndarray, " classes"]) -> dict[str, Mapping[str, float | None]]:
    """Return the expected figures of two classifiers that do not look at the example.

    ``majority`` always answers the commonest class; ``stratified`` draws its answer with
    the classes' frequencies (its figures are those of the expected confusion matrix).
    Both know the frequencies of this very test set, so that they are not made worse than
    they could be. As probabilities both give the frequencies, so that their areas are ½
    and the average precisions the frequencies. None where a figure is undefined, or a
    mean would be over fewer classes than the model's.

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
    there = support > 0
    order = np.sort(share)[::-1].cumsum()
    scores = {
        "log_loss": entropy,
        "brier": brier,
        **{f"top_{k}": float(order[k - 1]) for k in TOP if k < len(support)},
        **dict.fromkeys((f"auc_{name}" for name in AREAS), 0.5 if there.sum() > 1 else np.nan),
        "average_precision_macro": float(share[there].mean()),
        "average_precision_weighted": together,
        "average_precision_micro": 1 / len(support),
    }
    found = {}
    for name, answers in (("majority", common), ("stratified", share)):
        margins = Margins(support * answers, support.astype(float), n * answers)
        figures = {
            "accuracy": counts.accuracy(margins),
            "balanced_accuracy": counts.balanced_accuracy(margins),
            "macro_precision": counts.macro(counts.precision(margins)),
            "macro_recall": counts.macro(counts.recall(margins)),
            "macro_f1": counts.macro(counts.f1(margins)),
            "weighted_precision": counts.weighted(counts.precision(margins), support),
            "weighted_recall": counts.weighted(counts.recall(margins), support),
            "weighted_f1": counts.weighted(counts.f1(margins), support),
            "micro_f1": counts.accuracy(margins),
            "matthews": counts.matthews(margins),
            "kappa": counts.kappa(margins),
        } | scores
        if name == "majority":  # a mean over the one class that it ever predicts
            figures["macro_precision"] = figures["weighted_precision"] = np.nan
        found[name] = {k: float(v) if np.isfinite(v) else None for k, v in figures.items()}
    return found
