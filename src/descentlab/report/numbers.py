"""Numbers as a person would write them: no more digits than the interval supports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

MOST_DIGITS = 6  # of a mean; float32 holds no more than seven
PLAIN_DIGITS = 4  # of a number that stands without an interval
SMALLEST = -5  # power of ten down to which a number is written out: 0.00001
FINEST = -8  # and the last decimal place that it then has
LARGEST = 6  # power of ten from which a number has one
TINY = 1e-290
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS = "−"


class Estimate(NamedTuple):
    """A mean and half its interval's width as text, with a power of ten for both or ''.

    ``half`` is '' where there is no interval.
    """

    mean: str
    half: str
    power: str

    def __str__(self) -> str:
        """Return it on one line, such as ``0.951 ± 0.004``."""
        if not self.half:
            return self.mean + (f" × {self.power}" if self.power else "")
        text = f"{self.mean} ± {self.half}"
        return f"({text}) × {self.power}" if self.power else text

    @property
    def decimals(self) -> int:
        """Number of decimals of the mean, by which a column is aligned."""
        return 0 if self.power else len(self.mean.partition(".")[2])


def estimate(mean: float, half: float | None) -> Estimate:
    """Write a mean with half the width of its interval.

    The half-width is rounded by the rule of the Particle Data Group: its first three
    digits 100…354 keep two digits, 355…949 keep one, and 950…999 become 1000 and keep
    two. The mean ends at the same decimal place. Without an interval, or where it has
    no width, the mean has four significant digits. Numbers from 0.00001
    to a million are written out, others with a power of ten.

    Source: Review of Particle Physics (2024), Introduction, 5.3 Rounding.
    """
    if not math.isfinite(mean):
        return Estimate("–", "", "")
    if half is None or not math.isfinite(half):
        return _plain(mean, "")
    mean, half = _cleared(mean), _cleared(half)
    if half == 0:
        return _plain(mean, "0")
    power = _exponent(max(abs(mean), half))
    place = _place_of(half)
    finest = _finest(mean) if mean else place
    if SMALLEST <= power < LARGEST:
        if place < finest:
            return Estimate(_fixed(mean, -finest), f"<{_fixed(10.0**finest, -finest)}", "")
        return Estimate(_fixed(mean, -place), _fixed(half, -place), "")
    decimals = max(0, power - max(place, finest))
    scale = 10.0**power
    written = (
        f"<{_fixed(10.0**-decimals, decimals)}"
        if place < finest
        else _fixed(half / scale, decimals)
    )
    return Estimate(_fixed(mean / scale, decimals), written, _power(power))


def value(number: float | None, digits: int = PLAIN_DIGITS) -> str:
    """Write a number that has no interval with a few significant digits."""
    if number is None or not math.isfinite(number):
        return "–"
    return str(_plain(number, "", digits))


def alike(values: Sequence[float]) -> list[str]:
    """Write numbers of one axis in one way: with powers of ten all of them, or none."""
    texts = [value(number) for number in values]
    if not any("× 10" in text for text in texts):
        return texts
    powers = {number: _exponent(number) for number in values if number}
    scaled = {
        number: _trimmed(number / 10.0**power, PLAIN_DIGITS - 1) for number, power in powers.items()
    }
    bare = all(text == "1" for text in scaled.values())
    return [
        ("" if bare else f"{scaled[number]} × ") + _power(powers[number]) if number else "0"
        for number in values
    ]


def ends(low: float, high: float) -> tuple[str, str]:
    """Write the two ends of an interval with the digits that its width supports."""
    half = _cleared((high - low) / 2)
    size = max(abs(low), abs(high))
    if half == 0:
        return value(low), value(high)
    place = max(_place_of(half), _finest(size))
    power = _exponent(size)
    if SMALLEST <= power < LARGEST:
        return _fixed(low, -place), _fixed(high, -place)
    return value(low, power - place + 1), value(high, power - place + 1)


def count(number: int) -> str:
    """Write a count with commas: 60,000."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """Write a time span: 0.42 s, 38 s, 4 min 10 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _cleared(number: float) -> float:
    """Take the subnormal for zero: dividing by its powers of ten would overflow."""
    return 0.0 if abs(number) < TINY else number


def _finest(number: float) -> int:
    """Return the power of ten of the last digit that is ever shown of a number."""
    power = _exponent(number)
    finest = power - MOST_DIGITS + 1
    return max(finest, FINEST) if power >= SMALLEST else finest


def _place_of(half: float) -> int:
    """Return the power of ten of the last digit that a half-width keeps."""
    exponent = _exponent(half)
    leading = round(half / 10.0 ** (exponent - 2))
    if leading >= 950:
        return exponent  # 0.0096 becomes 0.010
    return exponent - 1 if leading < 355 else exponent


def _plain(number: float, half: str, digits: int = PLAIN_DIGITS) -> Estimate:
    number = _cleared(number)
    if number == 0:
        return Estimate("0", half, "")
    exponent = int(f"{number:.{digits - 1}e}".partition("e")[2])  # after rounding
    written = (
        _fixed if half else _trimmed
    )  # in a column of intervals, zeros say how far it was rounded
    if exponent < SMALLEST or exponent >= LARGEST:
        return Estimate(written(number / 10.0**exponent, digits - 1), half, _power(exponent))
    return Estimate(written(number, digits - 1 - exponent), half, "")


def _trimmed(number: float, decimals: int) -> str:
    text = _fixed(number, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exponent(number: float) -> int:
    return int(f"{abs(number):e}".partition("e")[2])


def _fixed(number: float, decimals: int) -> str:
    if decimals < 0:
        number = round(number / 10.0**-decimals) * 10.0**-decimals
    text = f"{number:.{max(0, decimals)}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def _power(exponent: int) -> str:
    return "10" + str(exponent).translate(SUPERSCRIPT)
