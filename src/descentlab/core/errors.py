"""The exceptions that DescentLab raises on purpose.

Each message says what was expected, what arrived and what to do next. The
command line prints it without a traceback and exits with status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DescentLabError(Exception):
    """The request cannot be served: bad input, missing data, a full disk."""


class SpecError(DescentLabError):
    """A study file or a specification says something that cannot be run."""


class DataError(DescentLabError):
    """A data set is missing, damaged or unfit for what it is asked for."""


class StoreError(DescentLabError):
    """A results folder cannot be read or written, or belongs to another study."""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that ``word`` was most likely meant to be, if one is near."""
    found = difflib.get_close_matches(word, list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def unknown(what: str, word: str, names: Iterable[str]) -> str:
    """Say that ``word`` is not one of ``names``, and which one is nearest."""
    names = sorted(names)
    guess = nearest(word, names)
    hint = f"; did you mean '{guess}'?" if guess else ""
    return f"unknown {what} '{word}'{hint} (known: {', '.join(names)})"
