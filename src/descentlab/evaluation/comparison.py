"""Two models on one test set: who is better, and can the test set tell?

Both answer the same examples, so figures are compared pair by pair: McNemar's test for
accuracy, a bootstrap over the joint cells (label, first answer, second answer) for any
figure of counts, DeLong's covariance for areas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from descentlab.evaluation import counts
from descentlab.evaluation.areas import areas
from descentlab.evaluation.counts import Margins
from descentlab.evaluation.intervals import t_interval
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.probabilistic import example_losses, summarise
from descentlab.evaluation.proportions import mcnemar, paired_difference, z_quantile
from descentlab.evaluation.resampling import DRAWS, Sums, blocks, quantiles
from descentlab.evaluation.results import Estimate

FIGURES: Mapping[str, Callable[[Margins], np.ndarray]] = {
    "balanced_accuracy": counts.balanced_accuracy,
    "macro_f1": lambda m: counts.macro(counts.f1(m)),
    "weighted_f1": lambda m: counts.weighted(counts.f1(m), m.support),
    "matthews": counts.matthews,
    "kappa": counts.kappa,
}


@dataclass(frozen=True)
class Comparison:
    """What the same examples say about two models; differences are first minus second.

    Attributes:
        examples: number of examples.
        both, only_first, only_second, neither: how many of them are answered right by whom.
        p: McNemar's exact p value for equal accuracies.
        first, second: the figures of each.
        differences: with intervals; ``auc_macro`` and other means, and
            ``auc_class_NAME`` for each class's area.
        verdict: a plain sentence.
        level: the nominal coverage.
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

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as ``descentlab evaluate --against --json`` prints it."""
        keys = ("examples", "both", "only_first", "only_second", "neither")
        return {key: getattr(self, key) for key in keys} | {
            "mcnemar_p": self.p,
            "first": dict(self.first),
            "second": dict(self.second),
            "differences": {name: each.to_json() for name, each in self.differences.items()},
            "verdict": list(self.verdict),
            "level": self.level,
        }


def compare(
    first: Predictions,
    second: Predictions,
    *,
    names: tuple[str, str] = ("The first model", "the second model"),
    figures: Mapping[str, Callable[[Margins], np.ndarray]] = FIGURES,
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
    labels, classes = first.labels, len(first.classes)
    right = [a == labels for a in answers]
    b, c = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    both = int((right[0] & right[1]).sum())
    difference, low, high = paired_difference(b, c, len(labels), level)
    differences = {"accuracy": Estimate(difference, low, high, "Bonett and Price")}
    found: list[dict[str, float | None]] = [{"accuracy": float(r.mean())} for r in right]
    resampled = _bootstrap(labels, answers, classes, figures, level, draws, seed)
    for name, (values, gap) in resampled.items():
        differences[name] = gap
        for each, value in zip(found, values, strict=True):
            each[name] = value
    if first.scores is not None and second.scores is not None:
        _areas(first, second, level, found, differences)
        _losses(first, second, level, found, differences)
    p = mcnemar(b, c)
    return Comparison(
        len(labels), both, b, c, len(labels) - both - b - c, p, found[0], found[1], differences,
        (_sentence(names, right, differences["accuracy"], p, level),), level, names,
    )  # fmt: skip


def _same(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """Check that both are of the same examples; number the classes alike."""
    differ = (
        f"the classes differ: {', '.join(first.classes[:8])} and {', '.join(second.classes[:8])}"
    )
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


def _bootstrap(
    labels: np.ndarray, answers: list[np.ndarray], classes: int,
    figures: Mapping[str, Callable[[Margins], np.ndarray]], level: float, draws: int, seed: int,
) -> dict[str, tuple[list[float | None], Estimate]]:  # fmt: skip
    """Return each figure of both models, and its difference with a paired bootstrap interval."""
    code = (labels.astype(np.int64) * classes + answers[0]) * classes + answers[1]
    cells, count = np.unique(code, return_counts=True)
    row, rest = np.divmod(cells, classes * classes)
    sums = [Sums(row, column, classes) for column in np.divmod(rest, classes)]
    generator = np.random.default_rng(seed)
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in figures}
    for size in blocks(draws, len(count)):
        replicate = generator.multinomial(count.sum(), count / count.sum(), size=size)
        margins = [s.margins(replicate) for s in sums]
        for name, figure in figures.items():
            drawn[name].append(figure(margins[0]) - figure(margins[1]))
    found: dict[str, tuple[list[float | None], Estimate]] = {}
    for name, figure in figures.items():
        one, two = (float(figure(s.margins(count[None]))[0]) for s in sums)
        gap = Estimate.undefined("undefined for one of the models")
        if np.isfinite(one - two):
            ends = quantiles(np.concatenate(drawn[name]), level)
            gap = Estimate(one - two, *ends, "paired bootstrap")
        found[name] = [v if np.isfinite(v) else None for v in (one, two)], gap
    return found


def _areas(
    first: Predictions, second: Predictions, level: float, found: list[dict],
    differences: dict[str, Estimate],
) -> None:  # fmt: skip
    """Add the differences of areas, after DeLong: the influences are subtracted pair by pair."""
    assert first.scores is not None and second.scores is not None
    both = [areas(first.labels, scores, level) for scores in (first.scores, second.scores)]
    sample, n = both[0].sample, len(first.labels)
    if sample is None:
        return
    for key, influence in both[0].influence.items():
        name = f"auc_class_{first.classes[key]}" if isinstance(key, int) else f"auc_{key}"
        mine, theirs = (
            (a.auc_by_class[key] if isinstance(key, int) else a.auc[key]).value or 0.0 for a in both
        )
        variance = sample.variance_of_mean(influence - both[1].influence[key], n)
        half = z_quantile(level) * variance**0.5
        gap = mine - theirs
        differences[name] = Estimate(gap, max(-1, gap - half), min(1, gap + half), "DeLong")
        for values, value in zip(found, (mine, theirs), strict=True):
            values[name] = value


def _losses(
    first: Predictions, second: Predictions, level: float, found: list[dict],
    differences: dict[str, Estimate],
) -> None:  # fmt: skip
    losses = []
    for each, values in zip((first, second), found, strict=True):
        assert each.scores is not None
        losses.append(example_losses(each.scores, each.labels))
        values["log_loss"] = float(losses[-1].mean())
    interval = t_interval(losses[0] - losses[1], level)
    differences["log_loss"] = Estimate(interval.mean, interval.low, interval.high, "paired t")


def _sentence(
    names: tuple[str, str], right: list[np.ndarray], difference: Estimate, p: float, level: float
) -> str:
    one, two = names
    shares = [
        f"{name} answers {100 * r.mean():.1f} % right" for name, r in zip(names, right, strict=True)
    ]
    assert difference.value is not None and difference.low is not None
    assert difference.high is not None
    ends = f"{_points(difference.low)} to {_points(difference.high)}"
    evidence = (
        f"difference {_points(difference.value)} points, {100 * level:.0f} % interval {ends}; "
        f"McNemar p = {p:.2g}"
    )
    if p >= 1 - level:
        end = "these examples can't tell which is better"
    else:
        end = f"{one if difference.value > 0 else two} is better"
    return f"{shares[0]}, {shares[1]}: {end} ({evidence})."


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")
