"""Curves of configurations: the mean over seeds with its interval, record by record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from descentlab.evaluation.intervals import t_quantile
from descentlab.report.answers import Result

if TYPE_CHECKING:
    import pandas as pd

MOST_RECORDS = 160  # points of a line in a picture


@dataclass(frozen=True)
class Band:
    """A configuration's curve over its seeds.

    Attributes:
        x: epoch or step of each record.
        mean: mean over the runs that have the record.
        low, high: the ends of its 95 % t interval, NaN with one run.
        whole: whether every run has the record; later ones lack runs that diverged or
            are not that far.
        crosses: x and y of the last record of each run that diverged.
        runs: number of runs.
    """

    x: Float[np.ndarray, " records"]
    mean: Float[np.ndarray, " records"]
    low: Float[np.ndarray, " records"]
    high: Float[np.ndarray, " records"]
    whole: Bool[np.ndarray, " records"]
    crosses: tuple[tuple[float, float], ...]
    runs: int


@dataclass(frozen=True)
class Bands:
    """The bands of a metric by configuration, and whether records were skipped in drawing."""

    metric: str
    bands: dict[str, Band]
    thinned: int = 0


def bands(
    result: Result, metric: str, ids: Sequence[str], *, epochs: bool, last: int | None = None
) -> Bands:
    """Return the bands of some configurations; one without any record is left out.

    Long curves are thinned to ``MOST_RECORDS`` evenly spaced records, first and last kept;
    with ``last`` only so many records at the end are looked at.
    """
    frame = result.curves(metric, configurations=list(dict.fromkeys(ids)))
    finished = result.frame()
    bad = finished[finished["diverged"].to_numpy(bool)]
    diverged = set(zip(bad["configuration"], bad["seed"], strict=True))
    found: dict[str, Band] = {}
    longest = 0
    for ident, own in frame.groupby("configuration", sort=False):
        if last is not None:
            own = own[own["step"] >= np.unique(own["step"])[-last:][0]]
        band = _band(own, str(ident), "epoch" if epochs else "step", diverged)
        longest = max(longest, len(band.x))
        found[str(ident)] = _thinned(band)
    return Bands(metric, found, longest if longest > MOST_RECORDS else 0)


def _band(frame: pd.DataFrame, ident: str, axis: str, diverged: set[tuple[str, int]]) -> Band:
    steps, place = np.unique(frame["step"].to_numpy(), return_inverse=True)
    seeds, run = np.unique(frame["seed"].to_numpy(), return_inverse=True)
    values = np.full((len(seeds), len(steps)), np.nan)
    values[run, place] = frame["value"].to_numpy(float)
    x = np.zeros(len(steps))
    x[place] = frame[axis].to_numpy(float)
    present = np.isfinite(values)
    count = present.sum(axis=0)
    some = np.maximum(count, 1)
    # An overflow in a run about to diverge is its result; the picture is cut at its axis.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(present, values, 0.0).sum(axis=0) / some
        spread = np.sqrt(
            np.where(present, (values - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count - 1, 1)
        )
        quantile = np.array([t_quantile(int(n)) if n > 1 else np.nan for n in count])
        half = quantile * spread / np.sqrt(some)
    keep = count > 0
    crosses = []
    for index, seed in enumerate(seeds):
        if (ident, int(seed)) in diverged and present[index].any():
            last = int(np.flatnonzero(present[index])[-1])
            crosses.append((float(x[last]), float(values[index, last])))
    whole = count == len(seeds)
    low, high = mean - half, mean + half
    return Band(x[keep], mean[keep], low[keep], high[keep], whole[keep], tuple(crosses), len(seeds))


def _thinned(band: Band) -> Band:
    if len(band.x) <= MOST_RECORDS:
        return band
    kept = np.unique(np.linspace(0, len(band.x) - 1, MOST_RECORDS).round().astype(int))
    names = ("x", "mean", "low", "high", "whole")
    return replace(band, **{name: getattr(band, name)[kept] for name in names})
