"""Compiled programs, kept while they are in use, and called in float64 from several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import numpy as np

from descentlab.engine.strategy import Platform

T = TypeVar("T")

KEPT = 192
"""Programs that are kept; the one that was not used for longest goes first."""


class Programs:
    """Executables by key; two threads that want the same one compile it once."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._found: OrderedDict[Any, Any] = OrderedDict()
        self._locks: dict[Any, threading.Lock] = {}
        self._lock = threading.Lock()
        self.compilations = 0

    def call(self, key: Any, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what ``function`` gives, as NumPy arrays; it is compiled once for its key.

        Args:
            key: all that the program depends on besides its arguments' values.
            function: of arrays; traced in float64.
            arguments: arrays and numbers of the shapes and dtypes that the key stands for.
        """
        with jax.enable_x64(True):
            compiled = self._get(key, function, arguments)
            return jax.tree.map(np.asarray, compiled(*arguments))

    def _get(self, key: Any, function: Callable[..., Any], arguments: Any) -> Any:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            with self._lock:
                if key in self._found:
                    return self._found[key]
            compiled = jax.jit(function).lower(*arguments).compile()
            with self._lock:
                self._found[key] = compiled
                self._locks.pop(key, None)
                self.compilations += 1
                while len(self._found) > self._kept:
                    self._found.popitem(last=False)
            return compiled


PROGRAMS = Programs()
"""The process's programs: a cache alone, on which no result depends."""


def in_lanes(
    work: Callable[[Any], T], items: Iterable[Any], progress: Callable[[float], None] | None = None
) -> list[T]:
    """Return what ``work`` makes of each item, done in as many threads as there are cores."""
    items = list(items)
    lanes = min(Platform.current().cores, len(items))
    with ThreadPoolExecutor(lanes) as pool:
        tasks = [pool.submit(work, item) for item in items]
        try:
            found = []
            for done, task in enumerate(tasks, 1):
                found.append(task.result())
                if progress is not None:
                    progress(done / len(tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
    return found
