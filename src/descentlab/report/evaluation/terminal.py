"""An evaluation as text, for ``descentlab evaluate FILE``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from descentlab.evaluation.comparison import Comparison
from descentlab.evaluation.results import Estimate, Evaluation, RecallTarget
from descentlab.evaluation.sentences import level_name, named
from descentlab.report import numbers
from descentlab.report.console import fits, make_table, prose_width, standard_output
from descentlab.report.evaluation import wording
from descentlab.report.evaluation.rows import (
    class_estimates,
    figure_rows,
    left_out,
    shown_classes,
    shown_differences,
)
from descentlab.report.evaluation.wording import written
from descentlab.report.names import ABSENT

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LONGEST_NAME = 28
WIDER = "{}: in a wider window and in --json."

Column = tuple[str, str, Sequence[Any]]  # heading, side, cells


def show_evaluation(evaluation: Evaluation, console: Console | None = None) -> None:
    """Print an evaluation: the verdict, the figures, the classes, the confusions, the notes.

    Args:
        evaluation: what one set of predictions says about a classifier.
        console: where to print; standard output by default.
    """
    console = console or standard_output()
    _verdict(console, evaluation)
    _figures(console, evaluation)
    _classes(console, evaluation)
    _confusions(console, evaluation)
    _targets(console, evaluation)
    _notes(console, evaluation)


def show_comparison(compared: Comparison, console: Console | None = None) -> None:
    """Print what the same examples say about two models.

    Args:
        compared: the comparison.
        console: where to print; standard output by default.
    """
    console = console or standard_output()
    _head(console, "Comparison")
    for sentence in compared.verdict:
        _say(console, sentence)
    _say(console, wording.agreement(compared), "dim")
    rows, more = shown_differences(compared)
    values, intervals = _aligned([row.estimate for row in rows])
    intervals = [
        interval or (row.estimate.reason if row.estimate.defined else "")
        for interval, row in zip(intervals, rows, strict=True)
    ]
    columns: list[Column] = [
        ("figure", "left", [f"{row.name} ↓" if row.lower else row.name for row in rows]),
        (_short(compared.names[0]), "right", [row.values[0] for row in rows]),
        (_short(compared.names[1]), "right", [row.values[1] for row in rows]),
        ("difference", "left", values),
        (f"{level_name(compared.level)} interval", "left", intervals),
        ("better", "left", [wording.better(row.better, compared.names) for row in rows]),
    ]
    console.print()
    console.print(_table(columns))
    _say(console, f"{wording.DIFFERENCES} {more}".strip(), "dim")


def _verdict(console: Console, evaluation: Evaluation) -> None:
    for index, sentence in enumerate(evaluation.verdict):
        _say(console, sentence, "bold" if index == 0 else "")
    size = f"{numbers.count(evaluation.examples)} examples, {len(evaluation.classes):,} classes"
    kind = f", scores: {evaluation.scores}" if evaluation.scores else ", no scores"
    _say(console, size + kind, "dim")


def _figures(console: Console, evaluation: Evaluation) -> None:
    rows = figure_rows(evaluation)
    values, intervals = _aligned([row.estimate for row in rows])
    names = [f"{row.name} ↓" if row.lower else row.name for row in rows]
    majority, stratified = zip(*(row.baselines for row in rows), strict=True) if rows else ((), ())
    columns: list[Column] = [
        ("figure", "left", names),
        ("value", "left", values),
        (wording.interval_name(evaluation), "left", intervals),
        ("majority", "right", majority),
        ("stratified", "right", stratified),
    ]
    console.print()
    console.print(_table(columns))
    legend = f"Majority: always answering {named(evaluation.majority)}. Stratified: guessing "
    legend += "each class as often as it occurs."
    if any(row.lower for row in rows):
        legend += " ↓: lower is better."
    _say(console, legend, "dim")
    for sentence in wording.means(evaluation):
        _say(console, f"{sentence[:1].upper()}{sentence[1:]}", "yellow")


def _classes(console: Console, evaluation: Evaluation) -> None:
    classes = shown_classes(evaluation)
    columns: list[Column] = [
        ("class", "left", [_short(each.name) for each in classes]),
        ("support", "right", [numbers.count(each.support) for each in classes]),
    ]
    for name in class_estimates(evaluation):
        values, intervals = _aligned([getattr(each, name) for each in classes])
        cells = [
            f"{value} ({interval})" if interval else value
            for value, interval in zip(values, intervals, strict=True)
        ]
        columns.append((HEADINGS[name], "left", cells))
    console.print()
    dropped = _print_fitting(console, columns, least=4)
    texts = [f"Intervals in parentheses: {level_name(evaluation.level)}.", left_out(evaluation)]
    if dropped:
        texts.append(WIDER.format(wording.listed(dropped)))
    _say(console, " ".join(filter(None, texts)), "dim")


HEADINGS = {"precision": "precision", "recall": "recall", "f1": "F1", "auc": "AUC"}


def _confusions(console: Console, evaluation: Evaluation) -> None:
    found = wording.confusions(evaluation)
    _head(console, "Largest confusions" if found else "Confusions")
    for sentence in found:
        _say(console, f"  {sentence}")
    if not found:
        _say(console, f"  {wording.no_confusions(evaluation)}")


def _targets(console: Console, evaluation: Evaluation) -> None:
    if not evaluation.targets:
        return
    shown = evaluation.targets
    if len(shown) > wording.MOST_CLASSES:
        shown = wording.pressing(shown, wording.WORST_CLASSES)
    _head(console, "Recall targets")
    dropped = _print_fitting(console, _target_columns(evaluation, shown), least=4)
    hidden = len(evaluation.targets) - len(shown)
    more = [f"{hidden:,} more targets are in --json."] if hidden else []
    if dropped:
        more.append(WIDER.format(wording.listed(dropped)))
    _say(console, " ".join([wording.targets_note(evaluation.targets), *more]), "dim")


def _target_columns(evaluation: Evaluation, shown: Sequence[RecallTarget]) -> list[Column]:
    precision = {each.name: each.precision for each in evaluation.per_class}
    columns: list[Column] = [
        ("class", "left", [_short(each.name) for each in shown]),
        ("target", "right", [f"≥ {each.target:g}" for each in shown]),
        ("recall", "left", [str(written(each.recall)) for each in shown]),
        ("reached", "left", [wording.reach(each) for each in shown]),
    ]
    if any(each.threshold is not None for each in shown):
        columns += [
            ("threshold", "left", [wording.threshold(each) for each in shown]),
            ("recall there", "left", [_optional(each.reached) for each in shown]),
            ("precision there", "left", [_optional(each.precision) for each in shown]),
            ("precision now", "left", [written(precision[each.name]).value for each in shown]),
            ("flagged", "right", [_count(each.flagged) for each in shown]),
        ]
    return columns


def _optional(estimate: Estimate | None) -> str:
    return ABSENT if estimate is None else str(written(estimate))


def _count(number: int | None) -> str:
    return ABSENT if number is None else numbers.count(number)


def _notes(console: Console, evaluation: Evaluation) -> None:
    notes = [*evaluation.notes, *([] if evaluation.scores else [wording.NO_SCORES])]
    if notes:
        _head(console, "Notes")
    for note in notes:
        _say(console, f"• {note}")


def _head(console: Console, text: str) -> None:
    console.print()
    _say(console, text, "bold")


def _say(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(_printable(text), style=style), width=prose_width(console))


def _aligned(estimates: Iterable[Estimate]) -> tuple[list[str], list[str]]:
    """Return values with their decimal points in one column, and intervals."""
    texts = [written(each) for each in estimates]
    plain = [text for text in texts if text.defined]
    left = max((len(text.value.partition(".")[0]) for text in plain), default=0)
    right = max((text.decimals for text in plain), default=0)
    values = []
    for text in texts:
        if text.defined:
            whole, point, rest = text.value.partition(".")
            fraction = (point + rest).ljust(right + 1 if right else 0)
            values.append(whole.rjust(left) + fraction)
        else:
            values.append(text.value)
    return values, [text.interval for text in texts]


def _print_fitting(console: Console, columns: list[Column], least: int) -> list[str]:
    """Print a table without the last columns that do not fit, and return their headings."""
    shown = list(columns)
    while len(shown) > least and not fits(console, _table(shown)):
        shown.pop()
    console.print(_table(shown))
    return [heading for heading, *_ in columns[len(shown) :]]


def _table(columns: Sequence[Column]) -> Table:
    from rich.text import Text

    texts = [
        [Text(_printable(cell), style=_style(cell)) for cell in cells] for *_, cells in columns
    ]
    return make_table([(name, side) for name, side, _ in columns], zip(*texts, strict=True))


def _printable(text: str) -> str:
    """Return a text without the control characters by which a name could steer the terminal."""
    return "".join("�" if unicodedata.category(c) == "Cc" else c for c in text)


def _style(cell: str) -> str:
    if cell.startswith("undefined"):
        return "yellow"
    return "dim" if cell == ABSENT else ""


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
