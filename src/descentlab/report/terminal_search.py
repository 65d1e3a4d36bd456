"""A search as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from descentlab.report.answers import Result
from descentlab.report.search import RUNG_HEADS, rung_rows, sentences, trial_heads, trial_row

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from descentlab.studies.search.summary import SearchSummary

MOST_TRIALS = 10


def print_search(console: Console, result: Result) -> None:
    """Print what a search with rungs found; nothing for other studies."""
    found: SearchSummary | None = getattr(result, "search", None)
    if found is None:
        return
    console.print()
    for sentence in sentences(result, found):
        console.print(sentence, width=min(console.width, 100))
    console.print()
    rows = [trial_row(trial, result.factors) for trial in found.trials[:MOST_TRIALS]]
    console.print(_table(trial_heads(result, found.metric), rows))
    if len(found.trials) > MOST_TRIALS:
        console.print(f"The first {MOST_TRIALS} of {len(found.trials)} settings.", style="dim")
    console.print()
    console.print(_table(RUNG_HEADS, rung_rows(found)))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*row)
    return table
