"""Tables as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers
from descentlab.report.answers import Answers, Row, lower_is_better
from descentlab.report.axes import Axis
from descentlab.report.forest import axis, mark, scale_of
from descentlab.report.markup import Markup, join, tag
from descentlab.report.names import ABSENT, is_coordinate, metric_name
from descentlab.report.tables import AnswerTable, Cell, Pivot

NBSP = "\u00a0"


def answer_html(table: AnswerTable, found: Answers, caption: object) -> Markup:
    """Return the ranking as a table with a dot and a line for each interval."""
    primary = found.primary or ""
    scale = scale_of(
        [r.metrics[primary] for r in table.rows if r.used and primary in r.metrics], primary
    )
    decimals = {name: _decimals(table.rows, name) for name in table.metrics}
    gaps = max((_gap(row).decimals for row in table.rows if row.gap), default=0)
    body = [
        _row(row, rank, table, found, scale, decimals, gaps)
        for rank, row in enumerate(table.head, 1)
    ]
    if table.omitted:
        text = f"{numbers.count(table.omitted)} configurations between are left out"
        body.append(tag("tr", tag("td", text, colspan=_width(table)), class_="gap"))
    first = len(found.rows) - len(table.tail) + 1
    body += [
        _row(row, rank, table, found, scale, decimals, gaps)
        for rank, row in enumerate(table.tail, first)
    ]
    element = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *_headings(table, found, scale))),
        tag("tbody", *body),
        class_="sortable" if len(table.rows) > 2 else None,
    )
    return scrolling(element, "All configurations, best first")


def pivot_html(pivot: Pivot, found: Answers) -> Markup:
    """Return one rows × columns table; the shade goes from the study's worst to its best."""
    down = found.factors.get(pivot.row_factor, pivot.row_factor)
    across = found.factors.get(pivot.column_factor, pivot.column_factor)
    named = pivot.column_labels not in (("",), (ABSENT,))
    lines = []
    if named:
        lines.append(
            tag(
                "tr",
                tag("th", down, class_="corner", rowspan=2, scope="col"),
                tag(
                    "th",
                    across,
                    class_="across",
                    colspan=len(pivot.column_labels),
                    scope="colgroup",
                ),
            )
        )
        lines.append(tag("tr", *(tag("th", label, scope="col") for label in pivot.column_labels)))
    else:
        heading = tag("th", metric_name(pivot.metric), scope="col")
        lines.append(tag("tr", tag("th", down, class_="corner", scope="col"), heading))
    decimals = [
        max((cell.estimate.decimals for cell in column if cell.estimate), default=0)
        for column in zip(*pivot.cells, strict=True)
    ]
    body = [
        tag("tr", tag("th", label, scope="row"), *map(_cell, line, decimals))
        for label, line in zip(pivot.row_labels, pivot.cells, strict=True)
    ]
    title = f"Final {metric_name(pivot.metric)}" + (f", {pivot.title}" if pivot.key else "")
    caption = f"Final {metric_name(pivot.metric)}" + (
        f". {pivot.left_out}" if pivot.left_out else ""
    )
    element = tag(
        "table", tag("caption", caption), tag("thead", *lines), tag("tbody", *body), class_="pivot"
    )
    return scrolling(element, title)


def scrolling(table: Markup, label: str) -> Markup:
    """Put a table in a region that scrolls sideways on a narrow screen, by keyboard too."""
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def _headings(table: AnswerTable, found: Answers, scale: Axis | None) -> list[Markup]:
    head = [tag("th", "#", scope="col", data_sort="number", class_="number")]
    for factor in table.factors:
        name = found.factors[factor]
        head.append(
            tag("th", name, scope="col", data_sort="text", title=factor if factor != name else None)
        )
    if not table.factors:
        head.append(tag("th", "run", scope="col"))
    for index, metric in enumerate(table.metrics):
        better = "lower is better" if lower_is_better(metric) else "higher is better"
        if is_coordinate(metric):
            better = "where it ended"
        head.append(_numeric(metric_name(metric), better))
        if index == 0:
            head.append(
                tag(
                    "th", tag("small", "95 % interval"), axis(scale) if scale else None, scope="col"
                )
            )
            head += [_numeric("minus the best", "paired by seed")] if len(found.rows) > 1 else []
            head.append(_numeric("seeds"))
            head += [_numeric("diverged", "of runs")] if found.diverged else []
    return head


def _numeric(name: str, small: str = "") -> Markup:
    return tag(
        "th",
        name,
        tag("small", small) if small else None,
        scope="col",
        data_sort="number",
        class_="number",
    )


def _width(table: AnswerTable) -> int:
    return 6 + len(table.factors) + len(table.metrics)


def _row(
    row: Row, rank: int, table: AnswerTable, found: Answers, scale: Axis | None,
    decimals: dict[str, int], gaps: int,
) -> Markup:  # fmt: skip
    cells = [tag("td", rank, class_="number muted", data_value=rank)]
    labels = [row.labels.get(factor, ABSENT) for factor in table.factors] or [row.name]
    cells.append(tag("th", labels[0], scope="row", class_="long" if len(labels[0]) > 44 else None))
    cells += [tag("td", label) for label in labels[1:]]
    for index, metric in enumerate(table.metrics):
        interval = row.metrics.get(metric) if row.used else None
        cells.append(_figure(interval, decimals[metric]))
        if index == 0:
            cells.append(
                tag("td", mark(scale, interval) if scale and interval else None, class_="middle")
            )
            cells += _beside(row, found, gaps)
    return tag("tr", *cells, class_="best" if found.best is row else None)


def _beside(row: Row, found: Answers, gaps: int) -> list[Markup]:
    """Return what stands beside the primary metric: the difference, the seeds, the diverged."""
    cells = [_gap_cell(row, gaps)] if len(found.rows) > 1 else []
    cells.append(tag("td", row.used, class_="number", data_value=row.used))
    if found.diverged:
        text = f"{row.diverged} of {row.done}" if row.diverged else "0"
        bad = "bad" if row.diverged else "muted"
        cells.append(tag("td", text, class_=f"number {bad}", data_value=row.diverged))
    return cells


def _figure(interval: Interval | None, decimals: int) -> Markup:
    if interval is None or not math.isfinite(interval.mean):
        return tag("td", ABSENT, class_="number muted", data_value="")
    found = numbers.estimate(interval.mean, interval.half)
    return tag(
        "td", estimate_html(found, decimals), class_="number", data_value=repr(interval.mean)
    )


def estimate_html(found: numbers.Estimate, decimals: int | None = None) -> Markup:
    """Return ``mean ± half``, padded so that a column's decimal points stand in line."""
    if found.power:
        return tag("span", str(found).replace(" ", NBSP))
    pad = 0 if decimals is None else min(6, max(0, decimals - found.decimals))
    half = tag("span", f"{NBSP}±{NBSP}{found.half}", class_="half") if found.half else None
    # Both numbers lack the same digits, each of which is one ch wide.
    return join([found.mean, half, tag("span", class_=f"pad{pad}") if pad else None])


def _decimals(rows: Sequence[Row], metric: str) -> int:
    found = [row.metrics[metric] for row in rows if row.used and metric in row.metrics]
    return max(
        (numbers.estimate(i.mean, i.half).decimals for i in found if math.isfinite(i.mean)),
        default=0,
    )


def _gap(row: Row) -> numbers.Estimate:
    assert row.gap
    return numbers.estimate(row.gap.mean, row.gap.half)


def _gap_cell(row: Row, decimals: int) -> Markup:
    if row.gap is None:
        best = row.used and row.values
        return tag(
            "td", "" if best else ABSENT, class_="number muted", data_value="0" if best else ""
        )
    if row.same:
        return tag("td", "the same", class_="number muted", data_value=repr(row.gap.mean))
    close = "≈ " if row.gap.low is None or not row.gap.excludes(0) else ""
    text = join([close, estimate_html(_gap(row), decimals)])
    return tag("td", text, class_="number", data_value=repr(row.gap.mean))


def _cell(cell: Cell, decimals: int) -> Markup:
    if cell.row is None:
        return tag("td", ABSENT, class_="muted")
    if not cell.row.done:
        return tag("td", "not run yet", class_="muted")
    figure = estimate_html(cell.estimate, decimals) if cell.estimate else None
    if cell.diverged:
        rest = tag("small", "others ", figure) if figure else None
        return tag("td", tag("span", cell.diverged, class_="bad"), rest)
    small = None
    if cell.others:
        small = tag("small", f"best of {cell.others + 1}")
    shade = None if cell.shade is None else f"--shade:{cell.shade:.2f}"
    marked = (
        tag("span", "best" if cell.best else "best here", class_="sr") if cell.best_here else None
    )
    return tag(
        "td", figure or ABSENT, marked, small,
        class_="top" if cell.best_here else None, data_shade=shade is not None, style=shade,
    )  # fmt: skip
