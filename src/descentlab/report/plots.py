"""Plots of curves: panels that share their axes, lines with bands, labels at the lines' ends."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from descentlab.report import numbers
from descentlab.report.axes import Axis
from descentlab.report.curves import Band
from descentlab.report.markup import Markup, tag
from descentlab.report.names import metric_name
from descentlab.report.palette import GRID, TEXT, variable
from descentlab.report.svg import cleaned

FONT = 8.6  # points
LEFT, BOTTOM, TOP, NO_TITLE, GAP = 0.52, 0.46, 0.34, 0.1, 0.24  # inches
FULL_WIDTH = 9.6
LETTER = 0.064  # inches, the mean width of a letter
LONGEST_LABEL = 48
DASHES = "7 3"  # of a dashed line in a legend
STYLE = {
    "svg.fonttype": "none",
    "font.size": FONT,
    "font.family": ["DejaVu Sans"],  # which Matplotlib has; the page's own replaces it
    "text.parse_math": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), TEXT),
    **dict.fromkeys(("xtick.color", "ytick.color"), TEXT),
}


@dataclass(frozen=True)
class Line:
    """One configuration in a panel."""

    label: str
    colour: str
    band: Band
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """One plot of a row: its title, its lines, its vertical axis."""

    title: str
    lines: tuple[Line, ...]
    axis: Axis


@dataclass(frozen=True)
class Plot:
    """Panels side by side.

    Attributes:
        key: its own name in the page, for ids.
        panels: with the same axis they share its labels.
        across: what x is: 'epoch' or 'step'.
        title, description: for those who cannot see it.
        height: of a panel, in inches.
        width: of the whole, in inches.
        columns: panels a row.
        labelled: write each line's name at its end.
        at: place and text of each tick of x, where they are not whole numbers.
        broken: where the axis of x has a break, if it has one.
    """

    key: str
    panels: tuple[Panel, ...]
    across: str
    title: str
    description: str
    height: float = 1.75
    width: float = FULL_WIDTH
    columns: int = 4
    labelled: bool = False
    at: tuple[tuple[float, str], ...] = ()
    broken: float | None = None

    @property
    def top(self) -> float:
        """Inches above a panel: room for its title, if any has one."""
        return TOP if any(panel.title for panel in self.panels) else NO_TITLE


def draw(plot: Plot) -> Markup:
    """Return a plot as inline SVG with real text."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    own: dict[Any, Any] = {"svg.hashsalt": plot.key, **STYLE}
    with mpl.rc_context(own):
        columns = min(plot.columns, len(plot.panels))
        rows = -(-len(plot.panels) // columns)
        tall = rows * (plot.height + plot.top) + (rows - 1) * 0.16 + BOTTOM
        figure = Figure(figsize=(plot.width, tall), facecolor="none")
        _fill(figure, plot, columns, tall)
        sink = io.BytesIO()
        figure.savefig(
            sink,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return cleaned(sink.getvalue().decode(), plot.key, plot.title, plot.description)


def _fill(figure: Any, plot: Plot, columns: int, tall: float) -> None:
    shared = len({panel.axis for panel in plot.panels}) == 1
    names = [_short(line.label) for panel in plot.panels for line in panel.lines]
    right = max(map(len, names), default=0) * LETTER + 0.38 if plot.labelled else 0.12
    gap = GAP if shared else GAP + LEFT - 0.1
    wide = (plot.width - LEFT - right - (columns - 1) * gap) / columns
    span = _span(plot.panels, [x for x, _ in plot.at])
    for index, panel in enumerate(plot.panels):
        row, column = divmod(index, columns)
        bottom = tall - (row + 1) * (plot.height + plot.top) - row * 0.16
        left = LEFT + column * (wide + gap)
        box = (left / plot.width, bottom / tall, wide / plot.width, plot.height / tall)
        axes = figure.add_axes(box, facecolor="none")
        _frame(axes, panel, span, numbered=column == 0 or not shared)
        last = index + columns >= len(plot.panels)
        if plot.at:
            axes.set_xticks([x for x, _ in plot.at], [text for _, text in plot.at])
        if plot.broken is not None:
            axes.text(plot.broken, 0, "//", transform=axes.get_xaxis_transform(), ha="center",
                      va="center", fontsize=FONT + 2)  # fmt: skip
        axes.set_xlabel(plot.across if last else "", labelpad=3)
        axes.tick_params(labelbottom=last)
        for line in panel.lines:
            _line(axes, line, panel.axis)
        if plot.labelled:
            _labels(axes, panel, plot.height)


def _span(panels: Sequence[Panel], ticks: Sequence[float] = ()) -> tuple[float, float]:
    ends = [
        x for panel in panels for line in panel.lines for x in (*line.band.x[:1], *line.band.x[-1:])
    ]
    ends += ticks
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    return (low, high) if high > low else (low - 1, high + 1)


def _frame(axes: Any, panel: Panel, span: tuple[float, float], *, numbered: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlim(span[0], span[1])
    axes.set_ylim(*panel.axis.ends)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ticks = panel.axis.ticks
    axes.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
    axes.set_title(panel.title, loc="left", fontsize=FONT, fontweight="bold", pad=6)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_linewidth(0.7)
    axes.tick_params(axis="y", length=0, pad=4, labelleft=numbered)
    axes.tick_params(axis="x", length=3, width=0.7, pad=3)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def _line(axes: Any, line: Line, axis: Axis) -> None:
    band = line.band
    mean = axis.at(band.mean)
    known = np.isfinite(band.low)
    if known.any():
        low, high = (
            axis.at(np.where(known, band.low, band.mean)),
            axis.at(np.where(known, band.high, band.mean)),
        )
        axes.fill_between(
            band.x, low, high, where=known, color=line.colour, alpha=0.18, linewidth=0
        )
    # Solid as long as every run is there; dotted once some have diverged or are not that far.
    style = (0, (4, 1.6)) if line.dashed else "solid"
    part = np.flatnonzero(~band.whole)
    end = int(part[0]) if len(part) else len(band.x)
    axes.plot(band.x[:end], mean[:end], color=line.colour, linewidth=1.5, linestyle=style)
    if end < len(band.x):
        start = max(0, end - 1)
        axes.plot(
            band.x[start:], mean[start:], color=line.colour, linewidth=1.3, linestyle=(0, (1, 1.5))
        )
    if len(band.x) == 1:
        axes.plot(band.x, mean, color=line.colour, marker="o", markersize=3)
    if band.crosses:
        x, y = np.array(band.crosses).T
        axes.plot(x, axis.at(y), linestyle="none", marker="x", markersize=5, markeredgewidth=1.5,
                  color=line.colour, clip_on=False)  # fmt: skip


def _labels(axes: Any, panel: Panel, height: float) -> None:
    """Write each name beside its line's end, moved apart where they would overlap."""
    low, high = panel.axis.ends
    ends = np.array([float(panel.axis.at(line.band.mean[-1])) for line in panel.lines])
    wanted = (ends - low) / (high - low)
    places = spread(wanted, (FONT + 1.8) / 72 / height)
    start, stop = axes.get_xlim()
    for line, end, place in zip(panel.lines, wanted, places, strict=True):
        reach = (line.band.x[-1] - start) / (stop - start)
        if reach > 0.9:  # a longer one would look like a curve
            axes.plot(
            [reach, 1.018, 1.028], [end, place, place], transform=axes.transAxes, clip_on=False,
            color=line.colour, linewidth=0.7, alpha=0.9,
        )  # fmt: skip
        axes.text(1.034, place, _short(line.label), transform=axes.transAxes, va="center_baseline",
                  color=line.colour, fontsize=FONT)  # fmt: skip


def spread(wanted: np.ndarray, apart: float) -> np.ndarray:
    """Return places at least ``apart`` from each other, moved as little as can be.

    Overlapping labels form a block centred on its members' mean (isotonic regression by
    pooling), and blocks that touch merge.
    """
    order = np.argsort(wanted, kind="stable")
    blocks: list[list[float]] = []  # total of (wanted − rank · apart), count
    for rank, index in enumerate(order):
        blocks.append([float(wanted[index]) - rank * apart, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    shifted = (
        np.concatenate([np.full(int(n), total / n) for total, n in blocks])
        if blocks
        else np.zeros(0)
    )
    places = np.empty(len(order))
    places[order] = shifted + apart * np.arange(len(order))
    return places


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def describe(lines: Sequence[Line], metric: str = "") -> str:
    """Say where each line starts and ends, for those who cannot see it."""
    parts = []
    for line in lines:
        if not len(line.band.mean):
            continue
        first, last = (numbers.value(float(line.band.mean[i]), 3) for i in (0, -1))
        parts.append(f"{line.label} from {first} to {last}")
    return f"{'mean ' + metric_name(metric) if metric else 'mean'} of {'; '.join(parts)}."


def heading(metric: str, axis: Axis) -> str:
    """Return a panel's title: the metric, and the scale of its axis if that is not straight."""
    return metric_name(metric) + (f" ({axis.note})" if axis.note else "")


def legend(items: Sequence[tuple[str, str, str | None]], title: str = "") -> Markup:
    """Return labels, each with a stroke of its colour (as CSS writes it) and its dashes, if any."""
    entries = [tag("li", title, class_="title")] if title else []
    for label, colour, dashes in items:
        place = {"x1": 0, "x2": 24, "y1": 6, "y2": 6}
        stroke = tag("line", **place, stroke=colour, stroke_width=3, stroke_dasharray=dashes)
        sample = tag("svg", stroke, viewBox="0 0 24 12", aria_hidden="true")
        entries.append(tag("li", sample, label))
    return tag("ul", *entries, class_="legend")


def legend_of(lines: Iterable[Line]) -> Markup:
    """Return the legend of lines, each label once."""
    items = {
        line.label: (line.label, variable(line.colour), DASHES if line.dashed else None)
        for line in lines
    }
    return legend(list(items.values()))


def wide(svg: Markup) -> Markup:
    """Let a plot scroll sideways where the screen is narrow."""
    return tag("div", svg, class_="wide-figure")


def capital(text: str) -> str:
    """Return text with its first letter large."""
    return text[:1].upper() + text[1:]
