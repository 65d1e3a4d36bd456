"""The command ``evaluate``: a prediction file in, figures with intervals out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from descentlab.cli.text import late_bar, print_json, say, writable, writing
from descentlab.core.errors import StoreError


def evaluate(
    file: str, *, json: bool, html: Path | None, recall: float | None, against: str | None
) -> None:
    """Evaluate a file and print the result; write a page if asked to."""
    from descentlab.evaluation.files import evaluate_file

    if html is not None and any(
        given is not None and Path(given).resolve() == html.resolve() for given in (file, against)
    ):
        raise StoreError(f"cannot write {html}: it holds the predictions; name another file")
    if html is not None:
        with writing(html):
            writable(html)
    with _progress() as progress:
        found, compared = evaluate_file(
            file, against=against, recall_at_least=recall, progress=progress
        )
    if html is not None:
        from descentlab.report.evaluation.page import write_evaluation

        with writing(html):
            write_evaluation(found, html, title=Path(file).name, source=file, comparison=compared)
    if json:
        print_json(found.to_json() | ({"comparison": compared.to_json()} if compared else {}))
    else:
        from descentlab.report.evaluation.terminal import show_comparison, show_evaluation

        show_evaluation(found)
        if compared is not None:
            show_comparison(compared)
    if html is not None:
        say(f"{html}: written")


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Show on standard error how many examples have been read, once that takes long."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with late_bar("reading", *columns) as update:
        yield lambda done: update(description=f"{done:,} examples read")
