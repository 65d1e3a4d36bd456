"""Norms of the gradient layer by layer: where they vanish on their way back, where they explode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from descentlab.report.answers import Answers, Result, Row
from descentlab.report.axes import Axis
from descentlab.report.curves import Band, Bands
from descentlab.report.markup import Markup, join, tag
from descentlab.report.multiples import MOST_PLOTS, figure_of, in_plots, panels_of
from descentlab.report.palette import CATEGORIES
from descentlab.report.plots import (
    FULL_WIDTH,
    Line,
    Panel,
    Plot,
    describe,
    draw,
    heading,
    legend_of,
    wide,
)
from descentlab.report.tables import Pivots

LAYER = "gradient_norm_"
DECADES = 2.0
CAPTION = (
    "Norm of the batch's gradient in each layer, the first being the one at the inputs; medians "
    "over seeds. A line that falls to the left shows gradients that vanish on their way back. "
    "On a log scale what is zero, or thirty decades below the largest, lies at the lower edge."
)


def layers(result: Result, found: Answers, tables: Pivots, rows: Sequence[Row]) -> Markup | None:
    """Return figures of the first and of the last update; None where no layers were read.

    The panels are those of the tables of factors; without tables the chosen ``rows`` share one.
    """
    if len([name for name in result.readings if name.startswith(LAYER)]) < 2:
        return None
    ids = in_plots(tables) or [row.id for row in rows]
    first, last = (_profiles(result, ids, end) for end in ("first", "last"))
    moved = not first.keys() >= last.keys() or any(
        not np.array_equal(first[i].mean, last[i].mean) for i in last
    )
    parts: list[Markup] = []
    for name, profiles in (("first update", first), ("last update", last)):
        if profiles and (name == "first update" or moved):
            parts.append(tag("h3", f"Gradients by layer, {name}"))
            parts += _drawn(found, tables, rows, profiles, name.split()[0])
    return join([*parts, tag("p", CAPTION, class_="note")]) if parts else None


def _drawn(
    found: Answers, tables: Pivots, rows: Sequence[Row], profiles: dict[str, Band], key: str
) -> list[Markup]:
    axis = log_axis(profiles.values(), zeros=1.0)
    if not (tables.tables and tables.layout):
        return [_together(rows, profiles, axis, key)]
    read = Bands("gradient_norm", profiles)
    parts = []
    for number, pivot in enumerate(tables.tables[:MOST_PLOTS]):
        if panels := panels_of(found, pivot, read, axis):
            title = tag("p", tag("strong", pivot.title)) if pivot.title else None
            own = f"layers-{key}-{number}"
            drawn = figure_of(found, pivot, panels, "layer", own, read.metric)
            parts += [title, drawn] if title else [drawn]
    return parts


def _together(rows: Sequence[Row], profiles: dict[str, Band], axis: Axis, key: str) -> Markup:
    lines = tuple(
        Line(row.name, CATEGORIES[i % len(CATEGORIES)], profiles[row.id], i >= len(CATEGORIES))
        for i, row in enumerate(rows)
        if row.id in profiles
    )
    panel = Panel(heading("gradient_norm", axis), lines, axis)
    plot = Plot(
        f"layers-{key}",
        (panel,),
        "layer",
        "Gradient norms by layer",
        describe(lines),
        width=FULL_WIDTH,
        height=2.6,
    )
    return tag("figure", legend_of(lines), wide(draw(plot)))


def _profiles(result: Result, ids: Iterable[str], end: str) -> dict[str, Band]:
    """Return each configuration's norm by layer at its runs' first or last update."""
    names = [name for name in result.readings if name.startswith(LAYER)]
    frame = result.readings_at(names, end)
    found = {}
    for ident, own in frame[frame["configuration"].isin(list(ids))].groupby("configuration"):
        table = own[names].to_numpy(float)
        there = ~np.isnan(table).all(axis=0)
        if there.any():
            found[str(ident)] = flat(
                np.flatnonzero(there) + 1, np.nanmedian(table[:, there], axis=0)
            )
    return found


def log_axis(drawn: Iterable[Band], zeros: float = 0.1) -> Axis:
    """Return a logarithmic axis for positive figures over two decades, else a straight one.

    A share of less than ``zeros`` of the figures may be 0; they lie at the lower edge.
    """
    means = np.concatenate([band.mean for band in drawn])
    means = means[np.isfinite(means)]
    if not len(means):
        return Axis("linear", 0.0, 1.0)
    low, high, positive = float(means.min()), float(means.max()), means[means > 0]
    few = len(means) - len(positive) < zeros * len(means)
    if low >= 0 and few and high > positive.min() * 10**DECADES:
        return Axis("log", max(float(positive.min()), high * 1e-30), high)
    return Axis("linear", low, high if high > low else low + (abs(low) or 1.0) * 0.01)


def flat(x: np.ndarray, y: np.ndarray) -> Band:
    """Return a line without an interval."""
    nothing = np.full(len(x), np.nan)
    return Band(x.astype(float), y, nothing, nothing, np.ones(len(x), bool), (), 1)
