"""The plan: a pure function of the resolved study and of the segments that exist."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from descentlab.core.errors import SpecError, unknown
from descentlab.core.spec import split_floats, with_floats
from descentlab.optimizers.schedule_specs import Clock
from descentlab.studies.configurations import Configuration
from descentlab.studies.datasets import Datasets, used_parts
from descentlab.studies.spec import RunSpec
from descentlab.studies.widths import Group, groups_of, shared

if TYPE_CHECKING:
    from descentlab.data.dataset import Dataset
    from descentlab.engine.cost import Cost
    from descentlab.engine.strategy import Platform, Strategy
    from descentlab.engine.training import Cohort, Run, Training
    from descentlab.store.checkpoints import Checkpoint


class RunName(NamedTuple):
    """Which run: a configuration's id and a seed."""

    configuration: str
    seed: int

    def __str__(self) -> str:
        """Return the run's id in segments and checkpoints."""
        return f"{self.configuration}-s{self.seed}"


@dataclasses.dataclass(frozen=True)
class CohortPlan:
    """A cohort, the runs it still has to train, what one costs, and how they are laid out.

    ``until`` has the update at which a run pauses, where that is not its last.
    """

    cohort: Cohort
    spec: RunSpec
    pending: tuple[Run, ...]
    open_chunks: tuple[Checkpoint, ...]
    cost: Cost
    strategy: Strategy
    until: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def end(self, runs: Iterable[str]) -> int:
        """Return the update at which a chunk of runs ends or pauses; diverged ones have no say."""
        asked = [self.until[run] for run in runs if run in self.until]
        return max(asked, default=self.cohort.training.steps)

    @property
    def updates(self) -> tuple[int, int]:
        """Updates that new runs, and those that go on, have before they end or pause."""
        going = (
            (self.end(chunk.runs) - chunk.step) * len(chunk.runs) for chunk in self.open_chunks
        )
        return sum(self.end([run.id]) for run in self.pending), sum(going)

    @property
    def chunks(self) -> list[tuple[Run, ...]]:
        """The pending runs, cut into chunks of the strategy's width that pause together."""
        width = self.strategy.width
        groups: dict[int | None, list[Run]] = {}
        for run in self.pending:
            groups.setdefault(self.until.get(run.id), []).append(run)
        return [
            tuple(group[i : i + width])
            for group in groups.values()
            for i in range(0, len(group), width)
        ]


class Tally(NamedTuple):
    """What progress is counted against; a search trains more than can be asked for at once.

    Attributes:
        done, diverged: runs that were ended before.
        planned: runs there will be.
        steps: updates that are left to train in all runs, those not yet asked for included.
    """

    done: int
    diverged: int
    planned: int
    steps: int = 0


def make_training(run: RunSpec, dataset: Dataset) -> Training:
    """Build what one compiled program trains from a run's specification."""
    import jax.numpy as jnp

    from descentlab.engine.training import Training
    from descentlab.optimizers.protocol import checked

    objective = run.objective.build(run.loss, dataset)
    shape = dataset.train.inputs.shape[1:]
    clock = _clock(run, dataset)
    every = clock.per_epoch if run.record.every == "epoch" else run.record.every
    if run.record.predictions and dataset.test is None:
        raise SpecError(
            "run.record.predictions: the data has no test part; set run.data.split.test"
        )

    def build(floats: Any, key: Any) -> Any:
        spec = with_floats(run.model, floats, "model")
        return spec.build(shape, objective.outputs, key=key, dtype=jnp.dtype(run.precision))

    def optimizer(floats: Any) -> Any:
        schedule = with_floats(run.schedule, floats, "schedule").build(clock)
        return checked(with_floats(run.optimizer, floats, "optimizer").build(schedule))

    return Training(
        build=build,
        batched=run.model.batched,
        objective=objective,
        optimizer=optimizer,
        batches=run.batches,
        steps=clock.batches,
        every=min(every, clock.batches),
        train_record=run.record.train,
        evaluate_dropout=run.evaluate_dropout,
        precision=run.precision,
        gradient_norms=run.record.gradient_norms,
        fast_weights=run.record.fast_weights,
        draws=run.record.draws,
    )


def _clock(run: RunSpec, dataset: Dataset) -> Clock:
    """Return how long a run is, having seen that optimizer and schedule fit its length."""
    examples = len(dataset.train)
    run.batches.check(examples)
    per_epoch = run.batches.steps_per_epoch(examples)
    steps = run.steps if run.steps is not None else (run.epochs or 0) * per_epoch
    if steps >= 1 << 31:
        raise SpecError(f"run: {steps:,} updates; at most 2,147,483,647 can be counted")
    clock = Clock(steps, per_epoch, run.optimizer.batches_per_update)
    run.optimizer.check_length(steps, "run.optimizer")
    run.schedule.check(clock)
    return clock


def check_runs(
    configurations: Sequence[Configuration], datasets: Datasets, metrics: Mapping[str, str] = {}
) -> None:
    """Load every data set and build every training once, so that faults show before writing.

    Raises:
        SpecError: a run does not fit its data, or none records one of ``metrics``, which
            are given by their place in the study file.
        DataError: data is missing or damaged.
    """
    from descentlab.engine.readings import reading_names
    from descentlab.engine.training import PARTS

    structures = {split_floats(c.run)[0]: c.run for c in reversed(configurations)}
    recorded: set[str] = set()
    read: set[str] = set()
    for run in structures.values():
        dataset = datasets.load(run)
        parts = used_parts(run, [part for part in PARTS if getattr(dataset, part)])
        training = make_training(run, dataset)
        recorded.update(training.metrics(parts))
        if not recorded.issuperset(metrics.values()):
            read.update(reading_names(training, split_floats(run)[1]))
    for place, metric in metrics.items():
        known = recorded | read if place.startswith("claims.") else recorded
        if metric not in known:
            raise SpecError(f"{place}: {unknown('metric', metric, known)}")


def plan(
    configurations: Sequence[Configuration],
    seeds: Sequence[int],
    platform: Platform,
    *,
    finished: frozenset[str] = frozenset(),
    checkpoints: Sequence[Checkpoint] = (),
    reproducible: bool = False,
    strategy: Strategy | None = None,
    datasets: Datasets | None = None,
    share: float = 1.0,
) -> list[CohortPlan]:
    """Group runs into cohorts by structure and lay each on the device.

    Structures that differ in widths alone may share a cohort: :mod:`.widths`.

    Args:
        configurations: the study's configurations.
        seeds: the study's seeds; every configuration is trained with each.
        platform: the device that the layout is chosen for.
        finished: ids of runs whose segments are complete; they are skipped.
        checkpoints: chunks that were interrupted; they go on where they stood.
        reproducible: see :func:`descentlab.engine.strategy.choose`.
        strategy: a layout for every cohort instead of the chosen one.
        datasets: data sets that are loaded already.
        share: how much of a run is expected to be trained, on average; a search stops many.
    """
    from descentlab.engine.strategy import choose

    datasets = datasets or Datasets()
    open_runs = frozenset(run for checkpoint in checkpoints for run in checkpoint.runs)
    groups = groups_of(configurations)
    if not reproducible:
        groups = shared(groups, datasets, share * len(seeds), platform.kind)
    plans = []
    for number, group in enumerate(groups):
        cohort = _cohort(number, group, seeds, datasets)
        ids = {run.id for run in cohort.runs}
        pending = tuple(r for r in cohort.runs if r.id not in finished and r.id not in open_runs)
        cost = _cost(cohort, group.spec, platform)
        # by all runs of the cohort, not the pending ones: a rerun keeps the width, and so the bits
        layout = strategy or choose(
            cost.run_bytes, len(cohort.runs), len(groups), platform, reproducible
        )
        chunks = tuple(filter(None, (checkpoint.only(ids) for checkpoint in checkpoints)))
        plans.append(CohortPlan(cohort, group.spec, pending, chunks, cost, layout))
    return plans


def _cost(cohort: Cohort, run: RunSpec, platform: Platform) -> Cost:
    """Return what a run costs, the optimizer's own work included.

    Raises:
        SpecError: the optimizer needs more memory than there is.
    """
    from descentlab.engine.cost import estimate

    cost = estimate(cohort)
    each = 8 if run.precision == "float64" else 4
    optimizer = run.optimizer
    live = cost.run_bytes // each
    optimizer.check_memory(cost.parameters, live, each, platform.most_bytes, "run.optimizer")
    return dataclasses.replace(
        cost,
        run_bytes=cost.run_bytes + each * optimizer.workspace(cost.parameters, live),
        update_flops=cost.update_flops + optimizer.flops(cost.parameters, cost.update_flops),
    )


def _cohort(number: int, group: Group, seeds: Sequence[int], datasets: Datasets) -> Cohort:
    from descentlab.engine.training import Cohort, Run

    dataset = datasets.load(group.spec)
    training = make_training(group.spec, dataset)
    runs = tuple(  # seed by seed, so that every configuration has results early
        Run(str(RunName(configuration.id, seed)), seed, floats)
        for seed in seeds
        for configuration, floats in group.members
    )
    own = {split_floats(c.run)[0]: c.run for c, _ in group.members}
    narrower = {}
    if set(own) != {group.structure}:
        trainings = {structure: make_training(run, dataset) for structure, run in own.items()}
        narrower = {
            str(RunName(c.id, seed)): (structure, trainings[structure])
            for seed in seeds
            for c, _ in group.members
            if (structure := split_floats(c.run)[0])
        }
    arrays = datasets.arrays(group.spec, training)
    name = f"k{number:02d}-{digest_of(group.structure)}"
    return Cohort(name, training, arrays, runs, narrower)


def digest_of(structure: str) -> str:
    """Return what a cohort's name says of its structure."""
    return hashlib.sha256(structure.encode()).hexdigest()[:6]
