"""Running a study: plan, train, write segments and checkpoints, report progress.

The order of writes makes every moment safe to be killed in: a checkpoint first,
then the segment up to it (which is what makes the stretch done), then the older
checkpoint is deleted. Whatever has no segment is trained again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from descentlab.core.errors import StoreError
from descentlab.store.checkpoints import (
    Checkpoint,
    delete_checkpoint,
    write_checkpoint,
)
from descentlab.store.folder import Folder
from descentlab.store.segments import READINGS, write_readings, write_segment
from descentlab.studies.plan import CohortPlan, Tally
from descentlab.studies.rows import reading_columns, segment_columns, write_predictions

if TYPE_CHECKING:
    from descentlab.engine.lanes import Job, Stretch
    from descentlab.engine.program import Program
    from descentlab.engine.strategy import Strategy
    from descentlab.engine.training import Cohort

CHECKPOINT_SECONDS = 10.0
"""Time between checkpoints of a chunk: what a killed process loses at most, and one stretch."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a study is: runs, share of the work, the latest record, time left."""

    runs_done: int
    runs_planned: int
    diverged: int
    share: float
    elapsed: float
    remaining: float | None
    configuration: str = ""
    epoch: float = 0.0
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class _Chunk:
    """A chunk in training: what was recorded since its last segment, and where that ended."""

    name: str
    kept: int
    ended: np.ndarray
    latest: Stretch | None = None
    written: float = dataclasses.field(default_factory=time.monotonic)
    stretches: list[Stretch] = dataclasses.field(default_factory=list)


class Programs(dict[tuple[str, int], Any]):
    """Programs by cohort and width, each compiled once however often it is trained with."""

    def of(self, cohort: Cohort, layout: Strategy) -> Program:
        """Return the program of a cohort at a layout's width; the cohort may have grown."""
        from descentlab.engine.program import Program

        key = cohort.name, layout.width
        if key not in self:
            self[key] = Program(cohort, layout)
        self[key].cohort = cohort
        return self[key]

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return sum(program.compilations for program in self.values())

    @property
    def compile_seconds(self) -> float:
        """Seconds spent compiling so far, over all lanes."""
        return sum(program.compile_seconds for program in self.values())


class Execution:
    """Trains the pending runs of plans into a results folder.

    ``follow`` is told which runs have just been ended or paused, and returns what can
    be trained because of that.
    """

    def __init__(
        self,
        folder: Folder,
        plans: list[CohortPlan],
        tally: Tally,
        programs: Programs,
        follow: Callable[[Sequence[str]], list[CohortPlan]] = lambda _: [],
    ) -> None:
        self.folder = folder
        self._tally, self._programs, self._follow = tally, programs, follow
        self._done, self._diverged = tally.done, tally.diverged
        self._chunks: dict[str, _Chunk] = {}
        self._plans: dict[str, CohortPlan] = {}
        self._steps = self._asked = self._worked = 0.0
        self._first = plans

    def run(self) -> Iterator[Progress]:
        """Train everything pending; yield progress after each stretch.

        Whatever ends the iteration early (Ctrl-C, a closed generator, a full disk)
        leaves checkpoints from which the same study goes on.
        """
        from descentlab.engine.lanes import Work, train

        work = Work(self._jobs(self._first))
        lanes = max((p.strategy.lanes for p in self._first), default=1)
        if not self._tally.steps:
            lanes = min(lanes, work.unfinished) or 1
        begun = time.monotonic()
        try:
            for stretch in train(work, lanes):
                self._take(stretch)
                if stretch.finished or stretch.paused:
                    ended = [run.id for run in stretch.job.runs]
                    work.add(self._jobs(self._follow(ended)))
                yield self._progress(stretch, time.monotonic() - begun)
        finally:
            self._save_open()

    def _jobs(self, plans: Sequence[CohortPlan]) -> list[Job]:
        """Interrupted chunks first, then new ones; cohort after cohort, seed by seed."""
        from descentlab.engine.lanes import Job

        opened: list[Job] = []
        new: list[list[Job]] = []
        for plan in plans:
            self._plans[plan.cohort.name] = plan
            keep = plan.spec.record.predictions
            runs = {run.id: run for run in plan.cohort.runs}
            for checkpoint in plan.open_chunks:
                width = checkpoint.width
                layout = dataclasses.replace(
                    plan.strategy, form="map" if width == 1 else plan.strategy.form, width=width
                )
                program = self._programs.of(plan.cohort, layout)
                chunk = tuple(runs[name] for name in checkpoint.runs)
                state, until = _state(program, checkpoint), plan.end(checkpoint.runs)
                opened.append(Job(program, chunk, checkpoint.step, state, keep, until))
            if plan.pending:
                program = self._programs.of(plan.cohort, plan.strategy)
                new.append(
                    [
                        Job(program, chunk, predict=keep, until=plan.end(run.id for run in chunk))
                        for chunk in plan.chunks
                    ]
                )
        jobs = opened + _interleaved(new)
        for job in jobs:
            self._open(job)
        return jobs

    def _open(self, job: Job) -> None:
        name = chunk_name(job.program.cohort.name, [run.id for run in job.runs])
        ended = np.zeros(len(job.runs), bool)
        if job.state is not None:
            ended = np.asarray(job.state.diverged)[: len(job.runs)] >= 0
        self._chunks[name] = _Chunk(name, job.step, ended)
        self._steps += (job.end - job.step) * len(job.runs)
        self._asked += self._work(job, job.end - job.step)

    def _work(self, job: Job, steps: int) -> float:
        cost = self._plans[job.program.cohort.name].cost
        return (cost.update_flops + 1e5) * len(job.runs) * max(1, steps)

    def _take(self, stretch: Stretch) -> None:
        name = chunk_name(stretch.job.program.cohort.name, [run.id for run in stretch.job.runs])
        chunk = self._chunks[name]
        if chunk.latest is None:
            chunk.written = time.monotonic()  # what compiling took was no work to lose
        chunk.stretches.append(stretch)
        chunk.latest = stretch
        if stretch.finished:
            self._finish(chunk, stretch)
        elif stretch.paused:
            self._save(chunk)
            self._done += len(stretch.job.runs)
            del self._chunks[name]
        elif time.monotonic() - chunk.written > CHECKPOINT_SECONDS:
            self._save(chunk)

    def _finish(self, chunk: _Chunk, stretch: Stretch) -> None:
        plan = self._plans[stretch.job.program.cohort.name]
        if stretch.outputs is not None:
            write_predictions(self.folder, stretch)
        if plan.spec.record.checkpoint:
            self._write_state(chunk, f"final-{chunk.name}")
        self._write_rows(chunk)
        if chunk.kept > 0:
            delete_checkpoint(self.folder, f"{chunk.name}-{chunk.kept:08d}")
        self._done += len(stretch.job.runs)
        self._diverged += int((stretch.diverged >= 0).sum())
        del self._chunks[chunk.name]

    def _save(self, chunk: _Chunk) -> None:
        """Make everything up to the chunk's latest stretch safe."""
        if chunk.latest is None or chunk.latest.end <= chunk.kept:
            return
        before, end = chunk.kept, chunk.latest.end
        self._write_state(chunk, f"{chunk.name}-{end:08d}")
        self._write_rows(chunk)
        if before > 0:
            delete_checkpoint(self.folder, f"{chunk.name}-{before:08d}")
        chunk.kept, chunk.written, chunk.stretches = end, time.monotonic(), []
        chunk.ended = chunk.latest.diverged >= 0

    def _save_open(self) -> None:
        for chunk in list(self._chunks.values()):
            self._save(chunk)

    def _write_state(self, chunk: _Chunk, name: str) -> None:
        import jax

        stretch = chunk.latest
        assert stretch is not None
        leaves = tuple(np.asarray(leaf) for leaf in jax.tree.leaves(stretch.state))
        runs = tuple(run.id for run in stretch.job.runs)
        write_checkpoint(self.folder, name, Checkpoint(runs, stretch.end, lambda: leaves))

    def _write_rows(self, chunk: _Chunk) -> None:
        stretch = chunk.latest
        assert stretch is not None
        cohort = stretch.job.program.cohort
        columns = segment_columns(chunk.stretches, chunk.ended)
        name = f"{chunk.name}-{chunk.kept:08d}-{stretch.end:08d}"
        updates = sum(s.end - s.start for s in chunk.stretches) * len(stretch.job.runs)
        notes = {
            "cohort": cohort.name,
            "chunk": chunk.name,
            "seconds": f"{sum(s.seconds for s in chunk.stretches):.6f}",
            "updates": str(updates),
        }
        if stretch.job.program.readings and not chunk.ended.all():
            write_readings(self.folder, name, reading_columns(chunk.stretches, chunk.ended))
            notes[READINGS] = ",".join(stretch.job.program.readings)
        write_segment(self.folder, name, columns, notes)

    def _progress(self, stretch: Stretch, elapsed: float) -> Progress:
        cohort = stretch.job.program.cohort
        steps = stretch.job.end if stretch.finished else stretch.end
        self._worked += self._work(stretch.job, steps - stretch.start)
        later = max(0.0, self._tally.steps - self._steps) / max(1.0, self._steps)
        share = min(1.0, self._worked / max(1.0, self._asked * (1 + later)))
        metrics = {}
        if len(stretch.steps) and stretch.diverged[0] < 0:
            metrics = dict(zip(cohort.metrics, map(float, stretch.rows[0, -1]), strict=True))
        return Progress(
            runs_done=self._done,
            runs_planned=self._tally.planned,
            diverged=self._diverged,
            share=share,
            elapsed=elapsed,
            remaining=elapsed * (1 - share) / share if share > 0.01 else None,
            configuration=stretch.job.runs[0].id.rsplit("-s", 1)[0],
            epoch=stretch.end / cohort.steps_per_epoch,
            metrics=metrics,
        )


def chunk_name(cohort: str, runs: list[str]) -> str:
    """Return a chunk's name: its cohort and a digest of its runs."""
    return f"{cohort}-{hashlib.sha256(' '.join(runs).encode()).hexdigest()[:10]}"


def _state(program: Program, checkpoint: Checkpoint) -> Any:
    import jax

    leaves, structure = jax.tree.flatten(program.state_shape())
    found = checkpoint.leaves
    if [leaf.ndim for leaf in found] == [leaf.ndim for leaf in leaves]:
        found = tuple(_fitted(old, new.shape) for old, new in zip(found, leaves, strict=True))
    shapes = [(leaf.shape[1:], str(leaf.dtype)) for leaf in found]
    if shapes != [(leaf.shape[1:], str(leaf.dtype)) for leaf in leaves]:
        raise StoreError(
            "a checkpoint does not fit this version's programs; delete the folder's 'checkpoints' "
            "and run the study again: interrupted runs start anew, finished ones are kept"
        )
    return jax.tree.unflatten(structure, found)


def _fitted(leaf: np.ndarray, like: tuple[int, ...]) -> np.ndarray:
    """Return a leaf at another width of its program, if nothing but zeros is cut off."""
    from descentlab.engine.program import fitted

    found = fitted(leaf, (len(leaf), *like[1:]))
    return found if np.count_nonzero(found) == np.count_nonzero(leaf) else leaf


def _interleaved(queues: list[list[Job]]) -> list[Job]:
    """Take one chunk of every cohort in turn, so that all configurations have results early."""
    longest = max((len(q) for q in queues), default=0)
    return [q[i] for i in range(longest) for q in queues if i < len(q)]
