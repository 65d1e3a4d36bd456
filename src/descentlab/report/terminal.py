"""A study's results as text, for ``descentlab show DIR`` and for the end of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers, words
from descentlab.report.answers import Answers, Result, Row, answers
from descentlab.report.console import fits, make_table, prose_width, standard_output
from descentlab.report.names import ABSENT, metric_name
from descentlab.report.tables import AnswerTable, Cell, Pivot, answer_table, pivots
from descentlab.report.terminal_claims import print_claims
from descentlab.report.terminal_search import print_search

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_ROWS = 24
FEWER_ROWS = 12  # shown of a longer ranking
MOST_TABLES = 12


def show(result: Result, console: Console | None = None) -> None:
    """Print a study's question, answer, ranking and tables.

    Args:
        result: a study's result, finished or not.
        console: where to print; standard output by default.
    """
    console = console or standard_output()
    found = answers(result)
    _print_head(console, result, found)
    _print_answer(console, found)
    print_claims(console, result.claims())
    print_search(console, result)
    if found.metrics:
        console.print()
        _print_ranking(console, found)
        _print_pivots(console, found, result.study.report)
        console.print(f"\n{_legend(found)}", style="dim", width=prose_width(console))


def summarise(result: Result, console: Console | None = None) -> None:
    """Print the answer and the head of the ranking, as a run does at its end."""
    console = console or standard_output()
    found = answers(result)
    _print_head(console, result, found, question=False)
    _print_answer(console, found)
    print_claims(console, result.claims())
    print_search(console, result)
    if found.metrics:
        console.print()
        _print_ranking(console, found)


def _print_head(console: Console, result: Result, found: Answers, *, question: bool = True) -> None:
    from rich.text import Text

    shape = (
        f"{words.count(len(found.rows), 'configuration')} × {words.count(found.seeds, 'seed')}, "
    )
    shape += words.count(found.done, "run")
    if found.diverged:
        shape += f", {found.diverged:,} diverged"
    console.print(Text.assemble((result.study.name, "bold"), "  ", (shape, "dim")))
    if question and result.study.question:
        console.print(Text(result.study.question, style="italic"), width=prose_width(console))
    missing = words.standing(found)
    if missing:
        console.print(Text(missing, style="bold yellow"), width=prose_width(console))
    console.print()


def _print_answer(console: Console, found: Answers) -> None:
    for sentence in words.answer(found):
        console.print(_text(sentence), width=prose_width(console))


def _print_ranking(console: Console, found: Answers) -> None:
    most = MOST_ROWS if len(found.rows) <= MOST_ROWS else FEWER_ROWS
    whole = answer_table(found)
    table = AnswerTable(whole.factors, whole.metrics, whole.head[:most])
    drawn = _ranking(table, found)
    dropped = 0
    while len(table.metrics) > 1 and not fits(console, drawn):
        dropped += 1
        table = AnswerTable(table.factors, table.metrics[:-1], table.head)
        drawn = _ranking(table, found)
    console.print(drawn)
    if len(found.rows) > most:
        console.print(f"The best {most} of {len(found.rows):,} configurations.", style="dim")
    if dropped:
        console.print(
            f"{dropped} more metrics are in a wider window, in the report and in --json.",
            style="dim",
        )


def _ranking(table: AnswerTable, found: Answers) -> Table:
    from rich.text import Text

    columns: list[tuple[str, str, list[Any]]] = [
        ("#", "right", [str(i + 1) for i in range(len(table.head))])
    ]
    for factor in table.factors:
        columns.append(
            (found.factors[factor], "left", [row.labels.get(factor, ABSENT) for row in table.head])
        )
    if not table.factors:
        columns.append(("run", "left", [row.name for row in table.head]))
    for index, metric in enumerate(table.metrics):
        columns.append((metric_name(metric), "left", _figures(table.head, metric)))
        if index == 0 and len(found.rows) > 1:
            columns.append(("minus the best", "left", _gaps(table.head)))
        if index == 0:
            columns.append(("seeds", "right", [str(row.used) for row in table.head]))
        if index == 0 and found.diverged:
            texts = [f"{row.diverged} of {row.done}" if row.diverged else "0" for row in table.head]
            cells = [Text(text, style="yellow" if text != "0" else "dim") for text in texts]
            columns.append(("diverged", "right", cells))
    styles = ["bold" if row is found.best else "" for row in table.head]
    rows = zip(*(cells for *_, cells in columns), strict=True)
    return make_table([(name, side) for name, side, _ in columns], rows, styles)


def _figures(rows: Sequence[Row], metric: str) -> list[str]:
    return _aligned([row.metrics.get(metric) if row.used else None for row in rows])


def _gaps(rows: Sequence[Row]) -> list[str]:
    texts = _aligned([row.gap for row in rows])
    marked = []
    for row, text in zip(rows, texts, strict=True):
        if row.gap is None:
            marked.append("" if row.used else f"  {ABSENT}")
        elif row.same:
            marked.append("  the same")
        else:
            marked.append(("  " if row.gap.excludes(0) else "≈ ") + text)
    return marked


def _aligned(intervals: Sequence[Interval | None]) -> list[str]:
    """Write figures with their decimal points in one column."""
    found = [
        numbers.estimate(i.mean, i.half) if i is not None and math.isfinite(i.mean) else None
        for i in intervals
    ]
    left = max((len(e.mean.partition(".")[0]) for e in found if e and not e.power), default=0)
    width = max((e.decimals for e in found if e), default=0)
    texts = []
    for e in found:
        if e is None or e.power:
            texts.append(ABSENT if e is None else str(e))
            continue
        whole, point, rest = e.mean.partition(".")
        mean = whole.rjust(left) + point + rest.ljust(width + (0 if point or not width else 1))
        texts.append(f"{mean} ± {e.half}" if e.half else mean)
    return texts


def _print_pivots(console: Console, found: Answers, spec: Any) -> None:
    tables = pivots(found, spec)
    for pivot in tables.tables[:MOST_TABLES]:
        console.print()
        title = f"Final {metric_name(pivot.metric)}" + (f", {pivot.title}" if pivot.title else "")
        console.print(title, style="bold")
        console.print(_pivot(pivot, found))
        if pivot.left_out:
            console.print(pivot.left_out, style="dim")
    more = len(tables.tables) - MOST_TABLES
    if more > 0:
        console.print(f"{more} more tables are in the report.", style="dim")


def _pivot(pivot: Pivot, found: Answers) -> Table:
    down = found.factors.get(pivot.row_factor, pivot.row_factor)
    across = found.factors.get(pivot.column_factor, "")
    heads = [
        metric_name(pivot.metric) if label in ("", ABSENT) else f"{across} {label}"
        for label in pivot.column_labels
    ]
    texts = [_cells(column) for column in zip(*pivot.cells, strict=True)]
    return make_table([down, *heads], zip(pivot.row_labels, *texts, strict=True))


def _cells(column: Sequence[Cell]) -> list[Any]:
    from rich.text import Text

    figures = _aligned([None if cell.diverged else cell.interval for cell in column])
    found = []
    for cell, figure in zip(column, figures, strict=True):
        if cell.row is None or not cell.row.done or cell.diverged:
            found.append(Text(str(cell), style="yellow" if cell.diverged else "dim"))
        else:
            best = cell.best_here
            found.append(Text(figure + " ◂" if best else figure, style="bold" if best else ""))
    return found


def _legend(found: Answers) -> str:
    if max((row.used for row in found.rows), default=0) < 2:
        return "One seed: no intervals, because one run can’t tell how much runs differ."
    text = "± is half the width of the 95 % t interval of the mean over seeds."
    if len(found.rows) > 1:
        text += " “Minus the best” is paired by seed; ≈: not told apart from the best."
        text += " ◂: best of its table."
    return text


def _text(sentence: words.Sentence) -> Any:
    from rich.text import Text

    return Text.assemble(*((piece.text, "bold" if piece.strong else "") for piece in sentence))
