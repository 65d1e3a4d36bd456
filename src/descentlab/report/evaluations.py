"""The evaluation of a study's classifiers: a table over seeds, and each configuration in full."""

from __future__ import annotations

import math
from collections.abc import Sequence

from descentlab.evaluation.intervals import Interval
from descentlab.evaluation.results import Estimate
from descentlab.evaluation.seeds import OverSeeds
from descentlab.report import numbers
from descentlab.report.answers import Answers
from descentlab.report.evaluation.plots import Pictures
from descentlab.report.evaluation.section import evaluation_section
from descentlab.report.evaluation.wording import listed, written
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
    "Minus the first row’s figures, paired by seed: the seed is the unit, not the example. "
    "≈: can’t tell. The first row was picked afterwards, as the best of these same runs, so it "
    "looks a little better than it is."
)
TOGETHER = (
    "To allow for {} comparisons at once, each interval is {}: all of a column are right together "
    "with 95 % (Bonferroni)."
)
LEVEL = 0.95


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
    more, lost = len(ranked) - MOST, _lost(found, ranked)
    left = f"The other {numbers.count(more)} configurations: descentlab evaluate on their files."
    return tag(
        "section",
        tag("h2", "Evaluation", id="evaluation"),
        _over_seeds(ranked, names),
        _differences(ranked, names) if len(ranked) > 1 else None,
        tag("p", lost, class_="note") if lost else None,
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


def _lost(found: Answers, ranked: Sequence[ConfigurationEvaluation]) -> str:
    """Say which configurations have no figures because all their runs diverged, or ''."""
    known = {item.configuration.id for item in ranked}
    names = [row.name for row in found.rows if row.diverged and row.id not in known]
    return f"Without figures, because every run diverged: {listed(names)}." if names else ""


def _over_seeds(ranked: Sequence[ConfigurationEvaluation], names: dict[str, str]) -> Markup:
    body = []
    for item in ranked:
        ident = item.configuration.id
        lost = f"({item.diverged} diverged)" if item.diverged else ""
        cells = [
            tag("th", names.get(ident, ident), scope="row"),
            tag(
                "td", numbers.count(len(item.seeds)),
                tag("small", lost, class_="over") if lost else None, data_value=len(item.seeds),
            ),
        ]  # fmt: skip
        cells += [_cell(item.over_seeds[name]) for name in NAMES]
        body.append(tag("tr", *cells))
    return _table("Evaluation over seeds", CAPTION, body)


def _differences(ranked: Sequence[ConfigurationEvaluation], names: dict[str, str]) -> Markup:
    """Return every row minus the first, with intervals that hold together."""
    best, rest = ranked[0], ranked[1:]
    level = 1 - (1 - LEVEL) / len(rest)
    body = []
    for item in rest:
        ident, shared = item.configuration.id, len(set(item.seeds) & set(best.seeds))
        cells = [
            tag("th", names.get(ident, ident), scope="row"),
            tag("td", numbers.count(shared), data_value=shared),
        ]
        cells += [_gap(item.minus(best, name, level), shared) for name in NAMES]
        body.append(tag("tr", *cells))
    together = TOGETHER.format(len(rest), f"{100 * level:.4g} %") if len(rest) > 1 else ""
    return _table("Minus the first row", f"{PAIRED} {together}".strip(), body)


def _table(label: str, caption: str, body: Sequence[Markup]) -> Markup:
    head = [tag("th", "configuration", scope="col", data_sort="text")]
    head.append(tag("th", "seeds", scope="col", data_sort="number"))
    for key, name in NAMES.items():
        better = "lower is better" if key in LOWER else "higher is better"
        head.append(tag("th", name, tag("small", better), scope="col", data_sort="number"))
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_="sortable" if len(body) > 2 else None,
    )
    return scrolling(table, label)


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


def _gap(found: Interval, shared: int) -> Markup:
    """Return a difference; ``shared`` is the number of seeds that the row says it is over."""
    if not found.n or math.isnan(found.mean):
        return tag("td", ABSENT, class_="muted", data_value="")
    told, text = found.excludes(0), written(Estimate(found.mean, found.low, found.high))
    lines = [text.interval, "" if found.n == shared else f"{found.n} seeds"]
    if found.n == 1:
        lines[0] = "one seed can’t tell"
    elif found.half == 0:
        told, lines[0] = False, "the same in every seed"
    below = [tag("small", line, class_="over") for line in lines if line]
    value = text.value if told else f"≈ {text.value}"
    return tag("td", value, *below, data_value=repr(float(found.mean)))
