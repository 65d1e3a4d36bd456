"""Checkpoints: the full state of a chunk of runs after some update, as plain arrays.

Parameters, optimizer state and running sums are stored; keys and the place in the
data follow from the seed and the step. The file is an ``.npz`` without pickles.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from descentlab.core.errors import StoreError
from descentlab.store.folder import Folder

CHECKPOINTS = "checkpoints"
NAME = re.compile(r"(k[\w-]*-\d+)\.npz")


@dataclass(frozen=True)
class Checkpoint:
    """The runs of a chunk (by id, in order), the update they stand at, their state.

    The state is read when it is asked for: of most checkpoints only the head is needed.
    """

    runs: tuple[str, ...]
    step: int
    read: Callable[[], tuple[np.ndarray, ...]]

    @cached_property
    def leaves(self) -> tuple[np.ndarray, ...]:
        """The state's leaves, each ``[width, …]``."""
        return self.read()

    def only(self, runs: Collection[str]) -> Checkpoint | None:
        """Return the checkpoint of those of its runs that are among ``runs``, None if none is."""
        places = [place for place, run in enumerate(self.runs) if run in runs]
        if len(places) == len(self.runs):
            return self
        own = tuple(self.runs[place] for place in places)
        read = lambda: tuple(leaf[places] for leaf in self.leaves)  # noqa: E731
        return Checkpoint(own, self.step, read) if own else None

    @property
    def width(self) -> int:
        """Places of the chunk, idle ones included."""
        return self.leaves[0].shape[0]


def write_checkpoint(folder: Folder, name: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint as a whole."""
    sink = io.BytesIO()
    arrays: dict[str, Any] = {
        f"leaf{i:04d}": np.asarray(leaf) for i, leaf in enumerate(checkpoint.leaves)
    }
    np.savez(sink, runs=np.asarray(checkpoint.runs), step=np.asarray(checkpoint.step), **arrays)
    folder.write(f"{CHECKPOINTS}/{name}.npz", sink.getvalue())


def read_checkpoint(folder: Folder, name: str) -> Checkpoint:
    """Read a checkpoint, its state later; a damaged file is named, with what to do."""

    def leaves(file: Any) -> tuple[np.ndarray, ...]:
        return tuple(file[key] for key in sorted(file.files) if key.startswith("leaf"))

    runs, step = _read(
        folder, name, lambda file: (tuple(map(str, file["runs"])), int(file["step"]))
    )
    return Checkpoint(runs, step, lambda: _read(folder, name, leaves))


def _read(folder: Folder, name: str, what: Callable[[Any], Any]) -> Any:
    path = f"{CHECKPOINTS}/{name}.npz"
    try:
        if folder.local is None:
            with np.load(io.BytesIO(folder.read(path))) as file:
                return what(file)
        with open(folder.local / path, "rb") as content, np.load(content) as file:
            return what(file)  # np.load closes no path of its own if it fails
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"{folder.at(path)} is damaged ({error}); delete it together with the segments "
            f"whose names begin with '{name.rsplit('-', 1)[0]}', and run the study again"
        ) from None


def checkpoint_names(folder: Folder) -> Sequence[str]:
    """Return the names of the checkpoints to go on from, without path and suffix.

    Final states (``final-…``) and files that are no checkpoints are left out.
    """
    found = (NAME.fullmatch(name.rsplit("/", 1)[1]) for name in folder.names(CHECKPOINTS))
    return [match[1] for match in found if match]


def delete_checkpoint(folder: Folder, name: str) -> None:
    """Delete a checkpoint if it is there."""
    folder.delete(f"{CHECKPOINTS}/{name}.npz")
