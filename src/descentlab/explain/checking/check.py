"""Which number is the first wrong one: each recomputed from the person's own earlier numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.explain.checking.key import AnswerKey
from descentlab.explain.checking.paper import Paper
from descentlab.explain.checking.ranges import ranges_of_many
from descentlab.explain.checking.results import Checked
from descentlab.explain.checking.slips import guesses
from descentlab.explain.checking.solution import Solution
from descentlab.explain.exercise import Found, load_exercise, with_convention
from descentlab.explain.language import Language

TOGETHER = 32
"""Solutions whose numbers are recomputed in one call."""


class Checker:
    """Checks solutions of one exercise; programs are compiled once and kept.

    Args:
        found: the exercise.
        language: of the guesses.
    """

    def __init__(self, found: Found, language: Language | None = None) -> None:
        self.key = AnswerKey(found, language or Language())

    @classmethod
    def of(cls, exercise: str, language: Language | None = None) -> Checker:
        """Return the checker of an exercise, by name or file."""
        return cls(load_exercise(exercise), language)

    @cached_property
    def conventions(self) -> list[tuple[str, str, AnswerKey]]:
        """The other conventions' names, words and answer keys."""
        found, language = self.key.found, self.key.language
        return [
            (each.name, each.says.text(language.code),
             AnswerKey(with_convention(found, each), language))
            for each in found.exercise.conventions
        ]  # fmt: skip

    def check(self, solution: Solution) -> Checked:
        """Check one solution.

        Raises:
            SpecError: it is a solution of another exercise.
        """
        if solution.fault is not None:
            raise SpecError(solution.fault)
        return self._verdicts([Paper(self.key, solution)])[0]

    def check_all(
        self, solutions: Sequence[Solution], progress: Callable[[float], None] = lambda share: None
    ) -> list[Checked]:
        """Check a class; one whose solution cannot be checked is kept with its fault."""
        found: list[Checked] = []
        for start in range(0, len(solutions), TOGETHER):
            found += self._checked(solutions[start : start + TOGETHER])
            progress(len(found) / len(solutions))
        return found

    def _checked(self, solutions: Sequence[Solution]) -> list[Checked]:
        faults = {id(s): s.fault for s in solutions if s.fault is not None}
        papers = []
        for solution in solutions:
            try:
                papers += [] if solution.fault is not None else [Paper(self.key, solution)]
            except SpecError as error:
                faults[id(solution)] = str(error)
        done = {
            id(paper.solution): c for paper, c in zip(papers, self._verdicts(papers), strict=True)
        }
        name = self.key.name
        return [
            done[id(s)] if id(s) in done else Checked(s.name, name, (), fault=faults[id(s)])
            for s in solutions
        ]

    def _verdicts(self, papers: Sequence[Paper]) -> list[Checked]:
        if not papers:
            return []
        _judge(papers)
        others = self._by_conventions([paper for paper in papers if paper.wrong.any()])
        found = []
        for paper in papers:
            other, fits, words = others.get(id(paper)), None, {}
            if other is not None and not other.paper.wrong.any():
                fits = other.name, other.says
                words = dict.fromkeys(np.flatnonzero(paper.wrong)[:1].tolist(), other.says)
            elif paper.wrong.any():
                words = guesses(paper, {} if other is None else other.mended(paper))
            found.append(Checked(paper.solution.name, self.key.name,
                                 paper.items(words), fits))  # fmt: skip
        return found

    def _by_conventions(self, papers: Sequence[Paper]) -> dict[int, _Otherwise]:
        """Return the convention by which fewest of a solution is wrong, where there is a better."""
        found: dict[int, _Otherwise] = {}
        for name, says, key in self.conventions if papers else ():
            others = [Paper(key, paper.solution) for paper in papers]
            _look(others)
            for paper, other in zip(papers, others, strict=True):
                best = found[id(paper)].paper if id(paper) in found else paper
                if other.wrong.sum() < best.wrong.sum():
                    found[id(paper)] = _Otherwise(name, says, other)
        return found


class _Otherwise(NamedTuple):
    """A solution by another convention, and the convention's name and words."""

    name: str
    says: str
    paper: Paper

    def mended(self, paper: Paper) -> dict[int, str]:
        """Return the convention's words for each wrong number that it makes right."""
        slots = np.flatnonzero(paper.wrong).tolist()
        labels = [paper.key.graph.slots[slot].label for slot in slots]
        places = [self.paper.key.labels.get(label) for label in labels]
        return {
            slot: self.says
            for slot, place in zip(slots, places, strict=True)
            if place is not None and not self.paper.wrong[place]
        }


def _look(papers: Sequence[Paper]) -> None:
    """Find which numbers do not follow from the others as they are written."""
    own, unit, given = (np.stack([getattr(p, a) for p in papers]) for a in ("own", "unit", "given"))
    for paper, pair in zip(
        papers, ranges_of_many(papers[0].key.numbers, own, unit, given), strict=True
    ):
        paper.see(pair)


def _judge(papers: Sequence[Paper]) -> None:
    """Find which numbers are wrong, and which are carried."""
    _look(papers)
    doubtful = [paper for paper in papers if paper.wrong.any()]
    if not doubtful:
        return
    own, unit = (np.stack([getattr(p, a) for p in doubtful]) for a in ("own", "unit"))
    rest = np.stack([paper.given & ~paper.wrong for paper in doubtful])
    numbers = papers[0].key.numbers
    for paper, pair in zip(doubtful, ranges_of_many(numbers, own, unit, rest), strict=True):
        paper.see_again(pair)


def check(exercise: str, solution: Solution, language: Language | None = None) -> Checked:
    """Check one solution of an exercise, by name or file; see :class:`Checker` for many."""
    return Checker.of(exercise, language).check(solution)
