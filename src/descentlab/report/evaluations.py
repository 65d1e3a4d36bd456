"""The evaluation of a study's classifiers: a table over seeds, and each configuration in full."""

from __future__ import annotations

import math
from collections.abc import Sequence

from descentlab.evaluation.results import Estimate
from descentlab.evaluation.seeds import OverSeeds, paired_arms
from descentlab.report import numbers
from descentlab.report.answers import Answers
from descentlab.report.evaluation.plots import Pictures
from descentlab.report.evaluation.section import evaluation_section
from descentlab.report.evaluation.wording import written
from descentlab.report.markup import Markup, tag
from descentlab.report.names import ABSENT
from descentlab.report.tables_html import scrolling
from descentlab.studies.evaluations import ConfigurationEvaluation

MOST = 40
"""Configurations of which everything is shown; of more the best."""

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "auc_macro": "macro AUC",
    "log_loss": "log loss",
}
LOWER = frozenset({"log_loss"})
CAPTION = (
    "The test predictions that the study kept: mean over seeds with its 95 % t interval; below "
    "it the standard deviation between seeds, and the standard error that the size of the test "
    "set leaves in each run. More seeds lower neither of the two."
)
PAIRED = (
    "Accuracy minus that of the first row, paired by seed: the seed is the unit, not the example."
)


def evaluations(found: Answers, items: Sequence[ConfigurationEvaluation]) -> Markup | None:
    """Return the section with the evaluations of a study's configurations, best first.

    Args:
        found: the study's answers, for names and order.
        items: what :func:`descentlab.studies.evaluations.evaluations` found.
    """
    if not items:
        return None
    names = {row.id: row.name for row in found.rows}
    order = {row.id: rank for rank, row in enumerate(found.rows)}
    ranked = sorted(items, key=lambda item: order.get(item.configuration.id, len(order)))
    parts = [_one(item, names, first=index == 0) for index, item in enumerate(ranked[:MOST])]
    more = len(ranked) - MOST
    left = f"The other {numbers.count(more)} configurations: descentlab evaluate on their files."
    return tag(
        "section",
        tag("h2", "Evaluation", id="evaluation"),
        _over_seeds(ranked, names),
        *parts,
        tag("p", left, class_="note") if more > 0 else None,
        aria_labelledby="evaluation",
    )


def _one(item: ConfigurationEvaluation, names: dict[str, str], *, first: bool) -> Markup:
    """Return one configuration's typical run in full, folded away but for the first."""
    ident, run = item.configuration.id, item.typical
    name = names.get(ident, ident)
    seeds = len(item.seeds)
    which = (
        f"The run with seed {item.seeds[run]}, of {seeds} the one whose accuracy is nearest to "
        "their mean. Intervals are over test examples."
        if seeds > 1
        else f"Seed {item.seeds[run]}, the only one. Intervals are over test examples; how much "
        "trainings differ one run can’t tell."
    )
    pictures = None
    if item.images is not None:
        labels, answers, confidence = item.answers
        pictures = Pictures(item.images, labels, answers, confidence)
    section = evaluation_section(
        item.runs[run], key=f"ev-{ident}", heading_level=3, heading="Verdict", pictures=pictures
    )
    return tag(
        "details", tag("summary", name), tag("p", which, class_="note"), section,
        class_="configuration", open=first,
    )  # fmt: skip


def _over_seeds(ranked: Sequence[ConfigurationEvaluation], names: dict[str, str]) -> Markup:
    best = ranked[0]
    body = []
    for item in ranked:
        ident = item.configuration.id
        cells = [tag("th", names.get(ident, ident), scope="row")]
        cells += [_cell(item.over_seeds[name]) for name in NAMES]
        cells.append(_gap(item, best))
        body.append(tag("tr", *cells))
    head = [tag("th", "configuration", scope="col", data_sort="text")]
    for key, name in NAMES.items():
        better = "lower is better" if key in LOWER else "higher is better"
        head.append(tag("th", name, tag("small", better), scope="col", data_sort="number"))
    head.append(tag("th", "minus the first", tag("small", "accuracy, by seed"), scope="col"))
    table = tag(
        "table",
        tag("caption", f"{CAPTION} {PAIRED}" if len(ranked) > 1 else CAPTION),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_="sortable" if len(ranked) > 2 else None,
    )
    return scrolling(table, "Evaluation over seeds")


def _cell(figure: OverSeeds) -> Markup:
    interval = figure.interval
    if math.isnan(interval.mean):
        return tag("td", "undefined", class_="undefined", data_value="")
    text = written(Estimate(interval.mean, interval.low, interval.high))
    lines = [
        text.interval,
        f"seeds {_plain(figure.spread)}",
        f"test set {_plain(figure.test_error)}",
    ]
    below = [tag("small", line, class_="over") for line in lines if line]
    return tag("td", text.value, *below, data_value=repr(float(interval.mean)))


def _plain(value: float | None) -> str:
    return ABSENT if value is None else numbers.value(value, 2)


def _gap(item: ConfigurationEvaluation, best: ConfigurationEvaluation) -> Markup:
    mine, theirs = item.by_seed("accuracy"), best.by_seed("accuracy")
    shared = sorted(set(mine) & set(theirs))
    if item is best or not shared:
        return tag("td", ABSENT, class_="muted")
    found = paired_arms([mine[s] for s in shared], [theirs[s] for s in shared])
    text = written(Estimate(found.mean, found.low, found.high))
    below = tag("small", text.interval, class_="over") if text.interval else None
    return tag("td", text.value if found.excludes(0) else f"≈ {text.value}", below)
