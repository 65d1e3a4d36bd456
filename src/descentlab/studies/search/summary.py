"""What a search found: its trials, best first, and what eliminating the others may have cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from descentlab.store.segments import query
from descentlab.studies.configurations import Configuration
from descentlab.studies.search.promotions import rung_values, search_standings
from descentlab.studies.search.rungs import Rung, Standings
from descentlab.studies.search.spaces import Float

if TYPE_CHECKING:
    from descentlab.studies.records import Records

Status = Literal["finished", "eliminated", "diverged", "audited", "training"]


@dataclass(frozen=True)
class Trial:
    """One setting of a search.

    Attributes:
        configuration: the setting.
        bracket, rung: where it came to; counted from 0.
        initial_epoch: the epoch at which that rung began.
        epochs: how long it has been trained by the end of it.
        value: its figure there (a mean over seeds); NaN if it diverged.
        status: what became of it.
    """

    configuration: Configuration
    bracket: int
    rung: int
    initial_epoch: int
    epochs: int
    value: float
    status: Status


@dataclass(frozen=True)
class SearchSummary:
    """A search.

    Attributes:
        metric: what settings are ranked by.
        lower_is_better: whether it is a loss.
        trials: best first: those that were finished, then the others, the furthest first.
        standings: rung by rung; without rungs there is one, in which all are trained in full.
        rungs: whether settings are eliminated at rungs.
        unasked: settings that a sampler has not been asked for yet.
        trained, full: epochs that were trained, and that training all settings in full takes.
        at_edges: values of the best setting that lie at an end of their range, in words.
        regret: how much better the best audited setting is than the best finished one
            (negative: worse); None without an audit.
    """

    metric: str
    lower_is_better: bool
    trials: tuple[Trial, ...]
    standings: Standings
    rungs: bool
    unasked: int
    trained: float
    full: int
    at_edges: tuple[str, ...]
    regret: float | None

    @property
    def over(self) -> bool:
        """Whether nothing is left to train."""
        return not self.standings.wanted and not self.unasked

    def to_json(self) -> dict[str, Any]:
        """Return the search as ``descentlab show --json`` prints it."""
        return {
            "metric": self.metric,
            "over": self.over,
            "epochs_trained": self.trained,
            "epochs_in_full": self.full,
            "trials": [_trial_json(trial) for trial in self.trials],
            "rungs": [_rung_json(rung) for rung in self.standings.rungs],
            "at_edges": list(self.at_edges),
            "regret": self.regret,
        }


def summarise(result: Records) -> SearchSummary:
    """Return what the search in a results folder found so far."""
    study, epochs = result.study, int(result.study.run["epochs"])
    metric = study.searched_metric
    if metric not in result.metrics:
        metric = result.primary
    lower = metric.endswith("_loss")
    now = search_standings(study, result.configurations, result.folder, metric)
    values = rung_values(study, result.folder, metric)
    known = {configuration.id: configuration for configuration in result.configurations}
    last: dict[str, Trial] = {}
    for rung in now.rungs:
        for name in rung.members:
            last[name] = _trial(known[name], rung, now, epochs)
    for name in now.audited:
        if (name, epochs) in values:
            last[name] = _audited(last[name], epochs, values[name, epochs])
    trials = sorted(last.values(), key=lambda trial: _rank(trial, lower))
    finished = [t for t in trials if t.status == "finished"]
    return SearchSummary(
        metric,
        lower,
        tuple(trials),
        now,
        bool(study.rungs),
        study.search.unasked if study.search else 0,
        _trained(result),
        len(study.seeds) * epochs * len(known),
        tuple(edges(study.search.space, finished[0].configuration)) if finished else (),  # type: ignore[union-attr]
        _regret(trials, finished, lower),
    )


def _trained(result: Records) -> float:
    """Return the epochs on record over all runs, those of diverged ones up to there."""
    table = query(
        result.folder,
        """SELECT sum(epochs) AS epochs FROM
           (SELECT max(epoch) AS epochs FROM segments GROUP BY configuration, seed)""",
        ["configuration", "seed", "epoch"],
    )
    return round(float(table["epochs"][0]), 2)


NEAR = 0.05
"""Share of a float's range that counts as its end."""


def edges(space: Mapping[str, Any], configuration: Configuration) -> list[str]:
    """Return the values of a setting that lie at an end of their range, in words."""
    found = []
    for path, dimension in space.items():
        ends = dimension.edges()
        value = configuration.values.get(path)
        if ends is None or value is None:
            continue
        if isinstance(dimension, Float):
            place = dimension.place(value)
            if min(place, 1 - place) <= NEAR:
                side = "lower" if place < 0.5 else "upper"
                found.append(f"{path} = {value:g} is near the {side} end of what was searched")
        elif value in ends:
            side = "smallest" if value == ends[0] else "largest"
            found.append(f"{path} = {value:g} is the {side} that was searched")
    return found


def _trial(configuration: Configuration, rung: Rung, now: Standings, epochs: int) -> Trial:
    before = [
        r.epochs for r in now.rungs if r.bracket == rung.bracket and r.number == rung.number - 1
    ]
    value = rung.values.get(configuration.id, math.nan)
    status: Status = "finished" if rung.epochs == epochs else "eliminated"
    if not rung.values:
        status = "training"
    elif math.isnan(value):
        status = "diverged"
    return Trial(
        configuration, rung.bracket, rung.number, before[0] if before else 0, rung.epochs, value,
        status,
    )  # fmt: skip


def _audited(trial: Trial, epochs: int, value: float) -> Trial:
    return Trial(
        trial.configuration, trial.bracket, trial.rung, trial.epochs, epochs, value, "audited"
    )


def _rank(trial: Trial, lower: bool) -> tuple[Any, ...]:
    order = {"finished": 0, "audited": 1}.get(trial.status, 2)
    value = trial.value if lower else -trial.value
    return order, -trial.epochs, math.inf if math.isnan(value) else value, trial.configuration.id


def _regret(trials: Sequence[Trial], finished: Sequence[Trial], lower: bool) -> float | None:
    audited = [t.value for t in trials if t.status == "audited" and math.isfinite(t.value)]
    sound = [t.value for t in finished if math.isfinite(t.value)]
    if not audited or not sound:
        return None
    return min(sound) - min(audited) if lower else max(audited) - max(sound)


def _trial_json(trial: Trial) -> dict[str, Any]:
    return {
        "configuration": trial.configuration.id,
        "values": trial.configuration.values,
        "bracket": trial.bracket,
        "rung": trial.rung,
        "initial_epoch": trial.initial_epoch,
        "epochs": trial.epochs,
        "value": trial.value if math.isfinite(trial.value) else None,
        "status": trial.status,
    }


def _rung_json(rung: Rung) -> dict[str, Any]:
    return {
        "bracket": rung.bracket,
        "rung": rung.number,
        "epochs": rung.epochs,
        "settings": len(rung.members),
        "diverged": sum(math.isnan(value) for value in rung.values.values()),
        "survivors": list(rung.survivors),
    }
