"""Students who do an exercise by hand: they round or truncate, and may make one slip.

Their arithmetic is NumPy's on the formulas shown; what rounding can explain is found by trying
corners of the units' box at random, and not by the checker's own bounds.
"""

from __future__ import annotations

import dataclasses
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

from descentlab.core.formulas import Binary, Call, Expression, Name, Number, evaluate
from descentlab.core.formulas.tree import parts, rebuilt, walk
from descentlab.explain.checking.key import AnswerKey
from descentlab.explain.checking.solution import Solution
from descentlab.explain.checking.written import Written, read_number

SLIPS = ("digit", "sign", "factor", "neighbour", "derivative", "exchanged")
CORNERS = 24


@dataclasses.dataclass
class Habits:
    """How somebody writes numbers down.

    Attributes:
        digits: significant digits.
        truncates: cuts off instead of rounding.
        exactly: goes on with unrounded numbers, as a calculator keeps them.
        everything: writes intermediate numbers too, not just what is asked.
    """

    digits: int
    truncates: bool
    exactly: bool
    everything: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Habits:
        return cls(int(rng.integers(2, 6)), *(bool(x) for x in rng.random(3) < 0.5))

    def text(self, value: float) -> str:
        """Write a number with so many significant digits; fewer where that is all of it."""
        exact = Decimal(f"{value:.12g}")
        if exact == 0:
            return "0"
        last = exact.adjusted() - self.digits + 1
        rounding = ROUND_DOWN if self.truncates else ROUND_HALF_UP
        cut = exact.quantize(Decimal((0, (1,), last)), rounding=rounding)
        if cut == exact:
            plain = f"{exact.normalize():f}"
            return plain if len(plain) < 12 else f"{exact.normalize():e}".replace("E", "e")
        return f"{cut:f}" if last <= 0 else f"{cut:.{self.digits - 1}e}"


class Student:
    """One working of an exercise, made number by number."""

    def __init__(self, key: AnswerKey, rng: np.random.Generator) -> None:
        self.key, self.rng, self.habits = key, rng, Habits.draw(rng)
        self.graph = key.graph
        asked = set(self.graph.asked)
        self.writes = [
            q.name
            for q in self.graph
            if not q.is_given and (q.name in asked or self.habits.everything)
        ]
        self.values: dict[str, Any] = {}
        self.numbers: dict[str, Written] = {}
        self.planted: str | None = None

    def work(self, slip: tuple[str, str] | None = None) -> Solution | None:
        """Work through; ``slip`` is (kind, quantity). None if that slip cannot be made."""
        right = self.key.numbers.values
        for quantity in self.graph:
            name = quantity.name
            value = right[name]
            if quantity.formula is not None:
                with np.errstate(all="ignore"):
                    try:
                        value = np.asarray(evaluate(quantity.formula, self.values), float)
                    except np.linalg.LinAlgError:
                        return None
                value = np.broadcast_to(value, self.graph.shape(name))
                if not np.isfinite(value).all():
                    return None  # nobody goes on from the root of a negative number
            made = np.array(value, float)
            if slip is not None and slip[1] == name:
                place = self._slip(slip[0], quantity.formula, made)
                if place is None:
                    return None
            self.values[name] = made
            if name in self.writes:
                self._write(name, made)
        if slip is not None and slip[0] == "neighbour" and self.planted is None:
            return None
        return Solution("student", self.numbers, "student.yaml")

    def exchange(self) -> Solution | None:
        """Work through without a slip, and exchange two numbers of one kind in the fair copy."""
        solution = self.work()
        assert solution is not None
        kinds = {
            label: self.graph.quantities[label.partition("[")[0]].kind for label in self.numbers
        }
        labels = list(self.numbers)
        first = labels[self.rng.integers(len(labels))]
        later = [n for n in labels[labels.index(first) + 1 :] if kinds[n] == kinds[first]]
        if not later:
            return None
        a, b = self.numbers[first], self.numbers[later[0]]
        if abs(a.value - b.value) <= 4 * max(a.unit, b.unit):
            return None
        self.numbers[first], self.numbers[later[0]] = b, a
        self.planted = first
        return solution

    def _write(self, name: str, made: np.ndarray) -> None:
        written = made.copy()
        for place in np.ndindex(made.shape):
            number = read_number(self.habits.text(float(made[place])))
            label = _label(name, place)
            self.numbers[label] = number
            written[place] = number.value
        if not self.habits.exactly:
            self.values[name] = written

    def _slip(self, kind: str, formula: Expression | None, made: np.ndarray) -> Any:
        """Spoil one element in place; return where, or None if the slip is within rounding."""
        places = list(np.ndindex(made.shape))
        place = places[self.rng.integers(len(places))]
        right = float(made[place])
        wrong = self._wrong(kind, formula, place, right)
        if wrong is None or not np.isfinite(wrong):
            return None
        text = self.habits.text(wrong)
        number = read_number(text)
        low, high = self._explained(formula, place, right)
        if low - number.unit * 1.001 <= number.value <= high + number.unit * 1.001:
            return None
        made[place] = wrong
        name = next(n for n in self.graph.quantities if n not in self.values)
        self.planted = _label(name, place)
        return place

    def _wrong(
        self, kind: str, formula: Expression | None, place: tuple[int, ...], right: float
    ) -> float | None:
        if kind == "sign":
            return -right
        if kind == "digit":
            text = self.habits.text(right)
            spots = [i for i, c in enumerate(text.partition("e")[0]) if c.isdigit()]
            spot = spots[self.rng.integers(len(spots))]
            other = str((int(text[spot]) + self.rng.integers(1, 10)) % 10)
            return float(text[:spot] + other + text[spot + 1 :])
        if kind == "neighbour":
            shown = list(self.numbers.values())
            return float(shown[self.rng.integers(len(shown))].value) if shown else None
        if formula is None:
            return None
        changed = list(_without_factor(formula) if kind == "factor" else _derivatives(formula))
        if not changed:
            return None
        tree = changed[self.rng.integers(len(changed))]
        with np.errstate(all="ignore"):
            try:
                value = np.asarray(evaluate(tree, self.values), float)
            except (ValueError, IndexError):
                return None
        if value.shape not in ((), self.graph.shape(self._now)):
            return None
        return float(value[place]) if value.shape else float(value)

    @property
    def _now(self) -> str:
        return next(n for n in self.graph.quantities if n not in self.values)

    def _explained(
        self, formula: Expression | None, place: tuple[int, ...], right: float
    ) -> tuple[float, float]:
        """Return what the written numbers can make of this one, within a unit of each."""
        if formula is None:
            return right, right
        units = {
            (name, p): self.numbers[_label(name, p)].unit
            for name in self.writes
            if name in self.values
            for p in np.ndindex(self.graph.shape(name))
        }
        found = [right]
        up = {}
        for spot, unit in units.items():
            ends = [self._moved(formula, place, {spot: s * unit}) for s in (1, -1)]
            up[spot] = unit if ends[0] >= ends[1] else -unit
            found += ends
        found += [self._moved(formula, place, {s: k * u for s, u in up.items()}) for k in (1, -1)]
        for _ in range(CORNERS):
            signs = dict(zip(units, self.rng.choice([-1.0, 0.0, 1.0], len(units)), strict=True))
            found.append(self._moved(formula, place, {s: signs[s] * u for s, u in units.items()}))
        finite = [value for value in found if np.isfinite(value)]
        return min(finite), max(finite)

    def _moved(
        self, formula: Expression, place: tuple[int, ...], shifts: dict[tuple[str, Any], float]
    ) -> float:
        """Return this number with written ones displaced, the others made from them anew."""
        moved: dict[str, Any] = {}
        with np.errstate(all="ignore"):
            for name, old in self.values.items():
                tree = self.graph.quantities[name].formula
                value = np.array(old, float)
                if name not in self.writes and tree is not None:
                    value = np.broadcast_to(evaluate(tree, moved), value.shape)
                for (other, spot), shift in shifts.items():
                    if other == name:
                        value[spot] += shift
                moved[name] = value
            try:
                found = np.broadcast_to(evaluate(formula, moved), self.graph.shape(self._now))
            except np.linalg.LinAlgError:
                return float("nan")
        return float(found[place])


def _label(name: str, place: tuple[int, ...]) -> str:
    return name + (f"[{','.join(str(i + 1) for i in place)}]" if place else "")


def _without_factor(tree: Expression) -> list[Expression]:
    found: list[Expression] = []
    if isinstance(tree, Binary) and tree.sign in "*/":
        found.append(tree.left)
        if tree.sign == "*":
            found.append(tree.right)
    for i, part in enumerate(parts(tree)):
        for other in _without_factor(part):
            new = list(parts(tree))
            new[i] = other
            found.append(rebuilt(tree, tuple(new)))
    return found


def _derivatives(tree: Expression) -> list[Expression]:
    """Return the formula with a factor of a derivative as another function has it."""
    found: list[Expression] = []
    for part in walk(tree):
        swaps: list[Expression] = []
        if isinstance(part, Binary) and part.sign == "-" and part.left == Number(1.0):
            out = part.right
            if isinstance(out, Name):
                swaps = [
                    Number(1.0),
                    Binary("-", Number(1.0), Binary("^", out, Number(2.0))),
                    Binary("+", Number(1.0), out),
                ]
        elif isinstance(part, Call) and part.function in ("step", "sign"):
            swaps = [Number(1.0)]
        elif isinstance(part, Binary) and part.sign == "*" and part.left == Number(2.0):
            swaps = [part.right]
        found += [_put(tree, part, swap) for swap in swaps]
    return found


def _put(tree: Expression, old: Expression, new: Expression) -> Expression:
    if tree is old:
        return new
    inner = tuple(_put(part, old, new) for part in parts(tree))
    return rebuilt(tree, inner) if inner else tree


def workings(
    key: AnswerKey, count: int, seed: int, slips: tuple[str, ...] = SLIPS
) -> list[tuple[str, str | None, Solution]]:
    """Return so many solutions, each with one slip: (kind, planted label, solution)."""
    rng = np.random.default_rng(seed)
    found: list[tuple[str, str | None, Solution]] = []
    kinds = list(slips)
    tried = 0
    while len(found) < count:
        tried += 1
        if tried > 60 * count:
            raise AssertionError("too few slips can be planted")
        kind = kinds[len(found) % len(kinds)] if tried % 7 else kinds[rng.integers(len(kinds))]
        student = Student(key, rng)
        where = student.writes[rng.integers(len(student.writes))]
        exchanged = kind == "exchanged"
        solution = student.exchange() if exchanged else student.work((kind, where))
        if solution is not None:
            found.append((kind, student.planted, solution))
    return found


def right_workings(key: AnswerKey, count: int, seed: int) -> list[Solution]:
    """Return so many solutions without a slip."""
    rng = np.random.default_rng(seed)
    found = [Student(key, rng).work() for _ in range(count)]
    return [solution for solution in found if solution is not None]
