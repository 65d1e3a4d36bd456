"""Each table of factors with its small multiples: panels across, a line for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from descentlab.report.answers import Answers, lower_is_better
from descentlab.report.axes import Axis, axis_of
from descentlab.report.curves import Bands
from descentlab.report.markup import Markup, tag
from descentlab.report.names import ABSENT, metric_name
from descentlab.report.palette import colours, variable
from descentlab.report.plots import (
    FULL_WIDTH,
    Line,
    Panel,
    Plot,
    capital,
    describe,
    draw,
    legend,
    wide,
)
from descentlab.report.plots import heading as panel_heading
from descentlab.report.tables import Pivot, Pivots
from descentlab.report.tables_html import pivot_html

MOST_LINES = 8
MOST_PLOTS = 12
BESIDE_WIDTH = (3.1, 6.1)  # inches of a plot of one or two panels, which stands beside its table


def by_factor(found: Answers, tables: Pivots, read: Bands, across: str) -> Markup | None:
    """Return the section with one table for each ``by``, and its curves on shared axes."""
    if not tables.tables or not tables.layout:
        return None
    axis = axis_of(read.metric, [read.bands[i] for i in in_plots(tables) if i in read.bands])
    parts = [
        _part(found, pivot, read, axis, across, number)
        for number, pivot in enumerate(tables.tables)
    ]
    notes = [_note(found, tables, axis), tables.left_out]
    if len(tables.tables) > MOST_PLOTS:
        notes.append(f"Curves are drawn for the first {MOST_PLOTS} tables.")
    return tag(
        "section",
        tag("h2", _title(found, tables), id="factors"),
        *(tag("p", note, class_="note") for note in notes if note),
        *parts,
        aria_labelledby="factors",
    )


def in_plots(tables: Pivots) -> list[str]:
    """Return the configurations whose curves the small multiples show."""
    found = []
    for pivot in tables.tables[:MOST_PLOTS]:
        drawn = set(_drawn_rows(pivot))
        for label, cells in zip(pivot.row_labels, pivot.cells, strict=True):
            found += [cell.row.id for cell in cells if cell.row and label in drawn]
    return found


def _part(
    found: Answers, pivot: Pivot, read: Bands, axis: Axis, across: str, number: int
) -> Markup:
    plot = None
    if number < MOST_PLOTS:
        panels = panels_of(found, pivot, read, axis)
        name = f"m{number}"
        plot = figure_of(found, pivot, panels, across, name, pivot.metric) if panels else None
    beside = plot is not None and len(pivot.column_labels) <= len(BESIDE_WIDTH)
    return tag(
        "div",
        tag("h3", pivot.title) if pivot.title else None,
        tag("div", pivot_html(pivot, found), plot, class_="pair" if beside else None),
        class_="factor",
    )


def panels_of(found: Answers, pivot: Pivot, read: Bands, axis: Axis) -> list[Panel]:
    """Return a panel for each column of a table, with a line for each row."""
    labels = _drawn_rows(pivot)
    colour = dict(zip(labels, colours(labels), strict=True))
    name = found.factors.get(pivot.row_factor, pivot.row_factor)
    across = found.factors.get(pivot.column_factor, "")
    panels = []
    for column, label in enumerate(pivot.column_labels):
        lines = []
        for row, own in zip(pivot.row_labels, pivot.cells, strict=True):
            cell = own[column]
            if row in colour and cell.row and cell.row.id in read.bands:
                lines.append(Line(f"{name} {row}", colour[row], read.bands[cell.row.id]))
        if lines:
            title = "" if label in ("", ABSENT) else f"{across} {label}"
            panels.append(Panel(title, tuple(lines), axis))
    return panels


def figure_of(
    found: Answers, pivot: Pivot, panels: Sequence[Panel], across: str, key: str, metric: str
) -> Markup:
    """Return a table's panels as a figure with a legend of its rows."""
    title = f"{capital(metric_name(metric))} by {across}"
    columns = min(4, len(panels))
    plot = Plot(
        key,
        tuple(panels),
        across,
        f"{title}, {pivot.title}" if pivot.title else title,
        " ".join(f"{panel.title}: {describe(panel.lines, metric)}" for panel in panels),
        columns=columns,
        width=BESIDE_WIDTH[columns - 1] if columns <= len(BESIDE_WIDTH) else FULL_WIDTH,
        height=2.0 if columns <= len(BESIDE_WIDTH) else 1.75,
    )
    labels = _drawn_rows(pivot)
    name = found.factors.get(pivot.row_factor, pivot.row_factor)
    strokes = map(variable, colours(labels))
    items = [(label, stroke, None) for label, stroke in zip(labels, strokes, strict=True)]
    start = f"{panel_heading(metric, panels[0].axis)}; {name}:"
    dropped = len(pivot.row_labels) - len(labels)
    note = tag("figcaption", f"{dropped} more rows are not drawn.") if dropped else None
    return tag("figure", legend(items, start), wide(draw(plot)), note)


def _drawn_rows(pivot: Pivot) -> list[str]:
    """Return the rows that have a line: all, or evenly spaced ones with the first and the last."""
    labels = list(pivot.row_labels)
    if len(labels) <= MOST_LINES:
        return labels
    last = len(labels) - 1
    return [labels[round(i * last / (MOST_LINES - 1))] for i in range(MOST_LINES)]


def _note(found: Answers, tables: Pivots, axis: Axis) -> str:
    metric = found.primary or ""
    better = "lower" if lower_is_better(metric) else "higher"
    scale = f" ({axis.note})" if axis.note else ""
    note = (
        f"Final {metric_name(metric)} ({better} is better): mean ± half the width of its 95 % "
        "interval over seeds. The stronger a cell’s tint, the better; a frame marks the best of "
        f"its table. All plots share their axes{scale}."
    )
    if any(table.picked for table in tables.tables):
        note += " Where a cell has several configurations, it shows the best of them, picked after "
        note += "seeing the results."
    return note


def _title(found: Answers, tables: Pivots) -> str:
    assert tables.layout
    factors: list[Any] = [*tables.layout.by, tables.layout.rows, tables.layout.columns]
    names = [found.factors.get(factor, factor) for factor in factors if factor]
    if len(names) == 1:
        return f"By {names[0]}"
    return f"By {', '.join(names[:-1])} and {names[-1]}"
