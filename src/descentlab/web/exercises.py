"""Worked calculations as the page needs them: what is asked, what is right, one step's solution."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError, unknown
from descentlab.explain.checking.check import Checker
from descentlab.explain.checking.solution import Solution
from descentlab.explain.checking.verdict import sentences
from descentlab.explain.checking.written import Written, read_number
from descentlab.explain.exercise import library, load_exercise
from descentlab.explain.language import LANGUAGES, Code, Language
from descentlab.explain.showing.calculation import Calculation, worked
from descentlab.explain.showing.elements import html
from descentlab.explain.showing.mathml import Formulas, operator, row
from descentlab.explain.showing.numerals import Summary
from descentlab.explain.showing.trace import Line
from descentlab.web.requests import Numbers, Solve

MOST_KEPT = 32

ANSWER = re.compile(r"\s*\((?:it is|درست) [^)]*\)")
"""Where a guess tells the right number."""


def listed(language: str) -> list[dict[str, str]]:
    """Return the names and titles of the exercises."""
    code = _code(language)
    return [
        {"name": name, "title": load_exercise(name).exercise.title.text(code)} for name in library()
    ]


def one(name: str, language: str, persian_digits: bool) -> dict[str, Any]:
    """Return an exercise without its solution: text, given values, what is asked."""
    found = _worked(_named(name), _code(language))
    formulas = _formulas(found, Language(_code(language), persian_digits))
    given = [line for line in found.lines if line.kind in ("given", "setting")]
    labels = [
        {"label": label, "math": html(formulas.math(sign))}
        for line in found.asked
        for label, sign in _labels(line, formulas)
    ]
    return {
        "name": name,
        "title": found.title,
        "text": found.text,
        "source": found.source,
        "given": [html(formulas.math(_result(line, formulas))) for line in given],
        "asked": labels,
    }


def check(asked: Numbers) -> dict[str, Any]:
    """Return the verdict on each number; text that is no number is told beside it."""
    language = Language(asked.language, asked.persian_digits)
    checker = _checker(_named(asked.exercise), language)
    numbers: dict[str, Written] = {}
    faults: dict[str, str] = {}
    for label, text in asked.numbers.items():
        try:
            numbers[label] = read_number(text)
        except ValueError as error:
            faults[label] = str(error)
    found = checker.check(Solution("page", numbers, "page"))
    items = [item.to_json() for item in found.items]
    for item in items:  # nobody who is still at work wants to be told the answer
        item["expected"] = item["right"] = None
        item["guess"] = item["guess"] and ANSWER.sub("", item["guess"])
    said = list(sentences(found, language)) if numbers else []
    if found.first_wrong is not None:
        said[0] = language.text("check.here", name=found.first_wrong.name)
    said = [ANSWER.sub("", sentence) for sentence in said[:3]]
    return {**found.to_json(), "items": items, "faults": faults, "sentences": said}


def solve(asked: Solve) -> dict[str, Any]:
    """Return the working of one number: its formula, the numbers put in, the result."""
    found = _worked(_named(asked.exercise), asked.language)
    name = asked.label.partition("[")[0]
    line = next((line for line in found.lines if line.name == name), None)
    if line is None:
        raise SpecError("label: " + unknown("name", name, [line.name for line in found.lines]))
    formulas = _formulas(found, Language(asked.language, asked.persian_digits))
    return {"label": asked.label, "math": html(formulas.math(_working(line, formulas)))}


@lru_cache(MOST_KEPT)
def _worked(name: str, code: Code) -> Calculation:
    return worked(load_exercise(name), code)


@lru_cache(MOST_KEPT)
def _checker(name: str, language: Language) -> Checker:
    return Checker.of(name, language)


def _named(name: str) -> str:
    """Return an exercise's name, having seen that it is one of the lab's; never a file's."""
    if name not in library():
        raise SpecError("exercise: " + unknown("exercise", name, library()))
    return name


def _code(language: str) -> Code:
    for code in LANGUAGES:
        if code == language:
            return code
    raise SpecError("language: " + unknown("language", language, LANGUAGES))


def _formulas(found: Calculation, language: Language) -> Formulas:
    ranks = {line.name: np.ndim(line.value) for line in found.lines}
    return Formulas(found.signs, ranks, language)


def _labels(line: Line, formulas: Formulas) -> list[tuple[str, Any]]:
    """Return the label and symbol of every number of a line."""
    shape = np.shape(line.value)
    if not shape:
        return [(line.name, formulas.sign(line.symbol))]
    labels = []
    for place in np.ndindex(shape):
        numbers = [str(i + 1) for i in place]
        sign = row(formulas.sign(line.symbol), operator("["), *_joined(numbers, formulas))
        labels.append((f"{line.name}[{','.join(numbers)}]", row(sign, operator("]"))))
    return labels


def _joined(numbers: list[str], formulas: Formulas) -> list[Any]:
    found: list[Any] = []
    for number in numbers:
        found += [operator(","), formulas.number(number)] if found else [formulas.number(number)]
    return found


def _result(line: Line, formulas: Formulas) -> Any:
    value = None if isinstance(line.shown, Summary) else formulas.write(line.shown)
    return row(formulas.sign(line.symbol), operator("="), value)


def _working(line: Line, formulas: Formulas) -> Any:
    signs = [formulas.sign(line.symbol)]
    shown = None if isinstance(line.shown, Summary) else line.shown
    for tree in (line.formula, line.numbers, shown):
        if tree is not None:
            signs += [operator("="), formulas.write(tree)]
    return row(*signs)
