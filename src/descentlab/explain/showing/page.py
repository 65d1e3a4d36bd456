"""A calculation as one self-contained HTML page, with its formulas as MathML."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

from descentlab.core.formulas import Expression, Number
from descentlab.core.formulas.tree import walk
from descentlab.explain.language import Language, catalogue
from descentlab.explain.showing.calculation import Calculation, Section, sections
from descentlab.explain.showing.elements import Element, element
from descentlab.explain.showing.frame import document
from descentlab.explain.showing.mathml import DOT, Formulas, operator, row
from descentlab.explain.showing.numerals import Shown, Summary
from descentlab.explain.showing.terminal import heading, sizes
from descentlab.explain.showing.trace import Line, Product

MOST_UNBROKEN = 24
"""A formula with more letters and digits than this may be broken between its summands."""


def page(calculation: Calculation, language: Language) -> str:
    """Return a calculation as an HTML document.

    Args:
        calculation: what to show.
        language: of its headings, its direction and its digits.
    """
    return document(calculation.title, _Page(calculation, language).parts(), language)


class _Page:
    def __init__(self, calculation: Calculation, language: Language) -> None:
        self.calculation, self.language = calculation, language
        ranks = {line.name: np.ndim(line.value) for line in calculation.lines}
        self.formulas = Formulas(calculation.signs, ranks, language)

    def parts(self) -> list[Any]:
        """Return the page's parts, from the top down."""
        body = [self.section(section) for section in sections(self.calculation)]
        return [self.header(), *body, self.results(), self.signs(), self.footer()]

    def text(self, key: str, **values: Any) -> str:
        return self.language.text(key, **values)

    def header(self) -> Element:
        said = self.calculation
        source = None
        if said.source:
            source = element("p", f"{self.text('page_source')}: ", bidi(said.source), class_="note")
        return element(
            "header",
            element("p", self.text("page_kind"), class_="eyebrow"),
            element("h1", bidi(said.title)),
            element("p", bidi(said.text), class_="lead"),
            source,
            [element("p", bidi(note), class_="note") for note in said.notes],
        )

    def section(self, section: Section) -> Element:
        """Return a part of the calculation under its heading."""
        inside: list[Any] = []
        if section.part == "given":
            inside = [self.given(section.lines)]
        elif section.part == "batch":
            inside = [self.batch(section)]
        else:
            if section.part == "gradients":
                inside = [element("p", self.text("gradients_by"), class_="note")]
            inside.append(element("ol", *map(self.line, section.lines), class_="lines"))
        title = element("h2", heading(section, self.language))
        return element("section", title, *inside, class_=f"part {section.part}-part")

    def given(self, lines: list[Line]) -> Element:
        """Return given values, side by side; settings with what they are."""
        items = []
        for line in lines:
            key = f"setting_{line.name}"
            label = None
            if line.kind == "setting" and key in catalogue(self.language.code):
                label = element("span", f" {self.text(key)}", class_="label")
            items.append(element("li", self.equation(line), label))
        return element("ul", *items, class_="given", aria_label=self.text("caption_given"))

    def batch(self, section: Section) -> Element:
        """Return the columns of a batch as a table, a row for each example."""
        lines = section.lines
        vectors = all(
            line.value.ndim == 1
            and not isinstance(line.shown, Summary)
            and len(line.value) == len(lines[0].value)
            for line in lines
        )
        if not vectors:
            return self.given(lines)
        heads = [element("th", self.text("column_row"), scope="col")]
        heads += [element("th", self.symbol(line), scope="col", class_="number") for line in lines]
        columns = [line.shown.items for line in lines]  # type: ignore[union-attr]
        rows = [
            element(
                "tr",
                element("th", self.language.number(str(number)), scope="row"),
                [element("td", self.math(self.formulas.write(c)), class_="number") for c in cells],
            )
            for number, cells in enumerate(zip(*columns, strict=True), 1)
        ]
        return self.table(self.text("caption_batch"), heads, rows)

    def line(self, line: Line) -> Element:
        """Return a quantity: symbol, chain rule, formula, numbers put in, result."""
        pieces = self.pieces(self.chain(line.terms))
        for tree in (line.formula, line.numbers):
            pieces += [] if tree is None else self.pieces(self.formulas.summands(tree))
        if line.formula is None and line.kind in ("updated", "curvature") and not line.terms:
            key = "by_optimizer" if line.kind == "updated" else "by_curvature"
            pieces.append(element("span", self.text(key), class_="by", dir="auto"))
        pieces.append(self.result(line))
        return element(
            "li",
            element("span", self.symbol(line), class_="symbol"),
            element("div", *pieces, self.local(line), class_="pieces"),
            element("code", line.name, class_="name"),
            dir="ltr",
        )

    def result(self, line: Line) -> Element:
        """Return '= 0.755', or the sizes of a large array."""
        if isinstance(line.shown, Summary):
            return element("span", self.value(line.shown), class_="result summary", dir="auto")
        equals = row(operator("="), self.formulas.write(line.shown))
        return self.piece(equals, "piece result")

    def local(self, line: Line) -> Element | None:
        """Return the values of factors that the numbers put in do not show."""
        there = set() if line.numbers is None else _numbers(line.numbers)
        found = []
        for term in line.terms:
            last = term.factors[-1]
            if len(term.factors) < 2 or not isinstance(last.shown, Number):
                continue
            if last.shown.text not in there:
                equation = row(self.formulas.sign(last.symbol), operator("="),
                               self.formulas.write(last.shown))  # fmt: skip
                found += [" ", self.math(equation)]
        if not found:
            return None
        return element("span", f"{self.text('where')}", *found, class_="where")

    def chain(self, terms: tuple[Product, ...]) -> list[Element]:
        """Return the chain rule's terms; none where it has one factor alone."""
        if not terms or (len(terms) == 1 and len(terms[0].factors) == 1):
            return []
        found = []
        for term in terms:
            parts = [operator("+", form="infix")] if found else []
            for number, factor in enumerate(term.factors):
                parts += [operator(DOT)] if number else []
                parts.append(self.formulas.sign(factor.symbol))
            found.append(row(parts))
        return found

    def pieces(self, summands: list[Element]) -> list[Element]:
        """Return '= a + b' as a piece, or as several between which a line may break."""
        if not summands:
            return []
        first, *more = summands
        first = row(operator("="), first)
        if sum(len("".join(part.itertext())) for part in summands) <= MOST_UNBROKEN:
            return [self.piece(row(first, more))]
        return [self.piece(part) for part in (first, *more)]

    def results(self) -> Element | None:
        """Return the table of what is asked."""
        lines = self.calculation.asked
        if not lines:
            return None
        names = ("column_name", "column_symbol", "column_value")
        heads = [
            element("th", self.text(name), scope="col", class_=kind)
            for name, kind in zip(names, (None, None, "number"), strict=True)
        ]
        rows = [
            element(
                "tr",
                element("th", element("code", line.name, dir="ltr"), scope="row"),
                element("td", self.symbol(line)),
                element("td", self.value(line.shown), class_="number"),
            )
            for line in lines
        ]
        table = self.table(self.text("caption_results"), heads, rows)
        title = element("h2", self.text("heading_results"))
        return element("section", title, table, class_="results")

    def signs(self) -> Element | None:
        """Return what the signs mean that this page uses."""
        known = catalogue(self.language.code)
        keys = [key for key in known if key.removeprefix("sign_") in self.formulas.used
                and key.startswith("sign_") and key != "sign_rows"]  # fmt: skip
        if not keys:
            return None
        items = [element("li", _sign(self.text(key))) for key in keys]
        title = element("h2", self.text("heading_signs"))
        return element("section", title, element("ul", *items), class_="signs")

    def footer(self) -> Element:
        digits = self.language.number(str(self.calculation.digits))
        command = f"descentlab {self.calculation.command} --json"
        return element(
            "footer",
            element("p", self.text("rounded_to", digits=digits)),
            element("p", self.text("page_command"), " ", element("code", command, dir="ltr")),
        )

    def table(self, caption: str, heads: list[Element], rows: list[Element]) -> Element:
        made = element(
            "table",
            element("caption", caption),
            element("thead", element("tr", heads)),
            element("tbody", rows),
        )
        return element("div", made, class_="scroll")

    def equation(self, line: Line) -> Element:
        """Return 'symbol = value'."""
        if isinstance(line.shown, Summary):
            return element("span", self.symbol(line), " ", self.value(line.shown))
        sign = self.formulas.sign(line.symbol)
        return self.math(row(sign, operator("="), self.formulas.write(line.shown)))

    def symbol(self, line: Line) -> Element:
        return self.math(self.formulas.sign(line.symbol))

    def value(self, value: Shown) -> Element:
        if isinstance(value, Summary):
            parts = {key: isolated(text) for key, text in sizes(value, self.language).items()}
            return element("span", self.text("summary", **parts))
        return self.math(self.formulas.write(value))

    def piece(self, part: Element, name: str = "piece") -> Element:
        return element("span", self.math(part), class_=name)

    def math(self, part: Element) -> Element:
        return self.formulas.math(part)


def isolated(text: str) -> str:
    """Return text that runs from left to right within any other."""
    return f"\u2066{text}\u2069"


def bidi(text: str) -> Element:
    """Return text that runs from the right if a word of it does, whatever it begins with."""
    rightwards = any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text)
    return element("bdi", text, dir="rtl" if rightwards else "ltr")


def _sign(text: str) -> list[Any]:
    """Return 'sign: meaning', the sign from left to right."""
    sign, colon, meaning = text.partition(": ")
    return [element("bdi", sign, dir="ltr"), colon, meaning]


def _numbers(tree: Expression) -> set[str]:
    return {part.text for part in walk(tree) if isinstance(part, Number)}
