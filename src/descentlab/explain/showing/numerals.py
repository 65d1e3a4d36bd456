"""Numbers as they are shown: rounded by their decimals, and large arrays in a summary."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import numpy as np

from descentlab.core.formulas import Expression, Number, Vector

MOST_SHOWN = 25
"""Arrays of more numbers than this are summarised."""

STATED = 8
"""A given number is shown as it was stated up to this many significant digits."""

NOISE = 12
"""Beyond these significant digits a difference from a short decimal is floating point's."""

PRECISION = 15
LARGEST, SMALLEST = 9, -5
"""Powers of ten from which on, and down to which, numbers are written with an exponent."""


class Summary(NamedTuple):
    """What stands for an array that is too large to be shown."""

    shape: tuple[int, ...]
    smallest: float
    mean: float
    largest: float
    norm: float


Shown = Expression | Summary


def numeral(value: float, digits: int) -> str:
    """Return a number's text, rounded half up to significant digits of its decimal form.

    A decimal that ends within ``digits`` has no trailing zeros; a rounded one keeps them, as
    they are known. Digits before the point are never rounded away below 10⁹.

    Example:
        >>> numeral(8.080000000000002, 4), numeral(0.69998, 4), numeral(0.285, 2)
        ('8.08', '0.7000', '0.29')
    """
    if not np.isfinite(value):
        return {"nan": "NaN", "inf": "∞", "-inf": "-∞"}[str(float(value))]
    if value == 0:
        return "0"
    short = Decimal(f"{value:.{NOISE}g}")
    if len(short.normalize().as_tuple().digits) <= digits:
        return _plain(short.normalize())
    exact = Decimal(f"{value:.{PRECISION}g}")
    last = exact.adjusted() - digits + 1
    if exact.adjusted() < LARGEST:
        last = min(last, 0)
    rounded = exact.quantize(Decimal(1).scaleb(last), ROUND_HALF_UP)
    if rounded.adjusted() > exact.adjusted() and last < 0:  # 0.99999 → 1.000, not 1.0000
        rounded = rounded.quantize(Decimal(1).scaleb(last + 1))
    return _plain(rounded)


def _plain(number: Decimal) -> str:
    """Return a decimal without exponent where it is neither huge nor tiny."""
    if SMALLEST < number.adjusted() < LARGEST:
        return f"{number:f}"
    sign, digits, _ = number.as_tuple()
    head, tail = str(digits[0]), "".join(map(str, digits[1:]))
    mantissa = head + ("." + tail if tail else "")
    return f"{'-' if sign else ''}{mantissa}e{number.adjusted()}"


def stated(value: float, digits: int) -> str:
    """Return a given number's text, in full if it is short."""
    return numeral(value, max(digits, STATED) if _is_short(value) else digits)


def _is_short(value: float) -> bool:
    if not np.isfinite(value):
        return True
    return len(Decimal(f"{value:.{NOISE}g}").normalize().as_tuple().digits) <= STATED


def shown(value: Any, digits: int, *, given: bool = False) -> Shown:
    """Return a number, vector or matrix as it is shown, or a summary of a large array."""
    array = np.asarray(value, float)
    if array.size > MOST_SHOWN or array.ndim > 2 or not array.size:
        return summary(array)
    text = stated if given else numeral
    return _literal(array, lambda number: text(number, digits))


def _literal(array: np.ndarray, text: Any) -> Expression:
    if array.ndim:
        return Vector(tuple(_literal(row, text) for row in array))
    written = text(float(array))
    try:
        return Number(float(written), written)
    except ValueError:  # ∞
        return Number(float(array), written)


def summary(array: np.ndarray) -> Summary:
    """Return an array's shape and sizes."""
    if not array.size:
        nothing = float("nan")
        return Summary(array.shape, nothing, nothing, nothing, 0.0)
    smallest, mean, largest = float(array.min()), float(array.mean()), float(array.max())
    if abs(mean) <= np.finfo(float).eps * max(abs(smallest), abs(largest)):
        mean = 0.0  # but for rounding
    return Summary(array.shape, smallest, mean, largest, float(np.sqrt(np.square(array).sum())))
