"""Text for the terminal: JSON, lists, progress."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descentlab.core.errors import StoreError
from descentlab.core.plain import plain
from descentlab.report.console import make_table, prose_width, standard_output

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from descentlab.studies.claims.planner import Needed
    from descentlab.studies.leaks import Leaks
    from descentlab.studies.result import StudyResult

LATE = 2.0  # seconds after which one wants to see that something is going on
SHOWN = 10
PIPED_WIDTH = 140  # columns where standard output is no terminal


def say(text: str) -> None:
    """Print a remark to standard error, so that standard output holds the answer alone."""
    print(text, file=sys.stderr)


def print_json(value: Any) -> None:
    """Print JSON in which NaN and infinities are null."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table without lines."""
    standard_output(PIPED_WIDTH).print(make_table(heads, rows, box=None))


def print_names(names: dict[str, dict[str, str]], as_json: bool) -> None:
    """Print what study files can name, by kind of thing, each with a sentence."""
    if as_json:
        print_json(names)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for what, entries in names.items():
        table = Table(
            title=what, title_justify="left", title_style="bold", box=None, show_header=False
        )
        table.add_column(no_wrap=True, style="cyan")
        table.add_column()
        for name, text in entries.items():
            table.add_row(name, text)
        console.print(table)
        console.print()


def print_data_sets(entries: list[dict[str, Any]], as_json: bool) -> None:
    """Print the data sets: what each is, and where it lies or how to get it."""
    if as_json:
        print_json(entries)
        return
    from rich.console import Console

    rows = [
        [str(entry["name"]), str(entry["what"]), str(entry.get("where") or entry.get("how", ""))]
        for entry in entries
    ]
    table = make_table(["name", "what", "where"], rows, box=None, pad_edge=True)
    for column in table.columns:
        column.overflow = "fold"
    Console(highlight=False).print(table)


@contextlib.contextmanager
def download_progress(name: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a progress bar on standard error while files are fetched, if any are."""
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    tasks: dict[str, Any] = {}

    def update(file: str, done: int, total: int | None) -> None:
        if file not in tasks:
            tasks[file] = bar.add_task(f"{name}: {file}", total=total)
        bar.update(tasks[file], completed=done, total=total)
        bar.start()

    with _stopped(bar):
        yield update


@contextlib.contextmanager
def late_progress(what: str) -> Iterator[Callable[[float], None]]:
    """Show a progress bar on standard error for work that turns out to take over two seconds."""
    with late_bar(what) as update:
        yield lambda share: update(completed=share)


@contextlib.contextmanager
def late_bar(what: str, *columns: ProgressColumn) -> Iterator[Callable[..., None]]:
    """Show these columns on standard error, once the work has taken over two seconds."""
    from rich.console import Console
    from rich.progress import Progress

    began = time.monotonic()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=1.0)

    def update(**changes: Any) -> None:
        bar.update(task, **changes)
        if not bar.live.is_started and time.monotonic() - began > LATE:
            bar.start()

    with _stopped(bar):
        yield update


@contextlib.contextmanager
def _stopped(bar: Progress) -> Iterator[None]:
    """Stop a progress bar at the end if it was started; else it would leave an empty line."""
    try:
        yield
    finally:
        if bar.live.is_started:
            bar.stop()


def print_unfinished(result: StudyResult) -> None:
    """Say that no run of a study is finished, and how to go on with it."""
    folder = shlex.quote(str(result.folder))
    study = shlex.quote(result.folder.at("study.yaml")) if result.folder.local else "STUDY"
    print(f"{result.study.name}: 0 of {result.planned:,} planned runs are finished yet")
    from descentlab.studies.claims.moment import SEQUENTIAL

    looks = result.provenance.get(SEQUENTIAL)  # seeds are added up to a number that must stay
    more = f" --until-decided --max-seeds {looks['most']}" if looks else ""
    print(f"To go on with it: descentlab run {study} --out {folder}{more}")


def print_leaks(found: Leaks, as_json: bool) -> None:
    """Print what leaks from train into test: sentences, counts, the worst cases."""
    if as_json:
        print_json(found.summary())
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False)  # ids may hold brackets
    width = prose_width(console)
    console.print(f"{found.name}: {found.n_train:,} training and {found.n_test:,} test examples")
    console.print(found.split, style="dim", width=width)
    console.print()
    for sentence in found.sentences():
        console.print(sentence, width=width)
    for title, heads, rows in found.tables(SHOWN):
        console.print(f"\n{title}" if title else "", style="bold")
        console.print(make_table([heads[0], *((head, "right") for head in heads[1:])], rows))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write a file of the user's into a clear message."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from None


def writable(path: Path) -> None:
    """Find out, before the work, whether a file can be written; leave everything as it is.

    Raises:
        OSError: it cannot.
    """
    if path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
    else:
        with tempfile.TemporaryFile(dir=path.parent):
            pass


def print_needed(found: Sequence[Needed], as_json: bool) -> None:
    """Print what each claim needs to be decided."""
    if as_json:
        print_json({"claims": [each.to_json() for each in found]})
        return
    from descentlab.report.numbers import duration, value

    rows = []
    for each in found:
        rows.append([
            each.verdict.claim.name, each.verdict.verdict, value(each.spread), value(each.distance),
            str(each.verdict.seeds), "–" if each.seeds is None else str(each.seeds),
            "–" if each.seconds is None else duration(each.seconds), each.reason,
        ])  # fmt: skip
    heads = ["claim", "verdict", "spread", "to find", "seeds so far", "needed", "time"]
    reasons = any(each.reason for each in found)
    print_table([*heads, ""] if reasons else heads, [r if reasons else r[:-1] for r in rows])
    print(
        "'needed' counts all seeds. A finished folder takes no more, so run them in a new one "
        "(--seeds N --out DIR); one begun with --until-decided goes on, and the time is that of "
        "the seeds it lacks."
    )
