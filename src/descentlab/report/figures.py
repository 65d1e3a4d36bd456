"""The curves of a study: the primary metric at large, the others beside it in small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from descentlab.report.answers import Answers, Result, Row
from descentlab.report.axes import Axis, axis_of
from descentlab.report.curves import Bands, bands
from descentlab.report.markup import Markup, join, tag
from descentlab.report.multiples import by_factor, in_plots
from descentlab.report.names import ABSENT, metric_name
from descentlab.report.palette import CATEGORIES, variable
from descentlab.report.plots import (
    DASHES,
    FULL_WIDTH,
    Line,
    Panel,
    Plot,
    capital,
    describe,
    draw,
    heading,
    legend,
    wide,
)
from descentlab.report.response import responses
from descentlab.report.settings import by_epoch
from descentlab.report.tables import Pivots, pivots

MOST_LINES = 10
MOST_GROUPS = 8
MOST_COMPANIONS = 6
SOLID = len(CATEGORIES)  # lines before colours come again, dashed

ONE_SEED = "One seed: there is no band, because one run can’t tell how much runs differ."
BANDS = "Lines are means over seeds, bands their 95 % intervals, cut where they leave the plot."
CROSSES = "× marks the last record of a run that diverged."
DOTTED = "A dotted line is the mean of those runs that have not diverged and are that far."
ERRORS = (
    "Accuracies are spaced by the logarithm of the error (1 − accuracy): equal distances are "
    "equal ratios of errors, and 1 itself is at the upper edge."
)


@dataclass(frozen=True)
class Chosen:
    """The configurations of the first plot, and how they were chosen where not all are."""

    rows: tuple[Row, ...]
    why: str = ""


def figures(result: Result, found: Answers) -> Markup | None:
    """Return the sections with the curves, the tables of factors and the varied numbers."""
    if not found.primary or not found.done:
        return None
    tables = pivots(found, result.study.report)
    epochs = by_epoch(result)
    chosen = choose(found, tables)
    wanted = {row.id for row in chosen.rows} | set(in_plots(tables))
    primary = bands(result, found.primary, sorted(wanted), epochs=epochs)
    parts = [
        _overview(result, found, chosen, primary, epochs=epochs),
        by_factor(found, tables, primary, "epoch" if epochs else "step"),
        responses(result, found),
    ]
    return join(parts)


def choose(found: Answers, tables: Pivots) -> Chosen:
    """Return the configurations that the first plot shows.

    All, if they are few; else the best of each label of a factor (the tables' ``by``
    first) that has few labels; else the ends of the ranking.
    """
    started = [row for row in found.rows if row.done]
    if len(started) <= MOST_LINES:
        return Chosen(tuple(started))
    total = f"{len(started):,}"
    for factor in [*(tables.layout.by if tables.layout else ()), *found.factors]:
        best: dict[str, Row] = {}
        for row in started:  # best first
            best.setdefault(row.labels.get(factor, ABSENT), row)
        if 3 <= len(best) <= MOST_GROUPS:
            why = f"The best configuration of each {found.factors[factor]}, out of {total}."
            return Chosen(tuple(best.values()), why)
    why = f"The best six and the worst two of {total} configurations."
    return Chosen((*started[:6], *started[-2:]), why)


def _overview(
    result: Result, found: Answers, chosen: Chosen, primary: Bands, *, epochs: bool
) -> Markup | None:
    drawn = [row for row in chosen.rows if row.id in primary.bands]
    lines = {
        row.id: Line(_label(row), CATEGORIES[i % SOLID], primary.bands[row.id], dashed=i >= SOLID)
        for i, row in enumerate(drawn)
    }
    if not lines:
        return None
    axis = axis_of(primary.metric, (line.band for line in lines.values()))
    across = "epoch" if epochs else "step"
    main = Plot(
        "p0",
        (Panel(heading(primary.metric, axis), tuple(lines.values()), axis),),
        across,
        f"{capital(metric_name(primary.metric))} by {across}",
        describe(tuple(lines.values()), primary.metric),
        height=3.5,
        labelled=len(lines) > 1,
    )
    panels = _companions(result, found, lines, epochs=epochs)
    axes = [axis, *(panel.axis for panel in panels)]
    parts = [wide(draw(main))]
    if panels:
        items = [
            (line.label, variable(line.colour), DASHES if line.dashed else None)
            for line in lines.values()
        ]
        parts += [legend(items)] if len(lines) > 1 else []
        parts.append(wide(draw(_companion_plot(panels, across))))
    caption = tag("figcaption", _caption(chosen.why, axes, list(lines.values()), primary))
    figure = tag("figure", *parts, caption)
    return tag("section", tag("h2", "Curves", id="curves"), figure, aria_labelledby="curves")


def _companions(
    result: Result, found: Answers, lines: dict[str, Line], *, epochs: bool
) -> list[Panel]:
    """Return panels of the other metrics with the same configurations in the same colours."""
    panels = []
    others = [metric for metric in found.metrics if metric != found.primary]
    for metric in others[:MOST_COMPANIONS]:
        read = bands(result, metric, list(lines), epochs=epochs)
        own = tuple(
            Line(line.label, line.colour, read.bands[ident], line.dashed)
            for ident, line in lines.items()
            if ident in read.bands
        )
        if own:
            axis = axis_of(metric, (line.band for line in own))
            panels.append(Panel(heading(metric, axis), own, axis))
    return panels


def _companion_plot(panels: Sequence[Panel], across: str) -> Plot:
    words = " ".join(f"{panel.title}: {describe(panel.lines)}" for panel in panels)
    return Plot(
        "p1",
        tuple(panels),
        across,
        f"The other metrics by {across}, the same configurations in the same colours",
        words,
        columns=min(3, len(panels)),
        width=FULL_WIDTH if len(panels) > 1 else 5.2,
    )


def _caption(why: str, axes: Sequence[Axis], lines: Sequence[Line], read: Bands) -> str:
    parts = [why, BANDS if max(line.band.runs for line in lines) > 1 else ONE_SEED]
    if any(line.band.crosses for line in lines):
        parts.append(CROSSES)
    if any(not line.band.whole.all() for line in lines):
        parts.append(DOTTED)
    if any(axis.kind == "error" for axis in axes):
        parts.append(ERRORS)
    if read.thinned:
        most = max(len(line.band.x) for line in lines)
        parts.append(f"Drawn at {most} of {read.thinned:,} records.")
    return " ".join(filter(None, parts))


def _label(row: Row) -> str:
    return f"{row.name} ({row.diverged}/{row.done} diverged)" if row.diverged else row.name
