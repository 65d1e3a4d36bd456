"""Recall, precision and F1 of each class as bars with their intervals."""

from __future__ import annotations

from descentlab.evaluation.results import ClassFigures, Estimate, Evaluation
from descentlab.report import numbers
from descentlab.report.evaluation import wording
from descentlab.report.evaluation.canvas import (
    FONT,
    GRID,
    PAGE,
    SMALL,
    fitting,
    line,
    picture,
    rectangle,
    text,
    width_of,
)
from descentlab.report.markup import Markup, tag
from descentlab.report.palette import CATEGORIES, variable
from descentlab.report.plots import wide

MOST_BARS = 30
LONGEST_LABEL = 190.0  # pixels
ROW, TOP, GAP, BAR = 26.0, 30.0, 30.0, 13.0
PANELS = (("recall", "Recall"), ("precision", "Precision"), ("f1", "F1"))


def class_figure(evaluation: Evaluation, key: str) -> Markup:
    """Return each class's recall, precision and F1 as a figure.

    Args:
        evaluation: what is shown.
        key: a prefix for ids, its own within the page.
    """
    classes = list(evaluation.per_class)
    if len(classes) > MOST_BARS:
        classes = wording.worst(classes, MOST_BARS)
    counts = [f"n = {numbers.count(each.support)}" for each in classes]
    names = max((width_of(each.name) for each in classes), default=0.0)
    names = min(names, LONGEST_LABEL)
    left = names + max(map(width_of, counts), default=0.0) + 28
    wide_panel = (PAGE - left - 20 - 2 * GAP) / len(PANELS)
    parts: list[Markup] = []
    for index, (each, count) in enumerate(zip(classes, counts, strict=True)):
        y = TOP + (index + 0.5) * ROW + FONT * 0.35
        short = fitting(each.name, LONGEST_LABEL)
        parts.append(text(short, names, y, "end"))
        parts.append(text(count, left - 12, y, "end", SMALL, class_="quiet"))
    for index, (attribute, title) in enumerate(PANELS):
        start = left + index * (wide_panel + GAP)
        mean = evaluation.figures.get(f"macro_{attribute}")
        parts += _panel(classes, attribute, title, (start, wide_panel), mean)
    size = (PAGE, TOP + ROW * len(classes) + 26)
    title = "Recall, precision and F1 by class"
    drawn = picture(key, title, _description(classes), size, parts)
    return tag("figure", wide(drawn), tag("figcaption", _caption(evaluation, len(classes))))


def _panel(
    classes: list[ClassFigures],
    attribute: str,
    title: str,
    place: tuple[float, float],
    mean: Estimate | None,
) -> list[Markup]:
    start, wide_panel = place
    bottom = TOP + ROW * len(classes)
    parts = [text(title, start, 14, font_weight="600")]
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = start + value * wide_panel
        parts.append(line(x, TOP, x, bottom, stroke=GRID))
        parts.append(text(f"{value:g}", x, bottom + 17, "middle", SMALL))
    for index, each in enumerate(classes):
        middle = TOP + (index + 0.5) * ROW
        parts += _bar(getattr(each, attribute), start, wide_panel, middle)
    if mean is not None and mean.value is not None:
        x = start + mean.value * wide_panel
        parts.append(line(x, TOP - 4, x, bottom, stroke_dasharray="5 3", stroke_width=1.2))
    return parts


def _bar(estimate: Estimate, start: float, wide_panel: float, middle: float) -> list[Markup]:
    if estimate.value is None:
        why = wording.written(estimate).value
        return [
            text(why, start + 5, middle + 4, "start", SMALL, class_="quiet", font_style="italic")
        ]
    colour = variable(CATEGORIES[0])
    long = max(estimate.value * wide_panel, 0.8)
    bar = rectangle(start, middle - BAR / 2, long, BAR, fill=colour, fill_opacity=0.5)
    parts = [bar]
    if estimate.low is not None and estimate.high is not None:
        low, high = (start + end * wide_panel for end in (estimate.low, estimate.high))
        parts.append(line(low, middle, high, middle, stroke_width=1.6))
        parts += [line(end, middle - 4, end, middle + 4, stroke_width=1.6) for end in (low, high)]
    return parts


def _description(classes: list[ClassFigures]) -> str:
    parts = [
        f"{each.name}: " + ", ".join(f"{a} {wording.written(getattr(each, a))}" for a, _ in PANELS)
        for each in classes
    ]
    return f"{'; '.join(parts)}.".replace(" f1 ", " F1 ")


def _caption(evaluation: Evaluation, drawn: int) -> str:
    texts = [f"Whiskers are {wording.interval_name(evaluation)}s, n the examples of a class."]
    means = [evaluation.figures.get(f"macro_{name}") for name, _ in PANELS]
    if any(mean is not None and mean.defined for mean in means):
        texts.append("Dashed: the macro mean.")
    more = len(evaluation.per_class) - drawn
    if more:
        texts.append(f"Drawn are the {drawn} classes with the lowest recall; {more:,} more are in ")
        texts[-1] += "the table."
    return " ".join(texts)
