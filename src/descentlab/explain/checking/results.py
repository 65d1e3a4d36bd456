"""What is found out about a solution: a verdict on every number, a score."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from descentlab.explain.checking.written import Written

Status = Literal["ok", "wrong", "carried", "missing", "unknown"]


@dataclasses.dataclass(frozen=True)
class Item:
    """One number of a solution, or one that it lacks.

    Attributes:
        name: its label, such as ``H3`` or ``y[2]``.
        given: as written; None where it is missing.
        expected: recomputed from the person's own earlier numbers; None where unknown.
        right: what it is in the exercise worked without a slip.
        status: ``ok``; ``wrong`` here; ``carried``, right from a wrong one; ``missing``;
            ``unknown``, no name of the exercise.
        guess: what may have happened, in words.
        counts: whether it counts in the score.
        stated: whether the exercise states it, so that it was but to be copied.
    """

    name: str
    given: Written | None
    expected: float | None
    right: float | None
    status: Status
    guess: str | None = None
    counts: bool = True
    stated: bool = False

    @property
    def is_coarse(self) -> bool:
        """Whether it is right only because its last digit is as large as what it should be."""
        if self.given is None or self.expected is None or self.status not in ("ok", "carried"):
            return False
        size = abs(self.expected)
        exact = abs(self.given.value - self.expected) <= 1e-9 * max(size, self.given.unit)
        return self.given.unit >= size and not exact

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "given": None if self.given is None else self.given.value,
            "written": None if self.given is None else self.given.text,
            "expected": _without_dust(self.expected),
            "right": _without_dust(self.right),
            "status": self.status,
            "guess": self.guess,
        }


@dataclasses.dataclass(frozen=True)
class Checked:
    """A checked solution.

    Attributes:
        solution: whose.
        exercise: its name.
        items: in the exercise's order, unknown names at the end.
        convention: name and words of another convention by which all of it is right.
        fault: why it could not be checked, for one of a class.
    """

    solution: str
    exercise: str
    items: tuple[Item, ...]
    convention: tuple[str, str] | None = None
    fault: str | None = None

    @property
    def first_wrong(self) -> Item | None:
        """The first wrong number, in the order of the exercise."""
        return next((item for item in self.items if item.status == "wrong"), None)

    def count(self, status: Status) -> int:
        """Return how many numbers have a status."""
        return sum(item.status == status for item in self.items)

    @property
    def score(self) -> float:
        """The share of right numbers, carried ones among them, of all asked or written."""
        counted = [item for item in self.items if item.counts]
        right = sum(item.status in ("ok", "carried") for item in counted)
        return right / len(counted) if counted else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        first = self.first_wrong
        return {
            "exercise": self.exercise,
            "solution": self.solution,
            "first_wrong": None if first is None else first.name,
            "score": self.score,
            "convention": None
            if self.convention is None
            else dict(zip(("name", "says"), self.convention, strict=True)),
            "items": [item.to_json() for item in self.items],
            **({} if self.fault is None else {"fault": self.fault}),
        }


def _without_dust(value: float | None) -> float | None:
    """Return a number to twelve digits, so that 0.755 is not shown as 0.7550000000000001."""
    return None if value is None else float(f"{value:.12g}")
