"""A class set as tables: one row a solution, and which numbers went wrong how often."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from descentlab.explain.checking.results import Checked

COLUMNS = (
    "solution", "score", "ok", "wrong", "carried", "missing", "unknown",
    "first_wrong", "given", "expected", "guess", "convention", "fault",
)  # fmt: skip


def row(checked: Checked) -> dict[Any, Any]:
    """Return a solution's row of the class table."""
    first = checked.first_wrong
    given = None if first is None or first.given is None else first.given.text
    return {
        "solution": checked.solution,
        "score": None if checked.fault else round(checked.score, 4),
        **{
            status: checked.count(status)
            for status in ("ok", "wrong", "carried", "missing", "unknown")
        },
        "first_wrong": None if first is None else first.name,
        "given": given,
        "expected": None if first is None else first.expected,
        "guess": None if first is None else first.guess,
        "convention": None if checked.convention is None else checked.convention[0],
        "fault": checked.fault,
    }


def as_csv(found: Sequence[Checked]) -> str:
    """Return the class table as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(checked) for checked in found)
    return text.getvalue()


def first_wrong(found: Sequence[Checked]) -> list[tuple[str, int, str | None]]:
    """Return how often each number was the first wrong one, and the commonest guess at why."""
    counts: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for checked in found:
        first = checked.first_wrong
        if first is not None:
            counts[first.name] += 1
            if first.guess is not None:
                reasons.setdefault(first.name, Counter())[first.guess] += 1
    return [
        (name, count, reasons[name].most_common(1)[0][0] if name in reasons else None)
        for name, count in counts.most_common()
    ]


def to_json(exercise: str, found: Sequence[Checked]) -> dict[str, Any]:
    """Return a class set as plain values."""
    scores = [checked.score for checked in found if checked.fault is None]
    return {
        "exercise": exercise,
        "solutions": [checked.to_json() for checked in found],
        "summary": {
            "solutions": len(found),
            "unreadable": len(found) - len(scores),
            "mean_score": sum(scores) / len(scores) if scores else None,
            "first_wrong": [
                {"name": name, "count": count, "guess": guess}
                for name, count, guess in first_wrong(found)
            ],
        },
    }
