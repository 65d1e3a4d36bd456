"""The curves of a study, and each table of factors with its small multiples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from descentlab.report import numbers
from descentlab.report.answers import Answers, Result, Row, lower_is_better
from descentlab.report.axes import Axis, axis_of
from descentlab.report.curves import Bands, bands
from descentlab.report.markup import Markup, join, tag
from descentlab.report.names import ABSENT, metric_name
from descentlab.report.palette import CATEGORIES, DASHED_FROM, MOST_LINES, colours, variable
from descentlab.report.plots import FULL_WIDTH, Line, Panel, Plot, draw
from descentlab.report.settings import by_epoch
from descentlab.report.tables import Pivot, Pivots, pivots
from descentlab.report.tables_html import pivot_html

MOST_PANEL_LINES = 8
MOST_PLOTS = 12


@dataclass(frozen=True)
class Chosen:
    """The configurations of the first plot, and how they were chosen where not all are."""

    rows: tuple[Row, ...]
    why: str = ""


def figures(result: Result, found: Answers) -> Markup | None:
    """Return the sections with the curves and with the tables of factors."""
    if not found.primary or not found.metrics:
        return None
    tables = pivots(found, result.study.report)
    epochs = by_epoch(result)
    chosen = choose(found, tables)
    wanted = {row.id for row in chosen.rows} | set(_in_plots(tables))
    primary = bands(result, found.primary, sorted(wanted), epochs=epochs)
    return join(
        [
            _overview(result, found, chosen, primary, epochs),
            _by_factor(found, tables, primary, epochs),
        ]
    )


def choose(found: Answers, tables: Pivots) -> Chosen:
    """Return the configurations that the first plot shows: all, one a method, or the ends."""
    started = [row for row in found.rows if row.done] or list(found.rows)
    if len(started) <= MOST_LINES:
        return Chosen(tuple(started))
    factors = [*(tables.layout.by if tables.layout else ()), *found.factors]
    for factor in factors:
        best: dict[str, Row] = {}
        for row in started:  # best first
            best.setdefault(row.labels.get(factor, ABSENT), row)
        if 3 <= len(best) <= MOST_PANEL_LINES:
            name = found.factors[factor]
            return Chosen(
                tuple(best.values()),
                f"The best configuration of each {name}, out of {len(started):,}.",
            )
    head, tail = started[:6], started[-2:]
    return Chosen(
        (*head, *tail), f"The best six and the worst two of {len(started):,} configurations."
    )


def _overview(
    result: Result, found: Answers, chosen: Chosen, primary: Bands, epochs: bool
) -> Markup | None:
    ids = [row.id for row in chosen.rows if row.id in primary.bands]
    if not ids:
        return None
    rows = {row.id: row for row in chosen.rows}
    colour = {ident: CATEGORIES[i % DASHED_FROM] for i, ident in enumerate(ids)}
    dashed = {ident for i, ident in enumerate(ids) if i >= DASHED_FROM}
    lines = tuple(Line(_label(rows[i]), colour[i], primary.bands[i], i in dashed) for i in ids)
    axis = axis_of(primary.metric, (line.band for line in lines))
    across = "epoch" if epochs else "step"
    title = f"{_capital(metric_name(primary.metric))} by {across}"
    main = Plot(
        "p0", (Panel(_heading(primary.metric, axis), lines, axis),), across, title,
        _describe(lines, primary.metric), height=3.5, labelled=len(lines) > 1,
    )  # fmt: skip
    rest = _companions(result, found, ids, lines, across)
    caption = _caption(chosen.why, (axis, *(a for _, a in rest[1])), lines, primary)
    return tag(
        "section",
        tag("h2", "Curves", id="curves"),
        tag("figure", _wide(draw(main)), *rest[0], tag("figcaption", caption)),
        aria_labelledby="curves",
    )


def _companions(
    result: Result, found: Answers, ids: Sequence[str], lines: Sequence[Line], across: str
) -> tuple[list[Any], list[tuple[str, Axis]]]:
    """Return the other metrics' plots of the same configurations, in the same colours."""
    others = [metric for metric in found.metrics if metric != found.primary][:6]
    panels, axes = [], []
    for metric in others:
        read = bands(result, metric, ids, epochs=across == "epoch")
        own = tuple(
            Line(line.label, line.colour, read.bands[ident], line.dashed)
            for ident, line in zip(ids, lines, strict=True)
            if ident in read.bands
        )
        if own:
            axis = axis_of(metric, (line.band for line in own))
            panels.append(Panel(_heading(metric, axis), own, axis))
            axes.append((metric, axis))
    if not panels:
        return [], []
    columns = min(3, len(panels))
    title = f"{', '.join(metric_name(m) for m, _ in axes)} by {across}"
    description = "The same configurations in the same colours. " + " ".join(
        _describe(panel.lines, metric) for panel, (metric, _) in zip(panels, axes, strict=True)
    )
    plot = Plot(
        "p1", tuple(panels), across, _capital(title), description,
        columns=columns, width=FULL_WIDTH if columns > 1 else 5.2,
    )  # fmt: skip
    return [_legend(lines) if len(lines) > 1 else None, _wide(draw(plot))], axes


def _by_factor(found: Answers, tables: Pivots, read: Bands, epochs: bool) -> Markup | None:
    if not tables.tables or not tables.layout:
        return None
    axis = axis_of(read.metric, [read.bands[i] for i in _in_plots(tables) if i in read.bands])
    across = "epoch" if epochs else "step"
    parts: list[Any] = []
    drawn = 0
    for number, pivot in enumerate(tables.tables):
        table = pivot_html(pivot, found)
        plot = (
            _multiples(found, pivot, read, axis, across, f"m{number}")
            if number < MOST_PLOTS
            else None
        )
        drawn += plot is not None
        if pivot.title:
            parts.append(tag("h3", pivot.title))
        beside = plot is not None and len(pivot.column_labels) <= 2
        parts.append(tag("div", table, plot, class_="pair" if beside else "stack"))
    notes = [_table_note(found, tables, axis)]
    if tables.left_out or drawn < len(tables.tables):
        notes.append(tables.left_out or f"Curves are drawn for the first {drawn} tables.")
    return tag(
        "section",
        tag("h2", _section_title(found, tables), id="factors"),
        *(tag("p", note, class_="note") for note in notes),
        *parts,
        aria_labelledby="factors",
    )


def _multiples(
    found: Answers, pivot: Pivot, read: Bands, axis: Axis, across: str, key: str
) -> Markup | None:
    labels = _drawn_rows(pivot)
    colour = dict(zip(labels, colours(labels), strict=True))
    name = found.factors.get(pivot.row_factor, pivot.row_factor)
    panels = []
    for column, label in enumerate(pivot.column_labels):
        lines = []
        for row, own in zip(pivot.row_labels, pivot.cells, strict=True):
            cell = own[column]
            if row in colour and cell.row and cell.row.id in read.bands:
                lines.append(Line(f"{name} {row}", colour[row], read.bands[cell.row.id]))
        if lines:
            across_name = found.factors.get(pivot.column_factor, "")
            title = "" if label in ("", ABSENT) else f"{across_name} {label}"
            panels.append(Panel(title or _heading(pivot.metric, axis), tuple(lines), axis))
    if not panels:
        return None
    columns = min(4, len(panels))
    title = f"{_capital(metric_name(pivot.metric))} by {across}" + (
        f", {pivot.title}" if pivot.title else ""
    )
    plot = Plot(
        key, tuple(panels), across, title,
        " ".join(f"{panel.title}: {_describe(panel.lines, pivot.metric)}" for panel in panels),
        columns=columns, width=FULL_WIDTH * (columns / 3 if columns < 3 else 1) * (0.95 if columns < 3 else 1),
        height=2.0 if columns < 3 else 1.75,
    )  # fmt: skip
    some = [Line(label, colour[label], panels[0].lines[0].band) for label in labels]
    dropped = len(pivot.row_labels) - len(labels)
    note = tag("figcaption", f"{dropped} more rows are not drawn.") if dropped else None
    return tag("figure", _legend(some, name), _wide(draw(plot)), note)


def _drawn_rows(pivot: Pivot) -> list[str]:
    labels = list(pivot.row_labels)
    if len(labels) <= MOST_PANEL_LINES:
        return labels
    last = len(labels) - 1
    return [labels[round(i * last / (MOST_PANEL_LINES - 1))] for i in range(MOST_PANEL_LINES)]


def _in_plots(tables: Pivots) -> list[str]:
    """Return the configurations whose curves the small multiples show."""
    found = []
    for pivot in tables.tables[:MOST_PLOTS]:
        drawn = set(_drawn_rows(pivot))
        for label, cells in zip(pivot.row_labels, pivot.cells, strict=True):
            found += [cell.row.id for cell in cells if cell.row and label in drawn]
    return found


def _legend(lines: Sequence[Line], title: str = "") -> Markup:
    items = [tag("li", title, class_="title")] if title else []
    for line in lines:
        dash = "4 1.6" if line.dashed else None
        stroke = tag("line", x1=0, x2=24, y1=6, y2=6, stroke=variable(line.colour), stroke_width=3,
                     stroke_dasharray=dash)  # fmt: skip
        items.append(
            tag("li", tag("svg", stroke, viewBox="0 0 24 12", aria_hidden="true"), line.label)
        )
    return tag("ul", *items, class_="legend")


def _wide(svg: Markup) -> Markup:
    return tag("div", svg, class_="wide-figure")


def _heading(metric: str, axis: Axis) -> str:
    note = f" ({axis.note})" if axis.note else ""
    return metric_name(metric) + note


def _describe(lines: Sequence[Line], metric: str) -> str:
    """Say where each line starts and ends."""
    parts = [
        f"{line.label} from {numbers.value(float(line.band.mean[0]), 3)} to {numbers.value(float(line.band.mean[-1]), 3)}"
        for line in lines
    ]
    return f"Mean {metric_name(metric)}: {'; '.join(parts)}."


def _caption(why: str, axes: Sequence[Axis], lines: Sequence[Line], read: Bands) -> str:
    runs = max(line.band.runs for line in lines)
    parts = [why] if why else []
    if runs > 1:
        parts.append(
            "Lines are means over seeds, bands their 95 % intervals, cut where they leave the plot."
        )
    else:
        parts.append("One seed: there is no band, because one run can’t tell how much runs differ.")
    if any(line.band.crosses for line in lines):
        parts.append("× marks the last record of a run that diverged.")
    if any(not line.band.whole.all() for line in lines):
        parts.append(
            "A dotted line is the mean of those runs that have not diverged and are that far."
        )
    if any(axis.kind == "error" for axis in axes):
        parts.append("Accuracies stand at the logarithm of their error, so that equal steps halve it alike; "
                     "1 itself is at the upper edge.")  # fmt: skip
    if read.thinned:
        parts.append(f"Drawn at {len(lines[0].band.x)} of {read.thinned:,} records.")
    return " ".join(parts)


def _table_note(found: Answers, tables: Pivots, axis: Axis) -> str:
    assert found.primary and tables.layout
    better = "lower" if lower_is_better(found.primary) else "higher"
    note = (
        f"Final {metric_name(found.primary)} ({better} is better): mean ± half the width of its 95 % interval over "
        "seeds. The stronger a cell’s tint, the better; a frame marks the best of its table. All plots share their axes"
    )
    note += f" ({axis.note})." if axis.note else "."
    if any(table.picked for table in tables.tables):
        note += " A cell with several configurations shows the best of them, picked after seeing the results."
    return note


def _section_title(found: Answers, tables: Pivots) -> str:
    assert tables.layout
    names = [
        found.factors.get(f, f)
        for f in (*tables.layout.by, tables.layout.rows, tables.layout.columns)
        if f
    ]
    if len(names) == 1:
        return f"By {names[0]}"
    return f"By {', '.join(names[:-1])} and {names[-1]}"


def _label(row: Row) -> str:
    return f"{row.name} ({row.diverged}/{row.done} diverged)" if row.diverged else row.name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
