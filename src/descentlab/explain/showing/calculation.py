"""A worked calculation with its words: what is shown in the terminal, as JSON and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from descentlab.core.formulas import written
from descentlab.explain.build import build
from descentlab.explain.exercise import Found
from descentlab.explain.graph import Graph
from descentlab.explain.language import Code
from descentlab.explain.numbers import Numbers
from descentlab.explain.showing.numerals import MOST_SHOWN, summary
from descentlab.explain.showing.symbols import Sign, symbols
from descentlab.explain.showing.trace import Computed, Factor, Line, Product, lines

Part = Literal["given", "batch", "calculation", "forward", "gradients", "update", "after"]


class Calculation(NamedTuple):
    """A calculation that is worked out, and what is said about it."""

    name: str
    title: str
    text: str
    lines: tuple[Line, ...]
    graph: Graph
    digits: int
    source: str | None = None
    notes: Sequence[str] = ()
    command: str = ""
    solvable: bool = True

    @property
    def signs(self) -> Mapping[str, Sign]:
        """The symbol of every name."""
        return symbols(self.graph)

    @property
    def asked(self) -> tuple[Line, ...]:
        """The lines of what a solution is asked for, in their order; none of a study's run."""
        if not self.solvable:
            return ()
        by_name = {line.name: line for line in self.lines}
        return tuple(by_name[name] for name in self.graph.asked)


class Section(NamedTuple):
    """Lines that belong together, of one update where there are several."""

    part: Part
    step: int | None
    lines: list[Line]


def worked(found: Found, language: Code = "en", digits: int | None = None) -> Calculation:
    """Return an exercise's calculation.

    Args:
        found: the exercise.
        language: of its title and text.
        digits: significant digits to show; the exercise's by default.
    """
    exercise = found.exercise
    return calculation(
        exercise.exercise, exercise.title.text(language), exercise.text.text(language),
        Numbers(build(found), found.marked), digits or exercise.digits, source=exercise.source,
    )  # fmt: skip


def calculation(
    name: str, title: str, text: str, computed: Any, digits: int,
    *, source: str | None = None, notes: Sequence[str] = (), command: str = "",
    solvable: bool = True,
) -> Calculation:  # fmt: skip
    """Return a calculation of a graph's numbers.

    Args:
        name: of the exercise or run.
        title: in one line.
        text: what it is about.
        computed: numbers, and the ``graph`` that they are of.
        digits: significant digits to show.
        source: where it is from.
        notes: further sentences.
        command: of ``descentlab`` that gives the same; ``explain NAME`` by default.
        solvable: whether somebody may work it out too, and have that checked.
    """
    graph: Graph = computed.graph
    numbers: Computed = computed
    found = lines(graph, numbers, digits)
    command = command or f"explain {name}"
    return Calculation(name, title, text, found, graph, digits, source, notes, command, solvable)


def sections(calculation: Calculation) -> list[Section]:
    """Return a calculation's lines in parts: what is given, then forward, backward and update."""
    steps = calculation.graph.steps
    forward = {name for step in steps for name in step.forward}
    found: dict[tuple[int | None, Part], Section] = {}
    for line in calculation.lines:
        part = _part(line, forward, minimised=bool(steps))
        step = None if part in ("given", "after") else line.step
        found.setdefault((step, part), Section(part, step, [])).lines.append(line)
    first = [section for (step, part), section in found.items() if part == "given"]
    last = [section for (step, part), section in found.items() if part == "after"]
    between = [s for s in found.values() if s.part not in ("given", "after")]
    return [*first, *between, *last]


def _part(line: Line, forward: set[str], *, minimised: bool) -> Part:
    if line.kind in ("given", "setting"):
        return "given" if line.step is None else "batch"
    if line.kind == "quantity":
        if not minimised:
            return "calculation"
        return "forward" if line.name in forward else "after"
    return "gradients" if line.kind == "gradient" else "update"


def to_json(calculation: Calculation, language: Code) -> dict[str, Any]:
    """Return a calculation as plain values; large arrays as a summary of each."""
    values = {line.name: plain(line.value) for line in calculation.lines}
    return {
        "exercise": calculation.name,
        "title": calculation.title,
        "text": calculation.text,
        "language": language,
        "digits": calculation.digits,
        "lines": [_line(line) for line in calculation.lines],
        "asked": list(calculation.graph.asked),
        "values": values,
        "notes": list(calculation.notes),
    }


def plain(value: Any) -> Any:
    """Return an array as a float or lists, or as a summary if it is large."""
    array = np.asarray(value, float)
    if array.size <= MOST_SHOWN:
        return array.tolist()
    found = summary(array)
    return {
        "shape": list(found.shape),
        "min": found.smallest,
        "mean": found.mean,
        "max": found.largest,
        "norm": found.norm,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "kind": line.kind,
        "step": line.step,
        "symbol": line.symbol.text,
        "formula": None if line.formula is None else written(line.formula),
        "numbers": None if line.numbers is None else written(line.numbers),
        "value": plain(line.value),
        "shown": None if isinstance(line.shown, tuple) else written(line.shown),
        "terms": [_term(term) for term in line.terms],
    }


def _term(term: Product) -> dict[str, Any]:
    factors = [_factor(factor) for factor in term.factors]
    return {"through": term.through, "factors": factors, "value": plain(term.value)}


def _factor(factor: Factor) -> dict[str, Any]:
    value = None if factor.value is None else plain(factor.value)
    return {"symbol": factor.symbol.text, "value": value}
