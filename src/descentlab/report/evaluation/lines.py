"""ROC and precision–recall curves: every class that can be told apart, and the means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from descentlab.evaluation.results import Curve, Estimate, Evaluation
from descentlab.report.evaluation import wording
from descentlab.report.evaluation.canvas import Frame, line, path, picture
from descentlab.report.markup import Markup, tag
from descentlab.report.palette import CATEGORIES, variable
from descentlab.report.plots import legend, wide

MOST_LINES = 12  # classes up to which each has its own colour
WORST_LINES = 6  # classes that have one where there are more
MOST_MUTED = 100  # the others, drawn in grey
LEFT, TOP, SIDE = 56.0, 30.0, 390.0  # pixels of a panel
CORNERS = (0.01, 0.02, 0.05, 0.1, 0.2)  # sides of the corner that is drawn at large
INK = "currentColor"


@dataclass(frozen=True)
class Series:
    """One curve with its look and its name in the legend."""

    label: str
    curve: Curve
    stroke: str
    width: float = 1.5
    dash: str | None = None
    opacity: float | None = None


def roc_figure(evaluation: Evaluation, key: str) -> Markup | None:
    """Return the ROC curves as a figure, or None without scores.

    Args:
        evaluation: what is shown.
        key: a prefix for ids, its own within the page.
    """
    if not evaluation.roc:
        return None
    series, note = _series(evaluation, evaluation.roc, "auc", evaluation.auc)
    frames = _frames([each.curve for each in series])
    names = "false positive rate", "true positive rate (recall)"
    parts = _panels(frames, series, names, key)
    (left, right), (low, high) = frames[0].x([0, 1]), frames[0].y([0, 1])
    parts.append(line(left, low, right, high, stroke_dasharray="2 4", class_="quiet"))
    description = f"AUC: {_in_words(evaluation, 'auc')}."
    title = "ROC curves, one class against the rest"
    drawn = picture(key, title, description, _size(frames), parts)
    caption = "One class against the rest; the dotted diagonal is what guessing gives. "
    caption += "Macro: the mean over classes; micro: all decisions pooled. In parentheses the "
    caption += f"{wording.interval_name(evaluation)} of the AUC."
    return _figure("AUC:", series, drawn, f"{caption} {note}", frames)


def precision_recall_figure(evaluation: Evaluation, key: str) -> Markup | None:
    """Return the precision–recall curves as a figure, or None without scores.

    Args:
        evaluation: what is shown.
        key: a prefix for ids, its own within the page.
    """
    if not evaluation.precision_recall:
        return None
    series, note = _series(
        evaluation, evaluation.precision_recall, "average_precision", evaluation.average_precision
    )
    series = [replace(each, curve=_stepped(each.curve)) for each in series]
    frames = _frames([each.curve for each in series], right=True)
    parts = _panels(frames, series, ("recall", "precision"), key)
    description = f"Average precision: {_in_words(evaluation, 'average_precision')}."
    drawn = picture(key, "Precision–recall curves", description, _size(frames), parts)
    caption = "Guessing gives a class’s share of the examples at every recall. In parentheses the "
    caption += f"{wording.interval_name(evaluation)} of the average precision."
    return _figure("Average precision:", series, drawn, f"{caption} {note}", frames)


def _frames(curves: list[Curve], *, right: bool = False) -> list[Frame]:
    """Return the whole, and the upper corner in which all curves bend if that is small."""
    whole = Frame(LEFT, TOP, SIDE, SIDE)
    bends = [
        float(np.min(np.maximum(1 - curve.x if right else curve.x, 1 - curve.y)))
        for curve in curves
        if len(curve.x)
    ]
    wanted = 1.6 * max(bends, default=1.0)
    corner = next((side for side in CORNERS if side >= wanted), None)
    if corner is None:
        return [whole]
    across = (1 - corner, 1.0) if right else (0.0, corner)
    return [whole, Frame(LEFT + SIDE + 96, TOP, SIDE, SIDE, across, (1 - corner, 1.0))]


def _panels(
    frames: list[Frame], series: list[Series], names: tuple[str, str], key: str
) -> list[Markup]:
    parts: list[Markup] = []
    for index, frame in enumerate(frames):
        title = "The upper corner, enlarged" if index else "Whole" if len(frames) > 1 else ""
        parts += [*frame.axes(*names, title), *_clipped(series, frame, f"{key}-c{index}")]
    return parts


def _size(frames: list[Frame]) -> tuple[float, float]:
    return frames[-1].left + SIDE + 16, TOP + SIDE + 48


def _figure(
    title: str, series: list[Series], drawn: Markup, caption: str, frames: list[Frame]
) -> Markup:
    two = len(frames) > 1
    labelled = [(each.label, each.stroke, each.dash) for each in series if each.label]
    body = wide(drawn) if two else drawn
    words = tag("figcaption", caption.strip())
    return tag("figure", legend(labelled, title), body, words, class_="both" if two else None)


def _series(
    evaluation: Evaluation,
    curves: Mapping[int | str, Curve],
    figure: str,
    means: Mapping[str, Estimate],
) -> tuple[list[Series], str]:
    """Return the curves, the grey ones first, the means last; and what is not drawn in full."""
    own = {key: curve for key, curve in curves.items() if not isinstance(key, str)}
    figures = {i: getattr(evaluation.per_class[i], figure) for i in own}
    marked, note = list(own), ""
    muted: list[int] = []
    if len(own) > MOST_LINES:
        order = sorted(own, key=lambda i: _rank(figures[i]))
        marked, muted = order[:WORST_LINES], order[WORST_LINES:][:MOST_MUTED]
        note = f"In colour: the {WORST_LINES} of {len(own):,} classes with the lowest figure"
        note += f"; in grey {len(muted)} others." if muted else "."
    grey = [Series("", own[i], INK, 0.8, None, 0.28) for i in muted]
    coloured = [
        Series(
            f"{evaluation.classes[i]}: {wording.written(figures[i])}",
            own[i],
            variable(CATEGORIES[place % len(CATEGORIES)]),
            1.6,
            "6 2.5" if place >= len(CATEGORIES) else None,
        )
        for place, i in enumerate(marked)
    ]
    pooled = []
    for key, dash in (("macro", None), ("micro", "2.5 2.5")):
        if key in curves:
            value = f": {wording.written(means[key])}" if key in means else ""
            pooled.append(Series(f"{key}{value}", curves[key], INK, 2.2, dash))
    absent = [each.name for i, each in enumerate(evaluation.per_class) if i not in own]
    if absent:
        note += f" Without a curve, because undefined: {wording.listed(absent)}."
    return [*grey, *coloured, *pooled], note.strip()


def _rank(estimate: Estimate) -> float:
    return math.inf if estimate.value is None else estimate.value


def _clipped(series: list[Series], frame: Frame, key: str) -> list[Markup]:
    """Return the curves within a frame, cut at its edges with room for their width."""
    edge = tag(
        "clipPath",
        tag("rect", x=frame.left - 2, y=frame.top - 2, width=SIDE + 4, height=SIDE + 4),
        id=key,
    )
    drawn = []
    for each in series:
        drawn.append(
            tag(
                "path",
                d=path(frame.x(each.curve.x), frame.y(each.curve.y)),
                stroke=each.stroke,
                stroke_width=f"{each.width:g}",
                stroke_dasharray=each.dash,
                stroke_opacity=each.opacity,
            )
        )
    return [edge, tag("g", *drawn, fill="none", clip_path=f"url(#{key})", stroke_linejoin="round")]


def _stepped(curve: Curve) -> Curve:
    """Return a precision–recall curve as the steps over which its area is the average precision.

    Between two thresholds the recall is reached at the precision of the lower one, so a
    straight line between points would promise too much (Davis and Goadrich 2006).
    """
    falling = len(curve.x) < 2 or curve.x[0] >= curve.x[-1]
    x, y = (curve.x, curve.y) if falling else (curve.x[::-1], curve.y[::-1])
    return Curve(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], curve.threshold)


def _in_words(evaluation: Evaluation, figure: str) -> str:
    classes = sorted(evaluation.per_class, key=lambda each: _rank(getattr(each, figure)))
    parts = [f"{each.name} {wording.written(getattr(each, figure))}" for each in classes[:20]]
    more = f" and {len(classes) - 20} more classes" if len(classes) > 20 else ""
    return "; ".join(parts) + more
