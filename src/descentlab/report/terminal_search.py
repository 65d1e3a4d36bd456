"""A search as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descentlab.report.answers import Result
from descentlab.report.console import make_table, prose_width
from descentlab.report.search import RUNG_HEADS, rung_rows, sentences, trial_heads, trial_row

if TYPE_CHECKING:
    from rich.console import Console

    from descentlab.studies.search.summary import SearchSummary

MOST_TRIALS = 10


def print_search(console: Console, result: Result) -> None:
    """Print what a search found; nothing for other studies."""
    found: SearchSummary | None = getattr(result, "search", None)
    if found is None:
        return
    console.print()
    for sentence in sentences(result, found):
        console.print(sentence, width=prose_width(console))
    if not found.rungs:
        return
    console.print()
    rows = [trial_row(trial, result.factors) for trial in found.trials[:MOST_TRIALS]]
    console.print(make_table(trial_heads(result, found.metric), rows))
    if len(found.trials) > MOST_TRIALS:
        console.print(f"The first {MOST_TRIALS} of {len(found.trials)} settings.", style="dim")
    console.print()
    console.print(make_table(RUNG_HEADS, rung_rows(found)))
