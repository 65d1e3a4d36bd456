"""The test predictions of a study's classifiers, evaluated: each run, and over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from descentlab.core.errors import DescentLabError
from descentlab.evaluation.evaluate import evaluate
from descentlab.evaluation.intervals import Interval
from descentlab.evaluation.results import Estimate, Evaluation
from descentlab.evaluation.seeds import OverSeeds, over_seeds, paired_arms
from descentlab.studies.datasets import Datasets

if TYPE_CHECKING:
    from descentlab.data.dataset import Dataset
    from descentlab.studies.configurations import Configuration
    from descentlab.studies.result import StudyResult

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "auc_macro", "log_loss")

Progress = Callable[[float], None]


@dataclass(frozen=True)
class ConfigurationEvaluation:
    """The evaluations of one configuration's runs on the test part.

    Attributes:
        configuration: the configuration.
        seeds: of the runs, ascending.
        runs: their evaluations, in the order of the seeds.
        images: test examples as pictures ``[n, h, w]`` or ``[n, h, w, 3]``, if they are
            pictures and at hand.
        answers: of the typical run, by example: label, predicted class, confidence.
        diverged: how many more runs diverged, which have no answers.
    """

    configuration: Configuration
    seeds: tuple[int, ...]
    runs: tuple[Evaluation, ...]
    images: np.ndarray | None
    answers: tuple[np.ndarray, np.ndarray, np.ndarray]
    diverged: int = 0

    @property
    def typical(self) -> int:
        """Place of the run whose accuracy is nearest to the mean over seeds, the first of them."""
        return typical(self.runs)

    @cached_property
    def over_seeds(self) -> Mapping[str, OverSeeds]:
        """By figure: mean and spread between seeds, and the error that the test set leaves."""
        return {
            name: over_seeds([estimate_of(each, name) for each in self.runs]) for name in FIGURES
        }

    def by_seed(self, figure: str) -> dict[int, float]:
        """Return a figure by seed, without the runs in which it is undefined."""
        pairs = zip(self.seeds, self.runs, strict=True)
        values = {seed: estimate_of(each, figure).value for seed, each in pairs}
        return {seed: value for seed, value in values.items() if value is not None}

    def minus(self, other: ConfigurationEvaluation, figure: str, level: float = 0.95) -> Interval:
        """Return a figure minus that of another configuration, paired by the seeds of both."""
        mine, theirs = self.by_seed(figure), other.by_seed(figure)
        shared = sorted(set(mine) & set(theirs))
        return paired_arms([mine[s] for s in shared], [theirs[s] for s in shared], level)


def estimate_of(evaluation: Evaluation, name: str) -> Estimate:
    """Return a figure of an evaluation by its name; ``auc_macro`` is one of the areas."""
    if name.startswith("auc_"):
        return evaluation.auc[name.removeprefix("auc_")]
    return evaluation.figures[name]


def typical(runs: Sequence[Evaluation]) -> int:
    """Return the place of the run whose accuracy is nearest to the mean."""
    accuracies = np.array([each.figures["accuracy"].value for each in runs], float)
    return int(np.abs(accuracies - accuracies.mean()).argmin())


def evaluations(
    result: StudyResult, *, progress: Progress | None = None
) -> list[ConfigurationEvaluation]:
    """Evaluate the test predictions that a study of classifiers kept.

    Args:
        result: a study's result, finished or not.
        progress: called with the share of the runs that is evaluated.

    Returns:
        One item a configuration that has predictions; none where the study kept none, or
        predicts numbers instead of classes.
    """
    kept = [name for name in result.folder.names("predictions") if name.endswith(".parquet")]
    found: list[ConfigurationEvaluation] = []
    seeds = [int(seed) for seed in result.study.seeds]
    frame = result.frame()
    ended = frame[frame["diverged"].astype(bool)]
    datasets, done = Datasets(), 0
    for configuration in result.configurations:
        own = [s for s in seeds if f"predictions/{configuration.id}-s{s}.parquet" in kept]
        data = _dataset(datasets, configuration) if own else None
        runs: list[tuple[int, Evaluation, tuple[np.ndarray, np.ndarray, np.ndarray]]] = []
        for seed in own:
            read = _one(result, configuration, seed, data)
            done += 1
            if progress:
                progress(done / len(kept))
            if read is not None:
                runs.append((seed, *read))
        if runs:
            each = [evaluation for _, evaluation, _ in runs]
            lost = {int(s) for s in ended["seed"][ended["configuration"] == configuration.id]}
            lost = (lost | set(own)) - {seed for seed, *_ in runs}
            answers = runs[typical(each)][2]
            found.append(
                ConfigurationEvaluation(
                    configuration, tuple(seed for seed, *_ in runs), tuple(each),
                    _images(data, answers[0]), answers, len(lost),
                )
            )  # fmt: skip
    return found


def _one(
    result: StudyResult, configuration: Configuration, seed: int, data: Dataset | None
) -> tuple[Evaluation, tuple[np.ndarray, np.ndarray, np.ndarray]] | None:
    table = result.predictions(configuration.id, seed)
    logits = [] if table is None else [c for c in table.columns if c.startswith("logit_")]
    if table is None or not logits:
        return None
    labels, values = table["label"].to_numpy(), table[logits].to_numpy()
    if not np.isfinite(values).all():
        return None  # the run diverged: it has no answers
    names = data.classes if data and len(data.classes) == len(logits) else None
    highest = values.max(axis=1, keepdims=True)
    confidence = 1 / np.exp(values - highest).sum(axis=1)
    return (
        evaluate(labels, logits=values, classes=names if names is None else list(names)),
        (labels, values.argmax(axis=1), confidence),
    )


def _dataset(datasets: Datasets, configuration: Configuration) -> Dataset | None:
    """Return the configuration's data if they are on this machine; names and pictures need them."""
    try:
        return datasets.load(configuration.run)
    except (DescentLabError, OSError):
        return None


def _images(data: Dataset | None, labels: np.ndarray) -> np.ndarray | None:
    if data is None or data.test is None or not np.array_equal(data.test.targets, labels):
        return None
    inputs = data.test.inputs
    grey = inputs.ndim == 3 and min(inputs.shape[1:]) > 3
    coloured = inputs.ndim == 4 and inputs.shape[-1] == 3
    return inputs if grey or coloured else None
