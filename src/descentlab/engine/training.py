"""What one compiled program trains: everything but floats, seeds and data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from descentlab.core.errors import SpecError

if TYPE_CHECKING:
    from descentlab.data.batches import Batches
    from descentlab.data.dataset import Dataset
    from descentlab.objectives.objective import Objective
    from descentlab.optimizers.protocol import Optimizer

Floats = Mapping[str, Any]
"""The floats of a run by path: numbers outside, traced arrays inside a program."""

PARTS = ("train", "validation", "test")

DRAWS = ("train_seen", "train_seen_once")
"""Shares of the training examples that the epoch has drawn so far at least, or just, once."""


@dataclasses.dataclass(frozen=True)
class Training:
    """The structure that the runs of a cohort share.

    Attributes:
        build: makes the model from the run's floats and its ``init`` key.
        batched: whether the model takes a batch (ours) or one example (Equinox's habit).
        objective: loss and metrics, each a function of outputs and targets.
        optimizer: makes the optimizer from the run's floats.
        batches: which examples each update sees.
        steps: number of updates.
        every: a record is made at step 0, at every multiple of this, and at the last step.
        train_record: ``running`` (mean over the batches since the last record, as
            training saw them: parameters moving, dropout on) or ``evaluated`` (a pass
            over the training set with the parameters of that step).
        evaluate_dropout: keep dropout on in evaluations (a common fault, for showing it).
        gradient_norms: read the norms of the gradients at every update.
        draws: record which share of the examples the epoch has drawn, and drawn once.
        fast_weights: evaluate the optimizer's fast weights too, beside what it evaluates.
        precision: dtype of parameters, floats and inputs.
    """

    build: Callable[[Floats, Any], Any]
    batched: bool
    objective: Objective
    optimizer: Callable[[Floats], Optimizer]
    batches: Batches
    steps: int
    every: int
    train_record: Literal["running", "evaluated"] = "running"
    evaluate_dropout: bool = False
    precision: Literal["float32", "float64"] = "float32"
    gradient_norms: bool = False
    fast_weights: bool = False
    draws: bool = False

    def metrics(self, parts: Container[str]) -> tuple[str, ...]:
        """Return the names of what is recorded for these parts of the data, in column order."""
        names, there = self.objective.metrics, [part for part in PARTS if part in parts]
        slow = [f"{part}_{name}" for part in there for name in names]
        evaluated = [part for part in there if self.fast_weights and self.evaluates(part)]
        fast = [f"{part}_fast_{name}" for part in evaluated for name in names]
        return (*slow, *fast, *(DRAWS if self.draws else ()))

    def evaluates(self, part: str) -> bool:
        """Whether records of a part come from a pass over it, and not from the batches."""
        return part != "train" or self.train_record == "evaluated"


class Run(NamedTuple):
    """One training: a configuration's floats and a seed, under a name of its own."""

    id: str
    seed: int
    floats: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Arrays:
    """A data set as the programs take it: (inputs, targets) by part, and its name."""

    parts: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, dataset: Dataset, objective: Objective, precision: str) -> Arrays:
        """Prepare a data set's parts for an objective: inputs in ``precision``, checked targets."""
        parts = {}
        for name in PARTS:
            examples = getattr(dataset, name)
            if examples is not None and len(examples):
                targets = np.asarray(objective.prepare(examples.targets))
                parts[name] = (np.ascontiguousarray(examples.inputs, precision), targets)
        return cls(parts)

    @property
    def examples(self) -> int:
        """Number of training examples."""
        return len(self.parts["train"][0])

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...], str, tuple[int, ...], str], ...]:
        """Shapes and dtypes of every part, which belong to a cohort's structure."""
        return tuple(
            (n, x.shape, str(x.dtype), y.shape, str(y.dtype)) for n, (x, y) in self.parts.items()
        )


@dataclasses.dataclass(frozen=True)
class Cohort:
    """Runs that share a structure and are trained by one compiled program.

    ``narrower`` has, by id, the structure and the training of each run whose network is
    smaller: it begins with its own initial weights in the corner of the cohort's, the
    others zero.
    """

    name: str
    training: Training
    arrays: Arrays
    runs: tuple[Run, ...]
    narrower: Mapping[str, tuple[str, Training]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a cohort without work."""
        if not self.runs:
            raise SpecError(f"cohort {self.name} has no runs")

    @property
    def steps_per_epoch(self) -> int:
        """Updates in one epoch of this cohort's data."""
        return self.training.batches.steps_per_epoch(self.arrays.examples)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the recorded metrics, such as ``test_accuracy``, in column order."""
        return self.training.metrics(self.arrays.parts)

    def records(self, start: int, end: int) -> list[int]:
        """Return the steps in (start, end] with a record; step 0 counts if start < 0."""
        every, last = self.training.every, self.training.steps
        steps = list(range((start // every + 1) * every, end + 1, every))
        return [*steps, last] if start < last <= end and last % every else steps
