"""Pictures drawn by hand: text that is text, colours that are the page's, lengths in pixels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from descentlab.report.markup import Markup, tag

FONT = 13.0  # pixels
SMALL = 11.5
PAGE = 1104  # pixels of a page's column
GRID = "var(--line, #dcdcd6)"


def picture(
    key: str, title: str, description: str, size: tuple[float, float], parts: Iterable[Any]
) -> Markup:
    """Return an inline ``<svg>`` with a name and a description for those who cannot see it."""
    width, height = size
    return tag(
        "svg",
        tag("title", title, id=f"{key}-t"),
        tag("desc", description, id=f"{key}-d"),
        *parts,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        aria_labelledby=f"{key}-t {key}-d",
        style=f"--width:{width:.0f}",
        font_size=f"{FONT:g}",
        fill="currentColor",
        class_="drawn",
    )


def text(
    content: Any, x: float, y: float, anchor: str = "start", size: float = FONT, **more: Any
) -> Markup:
    """Return a text whose baseline is at ``y``."""
    return tag(
        "text",
        content,
        x=_short(x),
        y=_short(y),
        text_anchor=None if anchor == "start" else anchor,
        font_size=None if size == FONT else f"{size:g}",
        **more,
    )


def line(x1: float, y1: float, x2: float, y2: float, **more: Any) -> Markup:
    """Return a straight line, by default of the page's text colour."""
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    stroke = {"stroke": "currentColor", **more}
    return tag("line", **{name: _short(value) for name, value in ends.items()}, **stroke)


def rectangle(x: float, y: float, width: float, height: float, **more: Any) -> Markup:
    """Return a rectangle."""
    sides = {"x": x, "y": y, "width": width, "height": height}
    return tag("rect", **{name: _short(value) for name, value in sides.items()}, **more)


def width_of(content: str, size: float = FONT) -> float:
    """Return about how many pixels a text is wide, rather too many than too few."""
    return size * sum(_em(letter) for letter in content)


def fitting(content: str, room: float, size: float = FONT) -> str:
    """Return a text cut with an ellipsis where it would be wider than ``room``."""
    if width_of(content, size) <= room:
        return content
    room -= _em("…") * size
    kept = ""
    for letter in content:
        room -= _em(letter) * size
        if room < 0:
            break
        kept += letter
    return kept.rstrip() + "…"


def _em(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF" or letter in "…—":
        return 1.05
    if letter.isupper() or letter in "mwMW@%":
        return 0.8
    return 0.36 if letter in " .,:;'|ijl()[]" else 0.6


@dataclass(frozen=True)
class Frame:
    """A plot whose axes are shares, within a picture.

    Attributes:
        left, top, width, height: in pixels.
        across, up: the two ends of each axis.
    """

    left: float
    top: float
    width: float
    height: float
    across: tuple[float, float] = (0.0, 1.0)
    up: tuple[float, float] = (0.0, 1.0)

    def x(self, value: Any) -> Any:
        """Return where a value stands across."""
        low, high = self.across
        return self.left + (np.asarray(value, float) - low) / (high - low) * self.width

    def y(self, value: Any) -> Any:
        """Return where a value stands upwards."""
        low, high = self.up
        return self.top + (high - np.asarray(value, float)) / (high - low) * self.height

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height

    def axes(self, across: str, up: str, title: str = "") -> list[Markup]:
        """Return grid, numbers and names of both axes."""
        parts = []
        for value in ticks(*self.across):
            place = float(self.x(value))
            parts.append(line(place, self.top, place, self.bottom, stroke=GRID))
            parts.append(text(tick(value, self.across), place, self.bottom + 17, "middle", SMALL))
        for value in ticks(*self.up):
            place = float(self.y(value))
            parts.append(line(self.left, place, self.left + self.width, place, stroke=GRID))
            parts.append(text(tick(value, self.up), self.left - 7, place + 4, "end", SMALL))
        middle = self.left + self.width / 2
        parts.append(text(across, middle, self.bottom + 38, "middle"))
        side = f"translate({self.left - 42:.1f} {self.top + self.height / 2:.1f}) rotate(-90)"
        parts.append(tag("text", up, transform=side, text_anchor="middle"))
        if title:
            parts.append(text(title, self.left, self.top - 12, font_weight="600"))
        return parts


def ticks(low: float, high: float) -> list[float]:
    """Return about five round values from ``low`` to ``high``."""
    step = (high - low) / 5
    return [low + i * step for i in range(6)]


def tick(value: float, ends: tuple[float, float]) -> str:
    """Write a value of an axis with as many decimals as its steps need."""
    step = (ends[1] - ends[0]) / 5
    decimals = next(d for d in range(1, 9) if abs(round(step, d) - step) < 1e-12 or d == 8)
    return "0" if abs(value) < 1e-12 else f"{value:.{decimals}f}"


def path(x: np.ndarray, y: np.ndarray) -> str:
    """Return the data of a polyline, without points that no one would see."""
    points = np.round(np.column_stack([x, y]) * 2) / 2
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return ""
    points = points[np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]]
    if len(points) > 2:
        before, after = points[1:-1] - points[:-2], points[2:] - points[1:-1]
        turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
        points = points[np.r_[True, turns, True]]
    return "M" + "L".join(f"{_short(a)} {_short(b)}" for a, b in points)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
