"""An evaluation as one self-contained HTML page."""

from __future__ import annotations

import os
from pathlib import Path

from descentlab.evaluation.comparison import Comparison
from descentlab.evaluation.results import Evaluation
from descentlab.report import numbers
from descentlab.report.document import document
from descentlab.report.evaluation.plots import Pictures
from descentlab.report.evaluation.section import comparison_section, evaluation_section
from descentlab.report.markup import Markup, join, tag

KEY = "e"


def write_evaluation(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    *,
    title: str,
    source: str,
    pictures: Pictures | None = None,
    comparison: Comparison | None = None,
) -> None:
    """Write an evaluation as one HTML file that needs no network and no other file.

    Args:
        evaluation: what one set of predictions says about a classifier.
        path: the file to write; its folder must exist.
        title: the page's heading.
        source: where the predictions come from, such as a file's name.
        pictures: examples to show.
        comparison: with another model on the same examples.

    Raises:
        OSError: the file cannot be written.
    """
    text = evaluation_page(
        evaluation, title=title, source=source, pictures=pictures, comparison=comparison
    )
    Path(path).write_text(text, encoding="utf-8")


def evaluation_page(
    evaluation: Evaluation,
    *,
    title: str,
    source: str,
    pictures: Pictures | None = None,
    comparison: Comparison | None = None,
) -> str:
    """Return an evaluation as one HTML document; see ``write_evaluation``."""
    section = evaluation_section(evaluation, key=KEY, heading="Verdict", pictures=pictures)
    compared = None if comparison is None else comparison_section(comparison, key=KEY)
    return document(title, [_header(evaluation, title, source), compared, section, _footer()])


def _header(evaluation: Evaluation, title: str, source: str) -> Markup:
    facts = [
        _fact(evaluation.examples, "example"),
        _fact(len(evaluation.classes), "class", "classes"),
        join(["scores: ", tag("b", evaluation.scores or "none, predictions alone")]),
    ]
    return tag(
        "header",
        tag("p", "DescentLab evaluation", class_="eyebrow"),
        tag("h1", title),
        tag("p", source, class_="lead") if source else None,
        tag("ul", *(tag("li", fact) for fact in facts), class_="facts"),
    )


def _fact(number: int, one: str, many: str = "") -> Markup:
    return join([tag("b", numbers.count(number)), f" {one if number == 1 else many or one + 's'}"])


def _footer() -> Markup:
    return tag(
        "footer", "Every number as data: ", tag("code", "descentlab evaluate FILE --json"), "."
    )
