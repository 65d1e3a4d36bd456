"""An evaluation as a section of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from descentlab.evaluation.comparison import Comparison
from descentlab.evaluation.results import Evaluation
from descentlab.report import numbers
from descentlab.report.evaluation import tables, wording
from descentlab.report.evaluation.plots import (
    Pictures,
    calibration_figure,
    class_figure,
    confusion_figure,
    examples_figure,
    precision_recall_figure,
    roc_figure,
)
from descentlab.report.markup import Markup, join, tag

CLASSES = (
    "Recall: the share of a class’s examples that are found. Precision: the share of its "
    "predictions that are right."
)


@dataclass(frozen=True)
class _Page:
    """What the parts of a section need of the page that they stand in."""

    key: str
    level: int

    def part(self, name: str, heading: str, *content: Any) -> Markup | None:
        """Return a part with its heading, or None where it has no content."""
        if not any(content):
            return None
        ident = f"{self.key}-{name}"
        title = tag(f"h{self.level + 1}", heading, id=ident)
        return tag("section", title, *content, aria_labelledby=ident)


def evaluation_section(
    evaluation: Evaluation,
    *,
    key: str,
    heading_level: int = 2,
    heading: str = "Evaluation",
    pictures: Pictures | None = None,
) -> Markup:
    """Return everything that an evaluation says, as HTML within another page.

    Args:
        evaluation: what one set of predictions says about a classifier.
        key: a prefix for ids, its own within the page; letters, digits and hyphens.
        heading_level: of the section's heading, 2 for ``<h2>``; its parts are one below.
        heading: what the section's heading says.
        pictures: examples to show.
    """
    page = _Page(key, heading_level)
    ident = f"{key}-evaluation"
    parts = [
        _verdict(evaluation),
        _figures(evaluation, page),
        _targets(evaluation, page),
        _classes(evaluation, page),
        _confusions(evaluation, page),
        _curves(evaluation, page),
        page.part("calibration", "Calibration", calibration_figure(evaluation, f"{key}-r")),
        _examples(evaluation, page, pictures),
        _notes(evaluation, page),
    ]
    title = tag(f"h{heading_level}", heading, id=ident)
    return tag("section", title, *parts, aria_labelledby=ident)


def comparison_section(compared: Comparison, *, key: str, heading_level: int = 2) -> Markup:
    """Return what the same examples say about two models, as HTML within another page."""
    ident = f"{key}-comparison"
    sentences = [tag("p", tag("strong", text)) for text in compared.verdict]
    return tag(
        "section",
        tag(f"h{heading_level}", "Comparison", id=ident),
        tag("div", *sentences, tag("p", wording.agreement(compared)), class_="answer verdict"),
        tables.comparison_table(compared),
        aria_labelledby=ident,
    )


def _verdict(evaluation: Evaluation) -> Markup:
    sentences = [
        tag("p", tag("strong", text) if index == 0 else text)
        for index, text in enumerate(evaluation.verdict)
    ]
    return tag("div", *sentences, class_="answer verdict")


def _figures(evaluation: Evaluation, page: _Page) -> Markup | None:
    notes = [tag("p", _capital(text), class_="note") for text in wording.means(evaluation)]
    return page.part("figures", "Figures", tables.figures_table(evaluation), *notes)


def _classes(evaluation: Evaluation, page: _Page) -> Markup | None:
    classes = evaluation.per_class
    figure = class_figure(evaluation, f"{page.key}-b")
    if len(classes) <= wording.MOST_CLASSES:
        table = [tables.class_table(evaluation, classes, CLASSES)]
    else:
        shown = wording.worst(classes, wording.WORST_CLASSES)
        total = numbers.count(len(classes))
        head = f"The {len(shown)} of {total} classes with the lowest recall. {CLASSES}"
        table = [
            tag("div", tables.class_table(evaluation, shown, head), class_="head-only"),
            _more(_most(len(classes)).capitalize(), _all_classes(evaluation)),
        ]
    return page.part("classes", "By class", *table, figure)


def _all_classes(evaluation: Evaluation) -> Markup:
    classes, caption = evaluation.per_class, CLASSES
    if len(classes) > tables.MOST_ROWS:
        classes = wording.worst(classes, tables.MOST_ROWS)
        caption = f"Those with the lowest recall; the others are in --json. {CLASSES}"
    return tables.class_table(evaluation, classes, caption)


def _most(total: int) -> str:
    """Return 'all 100 classes', or how many of very many a table shows."""
    if total <= tables.MOST_ROWS:
        return f"all {numbers.count(total)} classes"
    return f"{numbers.count(tables.MOST_ROWS)} of {numbers.count(total)} classes"


def _confusions(evaluation: Evaluation, page: _Page) -> Markup | None:
    sentences = wording.confusions(evaluation)
    found = tag("ul", *(tag("li", text) for text in sentences), class_="confusions")
    told = found if sentences else tag("p", wording.no_confusions(evaluation))
    counts = [
        tables.counts_table(evaluation),
        tables.shares_table(evaluation, "row"),
        tables.shares_table(evaluation, "column"),
    ]
    confusions = tables.confusions_table(evaluation)
    details = [
        _more("The matrix as tables: counts, by row, by column", join(counts))
        if any(counts)
        else None,
        _more("The confusions as a table", confusions) if confusions else None,
    ]
    figure = confusion_figure(evaluation, f"{page.key}-m")
    return page.part("confusions", "What is taken for what", told, figure, *details)


def _curves(evaluation: Evaluation, page: _Page) -> Markup | None:
    if evaluation.scores is None and not evaluation.roc:
        return page.part("curves", "ROC and precision–recall", tag("p", wording.NO_SCORES))
    figures = [
        roc_figure(evaluation, f"{page.key}-o"),
        precision_recall_figure(evaluation, f"{page.key}-p"),
    ]
    return page.part("curves", "ROC and precision–recall", tag("div", *figures, class_="curves"))


def _targets(evaluation: Evaluation, page: _Page) -> Markup | None:
    targets = evaluation.targets
    if not targets:
        return None
    note = tag("p", wording.targets_note(targets), class_="note")
    if len(targets) <= wording.MOST_CLASSES:
        return page.part("targets", "Recall targets", tables.targets_table(evaluation), note)
    details = _more(f"Recall targets of {_most(len(targets))}", tables.targets_table(evaluation))
    return page.part("targets", "Recall targets", tag("p", _tally(evaluation)), details, note)


def _tally(evaluation: Evaluation) -> str:
    answers = [each.answer for each in evaluation.targets]
    parts = [
        f"{wording.ANSWERS[answer]}: {answers.count(answer):,}"
        for answer in wording.ANSWERS
        if answer in answers
    ]
    return f"Is the target reached? {'; '.join(parts)}."


def _examples(evaluation: Evaluation, page: _Page, pictures: Pictures | None) -> Markup | None:
    if pictures is None:
        return None
    figure = examples_figure(
        pictures.images,
        pictures.labels,
        pictures.predictions,
        evaluation.classes,
        pictures.confidence,
    )
    return page.part("examples", "Examples", figure)


def _notes(evaluation: Evaluation, page: _Page) -> Markup | None:
    parts = [_list(evaluation.notes)] if evaluation.notes else []
    methods = wording.methods(evaluation)
    if methods:
        parts.append(_more("How the intervals were made", _list(methods)))
    return page.part("notes", "Notes", *parts)


def _list(texts: Sequence[str]) -> Markup:
    return tag("ul", *(tag("li", _capital(text)) for text in texts), class_="notes")


def _more(name: str, content: Any) -> Markup:
    return tag("details", tag("summary", name), content)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
