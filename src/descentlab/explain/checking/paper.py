"""A solution laid over an exercise's numbers: which are wrong, which are carried."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from descentlab.core.errors import SpecError, nearest
from descentlab.explain.build import build
from descentlab.explain.checking.key import AnswerKey
from descentlab.explain.checking.ranges import DUST, Ranges
from descentlab.explain.checking.results import Item, Status
from descentlab.explain.checking.solution import Solution
from descentlab.explain.checking.written import Written
from descentlab.explain.exercise import library, load_exercise


class Paper:
    """A solution laid over an exercise's slots, and what is found out about it."""

    def __init__(self, key: AnswerKey, solution: Solution) -> None:
        self.key, self.solution = key, solution
        count = len(key.graph.slots)
        self.own, self.unit = key.right.copy(), np.zeros(count)
        self.given = np.zeros(count, bool)
        self.written: dict[int, Written] = {}
        self.unknown: list[str] = []
        self._lay_out()
        self.wrong = np.zeros(count, bool)
        self.carried = np.zeros(count, bool)
        self.nevertheless = np.zeros(count, bool)
        """Right although they do not follow from what is written: a wrong one was not used."""
        self.made = key.right
        self.range: tuple[Ranges, Ranges] | None = None

    def _lay_out(self) -> None:
        labels, solution = self.key.labels, self.solution
        own = self.key.name
        if solution.exercise not in (None, own):
            raise SpecError(
                f"{solution.place or solution.source}: a solution of '{solution.exercise}', "
                f"and not of '{own}'"
            )
        for label, number in solution.numbers.items():
            slot = labels.get(label, labels.get(label.replace(" ", "")))
            if slot is None:
                self.unknown.append(label)
            elif slot in self.written:
                raise SpecError(
                    f"{solution.at(label)}: '{label}' is another name of "
                    f"'{self.key.graph.slots[slot].label}', which is there already"
                )
            else:
                self.written[slot] = number
                self.own[slot], self.unit[slot] = number.value, number.unit
                self.given[slot] = True
        if solution.numbers and not self.written:
            raise SpecError(_of_another(self.key, solution))

    def see(self, pair: tuple[Ranges, Ranges]) -> None:
        """Take in what each number should be, from all that is written."""
        self.range = pair
        self.made = pair[1].value
        self.wrong = self.given & ~(self._within(pair[0]) | self._within(pair[1]))
        self._carry()

    def see_again(self, pair: tuple[Ranges, Ranges]) -> None:
        """Take in what each should be without the wrong ones: some are right nevertheless."""
        self.nevertheless = self.wrong & (self._within(pair[0]) | self._within(pair[1]))
        self.wrong &= ~self.nevertheless
        self._carry()

    def _within(self, found: Ranges) -> np.ndarray:
        """Return which written numbers rounding can explain."""
        away = np.maximum(np.maximum(found.low - self.own, self.own - found.high), 0.0)
        dust = DUST * np.maximum(np.abs(self.own), np.abs(found.value))
        return np.isfinite(away) & ((away < self.unit * (1 - 1e-9)) | (away <= dust))

    def _carry(self) -> None:
        assert self.range is not None
        depends = self.range[0].depends | self.range[1].depends
        self.carried = np.zeros(len(self.own), bool)
        if not self.wrong.any():
            return
        tainted = self.wrong.copy()
        for slot in np.flatnonzero(self.given & ~self.nevertheless):
            self.carried[slot] = not self.wrong[slot] and bool((tainted & depends[:, slot]).any())
            tainted[slot] |= self.carried[slot]

    def items(self, words: Mapping[int, str]) -> tuple[Item, ...]:
        """Return the numbers with their verdicts, in the exercise's order."""
        graph, right = self.key.graph, self.key.right
        found = []
        for slot in sorted(self.key.asked | self.written.keys()):
            number = self.written.get(slot)
            status: Status = "missing"
            if number is not None:
                status = "wrong" if self.wrong[slot] else "carried" if self.carried[slot] else "ok"
            stated = graph.quantities[graph.slots[slot].name].is_given
            counts = not stated or status == "wrong"
            found.append(
                Item(
                    graph.slots[slot].label,
                    number,
                    _finite(self.made[slot]),
                    _finite(right[slot]),
                    status,
                    words.get(slot),
                    counts,
                    stated,
                )
            )
        for label in self.unknown:
            guess = self._meant(label)
            number = self.solution.numbers[label]
            found.append(Item(label, number, None, None, "unknown", guess, False))
        return tuple(found)

    def _meant(self, label: str) -> str | None:
        """Return a name of the exercise that an unknown one may stand for, in words."""
        say, graph = self.key.language.text, self.key.graph
        name = graph.aliases.get(label, label)
        if name in graph.quantities:
            size = int(np.prod(graph.shape(name)))
            return say("check.elements", name=label, count=size, first=f"{label}[1]")
        known = {each.lower(): each for each in self.key.labels}
        near = known.get(label.lower()) or nearest(label, self.key.labels)
        return None if near is None else say("check.meant", name=near)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _of_another(key: AnswerKey, solution: Solution) -> str:
    """Say that no name fits, and which exercise they may belong to."""
    names = ", ".join(list(solution.numbers)[:4])
    known = ", ".join(list(key.graph.asked)[:6])
    own = key.name
    place = solution.at(next(iter(solution.numbers)))
    start = f"{place}: none of its names ({names}) is one of {own}'s ({known} …)"
    best, most = None, 0
    for other in library():
        if other != own:
            graph = build(load_exercise(other))
            hits = len({slot.label for slot in graph.slots} & set(solution.numbers))
            best, most = (other, hits) if hits > most else (best, most)
    return start + (f"; they fit {best}" if best else "")
