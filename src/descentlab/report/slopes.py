"""A slope in pictures: points by seed on two logarithmic axes, the fitted line, what is allowed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from descentlab.report import numbers
from descentlab.report.axes import Axis
from descentlab.report.claim_words import finding, rule, taken_off
from descentlab.report.markup import Markup, tag
from descentlab.report.names import metric_name

if TYPE_CHECKING:
    from descentlab.studies.claims.verdicts import Verdict

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 620.0, 320.0, 84.0, 16.0, 26.0, 46.0
ROOM = 0.06  # of the picture's width and height, around the points
NARROW = 34.0  # pixels that a number below the axis needs


def figure(number: int, verdict: Verdict) -> Markup | None:
    """Return the picture of a slope claim, or None where no seed has a slope."""
    evidence = verdict.evidence[0]
    sound = np.isfinite(evidence.advantage.values)
    if not sound.any():
        return None
    x, y = np.log10(np.array(evidence.comparison.points)), np.log10(evidence.a[sound])
    place = _Place(x, y)
    slope, up = float(evidence.advantage.values[sound].mean()), y.mean(axis=0)
    claim: Any = verdict.claim.claim
    bounds = [end for end in (claim.low, claim.high) if end is not None]
    parts = [*_axes(verdict, evidence.comparison.points, place)]
    parts += [_line(place, x, up, bound, "bound") for bound in bounds]
    parts.append(_line(place, x, up, slope, "interval"))
    for column, at in enumerate(x):
        parts += [_dot(place, at, value, 2.6, "seed") for value in y[:, column]]
        parts.append(_dot(place, at, up[column], 4.5, "mean"))
    svg = tag(
        "svg", tag("title", f"{verdict.claim.name}: {verdict.verdict}", id=f"claim-{number}-t"),
        tag("desc", finding(verdict), id=f"claim-{number}-d"), *parts,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img", class_="drawn",
        aria_labelledby=f"claim-{number}-t claim-{number}-d", style=f"--width:{WIDTH:g}",
    )  # fmt: skip
    caption = f"{rule(verdict)} Small dots are seeds, large ones their geometric mean. "
    caption += "The solid line has the mean slope, dashed ones the slopes that bound the claim."
    if not sound.all():
        caption += f" Drawn are the {int(sound.sum())} of {len(sound)} seeds that have a slope."
    return tag("figure", tag("div", svg, class_="wide-figure"), tag("figcaption", caption))


class _Place:
    """Where logarithms stand in the picture."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x = _padded(float(x.min()), float(x.max()))
        self.y = _padded(float(y.min()), float(y.max()))

    def across(self, x: float) -> float:
        share = (x - self.x[0]) / (self.x[1] - self.x[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def up(self, y: float) -> float:
        share = (y - self.y[0]) / (self.y[1] - self.y[0])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _padded(low: float, high: float) -> tuple[float, float]:
    room = ROOM * (high - low) or 0.1
    return low - room, high + room


def _dot(place: _Place, x: float, y: float, radius: float, kind: str) -> Markup:
    at = {"cx": f"{place.across(x):.1f}", "cy": f"{place.up(y):.1f}"}
    return tag("circle", **at, r=radius, class_=kind)


def _line(place: _Place, x: np.ndarray, up: np.ndarray, slope: float, kind: str) -> Markup:
    """Draw a line of a slope through the points' centre, as far as the picture goes."""
    middle, height = float(x.mean()), float(up.mean())
    low, high = place.x
    if slope:
        ends = sorted(middle + (y - height) / slope for y in place.y)
        low, high = max(low, ends[0]), min(high, ends[1])
    points = {}
    for end, at in (("1", low), ("2", high)):
        points[f"x{end}"] = f"{place.across(at):.1f}"
        points[f"y{end}"] = f"{place.up(height + slope * (at - middle)):.1f}"
    return tag("line", **points, class_=kind)


def _axes(verdict: Verdict, values: tuple[float, ...], place: _Place) -> list[Markup]:
    claim: Any = verdict.claim.claim
    bottom = HEIGHT - BOTTOM
    parts = [tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, class_="axis")]
    last = -math.inf
    for value in values:
        x = place.across(math.log10(value))
        parts.append(tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=bottom, y2=bottom + 4,
                         class_="axis"))  # fmt: skip
        if x - last >= NARROW:
            parts.append(_text(numbers.value(value), x, bottom + 17, "middle"))
            last = x
    for at, text in _heights(10 ** place.y[0], 10 ** place.y[1]):
        y = place.up(at)
        parts.append(tag("line", x1=LEFT - 4, x2=LEFT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="axis"))
        parts.append(_text(text, LEFT - 8, y + 4, "end"))
    parts.append(
        _text(f"{metric_name(verdict.metric)}{taken_off(claim.minus)} (log scale)", 4, 14, "start")
    )
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, _text(f"{claim.over} (log scale)", middle, HEIGHT - 8, "middle")]


def _heights(low: float, high: float) -> list[tuple[float, str]]:
    """Return place and text of the metric's ticks; even numbers where a decade is too wide."""
    ticks = Axis("log", low, high).ticks
    if len(ticks) > 2:
        return ticks
    return [(math.log10(value), text) for value, text in Axis("linear", low, high).ticks]


def _text(text: str, x: float, y: float, anchor: str) -> Markup:
    at = {"x": f"{x:.1f}", "y": f"{y:.1f}"}
    return tag("text", text, **at, text_anchor=anchor, font_size=12, class_="quiet")
