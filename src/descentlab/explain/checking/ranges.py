"""How far a number may be off because those that it is made from were rounded.

Every number written with its last digit in the place of ``unit`` may stand for anything within
one unit of it, so truncating is no error. What follows from numbers g₁ … gₙ with units u₁ … uₙ
lies in [low, high]: the hull of

- the sum of what each alone can do, Σⱼ min/max over ±uⱼ of r(g ± uⱼ eⱼ) - r(g), and
- both corners at which all work in the same direction.

For an r that is monotone in each number the corners are its extremes. One that turns within a
unit, as (a - y)² does where a is near y, is taken for the parabola through its three values, whose
vertex counts as well. A number that follows exactly from exact ones, such as 8 from 2·4, is exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from descentlab.explain.numbers import Numbers

Flat = Float[np.ndarray, " slots"]
DUST = 1e-12
FINEST = 1e-9
"""Relative to a number: where its last digit is finer, rounding and exactness look the same."""


class Ranges(NamedTuple):
    """What each number of a graph should be, given somebody's; one array an aspect.

    Attributes:
        value: recomputed from the numbers as they stand.
        low: the least that rounding can make of it.
        high: the most.
        depends: whether number k (column) is made from the written number j (row).
    """

    value: Flat
    low: Flat
    high: Flat
    depends: Bool[np.ndarray, "slots slots"]


def ranges(
    numbers: Numbers, own: Flat, unit: Flat, given: Bool[np.ndarray, " slots"]
) -> tuple[Ranges, Ranges]:
    """Return the ranges of all numbers, by JAX's derivatives and by the formulas shown.

    Args:
        numbers: of the exercise.
        own: what somebody wrote; anything where ``given`` is false.
        unit: of the last digits.
        given: which are written.
    """
    return ranges_of_many(numbers, own[None], unit[None], given[None])[0]


def ranges_of_many(
    numbers: Numbers,
    own: Float[np.ndarray, "people slots"],
    unit: Float[np.ndarray, "people slots"],
    given: Bool[np.ndarray, "people slots"],
) -> list[tuple[Ranges, Ranges]]:
    """Return the ranges of many people's numbers, in two calls of the compiled program."""
    written = [np.flatnonzero(g) for g in given]
    alone = [_alone(o, u, w) for o, u, w in zip(own, unit, written, strict=True)]
    first = _recomputed(numbers, alone, given)
    people = []
    for i, pair in enumerate(first):
        exact = _exact(own[i], unit[i], written[i], pair[1])
        people.append([_effects(made, unit[i], written[i], exact) for made in pair])
    corners = [
        np.concatenate([_corners(own[i], written[i], effects) for effects in people[i]])
        for i in range(len(people))
    ]
    second = _recomputed(numbers, corners, given)
    return [
        (
            _hull(people[i][0], second[i][0], written[i], 0),
            _hull(people[i][1], second[i][1], written[i], 1),
        )
        for i in range(len(people))
    ]


class _Effects(NamedTuple):
    """What each written number alone can do to every other: rows are the written ones."""

    value: Flat
    down: Float[np.ndarray, "written slots"]
    up: Float[np.ndarray, "written slots"]
    towards: Float[np.ndarray, "written slots"]
    """By how much, and in which direction, a number moves to raise another."""
    depends: Bool[np.ndarray, "slots slots"]


def _alone(own: Flat, unit: Flat, written: np.ndarray) -> np.ndarray:
    """Return the numbers as they stand, and with each written one a unit more and less."""
    shift = np.zeros((len(written), len(own)))
    shift[np.arange(len(written)), written] = unit[written]
    return np.concatenate([own[None], own + shift, own - shift])


def _recomputed(
    numbers: Numbers, cases: list[np.ndarray], given: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    counts = [len(block) for block in cases]
    ends = np.cumsum(counts)
    a, b = numbers.recompute(np.concatenate(cases), np.repeat(given, counts, axis=0))
    return [(a[end - n : end], b[end - n : end]) for end, n in zip(ends, counts, strict=True)]


def _exact(own: Flat, unit: Flat, written: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Return which written numbers follow exactly from exact ones."""
    count, value = len(written), made[0]
    others = made[:, written]
    behind = (others[1 : 1 + count] != others[0]) | (others[1 + count :] != others[0])
    same = np.abs(own - value) <= DUST * np.maximum(np.abs(own), unit)
    same &= unit > FINEST * np.abs(own)
    exact = np.zeros(count, bool)
    for i, place in enumerate(written):
        exact[i] = same[place] and not np.any(behind[:i, i] & ~exact[:i])
    return exact


def _effects(made: np.ndarray, unit: Flat, written: np.ndarray, exact: np.ndarray) -> _Effects:
    count, value = len(written), made[0]
    with np.errstate(invalid="ignore"):  # infinite numbers have no distance
        more, less = made[1 : 1 + count] - value, made[1 + count :] - value
    depends = np.zeros((len(value), len(value)), bool)
    depends[written] = (more != 0) | (less != 0)
    if np.isnan(more).any() or np.isnan(less).any():
        # Beyond the edge of a root or a logarithm there is nothing: the other side counts twice.
        more, less = np.where(np.isnan(more), -less, more), np.where(np.isnan(less), -more, less)
        more, less = np.nan_to_num(more), np.nan_to_num(less)
    more[exact], less[exact] = 0.0, 0.0
    turn = _turning(more, less)
    up, down = (f(f(f(more, less), turn), 0.0) for f in (np.maximum, np.minimum))
    size = np.where(exact, 0.0, unit[written])[:, None]
    towards = np.where(more >= less, size, -size) * (up != down)
    return _Effects(value, down, up, towards, depends)


def _turning(more: np.ndarray, less: np.ndarray) -> np.ndarray:
    """Return the parabola's height at its vertex, from those a unit to each side; else 0."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinite ones turn nowhere
        bend, slope = more / 2 + less / 2, more / 2 - less / 2
        turns = np.abs(slope) < 2 * np.abs(bend)
        return np.where(turns, -slope / 2 * (slope / np.where(turns, 2 * bend, 1.0)), 0.0)


def _corners(own: Flat, written: np.ndarray, effects: _Effects) -> np.ndarray:
    """Return, for every written number, the others moved so as to raise it, and to lower it."""
    shift = np.zeros((len(written), len(own)))
    shift[:, written] = effects.towards[:, written].T
    return np.concatenate([own + shift, own - shift])


def _hull(effects: _Effects, corners: np.ndarray, written: np.ndarray, route: int) -> Ranges:
    count, own = len(written), np.arange(len(written))
    both = corners[2 * count * route : 2 * count * (route + 1)]
    ends = np.stack([both[own, written], both[count + own, written]])
    low = effects.value + effects.down.sum(axis=0)
    high = effects.value + effects.up.sum(axis=0)
    low[written] = np.fmin(low[written], np.fmin(*ends))
    high[written] = np.fmax(high[written], np.fmax(*ends))
    return Ranges(effects.value, low, high, effects.depends)
