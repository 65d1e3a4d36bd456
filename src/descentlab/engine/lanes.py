"""Lanes: threads that train chunks stretch by stretch, and report each stretch.

:func:`train` is a generator. Its consumer writes what it wants to keep while the
lanes go on; since states are immutable arrays, any reported state is a checkpoint.
Closing the generator (or Ctrl-C in the consumer) stops every lane at the end of
the stretch it is in.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from descentlab.engine.program import Program
from descentlab.engine.readings import MOST_UPDATES
from descentlab.engine.step import State
from descentlab.engine.training import Arrays, Run

STRETCH_SECONDS = 0.7
"""Work between two looks at the clock: Ctrl-C and checkpoints wait at most about this long."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A chunk to train: its program, its runs, where it stands, and how far it is to go.

    ``until`` is the update to stop at, all of them by default.
    """

    program: Program
    runs: tuple[Run, ...]
    step: int = 0
    state: State | None = None
    predict: bool = False
    until: int | None = None

    @property
    def end(self) -> int:
        """The update to stop at."""
        steps = self.program.cohort.training.steps
        return steps if self.until is None else min(steps, self.until)


@dataclasses.dataclass(frozen=True)
class Stretch:
    """What a lane reports: the records made between two updates, and the state after.

    ``rows`` is ``[runs, records, metrics]`` in the order of ``steps`` and of the
    cohort's ``metrics``; ``diverged`` has the update at which each run diverged, or
    -1. ``readings`` is ``[runs, updates, readings]`` in the order of the program's.
    ``outputs`` holds the test outputs ``[runs, n, outputs]`` at the end, if asked.
    """

    job: Job
    start: int
    end: int
    steps: tuple[int, ...]
    rows: np.ndarray
    diverged: np.ndarray
    state: State
    seconds: float
    readings: np.ndarray
    outputs: np.ndarray | None = None

    @property
    def finished(self) -> bool:
        """Whether the chunk has nothing left to train: all updates done, or all runs diverged."""
        return self.end >= self.job.program.cohort.training.steps or bool(
            (self.diverged >= 0).all()
        )

    @property
    def paused(self) -> bool:
        """Whether the chunk is as far as it was to go."""
        return self.end >= self.job.end


class Work:
    """Jobs on their way to the lanes: what goes on comes before what begins, else first come.

    The consumer of :func:`train` may add jobs after any stretch that it is given.
    """

    def __init__(self, jobs: Sequence[Job] = ()) -> None:
        self._waiting: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._added = 0
        self.unfinished = 0
        self.add(jobs)

    def add(self, jobs: Sequence[Job]) -> None:
        """Let more jobs be trained."""
        self.unfinished += len(jobs)
        for job in jobs:
            self._put(1 if job.step else 2, job)

    def next(self) -> Job | None:
        """Wait for a job; None when there will be no more."""
        return self._waiting.get()[2]

    def close(self, lanes: int) -> None:
        """Send the lanes home, whatever is still waiting."""
        for _ in range(lanes):
            self._put(0, None)

    def _put(self, rank: int, job: Job | None) -> None:
        self._added += 1
        self._waiting.put((rank, self._added, job))


def train(jobs: Sequence[Job] | Work, lanes: int) -> Iterator[Stretch]:
    """Train every job, ``lanes`` at a time, and yield each stretch as it ends."""
    work = jobs if isinstance(jobs, Work) else Work(jobs)
    reports: queue.Queue[Stretch | BaseException] = queue.Queue(maxsize=4 * lanes)
    stop = threading.Event()
    store = DeviceData()

    def lane() -> None:
        try:
            while (job := work.next()) is not None:
                for stretch in _train_chunk(job, store, stop):
                    _report(reports, stretch, stop)
        except BaseException as error:
            _report(reports, error, stop)

    threads = [threading.Thread(target=lane, daemon=True, name=f"lane-{i}") for i in range(lanes)]
    # The lanes keep the cores busy. Threads of BLAS under one factorisation would wait for each
    # other (twice the time measured), and bits would depend on the number of cores.
    limits = threadpool_limits(1, "blas")
    for thread in threads:
        thread.start()
    try:
        while work.unfinished:
            report = reports.get()
            if isinstance(report, BaseException):
                raise report
            work.unfinished -= report.finished or report.paused
            yield report
        work.close(lanes)
        for thread in threads:
            thread.join()  # a thread that frees arrays while Python exits would abort the process
    finally:
        stop.set()
        work.close(lanes)
        limits.restore_original_limits()


def _report(reports: queue.Queue, report: Any, stop: threading.Event) -> None:
    """Hand a report over, unless the consumer has gone."""
    while True:
        try:
            return reports.put(report, timeout=0.2)
        except queue.Full:
            if stop.is_set():
                return None


class DeviceData:
    """The data on the device: every array is put there once, when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._placed: dict[tuple[int, str], tuple[np.ndarray, Any]] = {}

    def on_device(self, arrays: Arrays) -> dict[str, tuple[Any, Any]]:
        """Return the parts of a data set on the default device; equal arrays are shared."""
        with self._lock:
            return {name: (self._place(x), self._place(y)) for name, (x, y) in arrays.parts.items()}

    def _place(self, array: np.ndarray) -> Any:
        key = id(array), str(array.dtype)
        if key not in self._placed:
            self._placed[key] = array, jax.device_put(array)
        return self._placed[key][1]


def _train_chunk(job: Job, store: DeviceData, stop: threading.Event) -> Iterator[Stretch]:
    program, cohort = job.program, job.program.cohort
    with program.precision():
        data = store.on_device(cohort.arrays)
        seeds, floats = program.inputs(job.runs)
        state = program.begin(job.runs) if job.state is None else jax.device_put(job.state)
    step = job.step
    while not stop.is_set():
        until = _until(program, step, job.end)
        compiled = program.compile_seconds
        begun = time.perf_counter()
        state, rows, trace = program.advance(state, seeds, floats, data, step, until)
        diverged = np.asarray(state.diverged)[: len(job.runs)]
        seconds = time.perf_counter() - begun - (program.compile_seconds - compiled)
        steps = tuple(cohort.records(-1 if step == 0 else step, until))
        stretch = Stretch(
            job,
            step,
            until,
            steps,
            np.asarray(rows)[: len(job.runs), : len(steps)],
            diverged,
            state,
            seconds,
            np.asarray(trace)[: len(job.runs), : until - step],
        )
        if stretch.finished and job.predict:
            outputs = program.predict(state, seeds, floats, data["test"][0])
            stretch = dataclasses.replace(stretch, outputs=np.asarray(outputs)[: len(job.runs)])
        yield stretch
        if stretch.finished or stretch.paused:
            return
        program.stretch = _longer(program.stretch, until - step, seconds)
        step = until


def _until(program: Program, step: int, end: int) -> int:
    """Return where the next stretch ends: about STRETCH_SECONDS on, with records that fit."""
    training = program.cohort.training
    most = (step // training.every + program.capacity - 1) * training.every
    if program.readings:
        most = min(most, step + MOST_UPDATES)
    return min(end, step + program.stretch, max(most, step + 1))


def _longer(length: int, done: int, seconds: float) -> int:
    """Aim the next stretch at STRETCH_SECONDS, growing at most eightfold at a time."""
    return max(1, int(min(8.0 * length, done * STRETCH_SECONDS / max(seconds, 1e-4))))
