"""A study's claims as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from descentlab.report.claim_words import finding, notes
from descentlab.report.claims import SYMBOLS
from descentlab.report.console import prose_width

if TYPE_CHECKING:
    from rich.console import Console

    from descentlab.studies.claims.verdicts import Verdict

STYLES = {
    "supported": "bold green",
    "refuted": "bold red",
    "undecided": "bold",
    "identical": "bold",
}
INDENT = 13


def print_claims(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Print each claim with its verdict, what was found, and what one must know beside it."""
    from rich.padding import Padding
    from rich.text import Text

    for verdict in verdicts:
        word = verdict.verdict
        badge = (f"{SYMBOLS[word]} {word}".ljust(INDENT), STYLES[word])
        console.print()
        console.print(Text.assemble(badge, (verdict.claim.name, "bold")))
        width = prose_width(console)
        console.print(Padding(Text(finding(verdict)), (0, 0, 0, INDENT)), width=width)
        for note in notes(verdict):
            console.print(Padding(Text(note, style="dim"), (0, 0, 0, INDENT)), width=width)
