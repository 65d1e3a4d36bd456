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
        prepare: brings a data set's targets into the form that loss and metrics take.
    """

    outputs: int
    loss: PerExample
    metrics: Mapping[str, PerExample]
    prepare: Callable[[np.ndarray], np.ndarray]
