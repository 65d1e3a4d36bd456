"""What was read at every update: applied learning rates, norms of gradients, and the like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from descentlab.report.answers import Answers, Result, Row
from descentlab.report.axes import Axis
from descentlab.report.curves import Band, bands
from descentlab.report.figures import choose
from descentlab.report.layers import LAYER, flat, layers, log_axis
from descentlab.report.markup import Markup, join, tag
from descentlab.report.names import metric_name
from descentlab.report.numbers import value
from descentlab.report.palette import CATEGORIES
from descentlab.report.plots import (
    FULL_WIDTH,
    Line,
    Panel,
    Plot,
    capital,
    describe,
    draw,
    legend_of,
    wide,
)
from descentlab.report.tables import pivots
from descentlab.studies.rates import declared_rates

RATE = "learning_rate"
FAST = "_fast_"
LAST_RECORDS = 40
"""Records, the last ones, in which fast weights are drawn beside what is evaluated."""
MOST_PANELS = 8


def updates(result: Result, found: Answers) -> Markup | None:
    """Return the section of the readings; None where nothing was read."""
    fast = [metric for metric in result.metrics if FAST in metric]
    if not (result.readings or fast) or not found.done or not found.primary:
        return None
    tables = pivots(found, result.study.report)
    chosen = [row for row in choose(found, tables).rows if row.done]
    parts = [part(result, chosen) for part in (_rates, _inner_loop, _others)]
    parts.append(layers(result, found, tables, chosen))
    if not any(parts):
        return None
    title = tag("h2", "Update by update", id="updates")
    return tag("section", title, join(filter(None, parts)), aria_labelledby="updates")


def _rates(result: Result, rows: Sequence[Row]) -> Markup | None:
    """Draw applied against declared rates, a panel for each course that they take."""
    if RATE not in result.readings:
        return None
    runs = {c.id: c.run for c in result.configurations}
    read = bands(result, RATE, [row.id for row in rows], epochs=False).bands
    panels: dict[tuple[float, ...], Panel] = {}
    largest, compared = 0.0, 0
    for row in rows:
        if row.id not in read:
            continue
        applied = read[row.id]
        per_epoch = _per_epoch(result, row.id)
        rates = declared_rates(runs[row.id], applied.x.astype(int), per_epoch)
        known = np.isfinite(rates)
        apart = np.abs(applied.mean - rates)[known] / np.abs(rates[known]).max(initial=1e-300)
        largest = max(largest, float(apart.max(initial=0.0)))
        compared += int(known.sum())
        course = tuple(np.round(np.nan_to_num(rates), 12))
        if course in panels or len(panels) >= MOST_PANELS:
            continue
        lines = (
            Line("applied", CATEGORIES[0], _plain(applied)),
            Line("declared", CATEGORIES[1], flat(applied.x[known], rates[known]), dashed=True),
        )
        panels[course] = Panel(row.name, lines, _straight(line.band for line in lines))
    if not panels:
        return None
    agree = (
        "The two agree"
        if largest < 1e-5
        else f"They differ, by up to {value(largest, 2)} of the largest rate,"
    )
    caption = (
        "Learning rate that each update applied, and the one that the study declares: schedule "
        f"times learning rate. {agree} at {compared:,} updates compared (to single precision). "
        "Configurations with the same course are drawn once."
    )
    return _figure("rates", list(panels.values()), "Learning rates by update", caption)


def _inner_loop(result: Result, rows: Sequence[Row]) -> Markup | None:
    """Draw the fast weights beside what the optimizer offers for evaluation, at the end."""
    names = [metric for metric in result.metrics if FAST in metric]
    if not names:
        return None
    fast = next((n for n in names if n.replace(FAST, "_") == result.primary), names[-1])
    slow = fast.replace(FAST, "_")
    ids = [row.id for row in rows]
    read = [
        bands(result, metric, ids, epochs=False, last=LAST_RECORDS).bands for metric in (slow, fast)
    ]
    panels = []
    for row in rows:
        own = [band.get(row.id) for band in read]
        if any(band is None or not len(band.x) for band in own):
            continue
        lines = tuple(
            Line(label, CATEGORIES[i], _plain(band))  # type: ignore[arg-type]
            for i, (label, band) in enumerate(zip(("slow, evaluated", "fast"), own, strict=True))
        )
        if not np.array_equal(lines[0].band.mean, lines[1].band.mean, equal_nan=True):
            panels.append(Panel(row.name, lines, log_axis(line.band for line in lines)))
    if not panels:
        return None
    caption = (
        f"{capital(metric_name(slow))} of the weights that are evaluated (slow ones, an average) "
        f"and of the fast ones that the inner optimizer moves, at the last {LAST_RECORDS} records; "
        "means over seeds."
    )
    return _figure("fast", panels[:MOST_PANELS], "Fast and slow weights", caption, across="step")


def _others(result: Result, rows: Sequence[Row]) -> Markup | None:
    names = [n for n in result.readings if n != RATE and not n.startswith(LAYER)]
    panels = []
    for name in names:
        read = bands(result, name, [row.id for row in rows], epochs=False).bands
        lines = tuple(
            Line(
                row.name,
                CATEGORIES[i % len(CATEGORIES)],
                _plain(read[row.id]),
                i >= len(CATEGORIES),
            )
            for i, row in enumerate(rows)
            if row.id in read and len(read[row.id].x)
        )
        if lines:
            axis = log_axis(line.band for line in lines)
            note = f" ({axis.note})" if axis.note else ""
            panels.append(Panel(metric_name(name) + note, lines, axis))
    if not panels:
        return None
    caption = "What was read at every update: means over seeds."
    return _figure("readings", panels, "Readings by update", caption)


def _figure(
    key: str,
    panels: Sequence[Panel],
    title: str,
    caption: str,
    *,
    across: str = "update",
) -> Markup:
    words = " ".join(f"{panel.title}: {describe(panel.lines)}" for panel in panels)
    columns = min(3, len(panels))
    plot = Plot(key, tuple(panels), across, title, words, columns=columns,
                height=2.2, width=FULL_WIDTH if len(panels) > 1 else 5.2)  # fmt: skip
    lines = [line for panel in panels for line in panel.lines]
    shown = [legend_of(lines)] if len({line.label for line in lines}) > 1 else []
    return tag("figure", *shown, wide(draw(plot)), tag("figcaption", caption))


def _per_epoch(result: Result, configuration: str) -> int:
    """Return the batches of an epoch, which the data decides."""
    frame = result.curves(result.metrics[-1], configurations=[configuration])
    last = frame[frame["step"] > 0].iloc[-1]
    return round(float(last["step"]) / float(last["epoch"]))


def _straight(drawn: Iterable[Band]) -> Axis:
    means = np.concatenate([band.mean for band in drawn])
    low, high = float(np.nanmin(means)), float(np.nanmax(means))
    return Axis("linear", low, high if high > low else low + (abs(low) or 1.0) * 0.01)


def _plain(band: Band) -> Band:
    """Return a band without its interval."""
    nothing = np.full(len(band.x), np.nan)
    return replace(band, low=nothing, high=nothing)
