"""Where a results folder stands: what is finished, what goes on, what is left over."""

from __future__ import annotations

from typing import NamedTuple

from descentlab.store.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    checkpoint_names,
    read_checkpoint,
)
from descentlab.store.folder import Folder
from descentlab.store.segments import SEGMENTS, read_segment, segment_names


class Standing(NamedTuple):
    """What a folder holds.

    Attributes:
        finished: runs that are done.
        diverged: those of them that diverged.
        opened: chunks to go on with.
        leftovers: files that a killed process left behind, or that became useless
            because somebody deleted others: checkpoints that no segment reaches or that
            a later one replaced, segments of a chunk that must be trained anew.
    """

    finished: frozenset[str]
    diverged: frozenset[str]
    opened: tuple[Checkpoint, ...]
    leftovers: tuple[str, ...]


class _Chunk(NamedTuple):
    """What the segments of one chunk say."""

    names: list[str]
    stretches: list[tuple[int, int]]
    runs: set[str]
    ended: set[str]
    diverged: set[str]

    @property
    def gapless(self) -> bool:
        """Whether each segment begins where the one before it ends, the first at the start."""
        starts, ends = zip(*sorted(self.stretches), strict=True)
        return starts == (0, *ends[:-1])

    @property
    def end(self) -> int:
        return max(end for _, end in self.stretches)

    @property
    def complete(self) -> bool:
        return self.gapless and self.runs == self.ended


def standing(folder: Folder) -> Standing:
    """Read where a folder stands; nothing is changed."""
    chunks = _chunks(folder)
    opened: dict[str, Checkpoint] = {}
    leftovers: list[str] = []
    for name in checkpoint_names(folder):
        key, _, end = name.rpartition("-")
        chunk = chunks.get(key)
        if chunk is None or chunk.complete or not chunk.gapless or chunk.end != int(end):
            leftovers.append(f"{CHECKPOINTS}/{name}.npz")
        else:
            opened[key] = read_checkpoint(folder, name)
    finished: set[str] = set()
    diverged: set[str] = set()
    for key, chunk in chunks.items():
        if chunk.complete:
            finished |= chunk.ended
            diverged |= chunk.diverged
        elif key not in opened:
            leftovers += [f"{SEGMENTS}/{name}.parquet" for name in chunk.names]
    return Standing(
        frozenset(finished), frozenset(diverged), tuple(opened.values()), tuple(leftovers)
    )


def _chunks(folder: Folder) -> dict[str, _Chunk]:
    chunks: dict[str, _Chunk] = {}
    for name in segment_names(folder):
        key, start, end = name.rsplit("-", 2)
        chunk = chunks.setdefault(key, _Chunk([], [], set(), set(), set()))
        table = read_segment(folder, name, ["run", "diverged", "last"])
        final = table.filter(table["last"])
        chunk.names.append(name)
        chunk.stretches.append((int(start), int(end)))
        chunk.runs.update(table["run"].to_pylist())
        chunk.ended.update(final["run"].to_pylist())
        chunk.diverged.update(final.filter(final["diverged"])["run"].to_pylist())
    return chunks
