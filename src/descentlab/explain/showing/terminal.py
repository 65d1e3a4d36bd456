"""A calculation in the terminal: a line for each quantity, broken only between its parts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from descentlab.explain.language import Language
from descentlab.explain.showing.calculation import Calculation, Section, sections
from descentlab.explain.showing.numerals import Shown, Summary, numeral
from descentlab.explain.showing.plain import LONGEST_UNBROKEN, UNBROKEN, Plain
from descentlab.explain.showing.trace import Line, Product

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

PROSE_WIDTH = 100
INDENT = "  "


class Piece(NamedTuple):
    """A part of a line: '= 0.1×0.35', and how it looks."""

    text: str
    style: str = ""


def show(calculation: Calculation, language: Language, console: Console | None = None) -> None:
    """Print a calculation.

    Args:
        calculation: what to print.
        language: of headings and digits.
        console: where to; standard output by default.
    """
    from rich.console import Console

    console = console or Console(highlight=False)
    writer = _Writer(calculation, language, console.width)
    width = min(console.width, PROSE_WIDTH)
    console.print(calculation.title, style="bold", markup=False, width=width)
    for text in (calculation.text, *calculation.notes):
        console.print(text, markup=False, width=width)
    for section in sections(calculation):
        console.print()
        console.print(heading(section, language), style="bold cyan", markup=False)
        for text in writer.section(section):
            console.print(text, no_wrap=True, crop=False, overflow="ignore")
    if calculation.asked:
        console.print()
        console.print(language.text("heading_results"), style="bold cyan")
        console.print(f"{language.text('caption_results')}:", style="dim", width=width)
        asked = [(line.name, line) for line in calculation.asked]
        for text in writer.compact(asked):
            console.print(text, no_wrap=True, crop=False, overflow="ignore")
    console.print()
    digits = language.number(str(calculation.digits))
    console.print(language.text("rounded_to", digits=digits), style="dim", width=width)


def heading(section: Section, language: Language) -> str:
    """Return a section's heading, with its update's number where there are several."""
    name = language.text(f"heading_{section.part}")
    if section.step is None:
        return name
    number = language.number(str(section.step))
    return language.text("heading_of_update", number=number, heading=name)


def shown_text(value: Shown, plain: Plain, language: Language) -> str:
    """Return a result, or the sizes of a large array."""
    if not isinstance(value, Summary):
        return plain.write(value).replace(UNBROKEN, " ")
    return language.text("summary", **sizes(value, language))


def sizes(value: Summary, language: Language) -> dict[str, str]:
    """Return a summary's numbers as text."""
    named = {"smallest": value.smallest, "mean": value.mean, "largest": value.largest}
    found = {key: numeral(number, 4) for key, number in (*named.items(), ("norm", value.norm))}
    found["shape"] = " × ".join(map(str, value.shape))
    return {key: language.number(text) for key, text in found.items()}


class _Writer:
    def __init__(self, calculation: Calculation, language: Language, width: int) -> None:
        self.language, self.width = language, width
        self.symbolic = Plain(calculation.signs, language.number)
        self.numeric = Plain(calculation.signs, language.number, "×")

    def section(self, section: Section) -> Iterator[Text]:
        """Yield the lines of a section as rich texts."""
        from rich.text import Text

        if section.part in ("given", "batch"):
            yield from self.compact([(line.symbol.text, line) for line in section.lines])
            return
        for line in section.lines:
            broken = self.broken(line.symbol.text, self.pieces(line))
            yield Text("\n").join(Text.assemble(*pieces) for pieces in broken)

    def compact(self, lines: list[tuple[str, Line]]) -> Iterator[Text]:
        """Yield names and values, as many in a row as there is room for."""
        from rich.cells import cell_len
        from rich.text import Text

        row, used = Text(INDENT), len(INDENT)
        for name, line in lines:
            text, *more = self.wrapped(f"{name} = {self.result(line)}", self.width - len(INDENT))
            if used > len(INDENT) and used + cell_len(text) + 3 > self.width:
                yield row
                row, used = Text(INDENT), len(INDENT)
            gap = "   " if used > len(INDENT) else ""
            row.append(gap + text)
            used += cell_len(gap + text)
            for text in more:
                yield row
                row, used = Text(INDENT + text), self.width
        yield row

    def result(self, line: Line) -> str:
        return shown_text(line.shown, self.numeric, self.language)

    def pieces(self, line: Line) -> list[Piece]:
        """Return the parts of a line behind its symbol."""
        texts = [self.chain(line.terms)] if line.terms else []
        texts += [self.symbolic.write(line.formula)] if line.formula is not None else []
        texts += [self.numeric.write(line.numbers)] if line.numbers is not None else []
        result = self.result(line)
        distinct = [
            text for text in dict.fromkeys(texts) if text and text.replace(UNBROKEN, " ") != result
        ]
        return [
            *(Piece(f"= {text}") for text in distinct),
            Piece(f"= {_kept_together(result)}", "bold"),
        ]

    def chain(self, terms: tuple[Product, ...]) -> str:
        """Return the chain rule in symbols; nothing where it has one factor alone."""
        products = ["·".join(factor.symbol.text for factor in term.factors) for term in terms]
        alone = len(terms) == 1 and len(terms[0].factors) == 1
        return "" if alone else " + ".join(products)

    def broken(self, symbol: str, pieces: list[Piece]) -> Iterator[list[tuple[str, str]]]:
        """Yield a line in as few lines as fit, each later one below the first equals sign."""
        from rich.cells import cell_len

        hang = INDENT + " " * min(cell_len(symbol), 16) + " "
        line, used = [(INDENT + symbol, "")], cell_len(INDENT + symbol)
        for piece in pieces:
            first, *more = self.wrapped(piece.text, self.width - len(hang))
            if used + 1 + cell_len(first) > self.width or (more and used > len(hang)):
                yield line
                line, used = [(hang + first, piece.style)], len(hang) + cell_len(first)
            else:
                line.append((" " + first, piece.style))
                used += 1 + cell_len(first)
            for text in more:
                yield line
                line, used = [(hang + text, piece.style)], len(hang) + cell_len(text)
        yield line

    def wrapped(self, text: str, width: int) -> list[str]:
        """Return a part in pieces that fit, broken at spaces where there are any."""
        found = textwrap.wrap(text, max(width, 20), subsequent_indent="  ", break_on_hyphens=False)
        return [part.replace(UNBROKEN, " ") for part in found or [text]]


def _kept_together(text: str) -> str:
    """Return a result that is not broken if it is short."""
    return text.replace(" ", UNBROKEN) if len(text) <= LONGEST_UNBROKEN else text
