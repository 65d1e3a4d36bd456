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
from descentlab.report.slopes import figure as slope_figure

if TYPE_CHECKING:
    from descentlab.studies.claims.evidence import Evidence
    from descentlab.studies.claims.verdicts import Verdict

MOST_ROWS = 12
WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 760.0, 270.0, 12.0, 26.0, 8.0, 40.0
SIZE, SPACE = 13, 12.0  # pixels: of a label's letters, and between it and the picture
WIDTHS = {
    " .,:;|!'()[]iljft/-I": 0.4,
    "mwMW%@…−+#&<=>^~×": 1.0,
    "rsckvxyz": 0.6,
}  # of letters, in em
OTHER_WIDTH = 0.66
CAPITAL_WIDTH = 0.79
SYMBOLS = {"supported": "✓", "refuted": "✗", "undecided": "?", "identical": "="}

METHOD = (
    "The seed is the unit: each side is averaged over its configurations within a seed, the "
    "difference of the two is formed seed by seed, and Student’s t gives the interval of its "
    "mean. Levels are chosen over all claims together (Holm) and over the comparisons of one "
    "claim (Bonferroni), so that the chance of any false verdict here is at most 5\u00a0% if "
    "differences are about normal, and about 5\u00a0% where seeds were added until claims were "
    "decided. Small dots are seeds, the large one is their mean; to the right of the line the "
    "first side is better. An arrow goes on beyond the picture."
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
        slope_figure(number, verdict) if verdict.slope else _figure(number, verdict),
        class_="claim",
    )


def _figure(number: int, verdict: Verdict) -> Markup | None:
    order = sorted(
        (i for i, each in enumerate(verdict.intervals) if math.isfinite(each.mean)),
        key=lambda i: verdict.intervals[i].mean,
    )
    shown = order[:MOST_ROWS]
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
    lost = len(verdict.evidence) - len(order)
    if lost:
        noun = "A comparison" if lost == 1 else f"{lost} comparisons"
        caption += f" {noun} of which all runs of a side diverged cannot be drawn."
    if hidden:
        caption += f" Shown are the {len(shown)} least favourable of {len(order)} comparisons."
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
    parts = [tag("text", _label(evidence), x=LEFT - SPACE, y=y + 4.5, text_anchor="end",
                 font_size=SIZE, fill="currentColor")]  # fmt: skip
    if interval.low is not None and interval.high is not None:
        parts += _whisker(interval.low, interval.high, y, place)
    parts.append(tag("circle", cx=f"{place.at(interval.mean):.1f}", cy=y, r=5, class_="mean"))
    for value in evidence.advantage.values.tolist():  # above the line, or it would hide them
        at = f"{place.at(value):.1f}"
        parts.append(tag("circle", cx=at, cy=f"{y - 9.5:.1f}", r=2.6, class_="seed"))
    return tag("g", *parts)


def _whisker(low: float, high: float, y: float, place: _Scale) -> list[Markup]:
    """Draw an interval: a bar at each end, or an arrow where it goes on beyond the picture.

    The bars are longer than the mean's dot, so that one without a width is seen too.
    """
    first, second = place.at(low), place.at(high)
    parts = [tag("line", x1=f"{first:.1f}", x2=f"{second:.1f}", y1=y, y2=y, class_="interval")]
    for end, x, way in ((low, first, 1), (high, second, -1)):
        if place.low <= end <= place.high:
            parts.append(
                tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=y - 7, y2=y + 7, class_="interval")
            )
        else:
            points = f"{x + 8 * way:.1f},{y - 5:.1f} {x:.1f},{y:.1f} {x + 8 * way:.1f},{y + 5:.1f}"
            parts.append(tag("polyline", points=points, fill="none", class_="interval arrow"))
    return parts


def _label(evidence: Evidence) -> str:
    """Name a row by what is set against what: A − B."""
    a, b = evidence.comparison.a or "mean", evidence.comparison.b or "target"
    room, minus = LEFT - SPACE, " − "
    if width(a + minus + b) <= room:
        return a + minus + b
    room -= width(minus)
    room_a = max(room / 2, room - width(b))
    return f"{_short(a, room_a)}{minus}{_short(b, room - min(width(a), room_a))}"


def width(text: str) -> float:
    """Return pixels that a label takes at most, in a wide font without serifs."""
    return SIZE * sum(map(_letter, text))


def _letter(letter: str) -> float:
    for letters, em in WIDTHS.items():
        if letter in letters:
            return em
    return CAPITAL_WIDTH if letter.isupper() else OTHER_WIDTH


def _short(name: str, room: float) -> str:
    """Shorten a name in its middle: kinds differ at its beginning, settings at its end."""
    text, kept = name, len(name)
    while width(text) > room + 1e-6 and kept > 2:
        kept -= 1
        head, tail = -(-kept // 2), kept // 2
        text = f"{name[:head].rstrip(' ,')}…{name[-tail:].lstrip(' ,')}"
    return text


def _bound(x: float, height: float) -> Markup:
    return tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=height - BOTTOM, class_="bound")


def _axis(verdict: Verdict, place: _Scale, height: float) -> list[Markup]:
    y = height - BOTTOM
    better = "lower" if lower_is_better(verdict.metric) else "higher"
    against = "the target" if not verdict.evidence[0].comparison.b else "the second side’s"
    first = "mean" if not verdict.evidence[0].comparison.b else "first side’s"
    title = f"{first} {metric_name(verdict.metric)} {better} than {against} by"
    parts = [tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="axis")]
    for value in _ticks(place.low, place.high):
        x = f"{place.at(value):.1f}"
        parts.append(tag("line", x1=x, x2=x, y1=y, y2=y + 4, class_="axis"))
        text = numbers.value(value)
        within = min(place.at(value), WIDTH - width(text) / 2)
        parts.append(_text(text, f"{within:.1f}", y + 16))
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
