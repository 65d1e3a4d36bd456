"""A dot and a line for each interval of a column, on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers
from descentlab.report.answers import lower_is_better
from descentlab.report.axes import Axis
from descentlab.report.markup import Markup, tag

WIDTH, MARGIN = 152.0, 5.0
LOG_ABOVE = 30.0  # ratio of the largest loss to the smallest, from which their scale is logarithmic
ERROR_ABOVE = 5.0  # the same for the errors of accuracies


def scale_of(intervals: Sequence[Interval], metric: str) -> Axis | None:
    """Return a scale for intervals, or None where there is nothing to compare."""
    found = [i for i in intervals if math.isfinite(i.mean)]
    means = [i.mean for i in found]
    if len(means) < 2:
        return None
    low = min(i.mean if i.low is None else i.low for i in found)
    high = max(i.mean if i.high is None else i.high for i in found)
    if not high > low:
        return None
    least, most = min(means), max(means)
    if lower_is_better(metric) and least > 0 and most > LOG_ABOVE * least:
        return Axis("log", max(low, least / 3), high)
    if (
        not lower_is_better(metric)
        and least >= 0
        and most < 1
        and 1 - least > ERROR_ABOVE * (1 - most)
    ):
        return Axis("error", low, min(high, 1 - (1 - most) / 3))
    return Axis("linear", low, high)


def mark(scale: Axis, interval: Interval) -> Markup | None:
    """Return one interval as a small picture; its numbers stand beside it."""
    if not math.isfinite(interval.mean):
        return None
    parts = []
    if interval.low is not None and interval.high is not None:
        ends = {"x1": _place(scale, interval.low), "x2": _place(scale, interval.high)}
        parts.append(tag("line", **ends, y1=9, y2=9, stroke="currentColor", stroke_width=1.8))
    parts.append(tag("circle", cx=_place(scale, interval.mean), cy=9, r=3.1, fill="currentColor"))
    return tag("svg", *parts, class_="forest", viewBox=f"0 0 {WIDTH:g} 18", aria_hidden="true")


def axis(scale: Axis) -> Markup:
    """Return the column's axis: its two ends and its kind."""
    size = max(abs(scale.low), abs(scale.high))
    digits = max(3, 2 + math.ceil(math.log10(size / (scale.high - scale.low))))
    kind = {"log": "log", "error": "log error"}.get(scale.kind, "")
    ends = {"x1": MARGIN, "x2": WIDTH - MARGIN, "y1": 19, "y2": 19}
    return tag(
        "svg",
        tag("line", **ends, stroke="currentColor", stroke_width=0.8),
        _text(numbers.value(scale.low, digits), 0, "start"),
        _text(kind, WIDTH / 2, "middle"),
        _text(numbers.value(scale.high, digits), WIDTH, "end"),
        class_="forest",
        viewBox=f"0 0 {WIDTH:g} 20",
        aria_hidden="true",
    )


def _text(text: str, x: float, anchor: str) -> Markup:
    return tag("text", text, x=x, y=13, font_size=11, fill="currentColor", text_anchor=anchor)


def _place(scale: Axis, value: float) -> str:
    low, high = scale.ends
    return f"{MARGIN + (float(scale.at(value)) - low) / (high - low) * (WIDTH - 2 * MARGIN):.1f}"
