"""The claims of a study in its report: a verdict, a sentence and a picture each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from descentlab.report import numbers
from descentlab.report.answers import lower_is_better
from descentlab.report.claim_words import finding, notes, rule
from descentlab.report.markup import Markup, tag
from descentlab.report.names import metric_name

if TYPE_CHECKING:
    from descentlab.studies.claims.verdicts import Verdict

MOST_ROWS = 12
WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 760.0, 250.0, 12.0, 26.0, 8.0, 40.0
LETTERS = 38
SYMBOLS = {"supported": "✓", "refuted": "✗", "undecided": "?", "identical": "="}

METHOD = (
    "The seed is the unit: each side is averaged over its configurations within a seed, the "
    "difference of the two is formed seed by seed, and Student’s t gives the interval of its "
    "mean. Levels are chosen over all claims together (Holm) and over the comparisons of one "
    "claim (Bonferroni), so that the chance of any false verdict here is at most 5 %. Dots are "
    "seeds; to the right of the line the first side is better."
)


def claims(verdicts: Sequence[Verdict]) -> Markup | None:
    """Return the section on a study's claims, or None if it makes none."""
    if not verdicts:
        return None
    return tag(
        "section",
        tag("h2", "Claims", id="claims"),
        *(_claim(number, verdict) for number, verdict in enumerate(verdicts)),
        tag("p", METHOD, class_="note"),
        aria_labelledby="claims",
    )


def _claim(number: int, verdict: Verdict) -> Markup:
    word = verdict.verdict
    badge = tag("span", f"{SYMBOLS[word]} {word}", class_=f"badge {word}")
    return tag(
        "article",
        tag("h3", badge, " ", verdict.claim.name),
        tag("p", finding(verdict)),
        *(tag("p", note, class_="note") for note in notes(verdict)),
        _figure(number, verdict),
        class_="claim",
    )


def _figure(number: int, verdict: Verdict) -> Markup | None:
    order = sorted(range(len(verdict.evidence)), key=lambda i: verdict.intervals[i].mean)
    shown = [i for i in order[:MOST_ROWS] if len(verdict.evidence[i].advantage.values)]
    if not shown or verdict.verdict == "identical":
        return None
    bounds = _bounds(verdict)
    low, high = _span(verdict, shown, bounds)
    place = _Scale(low, high)
    height = TOP + ROW * len(shown) + BOTTOM
    rows = [_row(verdict, index, TOP + ROW * (k + 0.5), place) for k, index in enumerate(shown)]
    lines = [_bound(place.at(bound), height) for bound in bounds]
    hidden = len(order) - len(shown)
    caption = rule(verdict)
    if hidden:
        caption += f" Shown are the {len(shown)} closest of {len(order)} comparisons."
    svg = tag(
        "svg", tag("title", f"{verdict.claim.name}: {verdict.verdict}", id=f"claim-{number}-t"),
        tag("desc", finding(verdict), id=f"claim-{number}-d"),
        *lines, *rows, *_axis(verdict, place, height),
        viewBox=f"0 0 {WIDTH:g} {height:g}", role="img", class_="drawn",
        aria_labelledby=f"claim-{number}-t claim-{number}-d", style=f"--width:{WIDTH:g}",
    )  # fmt: skip
    return tag("figure", tag("div", svg, class_="wide-figure"), tag("figcaption", caption))


class _Scale:
    def __init__(self, low: float, high: float) -> None:
        pad = 0.04 * (high - low) or 1.0
        self.low, self.high = low - pad, high + pad

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)


def _bounds(verdict: Verdict) -> list[float]:
    claim: Any = verdict.claim.claim
    margin = float(getattr(claim, "margin", 0.0))
    if claim.kind == "equivalent":
        return [-margin, margin]
    return [margin if claim.kind == "better" else -margin]


def _span(verdict: Verdict, shown: Sequence[int], bounds: Sequence[float]) -> tuple[float, float]:
    ends = [0.0, *bounds]
    for index in shown:
        interval = verdict.intervals[index]
        ends += verdict.evidence[index].advantage.values.tolist()
        wide = [e for e in (interval.low, interval.high) if e is not None and math.isfinite(e)]
        reach = 3 * (max(ends) - min(ends) or 1.0)  # two seeds' interval may be far wider
        ends += [min(max(end, -reach), reach) for end in wide]
    return min(ends), max(ends)


def _row(verdict: Verdict, index: int, y: float, place: _Scale) -> Markup:
    evidence, interval = verdict.evidence[index], verdict.intervals[index]
    label = _short(evidence.comparison.b or "target")
    parts = [tag("text", label, x=LEFT - 12, y=y + 4.5, text_anchor="end", font_size=13,
                 fill="currentColor")]  # fmt: skip
    for value in evidence.advantage.values.tolist():
        parts.append(tag("circle", cx=f"{place.at(value):.1f}", cy=y, r=2.6, class_="seed"))
    if interval.low is not None and interval.high is not None:
        ends = {"x1": f"{place.at(interval.low):.1f}", "x2": f"{place.at(interval.high):.1f}"}
        parts.append(tag("line", **ends, y1=y, y2=y, class_="interval"))
    parts.append(tag("circle", cx=f"{place.at(interval.mean):.1f}", cy=y, r=5, class_="mean"))
    return tag("g", *parts)


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"


def _bound(x: float, height: float) -> Markup:
    return tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=height - BOTTOM, class_="bound")


def _axis(verdict: Verdict, place: _Scale, height: float) -> list[Markup]:
    y = height - BOTTOM
    better = "lower" if lower_is_better(verdict.metric) else "higher"
    against = "the target" if not verdict.evidence[0].comparison.b else "the other side"
    first = verdict.evidence[0].comparison.a
    title = f"{_short(first or 'mean')}: {metric_name(verdict.metric)} {better} by … than {against}"
    parts = [tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="axis")]
    for value in _ticks(place.low, place.high):
        x = f"{place.at(value):.1f}"
        parts.append(tag("line", x1=x, x2=x, y1=y, y2=y + 4, class_="axis"))
        parts.append(_text(numbers.value(value), x, y + 16))
    parts.append(_text(title, (LEFT + WIDTH - RIGHT) / 2, y + 34))
    return parts


def _text(text: str, x: float | str, y: float) -> Markup:
    return tag("text", text, x=x, y=y, text_anchor="middle", font_size=12, class_="quiet")


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers within a range."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(f for f in (1, 2, 5, 10) if (high - low) / (step * f) <= 6)
    first = math.ceil(low / step)
    return [round(i * step, 12) for i in range(first, math.floor(high / step) + 1)]
