"""What each figure means: metrics as these runs recorded them, intervals, ranking."""

from __future__ import annotations

from descentlab.report.answers import Answers, Result
from descentlab.report.names import is_coordinate, metric_name
from descentlab.report.settings import settings

PARTS = {"train": "training", "validation": "validation", "test": "test"}
LOSSES = {
    "cross_entropy": "cross-entropy, −ln of the softmax probability of the right class",
    "nll": "negative log-likelihood on log-softmax outputs, which is cross-entropy",
    "binary_cross_entropy": "binary cross-entropy, −ln of the probability of the right class",
    "mse": "squared error, averaged over the outputs",
    "half_mse": "half the squared error, averaged over the outputs",
}

DRAWN = {"seen": "at least once", "seen_once": "just once"}

INTERVALS = (
    "95 % intervals are Student’s t intervals of the mean over seeds: "
    "mean ± t(0.975, n − 1) · s / √n, with n the number of seeds and s their sample standard "
    "deviation. They assume independent, roughly normal results; they say how much the mean "
    "would move with other seeds, not with other data. ± 0 means that every seed gave the same "
    "figure."
)
PAIRS = (
    "A seed gives every configuration the same initial weights (where shapes agree), data order "
    "and dropout masks. So differences are taken seed by seed, and their interval is a t "
    "interval of those differences. No interval is corrected for the number of comparisons or "
    "for picking the best afterwards."
)
DIVERGED = (
    "A run diverged when its loss or a parameter stopped being a finite number. It is a result: "
    "it keeps its curve, is counted, and is not in the means; its configuration ranks behind "
    "all that never diverged."
)
ROUNDING = (
    "Means are rounded where their interval ends to mean anything (the Particle Data Group’s "
    "rule: one or two digits of the half-width)."
)


def metric_definitions(result: Result, found: Answers) -> list[tuple[str, str]]:
    """Return the name and the meaning of every recorded metric, as these runs computed it."""
    return [(metric_name(metric), _define(result, metric)) for metric in found.metrics]


def general_definitions(found: Answers) -> list[tuple[str, str]]:
    """Return how intervals, pairs, divergence and rounding are dealt with."""
    terms = [("Intervals", INTERVALS), ("Comparisons", PAIRS)]
    if found.diverged:
        terms.append(("Divergence", DIVERGED))
    return [*terms, ("Rounding", ROUNDING)]


def _define(result: Result, metric: str) -> str:
    part, _, what = metric.partition("_")
    functions = [str(name).replace("_", "-") for name in settings(result, "objective.function")]
    if what == "loss" and functions:
        return f"Value of the function at the point: {', '.join(functions)}."
    if what.startswith("fast_"):
        text = _define(result, f"{part}_{what.removeprefix('fast_')}")
        return f"{text} Of the fast weights, which the optimizer moves."
    if what in DRAWN:
        return f"Share of the training examples that the epoch had drawn so far, {DRAWN[what]}."
    if is_coordinate(metric):
        return f"Coordinate {what[1:]} of the point."
    if what == "loss":
        kinds = [LOSSES.get(str(kind), str(kind)) for kind in settings(result, "loss")]
        text = (
            f"Mean over examples of the loss: {'; or '.join(kinds)}."
            if kinds
            else "Mean loss over examples."
        )
    elif what == "accuracy":
        text = "Share of examples whose highest output is the right class."
    else:
        text = f"Mean of {what.replace('_', ' ')} over examples."
    if part not in PARTS:
        return text
    return f"{text} {_how(result, part)}"


def _how(result: Result, part: str) -> str:
    evaluated = set(map(str, settings(result, "record.train")))
    dropout = [rate for rate in settings(result, "model.dropout") if rate is not None]
    kept = settings(result, "evaluate_dropout")
    if part == "train" and evaluated != {"evaluated"}:
        text = (
            "Running mean over the training batches since the last record, as training saw "
            "them: the parameters move from batch to batch"
        )
        text += ", and dropout is on." if dropout else "."
        return text + (
            " Some configurations evaluate it anew instead." if "evaluated" in evaluated else ""
        )
    text = f"A pass over the whole {PARTS[part]} set with the parameters of that moment"
    if not dropout:
        return text + "."
    if kept == [True]:
        return text + ", with dropout left on (evaluate_dropout: true)."
    return text + (
        ", with dropout left on in some configurations." if True in kept else ", with dropout off."
    )
