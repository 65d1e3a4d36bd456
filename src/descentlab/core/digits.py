"""Numbers as people write them: Persian and Arabic digits, their signs, the true minus."""

from __future__ import annotations

_LATIN = {
    **{ord(sign): str(value) for value, sign in enumerate("۰۱۲۳۴۵۶۷۸۹")},
    **{ord(sign): str(value) for value, sign in enumerate("٠١٢٣٤٥٦٧٨٩")},
    ord("٫"): ".",  # the Arabic decimal separator
    ord("٬"): "",  # the Arabic thousands separator
    ord("−"): "-",
    ord("–"): "-",
    ord("＋"): "+",
    ord("\u00a0"): " ",
    ord("\u202f"): " ",
    **dict.fromkeys(map(ord, "\u200e\u200f\u200c\u2066\u2067\u2068\u2069\u061c")),
}

_PERSIAN = {**{ord(str(i)): sign for i, sign in enumerate("۰۱۲۳۴۵۶۷۸۹")}, ord("."): "٫"}


def latin(text: str) -> str:
    """Return text with Latin digits, point and minus, and without marks of direction."""
    return text.translate(_LATIN)


def persian(text: str) -> str:
    """Return a number's text with Persian digits and separator."""
    return text.translate(_PERSIAN)
