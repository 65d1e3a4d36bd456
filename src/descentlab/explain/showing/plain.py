"""Formulas in one line of Unicode text, for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from descentlab.core.formulas import Binary, Call, Expression, Item, Minus, Name, Number, Vector
from descentlab.explain.showing.notation import is_negative, level
from descentlab.explain.showing.symbols import Derivative, Sign

POWERS = {"2": "²", "3": "³"}
UNBROKEN = "\u00a0"
LONGEST_UNBROKEN = 40
"""A vector whose text is no longer than this stays in one line."""

SHOWN_AS = {"transpose": "ᵀ", "abs": "|", "norm": "‖"}


class Plain:
    """A writer of formulas; the spaces inside short vectors are unbreakable ones.

    Args:
        signs: of the names.
        number: changes a number's digits.
        times: the sign of a product.
    """

    def __init__(
        self, signs: Mapping[str, Sign], number: Callable[[str], str] = str, times: str = "·"
    ) -> None:
        self.signs, self.number, self.times = signs, number, times

    def write(self, tree: Expression, *, behind: bool = False) -> str:
        """Return a formula as text; ``behind`` an operator, where a minus takes brackets."""
        if isinstance(tree, Number):
            return self.number(tree.text or f"{tree.value:.12g}")
        if isinstance(tree, Name):
            return self.signs[tree.name].text if tree.name in self.signs else tree.name
        if isinstance(tree, Minus):
            return "-" + self.held(tree.of, 2, behind=True)
        if isinstance(tree, Item):
            places = ", ".join(self.number(str(place)) for place in tree.places)
            return f"{self.held(tree.of, 9)}[{places}]"
        if isinstance(tree, Vector):
            text = f"[{', '.join(map(self.write, tree.items))}]"
            return text.replace(" ", UNBROKEN) if len(text) <= LONGEST_UNBROKEN else text
        return self.call(tree) if isinstance(tree, Call) else self.binary(tree, behind=behind)

    def call(self, tree: Call) -> str:
        """Return a function's text."""
        inside = [self.write(argument) for argument in tree.arguments]
        if tree.function == "transpose":
            return self.held(tree.arguments[0], 9) + SHOWN_AS["transpose"]
        if tree.function in SHOWN_AS:
            bar = SHOWN_AS[tree.function]
            return f"{bar}{inside[0]}{bar}"
        return f"{tree.function}({', '.join(inside)})"

    def binary(self, tree: Binary, *, behind: bool = False) -> str:
        """Return an operation's text."""
        own = level(tree.sign)
        if tree.sign == "^":
            power = f"{tree.right.value:g}" if isinstance(tree.right, Number) else ""
            base = self.held(tree.left, 9)
            base = f"({base})" if base.endswith("⁾") else base
            return base + (POWERS.get(power) or "^" + self.held(tree.right, 9))
        right = own if tree.sign in "+*" else own + 1
        fraction = tree.sign == "/" and self.is_derivative(tree.left)
        left = self.held(tree.left, own + fraction, behind=behind)
        after = self.held(tree.right, right, behind=True)
        sign = {"*": self.times, "/": "/"}.get(tree.sign, f" {tree.sign} ")
        return f"{left}{sign}{after}"

    def held(self, tree: Expression, least: int, *, behind: bool = False) -> str:
        """Return a part's text, in brackets where it would fall apart."""
        text = self.write(tree, behind=behind)
        signed = behind and (isinstance(tree, Minus) or is_negative(tree))
        return f"({text})" if signed or self.tightness(tree) < least else text

    def tightness(self, tree: Expression) -> int:
        """Return how tightly a part's text holds together."""
        if isinstance(tree, Binary):
            return level(tree.sign)
        if isinstance(tree, Minus):
            return 2
        if isinstance(tree, Number):
            return 2 if is_negative(tree) or "e" in tree.text else 9
        return 2 if self.is_derivative(tree) else 9

    def is_derivative(self, tree: Expression) -> bool:
        """Whether a part is a name that is written with a stroke, as ∂E/∂w."""
        return isinstance(tree, Name) and isinstance(self.signs.get(tree.name), Derivative)
