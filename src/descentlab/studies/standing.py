"""Where a results folder stands: what is finished, what goes on, what is left over."""

from __future__ import annotations

from typing import NamedTuple

from descentlab.store.checkpoints import (
    Checkpoint,
    checkpoint_names,
    delete_checkpoint,
    read_checkpoint,
)
from descentlab.store.folder import Folder
from descentlab.store.segments import SEGMENTS, read_segment, segment_names


class Standing(NamedTuple):
    """The finished runs of a folder, those of them that diverged, and the chunks to go on with."""

    finished: frozenset[str]
    diverged: frozenset[str]
    opened: tuple[Checkpoint, ...]


class _Chunk(NamedTuple):
    """What the segments of one chunk say."""

    names: list[str]
    runs: set[str]
    ended: set[str]
    diverged: set[str]

    @property
    def complete(self) -> bool:
        return self.runs == self.ended


def standing(folder: Folder) -> Standing:
    """Read a folder and remove what a killed process left behind.

    Checkpoints go that no segment reaches or that a later one replaced, and segments
    of an interrupted chunk whose checkpoint is gone.
    """
    chunks, ends = _chunks(folder)
    opened: dict[str, Checkpoint] = {}
    for name in checkpoint_names(folder):
        chunk, _, end = name.rpartition("-")
        if chunk.startswith("final-") or name.startswith("final-"):
            continue
        if chunk not in chunks or chunks[chunk].complete or ends[chunk] != int(end):
            delete_checkpoint(folder, name)
        else:
            opened[chunk] = read_checkpoint(folder, name)
    finished: set[str] = set()
    diverged: set[str] = set()
    for name, chunk in chunks.items():
        if chunk.complete:
            finished |= chunk.ended
            diverged |= chunk.diverged
        elif name not in opened:
            for segment in chunk.names:
                folder.delete(f"{SEGMENTS}/{segment}.parquet")
    return Standing(frozenset(finished), frozenset(diverged), tuple(opened.values()))


def _chunks(folder: Folder) -> tuple[dict[str, _Chunk], dict[str, int]]:
    chunks: dict[str, _Chunk] = {}
    ends: dict[str, int] = {}
    for name in segment_names(folder):
        key, _, end = name.rsplit("-", 2)
        chunk = chunks.setdefault(key, _Chunk([], set(), set(), set()))
        table = read_segment(folder, name, ["run", "diverged", "last"])
        final = table.filter(table["last"])
        chunk.names.append(name)
        chunk.runs.update(table["run"].to_pylist())
        chunk.ended.update(final["run"].to_pylist())
        chunk.diverged.update(final.filter(final["diverged"])["run"].to_pylist())
        ends[key] = max(ends.get(key, 0), int(end))
    return chunks, ends
