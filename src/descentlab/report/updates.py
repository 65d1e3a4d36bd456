"""What was read at every update: applied learning rates, norms of gradients, and the like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from descentlab.report.answers import Answers, Result, Row
from descentlab.report.axes import Axis, cut
from descentlab.report.curves import Band, Bands, bands
from descentlab.report.figures import choose
from descentlab.report.layers import LAYER, flat, layers, log_axis
from descentlab.report.markup import Markup, join, tag
from descentlab.report.multiples import MOST_PLOTS, figure_of, in_plots, panels_of
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
    heading,
    legend_of,
    wide,
)
from descentlab.report.tables import Pivots, pivots
from descentlab.studies.rates import declared_rates

RATE = "learning_rate"
FAST = "_fast_"
LAST_RECORDS = 40
"""Records, the last ones, in which fast weights are drawn beside what is evaluated."""
READINGS = "What was read at every update: means over seeds."
CUT = " Where outliers are cut off, lines go on beyond the edge."
MOST_PANELS = 8
MOST_COMPARED = 200
TINY = 1e-300
AGREE = 1e-5
"""Relative difference up to which two rates are called the same, in single precision."""


def updates(result: Result, found: Answers) -> Markup | None:
    """Return the section of the readings; None where nothing was read."""
    fast = [metric for metric in result.metrics if FAST in metric]
    if not (result.readings or fast) or not found.done or not found.primary:
        return None
    tables = pivots(found, result.study.report)
    chosen = [row for row in choose(found, tables).rows if row.done]
    parts = [
        _rates(result, found, chosen),
        _inner_loop(result, chosen),
        _others(result, found, tables, chosen),
        layers(result, found, tables, chosen),
    ]
    if not any(parts):
        return None
    title = tag("h2", "Update by update", id="updates")
    return tag("section", title, join(filter(None, parts)), aria_labelledby="updates")


@dataclass(frozen=True)
class Course:
    """A course of learning rates: the first configuration that takes it, applied and declared."""

    name: str
    applied: Band
    known: np.ndarray
    rates: np.ndarray

    @property
    def key(self) -> tuple[object, ...]:
        """What equal courses share: relative to the largest rate, however small that is."""
        rates = self.rates[self.known]
        top = float(np.abs(rates).max()) or 1.0
        return f"{top:.6e}", tuple(self.applied.x[self.known]), tuple(np.round(rates / top, 7))

    @property
    def apart(self) -> float:
        """The largest difference of applied from declared, relative to the largest rate."""
        rates = self.rates[self.known]
        largest = np.abs(self.applied.mean[self.known] - rates).max()
        return float(largest / max(np.abs(rates).max(), TINY))


def _rates(result: Result, found: Answers, chosen: Sequence[Row]) -> Markup | None:
    """Draw applied against declared rates, a panel for each course that they take."""
    if RATE not in result.readings:
        return None
    first = {row.id for row in chosen}
    done = [row for row in found.rows if row.done]
    rows = [*chosen, *(row for row in done if row.id not in first)][:MOST_COMPARED]
    courses = _courses(result, rows)
    if not courses:
        return None
    panels = {course.key: course for course in reversed(courses)}  # the first of each stays
    several = list(reversed(panels.values()))
    drawn = [_course_panel(course) for course in several[:MOST_PANELS]]
    largest = max(course.apart for course in courses)
    agree = (
        "The two agree"
        if largest < AGREE
        else f"They differ, by up to {value(largest, 2)} of the largest rate,"
    )
    compared = sum(int(course.known.sum()) for course in courses)
    more = f" ({len(rows)} of {len(done):,} were looked at)" if len(done) > len(rows) else ""
    caption = (
        "Learning rate that each update applied, and the one that the study declares: schedule "
        f"times learning rate. {agree} at {compared:,} updates of {len(courses):,} "
        f"configurations compared{more}, to single precision. Configurations with "
        f"the same course are drawn once: {len(drawn)} of {len(several)} courses."
    )
    return _figure("rates", drawn, "Learning rates by update", caption)


def _courses(result: Result, rows: Sequence[Row]) -> list[Course]:
    """Return each configuration's course, where an update was made and its rate is declared."""
    runs = {c.id: c.run for c in result.configurations}
    read = read_bands(result, RATE, [row.id for row in rows])
    epochs = _per_epoch(result)
    found = []
    for row in rows:
        if row.id not in read or row.id not in epochs:
            continue
        applied = read[row.id]
        rates = declared_rates(runs[row.id], applied.x.astype(int), epochs[row.id])
        known = np.isfinite(rates)
        if known.any():
            found.append(Course(row.name, applied, known, rates))
    return found


def _course_panel(course: Course) -> Panel:
    declared = flat(course.applied.x[course.known], course.rates[course.known])
    lines = (
        Line("applied", CATEGORIES[0], _plain(course.applied)),
        Line("declared", CATEGORIES[1], declared, dashed=True),
    )
    return Panel(course.name, lines, _straight(line.band for line in lines))


def _inner_loop(result: Result, rows: Sequence[Row]) -> Markup | None:
    """Draw the fast weights beside what the optimizer offers for evaluation, at the end."""
    names = [metric for metric in result.metrics if FAST in metric]
    if not names:
        return None
    fast = next((n for n in names if n.replace(FAST, "_") == result.primary), names[-1])
    slow = fast.replace(FAST, "_")
    ids = [row.id for row in rows]
    read = [read_bands(result, metric, ids, last=LAST_RECORDS) for metric in (slow, fast)]
    panels = []
    for row in rows:
        own = [band.get(row.id) for band in read]
        if any(band is None for band in own):
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


def _others(result: Result, found: Answers, tables: Pivots, rows: Sequence[Row]) -> Markup | None:
    """Draw the other readings in the panels of the tables; those of ``rows`` without tables."""
    names = [n for n in result.readings if n != RATE and not n.startswith(LAYER)]
    if not (tables.tables and tables.layout):
        return _together(result, names, rows)
    parts: list[Markup] = []
    outlying = False
    for name in names:
        read = read_bands(result, name, in_plots(tables))
        drawn = _in_tables(found, tables, name, read) if read else []
        if drawn:
            axis = _reading_axis(read.values())
            outlying, note = outlying or axis.cut, axis.note
            title = f"{capital(metric_name(name))} by update{f' ({note})' if note else ''}"
            parts += [tag("h3", title), *drawn]
    caption = READINGS + (CUT if outlying else "")
    return join([*parts, tag("p", caption, class_="note")]) if parts else None


def _in_tables(found: Answers, tables: Pivots, name: str, read: dict[str, Band]) -> list[Markup]:
    """Return the panels of every table in one figure if few, else a figure for each table."""
    own = Bands(name, {ident: _plain(band) for ident, band in read.items()})
    axis = _reading_axis(own.bands.values())
    drawn = [(pivot, panels_of(found, pivot, own, axis)) for pivot in tables.tables[:MOST_PLOTS]]
    key = f"readings-{name}".replace("_", "-")
    flattened = [
        replace(panel, title=", ".join(filter(None, (pivot.title, panel.title))))
        for pivot, panels in drawn
        for panel in panels
    ]
    strokes = {(line.label, line.colour) for panel in flattened for line in panel.lines}
    if 0 < len(flattened) <= MOST_PLOTS and len(strokes) == len(dict(strokes)):
        title = f"{capital(heading(name, axis))} by update"
        return [_figure(key, flattened, title, named=True)]
    parts = []
    for number, (pivot, panels) in enumerate(drawn):
        if panels:
            title = tag("p", tag("strong", pivot.title)) if pivot.title else None
            figure = figure_of(found, pivot, panels, "update", f"{key}-{number}", name)
            parts += [title, figure] if title else [figure]
    return parts


def _together(result: Result, names: Sequence[str], rows: Sequence[Row]) -> Markup | None:
    panels = []
    for name in names:
        read = read_bands(result, name, [row.id for row in rows])
        lines = tuple(
            Line(
                row.name,
                CATEGORIES[i % len(CATEGORIES)],
                _plain(read[row.id]),
                i >= len(CATEGORIES),
            )
            for i, row in enumerate(rows)
            if row.id in read
        )
        if lines:
            axis = _reading_axis(line.band for line in lines)
            panels.append(Panel(heading(name, axis), lines, axis))
    caption = READINGS + (CUT if any(panel.axis.cut for panel in panels) else "")
    return _figure("readings", panels, "Readings by update", caption) if panels else None


def _reading_axis(drawn: Iterable[Band]) -> Axis:
    own = list(drawn)
    axis = log_axis(own)
    if axis.kind == "log":
        return axis
    means = np.concatenate([band.mean for band in own])
    return cut(means[np.isfinite(means)])


def _figure(
    key: str,
    panels: Sequence[Panel],
    title: str,
    caption: str = "",
    *,
    across: str = "update",
    named: bool = False,
) -> Markup:
    words = " ".join(f"{panel.title}: {describe(panel.lines)}" for panel in panels)
    columns = min(3, len(panels))
    plot = Plot(key, tuple(panels), across, title, words, columns=columns,
                height=2.2, width=FULL_WIDTH if len(panels) > 1 else 5.2)  # fmt: skip
    lines = [line for panel in panels for line in panel.lines]
    shown = [legend_of(lines)] if named or len({line.label for line in lines}) > 1 else []
    words_below = tag("figcaption", caption) if caption else None
    return tag("figure", *shown, wide(draw(plot)), words_below)


def read_bands(
    result: Result, name: str, ids: Sequence[str], last: int | None = None
) -> dict[str, Band]:
    """Return the bands of a reading by update, of those configurations that have any figure."""
    found = bands(result, name, ids, epochs=False, last=last).bands
    return {ident: band for ident, band in found.items() if len(band.x)}


def _per_epoch(result: Result) -> dict[str, int]:
    """Return the batches of an epoch by configuration, which data and batches decide.

    A run that was stopped before its first record has those of another one on the same data.
    """
    frame = result.curves(RATE).drop_duplicates("configuration", keep="last")
    frame = frame[frame["epoch"] > 0]
    counts = frame["step"] / frame["epoch"]
    found = {i: round(n) for i, n in zip(frame["configuration"], counts, strict=True)}
    own = {c.id: repr((c.run.objective, c.run.data, c.run.batches)) for c in result.configurations}
    same = {own[ident]: batches for ident, batches in found.items()}
    return {
        i: found.get(i, same.get(key, 0)) for i, key in own.items() if i in found or key in same
    }


def _straight(drawn: Iterable[Band]) -> Axis:
    means = np.concatenate([band.mean for band in drawn])
    low, high = float(np.nanmin(means)), float(np.nanmax(means))
    size = max(abs(low), abs(high))  # no more than rounding apart is drawn as one height
    return Axis("linear", low, high if high - low > AGREE * size else low + (size or 1.0) * 0.01)


def _plain(band: Band) -> Band:
    """Return a band without its interval."""
    nothing = np.full(len(band.x), np.nan)
    return replace(band, low=nothing, high=nothing)
