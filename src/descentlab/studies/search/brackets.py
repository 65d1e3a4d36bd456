"""Rungs and brackets of successive halving and Hyperband, in whole epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Bracket:
    """A number of settings that are halved at rungs.

    Attributes:
        counts: settings at each rung.
        budgets: epochs that each has been trained for at the end of it.
    """

    counts: tuple[int, ...]
    budgets: tuple[int, ...]

    @property
    def epochs(self) -> int:
        """Epochs that all its settings are trained for, a seed."""
        begins = (0, *self.budgets)
        return sum(
            count * (end - begin)
            for count, begin, end in zip(self.counts, begins, self.budgets, strict=False)
        )


def hyperband(maximum: int, factor: int) -> list[Bracket]:
    r"""Return the brackets of Hyperband, the one that starts with most settings first.

    With R = ``maximum`` and η = ``factor``, :math:`s_{max}` is the largest integer with
    :math:`\eta^{s_{max}} \le R` (in integers: floating-point logarithms lose a bracket
    at R = 243). Bracket s starts with

    .. math:: n = \left\lceil \tfrac{s_{max} + 1}{s + 1} \eta^s \right\rceil,
              \qquad r = R \eta^{-s},

    and rung i has :math:`\lfloor n \eta^{-i} \rfloor` settings at :math:`r \eta^i`
    epochs, rounded to the nearest whole number (a half up) and at least 1.

    Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, Hyperband, JMLR 18 (2018),
    algorithm 1.
    """
    most = 0
    while factor ** (most + 1) <= maximum:
        most += 1
    found = []
    for s in range(most, -1, -1):
        count = math.ceil(Fraction(most + 1, s + 1) * factor**s)
        counts = tuple(count // factor**i for i in range(s + 1))
        budgets = tuple(_whole(Fraction(maximum, factor ** (s - i))) for i in range(s + 1))
        found.append(Bracket(counts, budgets))
    return found


def successive_halving(trials: int, minimum: int, maximum: int, factor: int) -> list[Bracket]:
    """Return the one bracket of ``trials`` settings from ``minimum`` epochs on.

    Rung i has ⌊trials factor^-i⌋ settings, at least one, at minimum factor^i epochs; the
    last rung has ``maximum``.

    Source: Jamieson and Talwalkar, Non-stochastic best arm identification and
    hyperparameter optimization, AISTATS 2016.
    """
    counts, budgets = [trials], [minimum]
    while budgets[-1] < maximum:
        counts.append(max(1, trials // factor ** len(counts)))
        budgets.append(min(maximum, budgets[-1] * factor))
    return [Bracket(tuple(counts), tuple(budgets))]


def promoted(values: Mapping[str, float], count: int, *, lower_is_better: bool) -> list[str]:
    """Return the settings that go on: the best ``count`` of them, best first.

    One that diverged (NaN) is never among them, so there may be fewer. Equal figures
    rank by id.
    """
    sign = 1 if lower_is_better else -1
    sound = [name for name, value in values.items() if math.isfinite(value)]
    return sorted(sound, key=lambda name: (sign * values[name], name))[:count]


def _whole(epochs: Fraction) -> int:
    return max(1, math.floor(epochs + Fraction(1, 2)))
