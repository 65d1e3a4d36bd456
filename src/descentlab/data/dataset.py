"""A data set in memory: examples for training, validation and test, and facts about them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Examples:
    """Inputs ``[n, …]`` and targets: class numbers ``[n]`` int32, or numbers ``[n, outputs]``."""

    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.inputs)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """The parts of a data set, the names of its classes (none for regression), and notes.

    ``notes`` are facts for provenance: where the data came from, how it was split and
    scaled, in words.
    """

    name: str
    train: Examples
    validation: Examples | None
    test: Examples | None
    classes: tuple[str, ...]
    notes: dict[str, Any]
