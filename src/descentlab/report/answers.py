"""What a study's runs say: configurations with their intervals, ranked, against the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from descentlab.evaluation.intervals import Interval, t_interval
from descentlab.report.names import configuration_name, factor_names

if TYPE_CHECKING:
    import pandas as pd


class Result(Protocol):
    """What a report needs of a study's result; ``studies.result.StudyResult`` has it."""

    folder: Any
    study: Any

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, devices and sessions."""
        ...

    @property
    def configurations(self) -> Sequence[Any]:
        """Configurations in the order of the file, with id, values and labels."""
        ...

    @property
    def factors(self) -> list[str]:
        """Names of what varies."""
        ...

    @property
    def metrics(self) -> list[str]:
        """Names of the recorded metrics; none before the first record."""
        ...

    @property
    def readings(self) -> list[str]:
        """Names of what was read at every update of some run."""
        ...

    @property
    def primary(self) -> str:
        """The metric that configurations are ranked by; asked for only if there are metrics."""
        ...

    @property
    def planned(self) -> int:
        """Number of runs that the study has."""
        ...

    def claims(self) -> Sequence[Any]:
        """Return a verdict on each claim of the study."""
        ...

    def frame(self) -> pd.DataFrame:
        """Return one row a finished run, with each metric at its last record."""
        ...

    def readings_at(self, names: Sequence[str], end: str) -> pd.DataFrame:
        """Return readings of each run at its ``first`` or ``last`` update."""
        ...

    def curves(self, metric: str, configurations: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a metric's records: configuration, seed, step, epoch, value."""
        ...


SAME = 1e-5
"""Relative difference up to which two figures are called the same: float32 sums differ so much."""


@dataclass(frozen=True)
class Row:
    """What one configuration's finished runs say.

    Attributes:
        id: the configuration's id.
        name: the configuration in words.
        labels: a short text for each factor that it has.
        done: finished runs, diverged ones included.
        diverged: runs that diverged.
        metrics: the mean over the runs that did not diverge, with its interval.
        values: the primary metric by seed.
        gap: this configuration minus the best on the primary metric, paired by seed;
            None for the best itself and where no seed is shared.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    done: int
    diverged: int
    metrics: Mapping[str, Interval]
    values: Mapping[int, float] = field(repr=False, default_factory=dict)
    gap: Interval | None = None

    @property
    def used(self) -> int:
        """Runs that the means are over."""
        return self.done - self.diverged

    @property
    def same(self) -> bool:
        """Whether it equals the best to five digits, seed by seed."""
        if self.gap is None or not self.values:
            return False
        size = max(map(abs, self.values.values()))
        return abs(self.gap.mean) + (self.gap.half or 0.0) <= SAME * size


@dataclass(frozen=True)
class Answers:
    """A study's configurations, best first; those with diverged runs behind, without runs last."""

    primary: str | None
    metrics: tuple[str, ...]
    factors: Mapping[str, str]
    rows: tuple[Row, ...]
    planned: int
    seeds: int

    @property
    def done(self) -> int:
        """Finished runs."""
        return sum(row.done for row in self.rows)

    @property
    def diverged(self) -> int:
        """Runs that diverged."""
        return sum(row.diverged for row in self.rows)

    @property
    def complete(self) -> bool:
        """Whether every run is finished."""
        return self.done >= self.planned

    @property
    def best(self) -> Row | None:
        """The configuration with the best mean, if any has a figure."""
        first = self.rows[0] if self.rows else None
        return first if first and self.primary and first.values else None


def lower_is_better(metric: str) -> bool:
    """Return whether a metric is a loss; every other metric is better when higher."""
    return metric.endswith("_loss") or metric == "loss"


def answers(result: Result) -> Answers:
    """Summarise and rank a result's configurations.

    The mean and the interval of a configuration are over the runs that did not
    diverge, and stand beside the number that did; such a configuration ranks behind
    all that never diverged, whatever its mean.
    """
    metrics = tuple(result.metrics)
    primary = result.primary if metrics else None
    names = factor_names(result.factors)
    rows = _rows(result, metrics, primary, names)
    if getattr(result.study, "search", None) is not None:  # others were eliminated
        rows = [row for row in rows if row.done] or rows
    order = sorted(range(len(rows)), key=lambda i: (_standing(rows[i], primary), i))
    ranked = _compared([rows[i] for i in order])
    return Answers(primary, metrics, names, tuple(ranked), result.planned, len(result.study.seeds))


def _rows(
    result: Result, metrics: tuple[str, ...], primary: str | None, names: Mapping[str, str]
) -> list[Row]:
    frame = result.frame()
    diverged = frame["diverged"].to_numpy(bool)
    seeds = frame["seed"].to_numpy()
    columns = {name: frame[name].to_numpy(float) for name in metrics if name in frame}
    groups = frame.groupby("configuration", sort=False).indices if len(frame) else {}
    nothing = np.zeros(0, np.intp)
    rows = []
    for configuration in result.configurations:
        runs = np.asarray(groups.get(configuration.id, nothing), np.intp)
        sound = runs[~diverged[runs]]
        rows.append(
            Row(
                configuration.id,
                configuration_name(configuration.labels, names),
                configuration.labels,
                len(runs),
                int(diverged[runs].sum()),
                {name: _of_finite(column[sound]) for name, column in columns.items()},
                _by_seed(seeds[sound], columns[primary][sound]) if primary in columns else {},
            )
        )
    return rows


def _by_seed(seeds: np.ndarray, values: np.ndarray) -> dict[int, float]:
    pairs = zip(seeds.tolist(), values.tolist(), strict=True)
    return {int(seed): value for seed, value in pairs if math.isfinite(value)}


def _of_finite(values: np.ndarray) -> Interval:
    """Leave out a metric that a sound run does not have (another objective's)."""
    return t_interval(values[np.isfinite(values)])


def _standing(row: Row, primary: str | None) -> tuple[bool, int, float]:
    """Return what rows are sorted by: has it runs, how many diverged, the mean."""
    mean = row.metrics[primary].mean if primary and primary in row.metrics else math.nan
    sign = 1 if primary and lower_is_better(primary) else -1
    return not row.done, row.diverged, math.inf if math.isnan(mean) else sign * mean


def _compared(rows: list[Row]) -> list[Row]:
    """Add to each row its difference from the first, over the seeds that both have."""
    if not rows:
        return rows
    best = rows[0].values
    compared = rows[:1]
    for row in rows[1:]:
        shared = [row.values[seed] - best[seed] for seed in row.values if seed in best]
        gap = t_interval(shared) if shared else None
        compared.append(Row(**{**row.__dict__, "gap": gap}))
    return compared
