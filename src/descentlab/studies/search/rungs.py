"""Where a search stands: which settings reached which rung, and who goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from descentlab.studies.configurations import Configuration
from descentlab.studies.search.brackets import Bracket, promoted
from descentlab.studies.spec import Study

Value = Mapping[tuple[str, int], float]
"""A configuration's mean figure at an epoch; NaN if a run of it diverged. What is not there
has not got so far."""


@dataclass(frozen=True)
class Rung:
    """A rung of a bracket.

    Attributes:
        bracket, number: which.
        epochs: what its settings have been trained for at its end.
        members: ids of the settings.
        values: their figures at its end; empty while some are missing.
        survivors: who goes on, best first; in the last rung the best alone.
        last: whether no rung follows in its bracket.
    """

    bracket: int
    number: int
    epochs: int
    members: tuple[str, ...]
    values: Mapping[str, float]
    survivors: tuple[str, ...]
    last: bool


@dataclass(frozen=True)
class Standings:
    """All rungs that have begun, and what is to train: epochs by configuration."""

    rungs: tuple[Rung, ...]
    wanted: Mapping[str, int]
    audited: tuple[str, ...]


def standings(
    study: Study, configurations: Sequence[Configuration], values: Value, *, lower_is_better: bool
) -> Standings:
    """Return where a search stands, as a pure function of the figures that are on record."""
    epochs = int(study.run["epochs"])
    rungs: list[Rung] = []
    wanted: dict[str, int] = {}
    first = 0
    for number, bracket in enumerate(brackets_of(study, len(configurations))):
        names = [c.id for c in configurations[first : first + bracket.counts[0]]]
        first += bracket.counts[0]
        rungs += _climb(number, bracket, names, values, wanted, lower_is_better)
    audited = () if wanted else _audited(study, rungs, epochs)
    missing = {name: epochs for name in audited if (name, epochs) not in values}
    return Standings(tuple(rungs), wanted or missing, audited)


def brackets_of(study: Study, settings: int) -> list[Bracket]:
    """Return a search's brackets; without rungs there is one, in which all are trained in full."""
    return study.rungs or [Bracket((settings,), (int(study.run["epochs"]),))]


def _climb(
    number: int, bracket: Bracket, names: Sequence[str], values: Value, wanted: dict[str, int],
    lower_is_better: bool,
) -> list[Rung]:  # fmt: skip
    found: list[Rung] = []
    for index, epochs in enumerate(bracket.budgets):
        last = index + 1 == len(bracket.counts)
        there = {n: values[n, epochs] for n in names if (n, epochs) in values}
        if len(there) < len(names):
            wanted |= {name: epochs for name in names if name not in there}
            return [*found, Rung(number, index, epochs, tuple(names), {}, (), last=last)]
        count = 1 if last else bracket.counts[index + 1]
        best = promoted(there, count, lower_is_better=lower_is_better)
        found.append(Rung(number, index, epochs, tuple(names), there, tuple(best), last=last))
        names = sorted(best)
        if not names:
            return found
    return found


def _audited(study: Study, rungs: Sequence[Rung], epochs: int) -> tuple[str, ...]:
    """Draw eliminated settings at random, to be finished all the same."""
    number = int(getattr(study.search, "audit", 0))
    out = sorted(
        name
        for rung in rungs
        for name in rung.members
        if rung.epochs < epochs and name not in rung.survivors and np.isfinite(rung.values[name])
    )
    if not number or not out:
        return ()
    random = np.random.default_rng([int(getattr(study.search, "seed", 0)), 1])
    return tuple(sorted(random.choice(out, min(number, len(out)), replace=False).tolist()))
