"""What may have happened: known slips that give the wrong number from the person's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from descentlab.core.formulas import (
    Binary,
    Expression,
    FormulaError,
    Name,
    evaluate,
    names_in,
    parse,
    replaced,
    transform,
)
from descentlab.core.formulas.tree import walk
from descentlab.explain.checking.mutations import Mutant, mutants, short
from descentlab.explain.checking.paper import Paper
from descentlab.explain.graph import Graph, Quantity
from descentlab.explain.language import Language

MOST_PARTS = 120
"""Of a formula in which unwritten names have been replaced by their own formulas."""

MOST_SHOWN = 3

NEAR = (-2, -1, 1, 2)
PRODUCT = Name("the product")


class Guess(NamedTuple):
    """A slip, as likely as its ``rank`` is low, and how far it is from the number given."""

    rank: int
    away: float
    slip: str
    words: Mapping[str, Any]


RANK = {
    "known": 0, "convention": 0,
    "digits_swapped": 1, "sign": 1, "value_of": 1, "half": 2, "twice": 2,
    "neighbour": 2, "factor_missing": 2, "term_missing": 2, "term_sign": 2, "exchanged": 2,
    "divisor_missing": 2, "power_missing": 2, "wrong_derivative": 2, "function_missing": 2,
    "point": 2, "function_swapped": 3, "power_product": 3, "divided": 3, "product": 3,
    "digit_changed": 4,
}  # fmt: skip
"""How likely each kind is where several explain a number; the lowest is named first."""


def guesses(paper: Paper, conventional: Mapping[int, str]) -> dict[int, str]:
    """Return, for every wrong number that a known slip explains, what may have happened.

    Args:
        paper: the solution, and which of its numbers are wrong.
        conventional: the words of another convention, by the wrong numbers that it makes right.
    """
    found: dict[int, str] = {}
    values = _values(paper)
    for slot in np.flatnonzero(paper.wrong).tolist():
        explained = list(_explanations(paper, slot, values))
        if slot in conventional:
            words = {"says": conventional[slot]}
            explained.append(Guess(RANK["convention"], 0.0, "convention", words))
        explained.sort(key=lambda guess: (guess.rank, guess.away))
        likeliest: dict[str, Guess] = {}
        for guess in explained:
            likeliest.setdefault(guess.slip, guess)
        say = paper.key.language.text
        sentences = [
            say(f"slip.{guess.slip}", **_in_digits(guess.words, paper.key.language))
            for guess in likeliest.values()
        ]
        if sentences:
            found[slot] = say("slip.or").join(sentences[:MOST_SHOWN])
    return found


def _in_digits(words: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return words with the numbers among them in the language's digits."""
    return {
        key: language.number(text) if text.replace(".", "").isdigit() else text
        for key, text in words.items()
    }


def _values(paper: Paper) -> dict[str, Any]:
    """Return the value of every name: as written where it is, else recomputed from those."""
    graph = paper.key.graph
    flat = np.where(paper.given, paper.own, paper.made)
    return {name: flat[span].reshape(graph.shape(name))[()] for name, span in graph.spans.items()}


class _Target(NamedTuple):
    """The wrong number, and what would count as explaining it."""

    given: float
    right: float
    unit: float
    spread: float

    def explained(self, value: float) -> float | None:
        """Return how far a value is from the number given, if rounding can make up for it."""
        if not np.isfinite(value):
            return None
        size = abs(value / self.right) if self.right else 1.0
        slack = self.unit * (1 - 1e-9) + self.spread * min(size, 4.0)
        if abs(value - self.right) <= slack:
            return None  # that is no slip: it is the right number
        away = abs(value - self.given)
        return away if away < slack else None


def _explanations(paper: Paper, slot: int, values: Mapping[str, Any]) -> Iterator[Guess]:
    graph = paper.key.graph
    label = graph.slots[slot]
    quantity = graph.quantities[label.name]
    assert paper.range is not None
    by_formula = paper.range[1]
    target = _Target(
        paper.own[slot],
        paper.made[slot],
        paper.unit[slot],
        float(by_formula.high[slot] - by_formula.low[slot]) / 2,
    )
    yield from _known(paper, quantity, label.place, values, target)
    yield from _by_digits(paper, slot, target)
    yield from _by_name(paper, slot, target)
    tree, changed = _mutants_of(paper, quantity)
    for slip, formula, words in changed:
        value = _value(formula, values, label.place)
        away = None if value is None else target.explained(value)
        if away is not None:
            yield Guess(RANK[slip], away, slip, words)
    if tree is not None:
        yield from _by_product(tree, values, label.place, target)


def _mutants_of(paper: Paper, quantity: Quantity) -> tuple[Expression | None, list[Mutant]]:
    """Return a quantity's formula over what is written, and its slips; kept for a class."""
    graph, known = paper.key.graph, paper.key.mutants
    key = quantity.name, paper.given.tobytes()
    if key not in known:
        tree, found = expanded(graph, quantity, paper.given), []
        for each in dict.fromkeys([quantity.formula, tree]):
            if each is not None:
                near = {name: list(_neighbours(graph, name, quantity)) for name in names_in(each)}
                found += mutants(each, near)
        known[key] = tree, found
    return known[key]


def _value(formula: Expression, values: Mapping[str, Any], place: tuple[int, ...]) -> float | None:
    """Return a formula's value, or its element there; None if it has none."""
    with np.errstate(all="ignore"):
        try:
            found = np.asarray(evaluate(formula, values), float)
            return float(found[place]) if found.shape else float(found)
        except (ArithmeticError, ValueError, TypeError, IndexError, np.linalg.LinAlgError):
            return None


def _known(
    paper: Paper, quantity: Quantity, place: tuple[int, ...], values: Mapping[str, Any],
    target: _Target,
) -> Iterator[Guess]:  # fmt: skip
    """Yield the exercise's own slips of this quantity."""
    for slip in paper.key.found.exercise.slips:
        if slip.quantity != quantity.name:
            continue
        try:
            value = _value(parse(slip.formula), values, place)
        except (FormulaError, KeyError):
            continue
        away = None if value is None else target.explained(value)
        if away is not None:
            says = slip.says.text(paper.key.language.code)
            yield Guess(RANK["known"], away, "known", {"says": says})


def _by_digits(paper: Paper, slot: int, target: _Target) -> Iterator[Guess]:
    """Yield two digits exchanged, one changed, and a point in the wrong place."""
    written = paper.written[slot]
    places = max(0, round(-np.log10(target.unit)))
    shift = 0 if target.unit <= 1 else round(np.log10(target.unit))
    if "e" in written.text.lower():
        size = np.floor(np.log10(abs(target.given))) if target.given else 0.0
        places += int(size)
        shift += int(size)
    for power in (1, -1, 2, -2, 3, -3):
        away = target.explained(target.right * 10.0**power) if target.given else None
        if away is not None:
            yield Guess(RANK["point"], away, "point", {"power": f"{power:+d}"})
    if target.given * target.right < 0 or places > 15:
        return
    given = re.sub(r"\D", "", f"{abs(target.given) / 10.0**shift:.{max(0, places)}f}")
    for candidate in {
        f"{np.trunc(abs(target.right) / 10.0**shift * 10**places) / 10**places:.{max(0, places)}f}",
        f"{abs(target.right) / 10.0**shift:.{max(0, places)}f}",
    }:
        right = re.sub(r"\D", "", candidate)
        if len(right) != len(given):
            continue
        differ = [i for i in range(len(right)) if right[i] != given[i]]
        words = {"right": candidate}
        if len(differ) == 2 and sorted(right) == sorted(given) and differ[1] - differ[0] == 1:
            yield Guess(RANK["digits_swapped"], 0.0, "digits_swapped", words)
        elif len(differ) == 1 and len(right) > 1:
            yield Guess(RANK["digit_changed"], 0.0, "digit_changed", words)


def _by_name(paper: Paper, slot: int, target: _Target) -> Iterator[Guess]:
    """Yield another quantity of the exercise whose value it is."""
    graph = paper.key.graph
    kind = graph.quantities[graph.slots[slot].name].kind
    for other, label in enumerate(graph.slots):
        value = paper.made[other]
        if other == slot or graph.quantities[label.name].kind != kind or abs(value) < 1e-12:
            continue
        away = abs(value - target.given)
        if away < target.unit * 0.51 and target.explained(value) is not None:
            yield Guess(RANK["value_of"], away, "value_of", {"name": label.label})


def _by_product(
    tree: Expression, values: Mapping[str, Any], place: tuple[int, ...], target: _Target
) -> Iterator[Guess]:
    """Yield a product of two numbers that came out as one nearby in the multiplication table."""
    for part in walk(tree):
        if not (isinstance(part, Binary) and part.sign == "*"):
            continue
        a, b = (_value(side, values, place) for side in (part.left, part.right))
        if a is None or b is None or not a * b or not (_last_unit(a) and _last_unit(b)):
            continue  # only of short numbers is there a table
        slipped = [(x + shift * _last_unit(x)) * y for x, y in ((a, b), (b, a)) for shift in NEAR]
        for wrong in {round(value, 12) for value in slipped if value != a * b}:
            rest = transform(tree, lambda p, part=part: PRODUCT if p == part else p)
            value = _value(rest, {**values, PRODUCT.name: wrong}, place)
            away = None if value is None else target.explained(value)
            if away is not None:
                words = {"product": short(part), "wrong": f"{wrong:.6g}", "right": f"{a * b:.6g}"}
                yield Guess(RANK["product"], away, "product", words)


def _last_unit(x: float) -> float:
    """Return the unit of the last digit of a number of at most two digits; else 0."""
    text = f"{abs(x):.10g}"
    digits = text.replace(".", "").lstrip("0")
    if "e" in text or not 1 <= len(digits) <= 2:
        return 0.0
    return 10.0 ** -(len(text.partition(".")[2]))


def expanded(graph: Graph, quantity: Quantity, given: np.ndarray) -> Expression | None:
    """Return a quantity's formula over what is written or stated alone.

    Names that somebody has not written are replaced by their own formulas, as far as the
    whole stays readable.
    """
    tree = quantity.formula
    if tree is None:
        return None
    for _ in range(12):
        by: dict[str, Expression] = {}
        for name in names_in(tree):
            other = graph.quantities[name]
            if other.formula is not None and not given[graph.spans[name]].all():
                by[name] = other.formula
        new = replaced(tree, by)
        if not by or sum(1 for _ in walk(new)) > MOST_PARTS:
            break
        tree = new
    return tree


def _neighbours(graph: Graph, name: str, of: Quantity) -> Iterator[str]:
    """Yield the names that may be taken for one: of the same letter, kind and shape."""
    mine, later = graph.quantities[name], False
    for other in graph:
        later = later or other.name == of.name
        new = other.kind == "updated" and other.step == of.step and other.base == mine.base
        if later and not (new and of.kind == "gradient"):
            continue  # what comes later cannot have been taken, but for a weight updated too soon
        same = other.kind == mine.kind and graph.shape(other.name) == graph.shape(name)
        related = stem(other.name) == stem(name) or (other.base == mine.base and mine.base)
        updated = {other.kind, mine.kind} <= {"given", "updated"} and other.base == mine.base
        if other.name != name and ((same and related) or updated):
            yield other.name


def stem(name: str) -> str:
    """Return a name's letters before its first number."""
    return re.split(r"\d", name, maxsplit=1)[0].rstrip("_") or name
