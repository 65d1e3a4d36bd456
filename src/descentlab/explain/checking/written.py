"""A number as it was written: its value, and the unit of its last digit."""

from __future__ import annotations

import dataclasses
import math
import re

from descentlab.core.digits import latin

MOST_DIGITS = 40

NUMBER = re.compile(
    r"(?P<sign>[-+]?)(?P<whole>\d*)(?:\.(?P<part>\d*))?"
    r"(?:(?:[eE]|\s*[*×·x]\s*10\s*(?:\^|\*\*)\s*\(?)(?P<power>[-+]?\d+)\)?)?"
)


@dataclasses.dataclass(frozen=True)
class Written:
    """A number somebody wrote.

    Attributes:
        text: as written, in Latin digits.
        value: what it says.
        unit: one in its last place, by which a rounded or truncated number may be off.
        line: in the file, counted from 1.
        column: in the line, counted from 1.
    """

    text: str
    value: float
    unit: float
    line: int = 0
    column: int = 0

    @property
    def digits(self) -> str:
        """The digits and the point, without sign and power of ten."""
        found = NUMBER.fullmatch(self.text)
        assert found is not None
        part = found["part"]
        return found["whole"] + ("" if part is None else "." + part)


def read_number(text: str, line: int = 0, column: int = 0) -> Written:
    """Return a number from its text; Persian and Arabic digits are digits.

    Raises:
        ValueError: it is no number; the message says what is wrong with it.
    """
    plain = latin(text).strip()
    found = NUMBER.fullmatch(plain)
    digits = "" if found is None else found["whole"] + (found["part"] or "")
    if found is None or not digits:
        raise ValueError(_no_number(text.strip(), plain))
    power = int(found["power"] or 0)
    if len(digits) > MOST_DIGITS or abs(power) > 300:
        raise ValueError(f"'{_short(text)}' has too many digits to be checked")
    value = float(f"{found['sign']}{found['whole'] or '0'}.{found['part'] or '0'}e{power}")
    if not math.isfinite(value):
        raise ValueError(f"'{_short(text)}' is too large to be checked")
    return Written(plain, value, 10.0 ** (power - len(found["part"] or "")), line, column)


def _no_number(text: str, plain: str) -> str:
    shown = f"'{_short(text)}'"
    if not plain:
        return "there is no number here"
    if re.fullmatch(r"[-+]?\d+,\d+", plain):
        return f"{shown} is no number: write the decimal sign as a point, {plain.replace(',', '.')}"
    if re.fullmatch(r"[-+]?[\d.]+\s*/\s*[\d.]+", plain):
        return f"{shown} is a fraction: write it as a decimal number with the digits that you used"
    if plain.endswith("%"):
        return f"{shown} is a percentage: write it as a number, such as 0.5"
    return f"{shown} is no number"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
