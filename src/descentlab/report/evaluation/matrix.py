"""The confusion matrix as a picture: heat by the share of each true class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from descentlab.evaluation.results import Evaluation
from descentlab.report import numbers
from descentlab.report.evaluation import wording
from descentlab.report.evaluation.canvas import (
    FONT,
    PAGE,
    SMALL,
    fitting,
    picture,
    rectangle,
    text,
    width_of,
)
from descentlab.report.markup import Markup, tag
from descentlab.report.plots import wide

MOST_WRITTEN = 20  # classes up to which a cell has its numbers
MOST_DRAWN = 60  # classes up to which all are drawn
MOST_CONFUSED = 40  # classes drawn of more
LONGEST_LABEL = 150  # pixels
LEVELS = 24  # of heat, where cells have no numbers
STEPS = (0.01, 0.05, 0.2, 0.5, 1.0)  # parts of the strongest tint that the legend shows
STRONGEST = (0.05, 0.2, 1.0)  # shares of errors that may have the strongest tint


@dataclass(frozen=True)
class Shown:
    """The classes that are drawn and their part of the matrix.

    Attributes:
        classes: their indices.
        names: their names.
        counts: rows true, columns predicted.
        support: examples of each true class, the ones outside the part too.
        predicted: predictions of each class, likewise.
    """

    classes: Int[np.ndarray, " shown"]
    names: tuple[str, ...]
    counts: Int[np.ndarray, "shown shown"]
    support: Int[np.ndarray, " shown"]
    predicted: Int[np.ndarray, " shown"]

    @property
    def shares(self) -> np.ndarray:
        """Of each true class, the share of each answer; zero without examples."""
        return self.counts / np.maximum(self.support, 1)[:, None]

    @property
    def strongest(self) -> float:
        """The share at which the tint of an error is the strongest."""
        errors = self.shares[~np.eye(len(self.names), dtype=bool)]
        return next(each for each in STRONGEST if each >= errors.max(initial=0))

    @property
    def tints(self) -> np.ndarray:
        """How strong each cell's tint is, from 0 to 1; errors have a scale of their own."""
        right = np.eye(len(self.names), dtype=bool)
        return np.sqrt(np.where(right, self.shares, self.shares / self.strongest))


def shown(evaluation: Evaluation) -> Shown:
    """Return the matrix of all classes, or of very many that of the most confused."""
    rows, columns, counts = evaluation.cells
    size = len(evaluation.classes)
    chosen = np.arange(size)
    if size > MOST_DRAWN:
        wrong = np.where(rows != columns, counts, 0)
        errors = np.bincount(rows, wrong, size) + np.bincount(columns, wrong, size)
        chosen = np.sort(np.argsort(-errors, kind="stable")[:MOST_CONFUSED])
    place = np.full(size, -1)
    place[chosen] = np.arange(len(chosen))
    part = np.zeros((len(chosen), len(chosen)), int)
    inside = (place[rows] >= 0) & (place[columns] >= 0)
    np.add.at(part, (place[rows[inside]], place[columns[inside]]), counts[inside])
    figures = [evaluation.per_class[i] for i in chosen]
    return Shown(
        chosen,
        tuple(each.name for each in figures),
        part,
        np.array([each.support for each in figures], int),
        np.array([each.predicted for each in figures], int),
    )


def confusion_figure(evaluation: Evaluation, key: str) -> Markup:
    """Return the confusion matrix as a figure.

    Args:
        evaluation: what is shown.
        key: a prefix for ids, its own within the page.
    """
    part = shown(evaluation)
    written = len(part.names) <= MOST_WRITTEN
    layout = _layout(part, written=written)
    parts = [*_labels(part, layout), *(_numbered(part, layout) if written else _heat(part, layout))]
    if written:
        parts += _totals(part, layout)
    drawn = picture(key, "Confusion matrix", _description(evaluation), layout.size, parts)
    caption = tag("figcaption", _caption(evaluation, part, written=written))
    return tag("figure", _legend(part), wide(drawn), caption)


@dataclass(frozen=True)
class Layout:
    """Where the cells are, in pixels."""

    left: float
    top: float
    cell: tuple[float, float]
    font: float
    turned: int
    size: tuple[float, float]


def _layout(part: Shown, *, written: bool) -> Layout:
    number = len(part.names)
    longest = max((width_of(name) for name in part.names), default=0.0)
    label = min(longest, LONGEST_LABEL)
    if written:
        digits = width_of(numbers.count(int(part.counts.max(initial=0)))) + 14
        room = (PAGE - label - 110) / number
        cell = (max(digits, min(room, 84.0), 44.0), 44.0 if number <= 10 else 36.0)
        font, turned = FONT, 0 if longest <= cell[0] - 8 else 45
    else:
        side = max(14.0, min(30.0, (PAGE - label - 40) / number))
        cell, font, turned = (side, side), min(FONT, side * 0.74), 90
    label = min(longest * font / FONT, LONGEST_LABEL)
    over = {0: 10.0, 45: label * 0.71 + 12, 90: label + 8}[turned]
    left, top = label + 40, 32 + over
    right = 64.0 if written else 8.0
    right = max(right, label * 0.71 - cell[0] / 2 + 12) if turned == 45 else right
    below = 34.0 if written else 6.0
    size = (left + number * cell[0] + right, top + number * cell[1] + below)
    return Layout(left, top, cell, font, turned, size)


def _labels(part: Shown, layout: Layout) -> list[Markup]:
    wide, tall = layout.cell
    height = len(part.names) * tall
    side = f"translate(16 {layout.top + height / 2:.1f}) rotate(-90)"
    middle = layout.left + len(part.names) * wide / 2
    parts = [
        text("predicted class", middle, 15, "middle", class_="quiet"),
        tag("text", "true class", transform=side, text_anchor="middle", class_="quiet"),
    ]
    for index, name in enumerate(part.names):
        short = fitting(name, LONGEST_LABEL, layout.font)
        full = tag("title", name) if short != name else None
        content = short if full is None else Markup(f"{full}{tag('tspan', short)}")
        y = layout.top + (index + 0.5) * tall + layout.font * 0.35
        parts.append(text(content, layout.left - 8, y, "end", layout.font))
        x = layout.left + (index + 0.5) * wide
        parts.append(_column_label(content, x, layout))
    return parts


def _column_label(content: str, x: float, layout: Layout) -> Markup:
    if not layout.turned:
        return text(content, x, layout.top - 9, "middle", layout.font)
    shift = layout.font * 0.35 if layout.turned == 90 else 3
    place = f"translate({x + shift:.1f} {layout.top - 7:.1f}) rotate(-{layout.turned})"
    return tag("text", content, transform=place, font_size=f"{layout.font:.1f}")


def _numbered(part: Shown, layout: Layout) -> list[Markup]:
    wide, tall = layout.cell
    parts = []
    shares, tints = part.shares, part.tints
    for (row, column), count in np.ndenumerate(part.counts):
        x, y = layout.left + column * wide, layout.top + row * tall
        kind = "hit" if row == column else "miss"
        share = float(shares[row, column])
        style = f"--s:{tints[row, column]:.3f}"
        parts.append(rectangle(x, y, wide - 1.5, tall - 1.5, class_=kind, style=style))
        if count:
            middle = x + wide / 2 - 0.75
            number = text(numbers.count(int(count)), middle, y + tall / 2 - 2.5, "middle")
            below = text(wording.percent(share), middle, y + tall / 2 + 12, "middle", SMALL)
            parts += [number, below]
    return parts


def _totals(part: Shown, layout: Layout) -> list[Markup]:
    wide, tall = layout.cell
    right = layout.left + len(part.names) * wide
    below = layout.top + len(part.names) * tall
    parts = [
        text("n", right + 8, layout.top - 9, class_="quiet") if layout.turned != 45 else None,
        text("in all", layout.left - 8, below + 19, "end", class_="quiet"),
    ]
    for index, (support, predicted) in enumerate(zip(part.support, part.predicted, strict=True)):
        y = layout.top + (index + 0.5) * tall + 4
        parts.append(text(numbers.count(int(support)), right + 8, y, class_="quiet"))
        x = layout.left + (index + 0.5) * wide
        parts.append(text(numbers.count(int(predicted)), x, below + 19, "middle", class_="quiet"))
    return [each for each in parts if each is not None]


def _heat(part: Shown, layout: Layout) -> list[Markup]:
    """Return the cells as one path for each level of heat, for there may be thousands."""
    wide, _ = layout.cell
    gap = 0.8
    levels = np.ceil(part.tints * LEVELS).astype(int)
    side = f"h{wide - gap:.1f}v{wide - gap:.1f}h-{wide - gap:.1f}z"
    number = len(part.names)
    back = rectangle(layout.left, layout.top, number * wide, number * wide, class_="empty")
    parts = [back]
    for kind, mask in (("hit", np.eye(number, dtype=bool)), ("miss", ~np.eye(number, dtype=bool))):
        for level in range(1, LEVELS + 1):
            cells = np.argwhere(mask & (levels == level))
            starts = (
                f"M{layout.left + c * wide:.1f} {layout.top + r * wide:.1f}{side}" for r, c in cells
            )
            data = "".join(starts)
            if data:
                style = f"--s:{level / LEVELS:.2f}"
                parts.append(tag("path", d=data, class_=kind, style=style))
    return parts


def _legend(part: Shown) -> Markup:
    """Return what the two tints mean and which shares they stand for."""
    items = [tag("li", "Share of the true class:", class_="title")]
    for kind, name, top in (("hit", "right", 1.0), ("miss", "wrong", part.strongest)):
        swatches = [
            rectangle(24 * i, 0, 23, 12, class_=kind, style=f"--s:{np.sqrt(step):.3f}")
            for i, step in enumerate(STEPS)
        ]
        wide = 24 * len(STEPS)
        ramp = tag("svg", *swatches, viewBox=f"0 0 {wide} 12", aria_hidden="true", class_="ramp")
        ends = " to ".join(wording.percent(top * step) for step in (STEPS[0], STEPS[-1]))
        items.append(tag("li", ramp, f"{name}, {ends}"))
    return tag("ul", *items, class_="legend")


def _description(evaluation: Evaluation) -> str:
    sentences = wording.confusions(evaluation, 3)
    if not sentences:
        return wording.no_confusions(evaluation)
    return f"The largest confusions: {'; '.join(sentences)}."


def _caption(evaluation: Evaluation, part: Shown, *, written: bool) -> str:
    texts = ["A row is a true class, a column what the model answered."]
    if written:
        texts.append("Each cell: the number of examples and its share of the row.")
    if len(part.names) < len(evaluation.classes):
        texts.append(
            f"Drawn are the {len(part.names)} of {len(evaluation.classes):,} classes with the most "
            "errors, as true or as predicted class; shares are of all examples of the true class."
        )
    absent = [name for name, n in zip(part.names, part.support, strict=True) if not n]
    if absent:
        texts.append(f"Without examples: {wording.listed(absent)}.")
    return " ".join(texts)
