"""What answers without a model would score: always the commonest class, or by lot."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from descentlab.evaluation import counts
from descentlab.evaluation.counts import Margins


def baselines(support: Int[np.ndarray, " classes"]) -> dict[str, Mapping[str, float | None]]:
    """Return the expected figures of two classifiers that do not look at the example.

    ``majority`` always answers the commonest class; ``stratified`` draws its answer with
    the classes' frequencies (its figures are those of the expected confusion matrix).
    Both know the frequencies of this very test set, so that they are not made worse than
    they could be. As probabilities both give the frequencies. None where a figure is
    undefined; areas are ½ and average precisions the frequencies.

    Args:
        support: examples of each class.
    """
    n = float(support.sum())
    share = support / n
    common = np.zeros(len(support))
    common[int(support.argmax())] = 1
    entropy = -float((share[share > 0] * np.log(share[share > 0])).sum())
    spread = 1 - float((share**2).sum())
    brier = spread / 2 if len(support) == 2 else spread
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
            "log_loss": entropy,
            "brier": brier,
        }
        found[name] = {k: float(v) if np.isfinite(v) else None for k, v in figures.items()}
    return found
