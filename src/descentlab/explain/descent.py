"""One update of a descent on a landscape, worked out in the method's own formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from descentlab.engine.descents.run import Descent
from descentlab.explain.graph import Builder, Graph, Quantity
from descentlab.explain.language import Language
from descentlab.explain.rules import Worked
from descentlab.explain.showing.elements import html
from descentlab.explain.showing.mathml import Formulas, operator, row
from descentlab.explain.showing.numerals import Summary
from descentlab.explain.showing.symbols import Derivative, Sign, Symbol, symbol_of
from descentlab.explain.showing.trace import Line, lines

PARAMETERS = {"w1": "w1", "w2": "w2"}
AFTER = {"w1": "w1_new", "w2": "w2_new"}
DIGITS = 6
MOST_UPDATES = 500
AGREEMENT = 1e-7


SLOPES: dict[str, Sign] = {
    f"d_{name}": Derivative(Symbol("J"), symbol_of(name)) for name in PARAMETERS
}
"""How the landscape's slopes are written."""


class _Known:
    """A graph's values where they are known already; see ``explain.showing.trace.Computed``."""

    def __init__(self, builder: Builder) -> None:
        self.graph = Graph(builder.quantities, builder.values)
        self.values = {name: np.asarray(value) for name, value in builder.values.items()}

    def terms(self, quantity: Quantity) -> list[np.ndarray]:
        """Return no terms: gradients are given here."""
        return []


def worked_update(descent: Descent, at: int, language: Language) -> list[dict[str, Any]]:
    """Return the lines of update ``at`` (counted from 1): each as text and as MathML.

    The buffers before it are those that the formulas make of all gradients up to there.
    Gradients and rates are the descent's own. Where a method has no formulas by coordinates, or
    after more than 500 updates, the point, the gradient and the new point are all.

    Args:
        descent: with at least so many updates.
        at: the update.
        language: of the numbers.
    """
    builder = _with_formulas(descent, at) if at <= MOST_UPDATES else None
    if builder is None:
        builder, _ = _update(descent, at, None)
        _add_result(builder, descent, at)
    known = _Known(builder)
    ranks = {name: np.ndim(value) for name, value in known.values.items()}
    found = lines(known.graph, known, DIGITS)
    signs = {line.name: SLOPES.get(line.name, line.symbol) for line in found}
    formulas = Formulas(signs, ranks, language)
    return [_line(line, formulas) for line in found]


def _with_formulas(descent: Descent, at: int) -> Builder | None:
    """Return the update's quantities; None where its formulas do not give what it made."""
    before: dict[tuple[str, str], float] = {}
    builder = Builder()
    for update in range(1, at + 1):
        builder, worked = _update(descent, update, before)
        if worked is None:
            return None
        before = {
            place: float(np.asarray(builder.values[tree.name]))  # type: ignore[union-attr]
            for place, tree in worked.buffers.items()
        }
    made = np.array([builder.values[name] for name in AFTER.values()], float)
    wanted = descent.iterates[at]
    near = np.abs(made - wanted) <= AGREEMENT * np.maximum(np.abs(wanted), 1e-6)
    return builder if near.all() or not np.isfinite(wanted).all() else None


def _update(
    descent: Descent, update: int, before: dict[tuple[str, str], float] | None
) -> tuple[Builder, Worked | None]:
    """Return the quantities of one update, and its rule; no rule where it has no formulas."""
    builder = Builder()
    point, gradient = descent.iterates[update - 1], descent.gradients[update - 1]
    for number, name in enumerate(PARAMETERS):
        value = np.asarray(point[number])
        builder.add(Quantity(name, "given", value=value, base=name), value)
    for number, name in enumerate(PARAMETERS):
        value = np.asarray(gradient[number])
        quantity = Quantity(f"d_{name}", "given", value=value, base=f"d_{name}")
        builder.add(quantity, value)
    if before is None:
        return builder, None
    worked = Worked(
        builder,
        descent.method.optimizer,
        lambda base, step: base,
        before,
        first=update - 1,
        rate=_rate(descent, update),
    )
    gradients = {name: f"d_{name}" for name in PARAMETERS}
    return builder, worked if worked.update(PARAMETERS, gradients, None, AFTER) else None


def _rate(descent: Descent, update: int) -> float | None:
    """Return the rate that a schedule made of the method's own; None without a schedule."""
    rate = float(descent.rate[update])
    same = not np.isfinite(rate) or rate == descent.method.floats[descent.method.rate_path]
    return None if same else rate


def _add_result(builder: Builder, descent: Descent, at: int) -> None:
    for number, name in enumerate(PARAMETERS):
        value = np.asarray(descent.iterates[at][number])
        builder.add(Quantity(AFTER[name], "given", value=value, base=f"{name}_new"), value)


def _line(line: Line, formulas: Formulas) -> dict[str, Any]:
    """Return a line as text and as MathML: symbol = formula = numbers = result."""
    symbol = formulas.signs[line.name]
    signs = [formulas.sign(symbol)]
    for tree in (line.formula, line.numbers):
        if tree is not None:
            signs += [operator("="), formulas.write(tree)]
    if not isinstance(line.shown, Summary) and line.shown != line.numbers:
        signs += [operator("="), formulas.write(line.shown)]
    return {
        "name": line.name,
        "kind": line.kind,
        "symbol": symbol.text,
        "value": np.asarray(line.value).tolist(),
        "formula": line.formula is not None,
        "math": html(formulas.math(row(*signs))),
    }
