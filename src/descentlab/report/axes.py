"""The vertical axis of a plot: straight, logarithmic, or an accuracy spaced by its error."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from descentlab.report import numbers
from descentlab.report.answers import lower_is_better
from descentlab.report.curves import Band
from descentlab.report.names import is_coordinate

DECADES = 2.0  # span of a loss from which its axis is logarithmic
ERRORS = 8.0  # ratio of errors from which an accuracy is spaced by their logarithm
MOST_TICKS = 8
OUTLYING = 3.0  # ratio of the whole range to that of the middle 96 % from which ends are cut
CUTS = 5  # times that a fiftieth is cut at an end, at most
FEWEST_TO_CUT = 50  # points; of fewer, one that lies far out is no spike
ROUNDING = 1e-12  # relative difference that is drawn as none


@dataclass(frozen=True)
class Axis:
    """Where a value stands.

    Attributes:
        kind: ``linear``, ``log``, or ``error`` (an accuracy a stands at −log₁₀(1 − a)).
        low, high: the ends, as values.
        cut: whether some points lie beyond them.
    """

    kind: str
    low: float
    high: float
    cut: bool = False

    def at(self, values: np.ndarray | float) -> np.ndarray:
        """Return the places of values on a straight axis, kept just outside its ends."""
        margin = (self.high - self.low) * (0.03 if self.kind == "linear" else 0.0)
        clipped = np.clip(np.asarray(values, float), self.low - margin, self.high + margin)
        return _warp(self.kind, clipped)

    @property
    def ends(self) -> tuple[float, float]:
        """The places of the ends, with a little room."""
        low, high = (float(x) for x in _warp(self.kind, np.array([self.low, self.high])))
        room = 0.03 * (high - low)
        return low - room, high + room

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Place and text of each tick."""
        if self.kind == "linear":
            values = _even(self.low, self.high)
        elif self.kind == "log":
            values = _decades(self.low, self.high)
        else:
            values = [1 - error for error in _decades(1 - self.high, 1 - self.low)]
        places = _warp(self.kind, np.array(values, float))
        if self.kind == "log":
            return list(zip(places.tolist(), numbers.alike(values), strict=True))
        texts = [_text(value, self.kind, _digits(values)) for value in values]
        if self.kind == "linear" and not any("×" in text for text in texts):
            decimals = max(len(text.partition(".")[2]) for text in texts)
            texts = [f"{value:.{decimals}f}".replace("-", numbers.MINUS) for value in values]
        return list(zip(places.tolist(), texts, strict=True))

    @property
    def note(self) -> str:
        """What a reader must know of the axis."""
        named = {"log": "log scale", "error": "log error scale"}.get(self.kind, "")
        return "outliers cut off" if self.cut else named


def axis_of(metric: str, bands: Iterable[Band]) -> Axis:
    """Choose the axis for some bands of a metric: its kind by what the means span.

    A loss that explodes is cut at a thousand times the median first figure, so that the
    others can still be read.
    """
    bands = [band for band in bands if len(band.mean)]
    if is_coordinate(metric):  # a point that ran away would leave nothing of the others' paths
        bands = [band for band in bands if not band.crosses] or bands
    means = np.concatenate([band.mean for band in bands] or [np.zeros(1)])
    means = means[np.isfinite(means)]
    if not len(means):
        return Axis("linear", 0.0, 1.0)
    loss = lower_is_better(metric)
    if loss and means.min() >= 0 and (means > 0).any():
        first = float(np.median([band.mean[0] for band in bands]))
        ceiling = 1e3 * first if first > 0 else float(means.max())
        positive = means[means > 0]
        low, high = float(positive.min()), min(float(means.max()), ceiling)
        if high > low * 10**DECADES:
            return Axis("log", max(low, high * 1e-12), high)
    elif not loss and not is_coordinate(metric) and means.min() >= 0 and means.max() <= 1:
        errors = 1 - means
        positive = errors[errors > 1e-12]
        if len(positive) and positive.max() > ERRORS * positive.min():
            floor = float(positive.min()) / (2 if (errors <= 1e-12).any() else 1)
            return Axis("error", 1 - float(positive.max()), 1 - floor)
    if loss and means.min() < 0 and (straight := cut(means)).cut:
        return straight
    low, high = _with_bands(means, bands)
    same = high - low <= ROUNDING * abs(high)
    return Axis("linear", low, low + (abs(low) or 1.0) * 0.01 if same else high)


def cut(values: np.ndarray) -> Axis:
    """Return a straight axis, its ends cut where a few points would flatten all the others."""
    kept = values
    for _ in range(CUTS if len(values) >= FEWEST_TO_CUT else 0):
        low = np.quantile(kept, 0.02, method="higher")
        high = np.quantile(kept, 0.98, method="lower")
        if high <= low or np.ptp(kept) <= OUTLYING * (high - low):
            break
        above = kept.max() - high > low - kept.min()  # the longer end alone
        kept = kept[kept <= high] if above else kept[kept >= low]
    low, high = float(kept.min()), float(kept.max())
    top = high if high > low else low + (abs(low) or 1.0) * 0.01
    return Axis("linear", low, top, len(kept) < len(values))


def _with_bands(means: np.ndarray, bands: list[Band]) -> tuple[float, float]:
    """Return a range that holds the means, and intervals that are not much wider."""
    low, high = float(means.min()), float(means.max())
    room = 0.15 * (high - low) or np.inf
    lows = np.concatenate([band.low for band in bands])
    highs = np.concatenate([band.high for band in bands])
    lows, highs = lows[np.isfinite(lows)], highs[np.isfinite(highs)]
    wide_low = float(lows.min()) if len(lows) else low
    wide_high = float(highs.max()) if len(highs) else high
    return max(min(low, wide_low), low - room), min(max(high, wide_high), high + room)


def _warp(kind: str, values: np.ndarray) -> np.ndarray:
    if kind == "log":
        return np.log10(values)
    return -np.log10(1 - values) if kind == "error" else values


def _even(low: float, high: float) -> list[float]:
    raw = (high - low) / 5
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Return 1-2-5 values or powers of ten between two positive numbers, the largest first."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        values = [m * 10.0**p for p in powers for m in factors]
        values = [v for v in values if low * 0.999 <= v <= high * 1.001]
        if len(values) <= MOST_TICKS:
            return values[::-1] or [high]
    return values[::-1][:: -(-len(values) // MOST_TICKS)]


def _text(value: float, kind: str, digits: int) -> str:
    if kind == "error":
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return numbers.value(value, digits)


def _digits(values: list[float]) -> int:
    """Return how many digits tell evenly spaced values apart, at least six."""
    largest, apart = max(map(abs, values)), abs(values[-1] - values[0]) / max(1, len(values) - 1)
    return 6 if apart == 0 else max(6, math.ceil(math.log10(largest / apart)) + 2)
