"""The tables of an evaluation as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from descentlab.evaluation.comparison import Comparison
from descentlab.evaluation.counts import shares
from descentlab.evaluation.results import ClassFigures, Estimate, Evaluation
from descentlab.evaluation.sentences import level_name, plain
from descentlab.report import numbers
from descentlab.report.evaluation import wording
from descentlab.report.evaluation.matrix import MOST_WRITTEN
from descentlab.report.evaluation.rows import class_estimates, figure_rows, shown_differences
from descentlab.report.evaluation.wording import written
from descentlab.report.markup import Markup, tag
from descentlab.report.names import ABSENT
from descentlab.report.tables_html import scrolling

MOST_CONFUSIONS = 50
MOST_ROWS = 1000  # of a table in a page
HEADINGS = {"precision": "Precision", "recall": "Recall", "f1": "F1", "auc": "AUC"}


def figures_table(evaluation: Evaluation) -> Markup:
    """Return the figures of the whole, with their intervals and what the baselines score."""
    rows = figure_rows(evaluation)
    decimals = max((written(row.estimate).decimals for row in rows), default=0)
    body = []
    for row in rows:
        name = [row.name, tag("small", "lower is better", class_="over") if row.lower else None]
        name.append(tag("small", row.over, class_="over") if row.over else None)
        cells = [tag("th", *name, scope="row"), *_estimate_cells(row.estimate, decimals)]
        cells += [tag("td", text, class_=_number(text)) for text in row.baselines]
        body.append(tag("tr", *cells))
    head = [
        tag("th", "Figure", scope="col"),
        _heading("Value"),
        tag("th", wording.interval_name(evaluation), scope="col"),
        _heading("Majority", f"always “{plain(evaluation.majority)}”"),
        _heading("Stratified random", "as often as it occurs"),
    ]
    caption = "The model, and what two baselines that look at no input would score."
    return _table("Figures", caption, head, body)


def class_table(evaluation: Evaluation, classes: Sequence[ClassFigures], caption: str) -> Markup:
    """Return support, precision, recall, F1 and AUC of some classes, with intervals."""
    names = class_estimates(evaluation)
    decimals = {
        name: max((written(getattr(each, name)).decimals for each in classes), default=0)
        for name in names
    }
    body = []
    for each in classes:
        cells = [tag("th", each.name, scope="row", class_=_long(each.name))]
        for number in (each.support, each.predicted):
            cells.append(tag("td", numbers.count(number), class_="number", data_value=number))
        cells += [_estimate_cell(getattr(each, name), decimals[name]) for name in names]
        body.append(tag("tr", *cells))
    head = [
        tag("th", "Class", scope="col", data_sort="text"),
        _heading("Support", "examples", "number"),
        _heading("Predicted", "times", "number"),
        *(
            tag(
                "th",
                HEADINGS[name],
                tag("small", wording.interval_name(evaluation)),
                scope="col",
                data_sort="number",
            )
            for name in names
        ),
    ]
    return _table("Figures by class", caption, head, body, "sortable" if len(body) > 2 else None)


def counts_table(evaluation: Evaluation) -> Markup | None:
    """Return the confusion matrix as a table of counts, or None for many classes."""
    if len(evaluation.classes) > MOST_WRITTEN:
        return None
    size = len(evaluation.classes)
    counts = [[0] * size for _ in range(size)]
    for row, column, count in zip(*evaluation.cells, strict=True):
        counts[row][column] += int(count)
    body = []
    for name, row in zip(evaluation.classes, counts, strict=True):
        cells = [tag("td", numbers.count(count), class_="number") for count in row]
        body.append(tag("tr", tag("th", name, scope="row"), *cells))
    head = [tag("th", "True, then predicted", scope="col")]
    head += [tag("th", name, scope="col", class_="number") for name in evaluation.classes]
    caption = "Number of examples; a row is a true class, a column a predicted one."
    return _table("Confusion matrix", caption, head, body)


def shares_table(evaluation: Evaluation, by: Literal["row", "column"]) -> Markup | None:
    """Return the confusion matrix as shares of rows or columns, or None for many classes."""
    if len(evaluation.classes) > MOST_WRITTEN or evaluation.matrix is None:
        return None
    body = []
    for name, row in zip(evaluation.classes, shares(evaluation.matrix, by), strict=True):
        texts = [ABSENT if math.isnan(share) else wording.percent(share) for share in row]
        cells = [tag("td", text, class_="number") for text in texts]
        body.append(tag("tr", tag("th", name, scope="row"), *cells))
    head = [tag("th", "True, then predicted", scope="col")]
    head += [tag("th", name, scope="col", class_="number") for name in evaluation.classes]
    caption = {
        "row": "Shares of a row: of the examples of a true class. The diagonal is the recall.",
        "column": "Shares of a column: of what was given a class. The diagonal is the precision.",
    }[by]
    return _table(f"Confusion matrix by {by}", caption, head, body)


def confusions_table(evaluation: Evaluation) -> Markup | None:
    """Return the largest confusions as a table, or None where nothing was confused."""
    found = evaluation.confusions(MOST_CONFUSIONS)
    if not found:
        return None
    support = {each.name: each.support for each in evaluation.per_class}
    body = [
        tag(
            "tr",
            tag("th", each.label, scope="row", class_=_long(each.label)),
            tag("td", each.prediction),
            tag("td", numbers.count(each.count), class_="number"),
            tag("td", numbers.count(support[each.label]), class_="number"),
            tag("td", wording.percent(each.share), class_="number"),
        )
        for each in found
    ]
    head = [
        tag("th", "True class", scope="col"),
        tag("th", "Taken for", scope="col"),
        _heading("Examples"),
        _heading("Of"),
        _heading("Share"),
    ]
    rows, columns, _ = evaluation.cells
    total = int((rows != columns).sum())
    caption = f"The {len(found)} largest of {numbers.count(total)} kinds of confusion."
    if len(found) == total:
        caption = "All confusions, the largest first."
    return _table("Confusions", caption, head, body)


def comparison_table(compared: Comparison) -> Markup:
    """Return the figures of two models on the same examples, and their differences."""
    rows, more = shown_differences(compared)
    decimals = max((written(row.estimate).decimals for row in rows), default=0)
    body = []
    for row in rows:
        small = tag("small", "lower is better", class_="over") if row.lower else None
        cells = [tag("th", row.name, small, scope="row")]
        cells += [tag("td", value, class_="number") for value in row.values]
        cells += _estimate_cells(row.estimate, decimals)
        name = wording.better(row.better, compared.names)
        body.append(tag("tr", *cells, tag("td", name, class_=None if row.better else "muted")))
    head = [
        tag("th", "Figure", scope="col"),
        *(_heading(name) for name in compared.names),
        _heading("Difference"),
        _plain(f"{level_name(compared.level)} interval"),
        _plain("Better"),
    ]
    return _table("Comparison", f"{wording.DIFFERENCES} {more}".strip(), head, body)


def targets_table(evaluation: Evaluation) -> Markup:
    """Return which classes reach a recall, and the thresholds that would reach it."""
    targets = evaluation.targets
    if len(targets) > MOST_ROWS:
        targets = wording.pressing(targets, MOST_ROWS)
    precision = {each.name: each.precision for each in evaluation.per_class}
    scored = any(each.threshold is not None for each in targets)
    body = []
    for each in targets:
        answer = "undefined" if each.answer == "undefined" else None
        cells = [
            tag("th", each.name, scope="row", class_=_long(each.name)),
            tag("td", f"≥ {each.target:g}", class_="number"),
            _estimate_cell(each.recall),
            tag("td", wording.reach(each), class_=answer or ("bad" if each.answer == "no" else "")),
        ]
        if scored:
            flagged = ABSENT if each.flagged is None else numbers.count(each.flagged)
            cells += [
                tag("td", wording.threshold(each), class_="number"),
                _estimate_cell(each.reached),
                _estimate_cell(each.precision),
                _estimate_cell(precision[each.name]),
                tag("td", flagged, class_="number"),
            ]
        body.append(tag("tr", *cells))
    head = [tag("th", "Class", scope="col"), _heading("Target")]
    head += [tag("th", "Recall", tag("small", "now"), scope="col"), _plain("Reached")]
    if scored:
        head += [_heading("Threshold", "of its score"), _plain("Recall", "there")]
        head += [_plain("Precision", "there"), _plain("Precision", "now")]
        head.append(_heading("Flagged", "examples"))
    caption = "Does the model reach them, and which threshold would?"
    return _table("Recall targets", caption, head, body)


def _table(
    label: str,
    caption: str,
    head: Sequence[Markup],
    body: Sequence[Markup],
    kind: str | None = None,
) -> Markup:
    element = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_=kind,
    )
    return scrolling(element, label)


def _heading(name: str, small: str = "", sort: str | None = None) -> Markup:
    below = tag("small", small) if small else None
    return tag("th", name, below, scope="col", class_="number", data_sort=sort)


def _plain(name: str, small: str = "") -> Markup:
    return tag("th", name, tag("small", small) if small else None, scope="col")


def _estimate_cells(estimate: Estimate, decimals: int) -> list[Markup]:
    """Return the value and the interval in cells of their own."""
    text = written(estimate)
    if not text.defined:
        return [tag("td", text.value, class_="undefined", colspan=2)]
    value = tag("td", text.value, _pad(decimals - text.decimals), class_="number")
    return [value, tag("td", text.interval or estimate.reason or ABSENT, class_="half")]


def _estimate_cell(estimate: Estimate | None, decimals: int = 0) -> Markup:
    """Return the value and, muted, its interval in one cell."""
    if estimate is None:
        return tag("td", ABSENT, class_="muted")
    text = written(estimate)
    if not text.defined:
        return tag("td", text.value, class_="undefined", data_value="")
    interval = tag("span", text.interval, class_="interval") if text.interval else None
    pad = _pad(decimals - text.decimals)
    known = estimate.value is not None and math.isfinite(estimate.value)
    value = repr(float(estimate.value)) if known and estimate.value is not None else ""
    return tag("td", text.value, pad, interval, data_value=value)


def _pad(digits: int) -> Markup | None:
    """Return the room of the digits that a column's other numbers have more."""
    return tag("span", class_=f"pad{min(6, digits)}") if digits > 0 else None


def _number(text: str) -> str:
    return "number muted" if text == ABSENT else "number"


def _long(name: str) -> str | None:
    return "long" if len(name) > 44 else None
