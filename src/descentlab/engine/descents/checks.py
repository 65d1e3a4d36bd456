"""What a descent may be asked for; everything else is refused by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from descentlab.core.errors import SpecError

MOST_STEPS = 100_000
MOST_METHODS = 32
FURTHEST = 1e12
"""Of a coordinate of the start."""


def checked_steps(steps: Any, most: int = MOST_STEPS) -> int:
    """Return a number of updates, having seen that it is one."""
    whole = isinstance(steps, int) and not isinstance(steps, bool)
    if not whole or not 1 <= steps <= most:
        raise SpecError(f"steps: expected a whole number from 1 to {most:,}, found {steps!r}")
    return steps


def checked_start(start: Any) -> tuple[float, float]:
    """Return a start, having seen that it is two finite numbers."""
    if not isinstance(start, (Sequence, tuple)) or isinstance(start, str) or len(start) != 2:
        raise SpecError(f"start: expected two numbers, w1 and w2, found {start!r}")
    found = []
    for name, value in zip(("w1", "w2"), start, strict=True):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or abs(value) > FURTHEST:
            raise SpecError(
                f"start: {name} must be a finite number of at most {FURTHEST:g}, found {value!r}"
            )
        found.append(float(value))
    return found[0], found[1]


def checked_seed(seed: Any) -> int:
    """Return a seed, having seen that it is a whole number of 32 bits."""
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 1 << 32:
        raise SpecError(f"seed: expected a whole number from 0 to 4294967295, found {seed!r}")
    return seed


def checked_count(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number between bounds."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise SpecError(
            f"{name}: expected a whole number from {least} to {most:,}, found {value!r}"
        )
    return value


def checked_interval(name: str, value: Any, least: float, most: float) -> tuple[float, float]:
    """Return two finite numbers, the lower first, having seen that they lie between bounds."""
    try:
        low, high = (float(each) for each in value)
    except (TypeError, ValueError):
        raise SpecError(f"{name}: expected two numbers, found {value!r}") from None
    if not least <= low < high <= most:  # NaN is refused too
        raise SpecError(
            f"{name}: expected two numbers from {least:g} to {most:g}, the lower first, found "
            f"{low:g} and {high:g}"
        )
    return low, high
