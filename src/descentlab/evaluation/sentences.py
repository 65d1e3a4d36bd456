"""The numbers and names of sentences: no more digits than an interval supports, none untrue."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from descentlab.evaluation.proportions import PairedAccuracy
from descentlab.evaluation.results import Estimate

LONGEST = 48  # characters of a class's name in a sentence
MOST_DECIMALS = 9
MINUS = "−"


def percent(share: float) -> str:
    """Write a share such as 15 % or 0.42 %; only all is 100 %, and only none is 0 %."""
    hundredths = 100 * share
    if 99.5 <= hundredths < 100:
        return f"{hundredths:.1f} %" if hundredths < 99.95 else "> 99.9 %"
    if 0 < hundredths < 0.001:
        return "< 0.001 %"
    return f"{hundredths:.0f} %" if hundredths >= 9.95 else f"{hundredths:.2g} %"


def share_of(estimate: Estimate) -> str:
    """Write a share with its interval such as ``68.0 % [65.0, 70.8]``, or why there is none."""
    if estimate.value is None:
        return estimate.reason
    value, *ends = _fixed([100 * v for v in _known(estimate)], 1, (0, 100))
    return f"{value} %" + (f" [{', '.join(ends)}]" if ends else "")


def figure(estimate: Estimate, classes: int = 0) -> str:
    """Write a figure with its interval, and over how many of the classes a mean is."""
    if estimate.value is None:
        return estimate.reason
    value, *ends = _fixed(_known(estimate), 3, (0, 1))
    over = estimate.over
    part = (
        ""
        if over is None or len(over) >= classes
        else f" over {len(over):,} of {classes:,} classes"
    )
    return value + (f" [{', '.join(ends)}]" if ends else "") + part


def shares(values: Sequence[float], decimals: int = 1) -> list[str]:
    """Write shares side by side, such as 66.9 %, each with at least that many decimals."""
    return [f"{_fixed([100 * value], decimals, (0, 100))[0]} %" for value in values]


def points(gap: PairedAccuracy) -> tuple[str, str, str]:
    """Write a difference of shares and its ends in points, with signs; zero has none."""
    found = _fixed([100 * gap.difference, 100 * gap.low, 100 * gap.high], 1, (0,))
    value, low, high = (_signed(text) for text in found)
    return value, low, high


def decimals_of(text: str) -> int:
    """Return how many decimals a number was written with."""
    return len(text.partition(".")[2])


def evidence(gap: PairedAccuracy) -> str:
    """Write a difference of accuracies with its interval and test, for parentheses."""
    value, low, high = points(gap)
    told = f"{value} points, {level_name(gap.level)} interval {low} to {high}; McNemar p "
    alpha = f"{1 - gap.level:.4g}"
    if not gap.short:
        return told + p_value(gap.p, gap.level)
    return (
        f"{told}{p_value(gap.p, gap.level)}; just short: the interval excludes 0, but p is not "
        f"below {alpha}"
    )


def p_value(p: float, level: float = 0.95) -> str:
    """Write a p value with its sign of relation; its digits show which side of 1 - level it is."""
    if p < 1e-4:
        return "< 0.0001"
    alpha = round(1 - level, 9)
    for digits in (2, 3, 4):
        text = f"{p:.{digits}g}"
        if (float(text) < alpha) == (p < alpha) and (p == 1 or float(text) < 1):
            break
    return f"= {text}" if p == 1 or float(text) < 1 else "> 0.999"


def level_name(level: float) -> str:
    """Write a level such as 95 % or 99.9 %."""
    return f"{100 * level:g} %"


def named(name: str) -> str:
    """Return a class's name in quotes: on one line, and the middle left out of a long one."""
    return f"'{plain(name)}'"


def plain(name: str) -> str:
    """Return a name on one line, control characters escaped, the middle left out of a long one."""
    text = "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _UNSEEN else c
        for c in name
    )
    if len(text) <= LONGEST:
        return text
    end = LONGEST // 4
    return f"{text[: LONGEST - end - 1]}…{text[-end:]}"


_UNSEEN = {"Cc", "Zl", "Zp"}


def _known(estimate: Estimate) -> list[float]:
    ends = [] if estimate.low is None or estimate.high is None else [estimate.low, estimate.high]
    return [estimate.value or 0.0, *ends]


def _fixed(values: Sequence[float], least: int, marks: Sequence[float]) -> list[str]:
    """Write a number and its ends with two digits of the interval's width.

    It gets more decimals where it would be rounded to one of ``marks``, its ends up to two.
    """
    width = max(values) - min(values)
    decimals = least
    if width > 0:
        decimals = min(MOST_DECIMALS, max(least, 1 - math.floor(math.log10(width))))

    def hidden(found: Sequence[float]) -> bool:
        return any(round(v, decimals) in marks and v not in marks for v in found)

    most = decimals + 2
    while decimals < MOST_DECIMALS and (
        hidden(values[:1]) or (decimals < most and hidden(values[1:]))
    ):
        decimals += 1
    texts = [f"{value:.{decimals}f}" for value in values]
    return [(t.lstrip("-") if float(t) == 0 else t).replace("-", MINUS) for t in texts]


def _signed(text: str) -> str:
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"
