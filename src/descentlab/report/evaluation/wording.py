"""The words and numbers of an evaluation, the same in a terminal and in a page."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from descentlab.evaluation.comparison import Comparison
from descentlab.evaluation.results import (
    ClassFigures,
    Confusion,
    Estimate,
    Evaluation,
    RecallTarget,
)
from descentlab.evaluation.sentences import level_name, named, percent, plain
from descentlab.report import numbers
from descentlab.report.names import ABSENT

MOST_CLASSES = 30  # up to which a table shows all classes
WORST_CLASSES = 15  # shown of more
MOST_NAMES = 12  # in a sentence
PLAIN_DECIMALS = 4

SPECIAL = {
    "matthews": "Matthews correlation",
    "kappa": "Cohen’s κ",
    "brier": "Brier score",
    "calibration_error": "expected calibration error",
}
AUC = {
    "macro": "macro AUC",
    "weighted": "weighted AUC",
    "micro": "micro AUC",
    "ovo_macro": "one-vs-one macro AUC",
    "ovo_weighted": "one-vs-one weighted AUC",
}
ORDER = (
    *("accuracy", "balanced_accuracy", "top_2", "top_3", "top_5"),
    *(f"macro_{name}" for name in ("precision", "recall", "f1")),
    *(f"weighted_{name}" for name in ("precision", "recall", "f1")),
    *("micro_f1", "matthews", "kappa", "log_loss", "brier", "calibration_error"),
)
SCORED = ("auc_", "average_precision_", "log_loss", "brier", "calibration_error", "top_")
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "calibration_error"})
ANSWERS = {"yes": "yes", "no": "no", "undecided": "can’t tell", "undefined": "undefined"}
TARGETS = "“Reached” is yes or no where the interval of the recall tells."
THRESHOLDS = (
    "A class that is answered wherever its score is at least the threshold reaches the target on "
    "these examples, at the precision beside it. The threshold was picked on these examples: "
    "expect a little less on others."
)
DIFFERENCES = (
    "Differences are the first minus the second, example by example on one test set. Each interval "
    "is for its own figure: of twenty without a difference about one excludes 0. Of accuracy, "
    "recall and top-k the exact test must tell too before one model is called better. Which of two "
    "trainings is better, not which of two trained models, is for several seeds to tell."
)
NO_SCORES = (
    "There are no scores, only predictions: ROC, AUC, precision–recall, calibration and "
    "thresholds need probabilities or logits."
)


class Written(NamedTuple):
    """An estimate as text; the ends are '' where there is no interval."""

    value: str
    low: str = ""
    high: str = ""
    defined: bool = True

    @property
    def interval(self) -> str:
        """The interval, such as ``0.44–0.62``; with ``to`` where a minus would confuse."""
        if not self.low:
            return ""
        signed = numbers.MINUS in self.low + self.high
        return f"{self.low} to {self.high}" if signed else f"{self.low}–{self.high}"

    @property
    def decimals(self) -> int:
        """Decimals of the value, by which a column is aligned."""
        return len(self.value.partition(".")[2]) if self.defined and " " not in self.value else 0

    def __str__(self) -> str:
        """Return ``0.53 (0.44–0.62)``, or why there is no value."""
        return f"{self.value} ({self.interval})" if self.interval else self.value


class Named(NamedTuple):
    """A figure of the whole with its key, its name for people and its estimate."""

    key: str
    name: str
    estimate: Estimate


def written(estimate: Estimate) -> Written:
    """Write an estimate with the digits that its interval supports."""
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None:
        return Written(estimate.reason or "undefined", defined=False)
    if not math.isfinite(value):
        return Written(number(value))
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return Written(number(value))
    ends = numbers.ends(low, high)
    if any("×" in end for end in ends) or low == high:
        return Written(number(value), *ends)
    decimals = max(len(end.partition(".")[2]) for end in ends)
    return Written(number(value, decimals), *ends)


def number(value: float | None, decimals: int | None = None) -> str:
    """Write a number with fixed decimals, by default four significant digits."""
    if value is None:
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else f"{numbers.MINUS}∞"
    if math.isnan(value) or decimals is None:
        return numbers.value(value, PLAIN_DECIMALS)
    text = f"{value:.{decimals}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", numbers.MINUS)


def interval_name(evaluation: Evaluation) -> str:
    """Return '95 % interval' with the evaluation's own level."""
    return f"{level_name(evaluation.level)} interval"


def figure_name(key: str) -> str:
    """Return ``macro_f1`` as 'macro F1' and ``top_2`` as 'top-2 accuracy'."""
    if key.startswith("top_"):
        return f"top-{key[4:]} accuracy"
    return SPECIAL.get(key, key.replace("_", " ").replace("f1", "F1"))


def confusion(found: Confusion, support: int) -> str:
    """Say of how many examples of a class how many were taken for another."""
    verb = "was" if found.count == 1 else "were"
    return (
        f"{numbers.count(found.count)} of {numbers.count(support)} {named(found.label)} {verb} "
        f"taken for {named(found.prediction)} ({percent(found.share)})"
    )


def confusions(evaluation: Evaluation, most: int = 5) -> list[str]:
    """Return the largest confusions, each in words."""
    support = {each.name: each.support for each in evaluation.per_class}
    return [confusion(each, support[each.label]) for each in evaluation.confusions(most)]


def no_confusions(evaluation: Evaluation) -> str:
    """Say that nothing was confused, with the number of examples that this rests on."""
    return f"None of the {numbers.count(evaluation.examples)} examples was confused."


def agreement(compared: Comparison) -> str:
    """Say on how many examples two models are right together and alone."""
    both, one, two, none = (
        numbers.count(n)
        for n in (compared.both, compared.only_first, compared.only_second, compared.neither)
    )
    return (
        f"Both are right on {both} examples, only {plain(compared.names[0])} on {one}, only "
        f"{plain(compared.names[1])} on {two}, neither on {none}."
    )


def better(which: str, names: Sequence[str]) -> str:
    """Name the better model, or say that the interval does not tell."""
    return {"first": names[0], "second": names[1]}.get(which, ANSWERS["undecided"])


def listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return names for a sentence, and how many more there are."""
    shown = [plain(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {numbers.count(len(names) - most)} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def entered(estimate: Estimate, classes: Sequence[str]) -> str:
    """Say which classes entered a mean, or '' where all did or it is no mean over classes."""
    over = estimate.over
    if over is None or len(set(over)) == len(classes):
        return ""
    head = counted(estimate, classes)
    if not over:
        return head
    inside = set(over)
    missing = [name for i, name in enumerate(classes) if i not in inside]
    if len(missing) <= len(inside):
        return f"{head}, without {listed(missing)}"
    return f"{head}: {listed([classes[i] for i in over])}"


def counted(estimate: Estimate, classes: Sequence[str]) -> str:
    """Return 'over 6 of 7 classes', or '' where all entered a mean or it is none over classes."""
    over = estimate.over
    if over is None or len(set(over)) == len(classes):
        return ""
    return f"over {numbers.count(len(over))} of {numbers.count(len(classes))} classes"


def means(evaluation: Evaluation) -> list[str]:
    """Return a sentence for each set of classes that some means are over, where not all are."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for _, name, estimate in named_estimates(evaluation):
        text = entered(estimate, evaluation.classes)
        if text:
            groups[text].append(name)
    return [f"{listed(names)}: {text}." for text, names in groups.items()]


def named_estimates(evaluation: Evaluation) -> list[Named]:
    """Return the figures of the whole in the order in which they are shown.

    Without scores those are left out that need them; ``NO_SCORES`` says so once.
    """
    found = [
        Named(key, figure_name(key), evaluation.figures[key])
        for key in sorted(evaluation.figures, key=_place)
    ]
    found += [Named(f"auc_{k}", AUC.get(k, f"{k} AUC"), e) for k, e in evaluation.auc.items()]
    found += [
        Named(f"average_precision_{k}", f"{k} average precision", e)
        for k, e in evaluation.average_precision.items()
    ]
    if evaluation.scores is not None:
        return found
    return [each for each in found if each.estimate.defined or not each.key.startswith(SCORED)]


def _place(key: str) -> tuple[int, str]:
    """Return where a figure stands: in the order of ``ORDER``, one that is not in it last."""
    return (ORDER.index(key), "") if key in ORDER else (len(ORDER), key)


def methods(evaluation: Evaluation) -> list[str]:
    """Say which figures have which kind of interval."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for _, name, estimate in named_estimates(evaluation):
        groups[estimate.method].append(name)
    for name in ("recall", "precision", "f1", "auc", "average_precision"):
        for each in evaluation.per_class:
            found = getattr(each, name)
            text = f"{figure_name(name).replace('auc', 'AUC')} by class"
            if found.defined and text not in groups[found.method]:
                groups[found.method].append(text)
    return [f"{method}: {', '.join(names)}." for method, names in groups.items() if method]


def worst(classes: Iterable[ClassFigures], most: int) -> list[ClassFigures]:
    """Return the classes with the lowest recall, those without examples last."""
    order = sorted(
        classes, key=lambda each: math.inf if each.recall.value is None else each.recall.value
    )
    return order[:most]


def reach(target: RecallTarget) -> str:
    """Say whether a class reaches its recall target."""
    if target.answer == "undefined":
        return target.recall.reason or "undefined"
    return ANSWERS[target.answer]


def targets_note(targets: Iterable[RecallTarget]) -> str:
    """Say how to read a table of recall targets."""
    scored = any(each.threshold is not None for each in targets)
    return f"{TARGETS} {THRESHOLDS}" if scored else TARGETS


def pressing(targets: Sequence[RecallTarget], most: int) -> list[RecallTarget]:
    """Return the targets that are missed first, then those in doubt, the lowest recall first."""
    order = ("no", "undecided", "yes", "undefined")
    found = sorted(targets, key=lambda each: (order.index(each.answer), each.recall.value or 0.0))
    return found[:most]


def threshold(target: RecallTarget) -> str:
    """Write the threshold that reaches a target."""
    if target.threshold is None:
        return ABSENT
    if 0 < 1 - target.threshold < 0.01:  # a probability near one: its digits are after the nines
        return f"1 {numbers.MINUS} {1 - target.threshold:.2g}"
    return number(target.threshold)
