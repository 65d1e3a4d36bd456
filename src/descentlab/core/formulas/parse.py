"""From text to a formula: a parser of arithmetic by precedence, bounded in length and depth.

The language: numbers, names, ``+ - * / @`` (matrix product), ``^`` or ``**`` (power, from the
right), brackets, ``[a, b]`` for vectors, ``h[2]`` for elements counted from 1, ``f(x, y)``
for the functions of :mod:`descentlab.core.formulas.functions`. Persian and Arabic digits are
digits. A minus binds as in mathematics: -x^2 is -(x^2).
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from descentlab.core.digits import latin
from descentlab.core.errors import unknown
from descentlab.core.formulas.evaluate import FormulaError
from descentlab.core.formulas.functions import FUNCTIONS
from descentlab.core.formulas.tree import (
    SIGN,
    TIGHTNESS,
    Binary,
    Call,
    Expression,
    Item,
    Minus,
    Name,
    Number,
    Vector,
)

MOST_CHARACTERS = 1000
MOST_DEPTH = 40
MOST_CHAINED = 100

NAME = r"(?:(?![²³])[^\W\d])(?:(?![²³])\w)*"
"""How a name is written; x² is no name but a square."""

TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?)"
    rf"|(?P<name>{NAME})"
    r"|(?P<sign>\*\*|[-+*/@^()\[\],])",
)

SAME = {"**": "^", "·": "*", "×": "*", "÷": "/"}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Expression:
    """Return a formula's tree.

    Raises:
        FormulaError: it is no formula; ``at`` is the column, counted from 0.

    Example:
        >>> from descentlab.core.formulas import written
        >>> written(parse("w13*x1 + w23 * x2"))
        'w13*x1 + w23*x2'
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(
            f"a formula of {len(text):,} characters; at most {MOST_CHARACTERS:,} are read: "
            "give parts of it names of their own",
            MOST_CHARACTERS,
        )
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.place = 0
        self.depth = 0

    def whole(self) -> Expression:
        tree = self.expression(0)
        token = self.next
        if token.kind != "end":
            self.fail(token, self._after(token))
        return tree

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def expression(self, least: int) -> Expression:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self.fail(self.next, f"nested more than {MOST_DEPTH} levels deep: name a part of it")
        tree = self.operand()
        chained = 0
        while TIGHTNESS.get(self.next.text, -1) >= max(least, 1):
            token = self.take()
            chained += 1
            if chained > MOST_CHAINED:
                self.fail(token, f"more than {MOST_CHAINED} operations in a row: name a part")
            level = TIGHTNESS[token.text]
            # A power's operand on the right may begin with a minus and holds further powers.
            right = self.expression(SIGN if token.text == "^" else level + 1)
            tree = Binary(token.text, tree, right, token.at)
        self.depth -= 1
        return tree

    def operand(self) -> Expression:
        token = self.take()
        if token.text == "-":
            return Minus(self.expression(SIGN), token.at)
        if token.text == "+":
            return self.expression(SIGN)
        if token.kind == "number":
            tree: Expression = Number(float(token.text), token.text, token.at)
        elif token.kind == "name":
            tree = self.call(token) if self.next.text == "(" else Name(token.text, token.at)
        elif token.text == "(":
            tree = self.expression(0)
            self.close(")", token)
        elif token.text == "[":
            tree = Vector(self.listed("]", token), token.at)
        else:
            wanted = "a number, a name or '('"
            found = "the formula ends here" if token.kind == "end" else f"found '{token.text}'"
            self.fail(token, f"expected {wanted}; {found}")
        while self.next.text == "[":
            tree = self.item(tree)
        return tree

    def call(self, name: _Token) -> Expression:
        opening = self.take()
        if name.text not in FUNCTIONS:
            self.fail(name, unknown("function", name.text, FUNCTIONS))
        arguments = self.listed(")", opening)
        wanted = FUNCTIONS[name.text].arguments
        if len(arguments) != len(wanted):
            form = f"{name.text}({', '.join(wanted)})"
            self.fail(name, f"{form} takes {len(wanted)}, and {len(arguments)} are given")
        return Call(name.text, arguments, name.at)

    def item(self, tree: Expression) -> Expression:
        opening = self.take()
        places = self.listed("]", opening)
        for place in places:
            if not (isinstance(place, Number) and place.value >= 1 and place.value % 1 == 0):
                self.fail(opening, "an element's place is a whole number from 1 on, as in h[2]")
        return Item(tree, tuple(int(p.value) for p in places), opening.at)  # type: ignore[union-attr]

    def listed(self, end: str, opening: _Token) -> tuple[Expression, ...]:
        if self.next.text == end:
            self.fail(self.next, f"nothing between '{opening.text}' and '{end}'")
        items = [self.expression(0)]
        while self.next.text == ",":
            self.take()
            items.append(self.expression(0))
        self.close(end, opening)
        return tuple(items)

    def close(self, end: str, opening: _Token) -> None:
        token = self.take()
        if token.text == end:
            return
        if token.kind == "end":
            self.fail(opening, f"this '{opening.text}' is never closed by '{end}'")
        self.fail(token, self._after(token))

    def _after(self, token: _Token) -> str:
        before = self.tokens[self.place - 1 if self.next is token else self.place - 2]
        if token.kind in ("number", "name") or token.text == "(":
            return (
                f"an operation is missing between '{before.text}' and '{token.text}'; a product "
                f"is written with *, as {before.text}*{token.text}"
            )
        return f"found '{token.text}', expected an operation (+ - * / ^ @) or the end"

    def fail(self, token: _Token, message: str) -> NoReturn:
        raise FormulaError(message, token.at)


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    for sign, same in SAME.items():  # of one character each, but for **
        text = text if len(sign) > 1 else text.replace(sign, same)
    digits = "".join(latin(sign)[:1] or " " for sign in text)
    while at < len(digits):
        found = TOKEN.match(digits, at)
        if found is None:
            raise FormulaError(_stray(text[at]), at)
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(_Token(kind, SAME.get(found.group(), found.group()), at))
        at = found.end()
    return [*tokens, _Token("end", "", len(text))]


def _stray(sign: str) -> str:
    hints = {
        "=": "a formula is one side alone: the name is the key before it",
        "!": "a factorial is not arithmetic of real numbers",
        ".": "a point belongs inside a number",
        "%": "write a share as a number, such as 0.5",
        "'": "names hold letters, digits and _",
        "|": "write abs(x) or norm(x)",
        "√": "write sqrt(x)",
        "²": "write x^2",
        "³": "write x^3",
    }
    shown = repr(sign) if sign.isprintable() else f"the sign U+{ord(sign):04X}"
    hint = f": {hints[sign]}" if sign in hints else ""
    return f"{shown} is no part of a formula{hint} (a formula is arithmetic and functions)"
