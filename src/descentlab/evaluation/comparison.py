"""Two models on one test set: who is better, and can the test set tell?

Both answer the same examples, so figures are compared pair by pair: McNemar's test for
accuracy, a bootstrap over the joint cells (label, first answer, second answer) for any
figure of counts, DeLong's covariance for areas, the differences of each example for losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from descentlab.evaluation import counts
from descentlab.evaluation.differences import (
    NO_SPREAD,
    SAME_SCORES,
    Better,
    Difference,
    Figure,
    of_areas,
    of_counts,
    of_examples,
    paired,
)
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.probabilistic import summarise
from descentlab.evaluation.proportions import mcnemar
from descentlab.evaluation.resampling import DRAWS
from descentlab.evaluation.results import Estimate
from descentlab.evaluation.sentences import decimals_of, evidence, plain, points, shares

FIGURES: Mapping[str, Figure] = {
    "balanced_accuracy": counts.balanced_accuracy,
    "macro_precision": lambda m: counts.macro(counts.precision(m)),
    "macro_f1": lambda m: counts.macro(counts.f1(m)),
    "weighted_f1": lambda m: counts.weighted(counts.f1(m), m.support),
    "matthews": counts.matthews,
    "kappa": counts.kappa,
}
"""Macro recall is the balanced accuracy."""


@dataclass(frozen=True)
class Comparison:
    """What the same examples say about two models; differences are first minus second.

    Attributes:
        examples: number of examples.
        both, only_first, only_second, neither: how many of them are answered right by whom.
        p: McNemar's exact p value for equal accuracies.
        first, second: the figures of each.
        differences: with intervals, or the reason why there is none; ``auc_macro`` and other
            means, and last ``recall_class_NAME``, ``auc_class_NAME`` … of single classes.
        verdict: a plain sentence.
        level: the nominal coverage.
        names: of the models.
        better: of each difference ``first``, ``second`` or '' where it can't be told; the
            sentence says the same of the accuracy.
    """

    examples: int
    both: int
    only_first: int
    only_second: int
    neither: int
    p: float
    first: Mapping[str, float | None]
    second: Mapping[str, float | None]
    differences: Mapping[str, Estimate]
    verdict: tuple[str, ...]
    level: float = 0.95
    names: tuple[str, str] = field(default=("The first model", "the second model"))
    better: Mapping[str, Better] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as ``descentlab evaluate --against --json`` prints it."""
        keys = ("examples", "both", "only_first", "only_second", "neither")
        return {key: getattr(self, key) for key in keys} | {
            "mcnemar_p": self.p,
            "first": dict(self.first),
            "second": dict(self.second),
            "differences": {
                name: each.to_json()
                | ({"reason": each.reason} if each.reason else {})
                | {"better": self.better.get(name) or None}
                for name, each in self.differences.items()
            },
            "verdict": list(self.verdict),
            "level": self.level,
        }


def compare(
    first: Predictions,
    second: Predictions,
    *,
    names: tuple[str, str] = ("The first model", "the second model"),
    figures: Mapping[str, Figure] = FIGURES,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare two models' predictions of the same examples, in the same order.

    Args:
        first: predictions of one model.
        second: those of the other, with the same labels and classes.
        names: of the models, for the sentence.
        figures: functions of counts as in :mod:`.counts`, by name, compared by bootstrap.
        level: the nominal coverage.
        draws: bootstrap replicates.
        seed: of the draws.

    Raises:
        ValueError: the labels or the classes are not the same.
    """
    first, second = _same(first, second)
    answers = [_answers(each) for each in (first, second)]
    right = [a == first.labels for a in answers]
    found = {"accuracy": Difference.of_shares(right[0], right[1], level)}
    found |= _compared(first, second, answers, figures, level, draws, seed)
    sentence = _sentence((plain(names[0]), plain(names[1])), right, answers, level)
    both, one, two = (int(x.sum()) for x in (right[0] & right[1], *right))
    n = len(first.labels)
    return Comparison(
        n, both, one - both, two - both, n - one - two + both,
        mcnemar(one - both, two - both),
        {name: each.first for name, each in found.items()},
        {name: each.second for name, each in found.items()},
        {name: each.gap for name, each in found.items()},
        (sentence,), level, names,
        {name: each.better for name, each in found.items()},
    )  # fmt: skip


def _same(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Check that both are of the same examples; number the classes alike."""
    one, two = (", ".join(map(plain, each.classes[:8])) for each in (first, second))
    differ = f"the classes differ: {one} and {two}"
    if first.classes != second.classes:
        # Without scores the classes are those that occur, and an answer that one model
        # alone gives is a class of the other too.
        known = set(first.classes) & set(second.classes)
        both_scored = first.scores is not None and second.scores is not None
        if both_scored or any(not known.issuperset(_labelled(each)) for each in (first, second)):
            raise ValueError(differ)
        names = (*first.classes, *(c for c in second.classes if c not in known))
        first, second = _renumbered(first, names), _renumbered(second, names)
    if len(first.labels) != len(second.labels):
        raise ValueError(f"{len(first.labels)} and {len(second.labels)} examples: not one test set")
    wrong = np.flatnonzero(first.labels != second.labels)
    if len(wrong):
        raise ValueError(
            f"the labels differ in {len(wrong):,} examples, first in example {wrong[0]}: "
            "two models are compared on the same examples in the same order"
        )
    return first, second


def _labelled(given: Predictions) -> set[str]:
    return {given.classes[k] for k in np.unique(given.labels)}


def _renumbered(given: Predictions, names: tuple[str, ...]) -> Predictions:
    """Return the same answers with the classes numbered by their place in ``names``."""
    place = {name: k for k, name in enumerate(names)}
    new = np.array([place[name] for name in given.classes])
    labels, answers = new[given.labels], new[_answers(given)]
    return Predictions(labels, answers, None, names)


def _answers(given: Predictions) -> np.ndarray:
    if given.answers is not None:
        return given.answers
    assert given.scores is not None
    return summarise(given.scores, given.labels)[0]


def _compared(
    first: Predictions, second: Predictions, answers: list[np.ndarray],
    figures: Mapping[str, Figure], level: float, draws: int, seed: int,
) -> dict[str, Difference]:  # fmt: skip
    """Return all differences but that of accuracy, those of single classes last."""
    found = of_counts(
        first.labels, answers, first.classes, figures, level=level, draws=draws, seed=seed
    )
    if first.scores is not None and second.scores is not None:
        found |= of_areas(first, second, level) | of_examples(first, second, level)
        if found["log_loss"].gap.value == 0 and found["brier"].gap.value == 0:
            found = {name: _same_scores(each) for name, each in found.items()}
    return dict(sorted(found.items(), key=lambda item: _place(item[0])))


def _place(name: str) -> int:
    """Return where a difference stands: those of single classes last, figure by figure."""
    figure, single, _ = name.partition("_class_")
    return 1 + ("precision", "recall", "f1", "auc").index(figure) if single else 0


def _same_scores(found: Difference) -> Difference:
    """Say that scores are identical, where that is why nothing differs."""
    if found.gap.reason != NO_SPREAD:
        return found
    return replace(found, gap=replace(found.gap, reason=SAME_SCORES))


def _sentence(
    names: tuple[str, str], right: Sequence[np.ndarray], answers: Sequence[np.ndarray],
    level: float,
) -> str:  # fmt: skip
    one, two = names
    gap = paired(right[0], right[1], level)
    known = shares([r.mean() for r in right], decimals_of(points(gap)[0]))
    start = f"{one} answers {known[0]} right, {two} answers {known[1]} right"
    if (answers[0] == answers[1]).all():
        return f"{start}: their answers are identical on every example."
    end = ("these examples can't tell which is better", f"{one} is better", f"{two} is better")
    return f"{start}: {end[gap.better]} (difference {evidence(gap)})."
