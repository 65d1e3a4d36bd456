"""One update of a run of a study, trained again by the engine's own program up to it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from descentlab.core.errors import SpecError, nearest
from descentlab.core.spec import split_floats
from descentlab.engine.lanes import Job, train
from descentlab.engine.program import Program
from descentlab.engine.step import OneRun, State
from descentlab.engine.strategy import Strategy
from descentlab.engine.training import Cohort, Run
from descentlab.models.dropout import dropout
from descentlab.store.segments import query, segment_names
from descentlab.studies.configurations import Configuration
from descentlab.studies.datasets import Datasets
from descentlab.studies.plan import RunName, digest_of, make_training
from descentlab.studies.records import Records
from descentlab.studies.run import check_data

Report = Callable[[float], None]
"""Is told the share of the training that is done."""

WIDEST = 64
"""Widest chunk whose layout is kept for one run, so that its numbers are the study's to the bit."""

SHOWN = 12
"""Names that a message lists."""

DROPOUT = "model.dropout"


class Chosen(NamedTuple):
    """A run of a study."""

    result: Records
    configuration: Configuration
    seed: int

    @property
    def id(self) -> str:
        """The run's id, as segments have it."""
        return str(RunName(self.configuration.id, self.seed))


def choose(result: Records, run: str | None) -> Chosen:
    """Return the run of a name: ``c03-s1``, ``c03:1``, or ``c03`` with the study's first seed.

    Raises:
        SpecError: there is no such run.
    """
    found = {c.id: c for c in result.configurations}
    seeds = result.study.seeds
    if run is None:
        return Chosen(result, next(iter(found.values())), seeds[0])
    name, seed = run.strip(), seeds[0]
    if name not in found:
        parted = re.fullmatch(r"(.+?)(?::|-s)(\d+)", name, re.ASCII)
        name, seed = (parted[1], int(parted[2])) if parted else (name, seed)
    if name not in found:
        guess, first = nearest(name, found), next(iter(found))
        hint = f"; did you mean '{guess}'?" if guess else ""
        raise SpecError(
            f"--run: there is no configuration '{name}'{hint} ({result.folder} has "
            f"{_listed(list(found))}); write {first}, or {first}:{seeds[0]} with a seed"
        )
    if seed not in seeds:
        known = _listed([str(each) for each in seeds])
        raise SpecError(f"--run: the study has no seed {seed} (its seeds: {known})")
    return Chosen(result, found[name], seed)


def _listed(names: Sequence[str]) -> str:
    if len(names) <= SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: SHOWN - 1])} … {names[-1]}"


@dataclasses.dataclass(frozen=True)
class Moment:
    """Everything that one update of a run is made from, and what the engine made of it.

    Attributes:
        chosen: the run.
        step: the update's number, counted from 1.
        cohort: the run alone, as the engine trains it.
        exact: the engine's functions of the run in float64.
        before: parameters and optimizer before the update.
        after: the same after it.
        inputs: of the batch, as they are stored.
        targets: of the batch, as the objective takes them.
        masks: which units of each hidden layer dropout keeps; none without dropout.
        key: of the dropout masks.
        record: the update of the last record until then; -1 if there is none.
        apart: how far that record is from the folder's, relative to it; None where the folder
            has none.
    """

    chosen: Chosen
    step: int
    cohort: Cohort
    exact: OneRun
    before: State
    after: State
    inputs: np.ndarray
    targets: np.ndarray
    masks: tuple[np.ndarray, ...]
    key: Any
    record: int = -1
    apart: float | None = None

    @property
    def spec(self) -> Any:
        """What the run is."""
        return self.chosen.configuration.run

    @property
    def floats(self) -> dict[str, float]:
        """The run's floats; the rate of dropout as the run's precision has it."""
        found = dict(self.cohort.runs[0].floats)
        if DROPOUT in found:
            found[DROPOUT] = float(np.dtype(self.spec.precision).type(found[DROPOUT]))
        return found


def retrained(chosen: Chosen, step: int, progress: Report | None = None) -> Moment:
    """Train a run again up to an update, and look at that one.

    The program is the study's own; where the study's layout is on record, and not too wide,
    the run is laid out alike, so that on the same machine its numbers are the study's to the bit.

    Args:
        chosen: the run.
        step: the update, counted from 1.
        progress: is told now and then which share of the training is done.

    Raises:
        SpecError: the run has no such update, or had diverged before it.
    """
    cohort, exact = _alone(chosen)
    _check_step(chosen, step, cohort.training.steps)
    program = Program(cohort, _layout(chosen))
    records: dict[int, np.ndarray] = {}
    before = _begun(program)
    if step > 1:
        before = _followed(Job(program, cohort.runs, until=step - 1), records, progress)
        _check_diverged(chosen, int(before.diverged[0]), step)
    after = _followed(Job(program, cohort.runs, step - 1, before, until=step), records)
    places, masks, key = _seen(program, before, step)
    inputs, targets = (part[places] for part in cohort.arrays.parts["train"])
    last = max((at for at in records if at <= step), default=-1)
    return Moment(
        chosen=chosen,
        step=step,
        cohort=cohort,
        exact=exact,
        before=jax.tree.map(lambda leaf: np.asarray(leaf)[0], before),
        after=jax.tree.map(lambda leaf: np.asarray(leaf)[0], after),
        inputs=inputs,
        targets=targets,
        masks=tuple(mask[: len(places)] for mask in masks),
        key=key,
        record=last,
        apart=_apart(chosen, cohort, last, records[last]) if last >= 0 else None,
    )


def _alone(chosen: Chosen) -> tuple[Cohort, OneRun]:
    """Return the run as a cohort of its own, and its functions in float64."""
    spec, datasets = chosen.configuration.run, Datasets()
    dataset = datasets.load(spec)
    check_data(chosen.result.folder, datasets)
    training = make_training(spec, dataset)
    run = Run(chosen.id, chosen.seed, split_floats(spec)[1])
    cohort = Cohort("explain", training, datasets.arrays(spec, training), (run,))
    exact = make_training(spec.model_copy(update={"precision": "float64"}), dataset)
    return cohort, OneRun(dataclasses.replace(cohort, training=exact))


def _check_step(chosen: Chosen, step: int, steps: int) -> None:
    if isinstance(step, bool) or not isinstance(step, int):
        raise SpecError(f"--step: expected the number of an update, such as 1, found {step!r}")
    if not 1 <= step <= steps:
        raise SpecError(f"--step: run {chosen.id} has updates 1 to {steps:,}, found {step:,}")
    if not segment_names(chosen.result.folder):
        return
    frame = chosen.result.frame()
    own = (frame["configuration"] == chosen.configuration.id) & (frame["seed"] == chosen.seed)
    ended = frame[own & frame["diverged"]]["diverged_step"]
    if len(ended):
        _check_diverged(chosen, int(ended.iloc[0]), step)


def _check_diverged(chosen: Chosen, after: int, step: int) -> None:
    """Refuse an update that follows the one after which a run was seen to diverge."""
    if 0 <= after < step:
        what = f"choose one up to {after:,}" if after else "it has none that could be shown"
        raise SpecError(
            f"--step: run {chosen.id} diverged: after {after:,} updates its numbers are not "
            f"finite, so update {step:,} has none; {what}"
        )


def _layout(chosen: Chosen) -> Strategy:
    """Return how the study laid the run's cohort out, or a layout for it alone."""
    ending = f"-{digest_of(split_floats(chosen.configuration.run)[0])}"
    for session in reversed(chosen.result.provenance.get("sessions", [])):
        for cohort, text in session.get("strategies", {}).items():
            if cohort.endswith(ending):
                found = dataclasses.replace(Strategy.parse(text), lanes=1)
                return found if found.width <= WIDEST else Strategy("map", 1, 1)
    return Strategy("map", 1, 1)


def _begun(program: Program) -> State:
    with program.precision():
        return program.begin(program.cohort.runs)


def _followed(job: Job, records: dict[int, np.ndarray], progress: Report | None = None) -> State:
    """Train a job to its end; put its records into ``records`` by update."""
    state = job.state
    for stretch in train([job], 1):
        records |= dict(zip(stretch.steps, stretch.rows[0], strict=True))
        if progress is not None:
            progress(stretch.end / job.end)
        state = stretch.state
    assert state is not None
    return state


def _seen(program: Program, before: State, step: int) -> tuple[np.ndarray, list[np.ndarray], Any]:
    """Return which examples an update saw, what dropout kept of each layer, and the key of that."""
    cohort = program.cohort
    one, run = OneRun(cohort), cohort.runs[0]
    layers = getattr(before.parameters, "layers", ())
    widths = [layer.weight.shape[-1] for layer in layers[:-1]] if DROPOUT in run.floats else []

    def look(seed: Any, rate: Any, at: Any) -> Any:
        key = one.dropout_key(seed, at)
        ones = [jnp.ones((one.batch_size, width), one.dtype) for width in widths]
        kept = [dropout(x, rate, key, number) > 0 for number, x in enumerate(ones)]
        return one.examples_of(seed, at), kept, key

    with program.precision():
        rate = np.asarray(run.floats.get(DROPOUT, 0.0), one.dtype)
        places, kept, key = jax.jit(look)(np.uint32(run.seed), rate, np.int32(step - 1))
    places = np.asarray(places)
    return places[places < one.examples], [np.asarray(mask) for mask in kept], key


def _apart(chosen: Chosen, cohort: Cohort, step: int, row: np.ndarray) -> float | None:
    """Return how far a record is from the folder's of the same update, the worst metric's."""
    folder = chosen.result.folder
    if not segment_names(folder):
        return None
    names = ", ".join(f'"{name}"' for name in cohort.metrics)
    found = query(
        folder,
        f"""SELECT {names} FROM segments WHERE configuration = '{chosen.configuration.id}'
            AND seed = {chosen.seed} AND step = {step} AND NOT diverged""",
        ["configuration", "seed", "step", "diverged", *cohort.metrics],
    )
    if not len(found):
        return None
    stored = found.iloc[0].to_numpy(float)
    there = np.isfinite(stored) & np.isfinite(row)
    away = np.abs(row - stored)[there] / np.maximum(np.abs(stored[there]), 1e-12)
    return float(away.max(initial=0.0))
