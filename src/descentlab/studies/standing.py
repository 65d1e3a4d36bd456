"""Where a results folder stands: what is finished, what goes on, what is left over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from descentlab.store.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    checkpoint_names,
    read_checkpoint,
)
from descentlab.store.folder import Folder
from descentlab.store.segments import (
    READINGS,
    SEGMENTS,
    orphaned_readings,
    read_segment,
    reading_names,
    segment_names,
)


class Standing(NamedTuple):
    """What a folder holds.

    Attributes:
        finished: runs of chunks in which every run is done.
        ended: runs that are done, by whether they diverged; in other chunks too.
        opened: chunks that can go on, each with the state at its end.
        reached: the update up to which each run is on record.
        leftovers: files that a killed process left behind, or that became useless
            because somebody deleted others: checkpoints that no segment reaches or that
            a later one replaced, segments that nothing leads to or goes on from or that
            lack their readings, readings without their segment.
    """

    finished: frozenset[str]
    ended: dict[str, bool]
    opened: tuple[Checkpoint, ...]
    reached: dict[str, int]
    leftovers: tuple[str, ...]

    @property
    def diverged(self) -> frozenset[str]:
        """The finished runs that diverged."""
        return frozenset(run for run in self.finished if self.ended[run])


@dataclass
class _Chunk:
    """What the segments of one chunk say; ``read`` are those with readings beside them.

    It is whole if no readings are missing that a segment was written with.
    """

    names: list[str] = field(default_factory=list)
    stretches: list[tuple[int, int]] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    ended: dict[str, bool] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    whole: bool = True

    @property
    def start(self) -> int:
        return min(start for start, _ in self.stretches)

    @property
    def end(self) -> int:
        return max(end for _, end in self.stretches)

    @property
    def gapless(self) -> bool:
        """Whether each segment begins where the one before it ends."""
        starts, ends = zip(*sorted(self.stretches), strict=True)
        return starts[1:] == ends[:-1]

    @property
    def complete(self) -> bool:
        return self.runs == set(self.ended)


def standing(folder: Folder) -> Standing:
    """Read where a folder stands; nothing is changed.

    A chunk counts if its segments follow one another without a gap and have their readings,
    all its runs are on record up to where it starts, and each is done, has gone on in
    another chunk, or can go on from its checkpoint.
    """
    chunks = _chunks(folder)
    saved = {name.rpartition("-")[0::2]: name for name in checkpoint_names(folder)}
    states = {(key, int(step)): name for (key, step), name in saved.items()}
    lost = {key for key, chunk in chunks.items() if not chunk.whole}
    while True:
        reached, bad = _followed(chunks, states, lost)
        if not bad:
            break
        lost |= bad  # what followed from it is lost with it
    opened: list[Checkpoint] = []
    leftovers = [f"{READINGS}/{name}.parquet" for name in orphaned_readings(folder)]
    for key in sorted(lost):
        leftovers += [f"{READINGS}/{name}.parquet" for name in chunks[key].read]
        leftovers += [f"{SEGMENTS}/{name}.parquet" for name in chunks[key].names]
    for (key, step), name in states.items():
        chunk = chunks.get(key)
        if chunk is None or key in lost or chunk.complete or chunk.end != step:
            leftovers.append(f"{CHECKPOINTS}/{name}.npz")
        else:
            opened.append(read_checkpoint(folder, name))
    sound = [chunk for key, chunk in chunks.items() if key not in lost]
    return Standing(
        frozenset(run for chunk in sound if chunk.complete for run in chunk.ended),
        {run: diverged for chunk in sound for run, diverged in chunk.ended.items()},
        tuple(opened),
        reached,
        tuple(leftovers),
    )


def _followed(
    chunks: dict[str, _Chunk], states: dict[tuple[str, int], str], lost: set[str]
) -> tuple[dict[str, int], set[str]]:
    """Follow the chunks from the start; return how far each run gets, and what is no good."""
    reached: dict[str, int] = {}
    sound: list[tuple[str, _Chunk]] = []
    for key, chunk in sorted(chunks.items(), key=lambda item: (item[1].start, item[0])):
        if key in lost:
            continue
        if not chunk.gapless or any(reached.get(run, 0) != chunk.start for run in chunk.runs):
            return reached, {key}
        reached |= dict.fromkeys(chunk.runs, chunk.end)
        sound.append((key, chunk))
    for key, chunk in sound:
        stuck = any(r not in chunk.ended and reached[r] == chunk.end for r in chunk.runs)
        if stuck and (key, chunk.end) not in states:
            return reached, {key}
    return reached, set()


def _chunks(folder: Folder) -> dict[str, _Chunk]:
    chunks: dict[str, _Chunk] = {}
    read = set(reading_names(folder))
    for name in segment_names(folder):
        key, start, end = name.rsplit("-", 2)
        chunk = chunks.setdefault(key, _Chunk())
        table = read_segment(folder, name, ["run", "diverged", "last"])
        final = table.filter(table["last"]).to_pydict()
        chunk.names.append(name)
        if name in read:
            chunk.read.append(name)
        elif (table.schema.metadata or {}).get(READINGS.encode()):
            chunk.whole = False
        chunk.stretches.append((int(start), int(end)))
        chunk.runs.update(table["run"].unique().to_pylist())
        chunk.ended.update(zip(final["run"], final["diverged"], strict=True))
    return chunks
