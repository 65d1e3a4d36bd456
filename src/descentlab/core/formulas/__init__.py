"""The one safe formula parser: arithmetic and named functions, and never ``eval``."""

from __future__ import annotations

from descentlab.core.formulas.evaluate import FormulaError, checked, evaluate
from descentlab.core.formulas.parse import parse
from descentlab.core.formulas.tree import (
    Binary,
    Call,
    Expression,
    Item,
    Minus,
    Name,
    Number,
    Vector,
    names_in,
    replaced,
    transform,
    written,
)

__all__ = [
    "Binary",
    "Call",
    "Expression",
    "FormulaError",
    "Item",
    "Minus",
    "Name",
    "Number",
    "Vector",
    "checked",
    "evaluate",
    "names_in",
    "parse",
    "replaced",
    "transform",
    "written",
]
