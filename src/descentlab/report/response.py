"""The final metric against each varied number: one line for each combination of the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
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
from descentlab.report.plots import LETTER, Line, Panel, Plot, capital, draw, heading, wide

FEWEST_VALUES = 4
MOST_LINES = 8
LOG_DECADES = 2.0
MOST_TICKS = 12
TICKED_WIDTH = 5.5  # inches that an axis has at least, beside the lines' names
Owner = tuple[str, frozenset[str]]
"""A factor, and the paths that it sets."""


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
    grids = getattr(result.study, "vary", None) or ()
    return [response for path in paths if (response := _response(path, rows, values, found, grids))]


def _owner(grids: Sequence[Mapping[str, Any]], row: Row, path: str) -> Owner | None:
    """Return what varies a path in a row's grid: the path itself, or a named group.

    A group varies a number only if each of its choices sets the same paths: between others
    more differs than that number.
    """
    if path in row.labels:
        return path, frozenset({path})
    for grid in grids:
        for factor, choices in grid.items():
            name = factor.removeprefix("run.")
            if isinstance(choices, Mapping) and row.labels.get(name) in set(map(str, choices)):
                sets = {frozenset(p.removeprefix("run.") for p in own) for own in choices.values()}
                if len(sets) == 1 and path in (own := sets.pop()):
                    return name, own
    return None


def _response(
    path: str,
    rows: Sequence[Row],
    values: Mapping[str, Any],
    found: Answers,
    grids: Sequence[Mapping[str, Any]],
) -> Response | None:
    lines: dict[tuple[str, str], list[tuple[float, Row]]] = {}
    for row in rows:
        number, owner = values[row.id].get(path), _owner(grids, row, path)
        if owner and isinstance(number, (int, float)) and not isinstance(number, bool):
            others = _others(values[row.id], owner[1])
            rest = ", ".join(
                f"{found.factors.get(f, f)} {label}"
                for f, label in row.labels.items()
                if f != owner[0]
            )
            # Grids that are joined may have the same words for what differs in more.
            lines.setdefault((rest, others), []).append((float(number), row))
    kept = {  # a line through two groups' labels of one value would be none
        key: tuple(sorted(own, key=lambda pair: pair[0]))
        for key, own in lines.items()
        if 1 < len(own) == len({number for number, _ in own})
    }
    if len({number for own in kept.values() for number, _ in own}) < FEWEST_VALUES:
        return None
    chosen = dict(list(kept.items())[:MOST_LINES])  # rows come best first
    left_out = sum(len(own) > 1 for own in lines.values()) - len(chosen)
    return Response(path, _named(chosen), left_out)


def _others(values: Mapping[str, Any], owned: frozenset[str]) -> str:
    """Return what a configuration sets but for some paths, as a text to compare."""
    rest = {path: value for path, value in values.items() if path not in owned}
    for path, value in rest.items():
        inner = [own.removeprefix(f"{path}.") for own in owned if own.startswith(f"{path}.")]
        if inner and isinstance(value, Mapping):  # a group may set the whole that a path is in
            rest[path] = _without(value, inner)
    return repr(sorted(rest.items()))


def _without(tree: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    left = dict(tree)
    for path in paths:
        first, _, more = path.partition(".")
        if not more:
            left.pop(first, None)
        elif isinstance(left.get(first), Mapping):
            left[first] = _without(left[first], [more])
    return left


def _named(
    lines: Mapping[tuple[str, str], tuple[tuple[float, Row], ...]],
) -> dict[str, tuple[tuple[float, Row], ...]]:
    """Return lines by their words, numbered where two have the same."""
    named: dict[str, tuple[tuple[float, Row], ...]] = {}
    for (rest, _), own in lines.items():
        name, number = rest, 1
        while name in named:
            number += 1
            name = f"{rest or 'the study'} ({number})"
        named[name] = own
    return named


@dataclass(frozen=True)
class Scale:
    """Where a number stands across: straight, or by its logarithm with 0 one step to the left."""

    log: bool
    zero: float | None = None

    @classmethod
    def of(cls, points: Iterable[float]) -> Scale:
        """Choose the scale by what the positive numbers span; none is logarithmic below zero."""
        values = sorted(points)
        places = [math.log10(value) for value in values if value > 0]
        if values[0] < 0 or not places:
            return cls(log=False)
        crammed = values[0] > 0 and 2 * _narrowest(values) < _narrowest(places)
        decades = places[-1] - places[0]
        if decades <= LOG_DECADES and not (crammed and decades >= 1):
            return cls(log=False)
        step = float(np.median(np.diff(places)))
        return cls(log=True, zero=places[0] - step if values[0] == 0 else None)

    def at(self, number: float) -> float:
        """Return a number's place."""
        if not self.log:
            return number
        return math.log10(number) if number or self.zero is None else self.zero

    def broken(self, points: Iterable[float]) -> float | None:
        """Return the middle between 0 and the smallest number, where the axis has a break."""
        if self.zero is None:
            return None
        return (self.zero + math.log10(min(p for p in points if p > 0))) / 2


def _figure(found: Answers, response: Response, key: str) -> Markup | None:
    assert found.primary
    names, metric = list(response.lines), found.primary
    points = {number for own in response.lines.values() for number, _ in own}
    scale = Scale.of(points)
    bands = {name: _band(own, metric, scale) for name, own in response.lines.items()}
    if not any(np.isfinite(band.mean).any() for band in bands.values()):
        return None
    axis = _axis(metric, list(bands.values()))
    top = axis.high if lower_is_better(metric) else axis.low
    drawn = []
    for name, colour in zip(names, colours(names), strict=True):
        lost = _lost(response.lines[name], scale)
        drawn.append(Line(name or "the study", colour, _with_lost(bands[name], lost, top)))
    drawn = [line for line in drawn if len(line.band.x)]
    what = factor_names([response.path])[response.path]
    across = f"{what} (log scale)" if scale.log else what
    title = f"Final {metric_name(metric)} by {what}"
    plot = Plot(key, (Panel(heading(metric, axis), tuple(drawn), axis),), across, title,
                _words(response, metric), height=2.8, labelled=len(drawn) > 1,
                at=_ticks(points, scale), broken=scale.broken(points))  # fmt: skip
    return tag(
        "figure",
        tag("h3", title),
        wide(draw(plot)),
        tag("figcaption", _caption(response, found, scale)),
    )


def _band(own: Sequence[tuple[float, Row]], metric: str, scale: Scale) -> Band:
    """Return the means of the sound runs; values of which every run diverged are left out."""
    kept = [(n, row) for n, row in own if row.used and math.isfinite(row.metrics[metric].mean)]
    intervals = [row.metrics[metric] for _, row in kept]
    return Band(
        np.array([scale.at(n) for n, _ in kept], float),
        np.array([i.mean for i in intervals], float),
        np.array([np.nan if i.low is None else i.low for i in intervals], float),
        np.array([np.nan if i.high is None else i.high for i in intervals], float),
        np.ones(len(kept), bool),
        (),
        max((row.done for _, row in own), default=0),
    )


def _lost(own: Sequence[tuple[float, Row]], scale: Scale) -> list[float]:
    return [scale.at(number) for number, row in own if row.diverged]


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


def _narrowest(places: Sequence[float]) -> float:
    """Return the narrowest gap of ascending places as a share of their span."""
    return float(np.diff(places).min()) / (places[-1] - places[0]) if len(places) > 1 else 1.0


def _ticks(points: set[float], scale: Scale) -> tuple[tuple[float, str], ...]:
    """Return where the values stand, with their texts; evenly chosen ones where there are many."""
    values = sorted(points)
    step = -(-(len(values) - 1) // MOST_TICKS)
    chosen = sorted({*values[:-1:step], values[-1]})  # both ends, so that all points are within
    texts = numbers.alike(chosen)
    places = [scale.at(v) for v in chosen]
    room = max(map(len, texts)) * LETTER / TICKED_WIDTH * (places[-1] - places[0])
    last, ticks = -math.inf, []
    for place, text in zip(places, texts, strict=True):  # a tick too near another has no text
        fits = place == places[-1] or (place - last >= room and places[-1] - place >= room)
        ticks.append((place, text if fits else ""))
        last = place if fits else last
    return tuple(ticks)


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


def _caption(response: Response, found: Answers, scale: Scale) -> str:
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
    if scale.zero is not None:
        parts.append("A log scale has no place for 0: it stands left of the break (//).")
    if response.left_out:
        parts.append(
            f"Shown are {len(response.lines)} of {len(response.lines) + response.left_out} "
            "combinations of what else varies, those with the best configurations first."
        )
    return " ".join(parts)
