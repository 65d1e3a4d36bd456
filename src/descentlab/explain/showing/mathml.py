"""Formulas as presentation MathML Core.

https://www.w3.org/TR/mathml-core/ – the elements that browsers draw without a script.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from descentlab.core.formulas import Binary, Call, Expression, Item, Minus, Name, Number, Vector
from descentlab.explain.language import Language
from descentlab.explain.showing.elements import Element, element
from descentlab.explain.showing.notation import is_negative, level, rank, summands
from descentlab.explain.showing.symbols import Derivative, Sign, Symbol

ATOM, RAISED = 9, 5
LONGEST_COLUMN = 4
"""A vector of more numbers lies down, as the transpose of a row."""

NAMED = {
    "sigmoid": "σ", "log": "ln", "variance": "Var", "identity": "I", "padded": "pad",
    "log_softmax": "ln softmax", "leaky_relu": "leaky relu",
    "normal_cdf": "Φ",
}  # fmt: skip
TOTALS = ("sum", "rows")
FENCES = {"abs": ("|", "|"), "norm": ("‖", "‖"), "dot": ("⟨", "⟩")}

MINUS, TIMES, DOT, HADAMARD, INVISIBLE, APPLY = "−", "×", "⋅", "⊙", "\u2062", "\u2061"


class Formulas:
    """A writer of formulas.

    Args:
        signs: of the names.
        ranks: how many axes each name's value has; none by default.
        language: whose digits numbers are written in.
    """

    def __init__(
        self, signs: Mapping[str, Sign], ranks: Mapping[str, int], language: Language
    ) -> None:
        self.signs, self.ranks, self.language = signs, ranks, language
        self.used: set[str] = set()

    def math(self, *children: Any) -> Element:
        """Return a formula of these parts, from left to right in every language."""
        return element("math", *children, dir="ltr", displaystyle="true")

    def write(self, tree: Expression, *, behind: bool = False) -> Element:
        """Return a formula's element; ``behind`` an operator, where a minus takes brackets."""
        if isinstance(tree, Number):
            return self.number(tree.text or f"{tree.value:.12g}")
        if isinstance(tree, Name):
            return self.sign(self.signs.get(tree.name) or Symbol(tree.name))
        if isinstance(tree, Minus):
            of = tree.of
            total = isinstance(of, Call) and of.function in TOTALS
            inside = self.write(of) if total else self.held(of, 2, behind=True)
            return row(operator(MINUS, form="prefix"), inside)
        if isinstance(tree, Item):
            places = [self.number(str(place)) for place in tree.places]
            return element("msub", self.held(tree.of, ATOM), row(separated(places)))
        if isinstance(tree, Vector):
            return self.matrix(tree)
        return self.call(tree) if isinstance(tree, Call) else self.binary(tree, behind=behind)

    def summands(self, tree: Expression) -> list[Element]:
        """Return a formula's summands, each with the sign before it."""
        first, *more = summands(tree)
        if not more:
            return [self.write(tree)]
        found = [self.held(first[1], 1)]
        for sign, part in more:
            inside = self.held(part, level(sign) + (sign == "-"), behind=True)
            found.append(row(operator(MINUS if sign == "-" else sign, form="infix"), inside))
        return found

    def number(self, text: str) -> Element:
        """Return a number's element; 2e-5 is written 2 × 10⁻⁵."""
        mantissa, _, exponent = text.partition("e")
        made = self.digits(mantissa)
        if not exponent:
            return made
        ten = element("msup", self.digits("10"), self.digits(str(int(exponent))))
        if mantissa == "1":
            return ten
        return row(made, operator(TIMES), ten)

    def digits(self, text: str) -> Element:
        """Return a number without exponent."""
        number = element("mn", self.language.number(text.removeprefix("-")))
        return row(operator(MINUS, form="prefix"), number) if text.startswith("-") else number

    def sign(self, sign: Sign) -> Element:
        """Return a name's symbol, or a derivative as a fraction."""
        if isinstance(sign, Derivative):
            above, below = (
                row(identifier("∂"), self.symbol(symbol)) for symbol in (sign.of, sign.by)
            )
            return element("mfrac", above, below)
        return self.symbol(sign)

    def symbol(self, symbol: Symbol) -> Element:
        """Return a letter with what is around it."""
        letter = identifier(symbol.letters) if symbol.letters else None
        if letter is not None and symbol.hat:
            # By a combining sign: few machines have a font that tells where an accent belongs.
            letter = identifier(italic(symbol.letters) + "\u0302")
        below = [element("mn", self.language.number(symbol.number))] if symbol.number else []
        below += [self.symbol(each) for each in symbol.below]
        if letter is None:
            return row(separated(below))
        above: list[Element] = []
        if symbol.step is not None:
            number = element("mn", self.language.number(str(symbol.step)))
            above = [operator("("), number, operator(")")]
        elif symbol.new:
            self.used.add("new")
            above = [element("mtext", "new")]
        if below and above:
            return element("msubsup", letter, row(separated(below)), row(above))
        if below:
            return element("msub", letter, row(separated(below)))
        return element("msup", letter, row(above)) if above else letter

    def binary(self, tree: Binary, *, behind: bool = False) -> Element:
        """Return an operation's element."""
        if tree.sign == "/":
            return element("mfrac", self.write(tree.left), self.write(tree.right))
        if tree.sign == "^":
            return element("msup", self.held(tree.left, ATOM), self.write(tree.right))
        if tree.sign == "@":
            return self.product(tree)
        own = level(tree.sign)
        right = own + 1 if tree.sign == "-" else own
        left = self.held(tree.left, own, behind=behind)
        after = self.held(tree.right, right, behind=True)
        sign = MINUS if tree.sign == "-" else self.times(tree) if tree.sign == "*" else "+"
        return row(left, operator(sign), after)

    def times(self, tree: Binary) -> str:
        """Return the sign of a product: of arrays by element, of numbers, of symbols."""
        if rank(tree.left, self.ranks) and rank(tree.right, self.ranks):
            self.used.add("elementwise")
            return HADAMARD
        numbers = ends_in_number(tree.left) and ends_in_number(tree.right, first=True)
        return TIMES if numbers else DOT

    def product(self, tree: Binary) -> Element:
        """Return a matrix product; a vector on the left of it is a row."""
        left, right = tree.left, tree.right
        lies = rank(left, self.ranks) == 1
        first = self.row_vector(left) if lies else self.held(left, 2)
        return row(first, operator(INVISIBLE), self.held(right, 2, behind=True))

    def row_vector(self, tree: Expression) -> Element:
        """Return a vector as a row."""
        if isinstance(tree, Vector):
            return brackets(table([[self.write(item) for item in tree.items]]))
        return self.transposed(tree)

    def transposed(self, tree: Expression) -> Element:
        """Return a part with a T above it."""
        return element("msup", self.held(tree, ATOM), element("mi", "T", mathvariant="normal"))

    def matrix(self, tree: Vector) -> Element:
        """Return numbers in square brackets: a column, a matrix, or a row laid down."""
        rows = [each.items if isinstance(each, Vector) else (each,) for each in tree.items]
        long = rank(tree, self.ranks) == 1 and len(rows) > LONGEST_COLUMN
        if long:
            rows = [tree.items]
        cells = brackets(table([[self.write(item) for item in line] for line in rows]))
        if not long:
            return cells
        return element("msup", cells, element("mi", "T", mathvariant="normal"))

    def call(self, tree: Call) -> Element:
        """Return a function's element."""
        special = getattr(self, f"call_{tree.function}", None)
        if special is not None:
            return special(tree.arguments)
        inside = [self.write(argument) for argument in tree.arguments]
        if tree.function in FENCES:
            opening, closing = FENCES[tree.function]
            return fenced(opening, row(separated(inside)), closing)
        self.used.add(tree.function)
        name = NAMED.get(tree.function, tree.function)
        inside = inside[:1] if tree.function in ("flip", "padded") else inside
        return row(identifier(name), operator(APPLY), parenthesised(separated(inside)))

    def call_exp(self, arguments: tuple[Expression, ...]) -> Element:
        """Write e to a power."""
        return element("msup", identifier("e"), self.write(arguments[0]))

    def call_sqrt(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a root."""
        return element("msqrt", self.write(arguments[0]))

    def call_sum(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a sum over all elements."""
        return row(operator("∑"), self.held(arguments[0], 2, behind=True))

    def call_rows(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a sum over the rows, by column."""
        self.used.add("rows")
        total = element("munder", operator("∑"), element("mtext", self.language.text("sign_rows")))
        return row(total, self.held(arguments[0], 2, behind=True))

    def call_transpose(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a transpose."""
        return self.transposed(arguments[0])

    def call_outer(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a column times a row."""
        left, right = arguments
        return row(self.held(left, 2), operator(INVISIBLE), self.row_vector(right))

    def call_solve(self, arguments: tuple[Expression, ...]) -> Element:
        """Write an inverse times a vector."""
        matrix, vector = arguments
        power = element("msup", self.held(matrix, ATOM), self.digits("-1"))
        return row(power, operator(INVISIBLE), self.held(vector, 2, behind=True))

    def call_fill(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a number, or a row, times ones in another's shape."""
        self.used.add("fill")
        ones = element("mn", self.language.number("1"), class_="ones")
        return row(self.held(arguments[0], 2), operator(DOT), ones)

    def call_place(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a number times a unit vector."""
        self.used.add("place")
        value, _, place = arguments
        unit = element("msub", element("mi", "e", class_="unit"), self.write(place))
        return row(self.held(value, 2), operator(DOT), unit)

    def call_step(self, arguments: tuple[Expression, ...]) -> Element:
        """Write 1 where something is positive."""
        self.used.add("step")
        return brackets(self.write(arguments[0]), operator(">"), self.digits("0"))

    def call_convolve(self, arguments: tuple[Expression, ...]) -> Element:
        """Write a convolution."""
        self.used.add("convolve")
        first, second = (self.held(part, 3, behind=True) for part in arguments)
        return row(first, operator("∗"), second)

    def held(self, tree: Expression, least: int, *, behind: bool = False) -> Element:
        """Return a part's element, in brackets where it would fall apart."""
        made = self.write(tree, behind=behind)
        signed = behind and (isinstance(tree, Minus) or is_negative(tree))
        return parenthesised(made) if signed or self.tightness(tree) < least else made

    def tightness(self, tree: Expression) -> int:
        """Return how tightly a part holds together as it is written here."""
        if isinstance(tree, Binary):
            return RAISED if tree.sign in "/^" else level(tree.sign)
        if isinstance(tree, Number):
            return 2 if is_negative(tree) or "e" in tree.text else ATOM
        if isinstance(tree, Minus):
            return 2
        if isinstance(tree, Name):
            sign = self.signs.get(tree.name)
            raised = isinstance(sign, Derivative) or (sign is not None and _is_raised(sign))
            return RAISED if raised else ATOM
        if isinstance(tree, Call):
            return {"sum": 1, "rows": 1, "fill": 2, "place": 2, "convolve": 2, "outer": 2,
                    "solve": 2, "transpose": RAISED, "exp": RAISED,
                    "sqrt": RAISED}.get(tree.function, ATOM)  # fmt: skip
        return RAISED if isinstance(tree, Vector) and len(tree.items) > LONGEST_COLUMN else ATOM


def _is_raised(sign: Symbol) -> bool:
    return sign.step is not None or sign.new


def ends_in_number(tree: Expression, *, first: bool = False) -> bool:
    """Whether a part's text ends, or begins, with a digit, so that a dot could be a point."""
    while isinstance(tree, (Binary, Minus)):
        if isinstance(tree, Minus):
            tree = tree.of
        elif tree.sign in "/^":
            return False
        else:
            tree = tree.left if first else tree.right
    return isinstance(tree, Number)


def italic(letter: str) -> str:
    """Return a letter in mathematical italics, as a single one in a formula is anyway."""
    if len(letter) > 1 or not ("a" <= letter.lower() <= "z"):
        return letter
    kind = "SMALL" if letter.islower() else "CAPITAL"
    if letter == "h":
        return "ℎ"  # Unicode had that one before
    return unicodedata.lookup(f"MATHEMATICAL ITALIC {kind} {letter.upper()}")


def row(*children: Any) -> Element:
    """Return parts in a row."""
    return element("mrow", *children)


def identifier(text: str) -> Element:
    """Return a letter, or an upright word."""
    return element("mi", text)


def operator(sign: str, **attributes: Any) -> Element:
    """Return an operator, a bracket or a comma."""
    return element("mo", sign, **attributes)


def fenced(opening: str, inside: Element, closing: str) -> Element:
    """Return two signs around something; where that is tall, they are drawn by the style sheet.

    Few machines have a font with the parts that tall brackets are put together from.
    """
    kind = {"(": "round", "[": "square", "|": "bar", "‖": "bars"}.get(opening)
    is_tall = any(part.tag in ("mtable", "mfrac") for part in inside.iter())
    drawn = kind if is_tall else None
    before, after = (
        operator(sign, form=form, fence="true", class_="drawn" if drawn else None)
        for sign, form in ((opening, "prefix"), (closing, "postfix"))
    )
    if drawn is None:
        return row(before, inside, after)
    return row(before, element("mrow", inside, class_=f"tall {drawn}"), after)


def parenthesised(*children: Any) -> Element:
    """Return parts in round brackets."""
    return fenced("(", row(*children), ")")


def brackets(*children: Any) -> Element:
    """Return parts in square brackets."""
    return fenced("[", row(*children), "]")


def separated(parts: list[Element]) -> list[Element]:
    """Return parts with commas between them."""
    found = parts[:1]
    for part in parts[1:]:
        found += [operator(",", separator="true"), part]
    return found


def table(rows: list[list[Element]]) -> Element:
    """Return a table of formulas."""
    lines = [element("mtr", *(element("mtd", cell) for cell in cells)) for cells in rows]
    return element("mtable", *lines)
