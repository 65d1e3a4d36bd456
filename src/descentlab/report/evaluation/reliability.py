"""The reliability diagram: how often answers are right, by how sure the model was of them."""

from __future__ import annotations

import math

import numpy as np

from descentlab.evaluation.results import Calibration, Evaluation
from descentlab.report import numbers
from descentlab.report.evaluation import wording
from descentlab.report.evaluation.canvas import SMALL, Frame, line, picture, rectangle, text
from descentlab.report.markup import Markup, tag
from descentlab.report.palette import CATEGORIES, variable

WIDTH, HEIGHT, COUNTS = 460.0, 360.0, 80.0  # pixels
TOP, LEFT = 14.0, 60.0


def calibration_figure(evaluation: Evaluation, key: str) -> Markup | None:
    """Return the reliability diagram over a histogram, or None without scores.

    Args:
        evaluation: what is shown.
        key: a prefix for ids, its own within the page.
    """
    found = evaluation.calibration
    if found is None:
        return None
    frame = Frame(LEFT, TOP, WIDTH, HEIGHT)
    below = Frame(LEFT, TOP + HEIGHT + 34, WIDTH, COUNTS)
    diagonal = (*frame.x([0, 1]), *frame.y([0, 1]))
    parts = [
        *frame.axes("", "share that is right"),
        line(diagonal[0], diagonal[2], diagonal[1], diagonal[3], stroke_dasharray="2 4"),
        *_points(found, frame),
        *_counts(found, below),
    ]
    size = (LEFT + WIDTH + 16, below.bottom + 34)
    drawn = picture(key, "Calibration", _description(found), size, parts)
    caption = (
        "Answers grouped by the probability that the model gave them; the bars are Wilson’s "
        f"{wording.interval_name(evaluation)}s. On the dotted diagonal the model is right as "
        "often as it says, below it is too sure of itself, above too modest. Underneath: how many "
        f"answers each group has. Expected calibration error: {wording.written(found.error)}."
    )
    return tag("figure", drawn, tag("figcaption", caption))


def _points(found: Calibration, frame: Frame) -> list[Markup]:
    colour = variable(CATEGORIES[0])
    parts = []
    for confidence, accuracy in zip(found.confidence, found.accuracy, strict=True):
        if accuracy.value is None or not math.isfinite(confidence):
            continue
        x, y = float(frame.x(confidence)), float(frame.y(accuracy.value))
        if accuracy.low is not None and accuracy.high is not None:
            low, high = (float(end) for end in frame.y([accuracy.low, accuracy.high]))
            parts.append(line(x, low, x, high, stroke=colour, stroke_width=2))
        parts.append(tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, fill=colour))
    return parts


def _counts(found: Calibration, frame: Frame) -> list[Markup]:
    most = int(found.count.max(initial=0))
    parts = []
    for low, high, count in zip(found.edges[:-1], found.edges[1:], found.count, strict=True):
        if count:
            left, right = (float(x) for x in frame.x([low, high]))
            tall = max(1.0, frame.height * float(count) / most)
            bar = rectangle(left + 1, frame.bottom - tall, right - left - 2, tall)
            parts.append(tag("g", bar, fill=variable(CATEGORIES[0]), fill_opacity=0.55))
    end = frame.left + frame.width
    parts.append(line(frame.left, frame.bottom, end, frame.bottom))
    parts.append(text(numbers.count(most), frame.left - 7, frame.top + 5, "end", SMALL))
    parts.append(text("0", frame.left - 7, frame.bottom + 4, "end", SMALL))
    parts.append(
        text(
            "probability of the answer, as the model gives it",
            frame.left + frame.width / 2,
            frame.bottom + 22,
            "middle",
        )
    )
    side = f"translate({frame.left - 42:.1f} {frame.top + frame.height / 2:.1f}) rotate(-90)"
    parts.append(tag("text", "answers", transform=side, text_anchor="middle"))
    return parts


def _description(found: Calibration) -> str:
    parts = []
    for low, high, count, accuracy in zip(
        found.edges[:-1], found.edges[1:], found.count, found.accuracy, strict=True
    ):
        if count and accuracy.value is not None:
            share = wording.written(accuracy)
            parts.append(f"{low:.2g}–{high:.2g}: right {share} of {numbers.count(int(count))}")
    empty = int(np.count_nonzero(found.count == 0))
    return f"By probability: {'; '.join(parts)}. Empty groups: {empty}."
