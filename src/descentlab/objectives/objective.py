"""What is minimised on data: a loss and metrics, both per example."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

PerExample = Callable[[Any, Any], Any]
"""A function of outputs ``[batch, outputs]`` and targets that gives one number an example."""


@dataclasses.dataclass(frozen=True)
class Objective:
    """A loss with its metrics; what is reported is their mean over examples.

    Attributes:
        outputs: number of outputs that a model needs.
        loss: minimised.
        metrics: recorded, by name; ``loss`` among them.
        prepare: checks a part's targets and brings them into the form that loss and metrics
            take: class numbers ``[n]`` int32, or numbers ``[n, outputs]`` float64. Targets that
            do not fit are a :class:`descentlab.core.errors.DataError`.
    """

    outputs: int
    loss: PerExample
    metrics: Mapping[str, PerExample]
    prepare: Callable[[np.ndarray], np.ndarray]
