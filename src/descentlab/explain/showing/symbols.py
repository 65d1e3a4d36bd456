"""Symbols: how a name is written in mathematics, ``d_w13`` as ∂E/∂w₁₃, ``learning_rate`` as η."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping

from descentlab.explain.graph import Graph, Quantity

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Delta": "Δ", "Theta": "Θ", "Omega": "Ω",
}  # fmt: skip

SETTINGS = {
    "learning_rate": "eta", "momentum": "beta", "dampening": "tau", "weight_decay": "lambda",
    "decay": "rho", "damping": "lambda", "momentum_decay": "psi", "l1": "lambda1",
    "l2": "lambda2", "clip": "c",
}  # fmt: skip
"""Settings of optimizers by the letters that papers have for them."""

PART = re.compile(r"(?P<letters>\D+?)(?P<number>\d*)")
ABOVE = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A letter or a word, perhaps with a hat, what is below it, and the update above it.

    Attributes:
        letters: one letter, or a word.
        hat: whether it has one.
        number: digits below.
        below: further symbols below, such as the parameter of a buffer.
        step: the update above it; None if there is but one.
        new: whether it is a parameter after the only update.
    """

    letters: str
    hat: bool = False
    number: str = ""
    below: tuple[Symbol, ...] = ()
    step: int | None = None
    new: bool = False

    @property
    def text(self) -> str:
        """The symbol in one line of text."""
        hat = "\u0302" if self.hat and len(self.letters) == 1 else "hat" if self.hat else ""
        below = "".join(f"_{symbol.text}" for symbol in self.below)
        step = "" if self.step is None else f"⁽{str(self.step).translate(ABOVE)}⁾"
        text = f"{self.letters}{hat}{self.number}{below}{step}{'_new' if self.new else ''}"
        return unicodedata.normalize("NFC", text)


@dataclasses.dataclass(frozen=True)
class Derivative:
    """∂of/∂by."""

    of: Symbol
    by: Symbol

    @property
    def text(self) -> str:
        """The derivative in one line of text."""
        return f"∂{self.of.text}/∂{self.by.text}"


Sign = Symbol | Derivative


def symbols(graph: Graph) -> dict[str, Sign]:
    """Return the symbol of every name of a graph; no two are alike."""
    plain = {q.name: _symbol(q, graph) for q in graph if q.kind not in ("gradient", "setting")}
    taken = {symbol.text for symbol in plain.values()}
    for quantity in graph:
        if quantity.kind == "setting":
            symbol = symbol_of(SETTINGS.get(quantity.base, quantity.base))
            if symbol.text in taken:
                symbol = Symbol(quantity.base)
            taken.add(symbol.text)
            plain[quantity.name] = symbol
    found: dict[str, Sign] = dict(_distinct(plain))
    for quantity in graph:
        if quantity.kind == "gradient":
            loss = graph.steps[(quantity.step or 1) - 1].loss
            found[quantity.name] = derivative(found, loss, quantity.of)
    return {quantity.name: found[quantity.name] for quantity in graph}


def derivative(found: Mapping[str, Sign], of: str, by: str) -> Derivative:
    """Return ∂of/∂by of two named quantities."""
    above, below = found[of], found[by]
    assert isinstance(above, Symbol)
    assert isinstance(below, Symbol)
    return Derivative(above, below)


def symbol_of(name: str) -> Symbol:
    """Return the symbol of a name by its spelling alone.

    Example:
        >>> symbol_of("w13"), symbol_of("beta_1").text
        (Symbol(letters='w', hat=False, number='13', below=(), step=None, new=False), 'β1')
    """
    first, *rest = name.split("_")
    found = PART.fullmatch(first)
    if found is None or "" in rest:
        return Symbol(name)
    letters, number = found["letters"], found["number"]
    hat = letters.endswith("hat") and 3 < len(letters) <= 4
    letters = letters.removesuffix("hat") if hat else letters
    is_letter = letters in GREEK or len(letters) == 1
    letters = GREEK.get(letters, letters)
    if rest and not is_letter and not hat:
        return Symbol(name)
    if not number and len(rest) == 1 and rest[0].isdigit():
        return Symbol(letters, hat, rest[0])
    return Symbol(letters, hat, number, tuple(map(_below, rest)))


def _below(part: str) -> Symbol:
    return Symbol("", number=part) if part.isdigit() else symbol_of(part)


def _symbol(quantity: Quantity, graph: Graph) -> Symbol:
    many = len(graph.steps) > 1
    owner = graph.quantities[quantity.of].base if quantity.of else ""
    base = quantity.base or quantity.name
    if quantity.kind == "curvature":
        symbol = Symbol("H")
    elif quantity.kind == "state" and owner and base.endswith(f"_{owner}"):
        symbol = symbol_of(base[: -len(owner) - 1])
        symbol = dataclasses.replace(symbol, below=(*symbol.below, symbol_of(owner)))
    else:
        symbol = symbol_of(base)
    step = quantity.step if many else None
    new = quantity.kind == "updated" and not many
    return dataclasses.replace(symbol, step=step, new=new)


def _distinct(found: Mapping[str, Symbol]) -> dict[str, Symbol]:
    """Give names whose symbols are alike, such as ``eta`` and ``η``, their full spelling."""
    texts = [symbol.text for symbol in found.values()]
    return {
        name: symbol if texts.count(symbol.text) == 1 else Symbol(name)
        for name, symbol in found.items()
    }
