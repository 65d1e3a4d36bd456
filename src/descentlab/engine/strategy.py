"""How a cohort is laid on the device: chunk width, inner form, lanes.

On a CPU, large models train fastest one at a time from as many threads (lanes) as
there are cores, all calling one executable; small models train fastest vectorised,
in chunks whose live numbers fit the cache. On a GPU one wide vectorised chunk is
sized by memory.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Literal

from descentlab.core.errors import SpecError

CACHE_BYTES = 1 << 20
"""Live bytes of a chunk that stay in a core's cache; wider chunks are slower, up to 5×."""

LARGE_BYTES = 512 << 10
"""Live bytes of one run above which runs are trained one at a time on a CPU."""

GPU_SHARE = 0.5
"""Share of a GPU's memory that one chunk may fill."""

MEMORY_SHARE = 0.8
"""Share of the memory that training may fill in all."""

MAX_WIDTH = 1024
REPRODUCIBLE_WIDTH = 32


@dataclasses.dataclass(frozen=True)
class Strategy:
    """The layout of a cohort's runs.

    Attributes:
        form: ``vmap`` (vectorised) or ``map`` (one after the other in one program).
        width: runs of a chunk; a chunk with fewer is padded with idle copies.
        lanes: threads that call executables at the same time.
    """

    form: Literal["map", "vmap"]
    width: int
    lanes: int

    def __str__(self) -> str:
        """Return the strategy as ``--strategy`` reads it."""
        return f"{self.form}:{self.width}x{self.lanes}"

    @classmethod
    def parse(cls, text: str) -> Strategy:
        """Read ``FORM:WIDTHxLANES``, such as ``vmap:64x2`` or ``map:1x2``."""
        form, _, numbers = text.partition(":")
        width, _, lanes = numbers.partition("x")
        if form not in ("map", "vmap") or not (width.isdigit() and lanes.isdigit()):
            raise SpecError(
                f"--strategy: expected FORM:WIDTHxLANES such as 'vmap:64x2' or 'map:1x2', "
                f"found '{text}'"
            )
        if not (1 <= int(width) <= 1 << 16 and 1 <= int(lanes) <= 256):
            raise SpecError(
                f"--strategy: width must be 1 … 65536 and lanes 1 … 256, found '{text}'"
            )
        return cls(form, int(width), int(lanes))  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class Platform:
    """What the strategy is chosen by: the kind of device, cores, memory in bytes."""

    kind: str
    cores: int
    memory: int

    @property
    def most_bytes(self) -> int:
        """Bytes that training may fill."""
        return int(self.memory * MEMORY_SHARE)

    @classmethod
    def current(cls) -> Platform:
        """Look at JAX's default device."""
        import jax

        device = jax.devices()[0]
        stats = device.memory_stats() if device.platform != "cpu" else None
        memory = (stats or {}).get("bytes_limit") or main_memory()
        return cls(
            device.platform,
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1,
            memory,
        )


def main_memory() -> int:
    """Return the bytes of main memory, or of what the container may use of it."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # no POSIX system
        found = 8 << 30
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return found
    return min(found, int(limit)) if limit.isdigit() else found


def choose(
    run_bytes: int, runs: int, cohorts: int, platform: Platform, reproducible: bool = False
) -> Strategy:
    """Choose the layout of a cohort.

    Args:
        run_bytes: live bytes of one run (parameters, optimizer, gradients, activations).
        runs: runs that the cohort still has to train.
        cohorts: cohorts of the study; with several of them each can be one lane's work.
        platform: the device.
        reproducible: let the layout depend on the structure alone, so that a run is
            bit-equal whatever its company (how many runs, which, how many cores).
    """
    if platform.kind == "cpu":
        lanes = max(1, min(platform.cores, platform.most_bytes // max(1, run_bytes)))
        fit = 1 if run_bytes >= LARGE_BYTES else max(1, CACHE_BYTES // max(1, run_bytes))
    else:
        lanes = 1
        fit = max(1, int(platform.memory * GPU_SHARE) // max(1, run_bytes))
    fit = min(fit, MAX_WIDTH)
    if reproducible:
        width = min(1 << (fit.bit_length() - 1), REPRODUCIBLE_WIDTH)
    else:
        share = runs if cohorts >= lanes else -(-runs // lanes)
        chunks = -(-share // fit)
        width = -(-share // chunks)  # even chunks: no run is trained for padding's sake
    return Strategy("map" if width == 1 else "vmap", width, lanes)
