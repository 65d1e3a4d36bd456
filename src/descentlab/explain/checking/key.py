"""An exercise's answer key: what a solution is laid over."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from descentlab.explain.build import build
from descentlab.explain.exercise import Found
from descentlab.explain.graph import Graph
from descentlab.explain.language import Language
from descentlab.explain.numbers import Numbers


class AnswerKey:
    """The numbers of an exercise, their labels, and which are asked.

    Args:
        found: the exercise.
        language: of the guesses.
    """

    def __init__(self, found: Found, language: Language) -> None:
        self.found, self.language = found, language
        self.graph: Graph = build(found)
        self.numbers = Numbers(self.graph, found.marked)
        self.mutants: dict[Any, Any] = {}
        """Formulas with slips, by quantity and by what is written; kept for a class."""

    @property
    def name(self) -> str:
        """The exercise's name."""
        return self.found.exercise.exercise

    @cached_property
    def labels(self) -> dict[str, int]:
        """The slot of each label, other names of a quantity among them."""
        found = {slot.label: i for i, slot in enumerate(self.graph.slots)}
        for alias, name in self.graph.aliases.items():
            span = self.graph.spans[name]
            for i in range(span.start, span.stop):
                found[alias + self.graph.slots[i].label.removeprefix(name)] = i
        return found

    @cached_property
    def right(self) -> np.ndarray:
        """Every number of the exercise, worked without a slip."""
        values = self.numbers.values
        return np.concatenate([np.ravel(values[name]) for name in self.graph.quantities])

    @cached_property
    def asked(self) -> frozenset[int]:
        """The slots that a solution should have."""
        spans = (self.graph.spans[name] for name in self.graph.asked)
        return frozenset(i for span in spans for i in range(span.start, span.stop))
