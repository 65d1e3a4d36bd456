"""Compiled programs: the runs of a chunk side by side, at one fixed width."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from descentlab.engine.step import OneRun, State
from descentlab.engine.strategy import Strategy
from descentlab.engine.training import Cohort, Run

ROWS = 512
"""Most records that one call of a program returns."""


@dataclasses.dataclass
class Program:
    """The executables of one cohort at one width, compiled when first needed.

    A program is called from as many threads as there are lanes; the lock is held
    while compiling alone.
    """

    cohort: Cohort
    strategy: Strategy
    compilations: int = 0
    compile_seconds: float = 0.0
    stretch: int = 1
    """Updates that take about a second, learnt while training; results do not depend on it."""

    def __post_init__(self) -> None:
        """Prepare the functions; nothing is traced yet."""
        self._one = OneRun(self.cohort)
        self._lock = threading.Lock()
        self._compiled: dict[str, Any] = {}
        training = self.cohort.training
        self.capacity = min(ROWS, training.steps // training.every + 2)

    @property
    def readings(self) -> tuple[str, ...]:
        """Names of what is read at every update, such as ``learning_rate``."""
        return self._one.readings

    def inputs(self, runs: tuple[Run, ...]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return seeds and floats of a chunk, padded with copies of its first run."""
        padded = self._padded(runs)
        seeds = np.asarray([run.seed for run in padded], np.uint32)
        names = runs[0].floats
        dtype = self.cohort.training.precision
        return seeds, {
            name: np.asarray([run.floats[name] for run in padded], dtype) for name in names
        }

    def begin(self, runs: tuple[Run, ...]) -> State:
        """Return the state of a chunk of runs before the first update, narrower ones padded."""
        if not self.cohort.narrower:
            return self.start(*self.inputs(runs))
        wide = self.state_shape()
        states = [self._corner(run, wide) for run in self._padded(runs)]
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *states)

    def start(self, seeds: Any, floats: Any) -> State:
        """Return the chunk's state before the first update."""
        return self._call("start", self._laid_out(self._one.start), seeds, floats)

    def advance(
        self, state: State, seeds: Any, floats: Any, data: Any, start: int, until: int
    ) -> tuple[State, Any, Any]:
        """Train the chunk from ``start`` to ``until`` updates; see :meth:`OneRun.advance`."""

        def one(state: State, seed: Any, floats: Any, data: Any, start: Any, until: Any) -> Any:
            return self._one.advance(state, seed, floats, data, start, until, self.capacity)

        steps = np.int32(start), np.int32(until)
        return self._call("advance", self._laid_out(one, 3), state, seeds, floats, data, *steps)

    def predict(self, state: State, seeds: Any, floats: Any, inputs: Any) -> Any:
        """Return the chunk's outputs for ``inputs``: ``[width, n, outputs]``."""
        return self._call(
            "predict", self._laid_out(self._one.predict, 1), state, seeds, floats, inputs
        )

    def state_shape(self) -> State:
        """Return shapes and dtypes of the chunk's state without computing it."""
        seeds, floats = self.inputs(self.cohort.runs[:1])
        with self.precision():
            return jax.eval_shape(self._laid_out(self._one.start), seeds, floats)

    def _padded(self, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        return (*runs, *(runs[0],) * (self.strategy.width - len(runs)))

    def _corner(self, run: Run, wide: State) -> State:
        structure, training = self.cohort.narrower[run.id]
        cohort = dataclasses.replace(self.cohort, training=training, narrower={}, runs=(run,))
        alone = Program(cohort, dataclasses.replace(self.strategy, form="map", width=1))
        start = alone._laid_out(alone._one.start)
        state = self._call(f"start {structure}", start, *alone.inputs((run,)))
        return jax.tree.map(lambda leaf, like: fitted(leaf, (1, *like.shape[1:])), state, wide)

    def precision(self) -> Any:
        """Return the context in which this program is traced and called, in every thread."""
        return jax.enable_x64(self.cohort.training.precision == "float64")

    def _laid_out(self, one: Callable[..., Any], shared: int = 0) -> Callable[..., Any]:
        """Lay a function of one run over the chunk; the last ``shared`` arguments are common."""

        def chunk(*arguments: Any) -> Any:
            cut = len(arguments) - shared
            own, common = arguments[:cut], arguments[cut:]
            if self.strategy.form == "vmap":
                axes = (0,) * cut + (None,) * shared
                return jax.vmap(one, in_axes=axes)(*own, *common)
            if self.strategy.width == 1:
                alone = one(*jax.tree.map(lambda x: x[0], own), *common)
                return jax.tree.map(lambda x: jnp.expand_dims(x, 0), alone)
            return jax.lax.map(lambda each: one(*each, *common), own)

        return chunk

    def _call(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        with self.precision():
            if name not in self._compiled:
                with self._lock:
                    if name not in self._compiled:
                        begun = time.perf_counter()
                        lowered = jax.jit(function).lower(*arguments)
                        self._compiled[name] = lowered.compile(_effort(name))
                        self.compilations += 1
                        self.compile_seconds += time.perf_counter() - begun
            return self._compiled[name](*arguments)


def fitted(leaf: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array in the corner of zeros of a shape, or its own corner of that shape."""
    old = np.asarray(leaf)
    corner = tuple(slice(0, min(pair)) for pair in zip(old.shape, shape, strict=True))
    found = np.zeros(shape, old.dtype)
    found[corner] = old[corner]
    return found


def _effort(name: str) -> dict[str, Any] | None:
    """Compile what is called once a chunk with less effort: it takes half the time."""
    if not name.startswith("start") or jax.default_backend() != "cpu":
        return None
    return {"xla_backend_optimization_level": 1}
