"""Generated data sets of points, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np

from descentlab.data.prepare import Raw


def generate(name: str, examples: int, seed: int, **settings: Any) -> Raw:
    """Draw a generated data set; the same seed gives the same data.

    Classes are as equal in number as can be. What is drawn belongs to the data and has
    nothing to do with a study's seeds.

    Args:
        name: blobs, moons, circles or spirals.
        examples: how many.
        seed: of NumPy's PCG64.
        settings: the generator's: ``noise``, and perhaps ``classes`` and ``features``.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    inputs, targets, classes = _GENERATORS[name](generator, examples, **settings)
    order = generator.permutation(examples)
    source = {"files": [f"generated: {name}, seed {seed}"], "rows": examples}
    labels = tuple(str(number) for number in range(classes))
    return Raw(name, inputs[order], targets[order].astype(np.int32), labels, None, source)


def _blobs(generator: Any, examples: int, classes: int, features: int, noise: float) -> Any:
    """Normal clouds of standard deviation ``noise`` around centres 2 apart on average."""
    targets = np.arange(examples) % classes
    centres = generator.normal(size=(classes, features))
    centres -= centres.mean(axis=0)
    # A row of the matrix of distances at a time: a thousand classes in many dimensions fit.
    rows = [np.linalg.norm(centres[i + 1 :] - centres[i], axis=-1) for i in range(classes - 1)]
    centres *= 2.0 / np.concatenate(rows).mean()
    return centres[targets] + generator.normal(0, noise, (examples, features)), targets, classes


def _moons(generator: Any, examples: int, noise: float) -> Any:
    """Two interleaved half circles of radius 1."""
    targets = np.arange(examples) % 2
    angle = np.pi * generator.uniform(size=examples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(targets[:, None] == 0, upper, lower)
    return points + generator.normal(0, noise, points.shape), targets, 2


def _circles(generator: Any, examples: int, noise: float) -> Any:
    """Two circles around the origin, of radius 1 and 1/2."""
    targets = np.arange(examples) % 2
    angle = 2 * np.pi * generator.uniform(size=examples)
    radius = np.where(targets == 0, 1.0, 0.5)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + generator.normal(0, noise, points.shape), targets, 2


def _spirals(generator: Any, examples: int, classes: int, noise: float) -> Any:
    """Arms of Archimedean spirals, three quarters of a turn and more, evenly rotated."""
    targets = np.arange(examples) % classes
    way = np.sqrt(generator.uniform(size=examples))
    angle = 3 * np.pi / 2 * way + 2 * np.pi * targets / classes
    points = way[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + generator.normal(0, noise, points.shape), targets, classes


_GENERATORS = {"blobs": _blobs, "moons": _moons, "circles": _circles, "spirals": _spirals}
