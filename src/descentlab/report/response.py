"""The final metric against each varied number: one line for each combination of the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from descentlab.report import numbers
from descentlab.report.answers import Answers, Result, Row, lower_is_better
from descentlab.report.axes import Axis, axis_of
from descentlab.report.curves import Band
from descentlab.report.markup import Markup, tag
from descentlab.report.names import factor_names, metric_name
from descentlab.report.palette import colours
from descentlab.report.plots import Line, Panel, Plot, capital, draw, heading, wide

FEWEST_VALUES = 4
MOST_LINES = 8
LOG_DECADES = 2.0
MOST_TICKS = 12


@dataclass(frozen=True)
class Response:
    """What varies as a number, and each line through its values.

    Attributes:
        path: the factor, or the path in ``run`` that a named group sets.
        lines: configurations by the rest of what varies, each with its value, smallest first.
        left_out: lines that are not drawn, because there are more than a picture holds.
    """

    path: str
    lines: Mapping[str, tuple[tuple[float, Row], ...]]
    left_out: int = 0


def responses(result: Result, found: Answers) -> Markup | None:
    """Return the section with a plot for each varied number that has enough values."""
    searched = getattr(result.study, "search", None) is not None
    if searched or not found.primary or not found.done:
        return None
    plots = [
        part
        for number, response in enumerate(find(result, found))
        if (part := _figure(found, response, f"r{number}"))
    ]
    if not plots:
        return None
    title = tag("h2", f"{capital(metric_name(found.primary))} by what varies", id="response")
    return tag("section", title, *plots, aria_labelledby="response")


def find(result: Result, found: Answers) -> list[Response]:
    """Return the varied numbers with at least four values, lines best first."""
    values = {c.id: c.values for c in result.configurations}
    rows = [row for row in found.rows if row.done]
    paths = dict.fromkeys(path for row in rows for path in values[row.id])
    return [
        response
        for path in paths
        if (response := _response(path, rows, values, found, _owner(result, path)))
    ]


def _owner(result: Result, path: str) -> str:
    """Return the factor that sets a path: itself, or a named group."""
    for grid in getattr(result.study, "vary", None) or ():
        for factor, choices in grid.items():
            if isinstance(choices, Mapping):
                sets = {p.removeprefix("run.") for own in choices.values() for p in own}
                if path in sets:
                    return factor.removeprefix("run.")
    return path


def _response(
    path: str, rows: Sequence[Row], values: Mapping[str, Any], found: Answers, owner: str
) -> Response | None:
    lines: dict[str, list[tuple[float, Row]]] = {}
    for row in rows:
        number = values[row.id].get(path)
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            rest = ", ".join(
                f"{found.factors.get(f, f)} {label}"
                for f, label in row.labels.items()
                if f != owner
            )
            lines.setdefault(rest, []).append((float(number), row))
    if len({number for own in lines.values() for number, _ in own}) < FEWEST_VALUES:
        return None
    kept = {  # a line through two groups' labels of one value would be none
        name: tuple(sorted(own, key=lambda pair: pair[0]))
        for name, own in lines.items()
        if 1 < len(own) == len({number for number, _ in own})
    }
    chosen = dict(list(kept.items())[:MOST_LINES])  # rows come best first
    return Response(path, chosen, len(lines) - len(chosen)) if chosen else None


def _figure(found: Answers, response: Response, key: str) -> Markup | None:
    assert found.primary
    names, metric = list(response.lines), found.primary
    points = {number for own in response.lines.values() for number, _ in own}
    log = min(points) > 0 and max(points) > min(points) * 10**LOG_DECADES
    bands = {name: _band(own, metric, log=log) for name, own in response.lines.items()}
    if not any(np.isfinite(band.mean).any() for band in bands.values()):
        return None
    axis = _axis(metric, list(bands.values()))
    top = axis.high if lower_is_better(metric) else axis.low
    drawn = []
    for name, colour in zip(names, colours(names), strict=True):
        lost = _lost(response.lines[name], log=log)
        drawn.append(Line(name or "the study", colour, _with_lost(bands[name], lost, top)))
    drawn = [line for line in drawn if len(line.band.x)]
    what = factor_names([response.path])[response.path]
    across = f"{what} (log scale)" if log else what
    title = f"Final {metric_name(metric)} by {what}"
    plot = Plot(key, (Panel(heading(metric, axis), tuple(drawn), axis),), across, title,
                _words(response, metric), height=2.8, labelled=len(drawn) > 1,
                at=_ticks(points, log=log))  # fmt: skip
    return tag(
        "figure", tag("h3", title), wide(draw(plot)), tag("figcaption", _caption(response, found))
    )


def _place(number: float, *, log: bool) -> float:
    return math.log10(number) if log else number


def _band(own: Sequence[tuple[float, Row]], metric: str, *, log: bool) -> Band:
    """Return the means of the sound runs; values of which every run diverged are left out."""
    kept = [(n, row) for n, row in own if row.used and math.isfinite(row.metrics[metric].mean)]
    intervals = [row.metrics[metric] for _, row in kept]
    return Band(
        np.array([_place(n, log=log) for n, _ in kept], float),
        np.array([i.mean for i in intervals], float),
        np.array([np.nan if i.low is None else i.low for i in intervals], float),
        np.array([np.nan if i.high is None else i.high for i in intervals], float),
        np.ones(len(kept), bool),
        (),
        max((row.done for _, row in own), default=0),
    )


def _lost(own: Sequence[tuple[float, Row]], *, log: bool) -> list[float]:
    return [_place(number, log=log) for number, row in own if row.diverged]


def _with_lost(band: Band, lost: Sequence[float], edge: float) -> Band:
    return Band(
        band.x, band.mean, band.low, band.high, band.whole,
        tuple((x, edge) for x in lost), band.runs,
    )  # fmt: skip


def _axis(metric: str, bands: Sequence[Band]) -> Axis:
    means = np.concatenate([band.mean for band in bands])
    if lower_is_better(metric) and means.min() > 0:
        low, high = float(means.min()), float(means.max())
        if high > low * 10**LOG_DECADES:
            return Axis("log", low, high)
    return axis_of(metric, [band for band in bands if len(band.mean)])


def _ticks(points: set[float], *, log: bool) -> tuple[tuple[float, str], ...]:
    """Return where the values stand, with their texts; evenly chosen ones where there are many."""
    values = sorted(points)
    step = -(-(len(values) - 1) // MOST_TICKS)
    chosen = sorted({*values[:-1:step], values[-1]})  # both ends, so that all points are within
    return tuple((_place(v, log=log), numbers.value(v)) for v in chosen)


def _words(response: Response, metric: str) -> str:
    texts = []
    for name, own in response.lines.items():
        found = [
            f"{numbers.value(row.metrics[metric].mean, 3)} at {numbers.value(number)}"
            if row.used
            else f"diverged at {numbers.value(number)}"
            for number, row in own
        ]
        texts.append(f"{name + ': ' if name else ''}{', '.join(found)}")
    return "; ".join(texts) + "."


def _caption(response: Response, found: Answers) -> str:
    one = max(row.used for own in response.lines.values() for _, row in own) == 1
    parts = [
        "One seed: there is no interval."
        if one
        else "Lines are means over seeds at the end of training, bands their 95 % intervals."
    ]
    lost = [
        f"{row.diverged} of {row.done} at {numbers.value(number)}{f' ({name})' if name else ''}"
        for name, own in response.lines.items()
        for number, row in own
        if row.diverged
    ]
    if lost:
        edge = "upper" if lower_is_better(found.primary or "") else "lower"
        more = f", and {len(lost) - MOST_LINES} more" if len(lost) > MOST_LINES else ""
        parts.append(
            f"× at the {edge} edge marks values at which runs diverged: "
            f"{', '.join(lost[:MOST_LINES])}{more}; the means are over the others."
        )
    if response.left_out:
        parts.append(
            f"Shown are {len(response.lines)} of {len(response.lines) + response.left_out} "
            "combinations of what else varies, those with the best configurations first."
        )
    return " ".join(parts)
