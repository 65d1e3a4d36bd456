"""Settings drawn from a space: a pure function of the search and of the run's epochs."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.studies.search.spaces import Dimension, setting
from descentlab.studies.search.spec import Optuna, Search

TRIES = 200

MOST = 1_000_000
"""Settings of a grid that are written out at most."""


def settings(search: Search, epochs: int) -> list[dict[str, Any]]:
    """Return a search's settings, each once, bracket after bracket.

    Raises:
        SpecError: the space has fewer settings than are asked for.
    """
    if isinstance(search, Optuna):
        return [dict(asked.values) for asked in search.asked]
    brackets = search.brackets(epochs)
    count = sum(b.counts[0] for b in brackets) if brackets else search.count
    most = math.prod(dimension.size for dimension in search.space.values())
    if count is None and most > MOST:
        raise SpecError(
            f"search: the grid has up to {most:,} settings; at most {MOST:,} can be trained: take "
            "larger steps, or draw settings with 'kind: random'"
        )
    if count is not None and most < count:
        raise _too_few(search, count, int(most))
    found: dict[str, dict[str, Any]] = {}
    for place in _places(search, count):
        values = setting(search.space, place)
        found.setdefault(json.dumps(values, sort_keys=True), values)
        if len(found) == count:
            break
    if count is not None and len(found) < count:
        raise _too_few(search, count, len(found))
    return list(found.values())


def _too_few(search: Search, count: int, there: int) -> SpecError:
    advice = "ask for fewer" if search.count is not None else "take a larger factor, fewer epochs"
    return SpecError(
        f"search: {count} different settings are needed, but the space seems to have only "
        f"{there}; {advice}, or search the whole of it with 'kind: grid'"
    )


def drawn(space: Mapping[str, Dimension], seed: Sequence[int], count: int) -> Iterator[Any]:
    """Yield independent draws, about enough for ``count`` different ones."""
    random = np.random.default_rng(seed)
    for _ in range(TRIES * count):
        yield setting(space, dict(zip(space, random.random(len(space)).tolist(), strict=True)))


def _places(search: Search, count: int | None) -> Iterator[dict[str, float]]:
    names = list(search.space)
    if count is None:
        sizes = [int(search.space[name].size) for name in names]
        for index in itertools.product(*map(range, sizes)):
            middle = [(i + 0.5) / size for i, size in zip(index, sizes, strict=True)]
            yield dict(zip(names, middle, strict=True))
        return
    seed = search.seed  # type: ignore[attr-defined]
    if search.kind == "sobol":  # type: ignore[attr-defined]
        points = _sobol(len(names), count, seed)
    else:
        random = np.random.default_rng(seed)
        points = (random.random(len(names)) for _ in range(TRIES * count))
    for point in points:
        yield dict(zip(names, point.tolist(), strict=True))


def _sobol(dimensions: int, count: int, seed: int) -> Iterator[np.ndarray]:
    from scipy.stats import qmc

    engine = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    power = int(np.ceil(np.log2(count)))
    yield from engine.random_base2(power)[: min(count, 2**power)]
    for _ in range(TRIES.bit_length()):  # where settings of the first points are the same
        yield from engine.random_base2(power)
        power += 1
