"""A search in the report: what was found, what it cost, who was promoted where."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from descentlab.report import numbers
from descentlab.report.answers import Result
from descentlab.report.axes import axis_of
from descentlab.report.curves import Band, bands
from descentlab.report.markup import Markup, tag
from descentlab.report.names import configuration_name, factor_names, metric_name
from descentlab.report.palette import CATEGORIES, variable
from descentlab.report.plots import DASHES, Line, Panel, Plot, draw, heading, legend, wide
from descentlab.report.tables_html import scrolling
from descentlab.report.words import count

if TYPE_CHECKING:
    from descentlab.studies.search.summary import SearchSummary, Trial

MOST_TRIALS = 12
MOST_LINES = 60
KEPT, DROPPED = CATEGORIES[0], CATEGORIES[1]


def search(result: Result) -> Markup | None:
    """Return the section on a search, or None for other studies."""
    found: SearchSummary | None = getattr(result, "search", None)
    if found is None:
        return None
    return tag(
        "section",
        tag("h2", "Search", id="search"),
        *(tag("p", sentence) for sentence in sentences(result, found)),
        *((_trials(result, found), _rungs(found), _figure(result, found)) if found.rungs else ()),
        aria_labelledby="search",
    )


def sentences(result: Result, found: SearchSummary) -> list[str]:
    """Return what a search found and cost, and what one must know, in words."""
    text = []
    if not found.over:
        text.append("The search goes on: run the study again to continue it.")
    text.append(_cost(result, found))
    text += _ended(found)
    best = _best(found)
    if best is not None:
        name = configuration_name(best.configuration.labels, factor_names(result.factors))
        text.append(
            f"Best: {name}, with a {metric_name(found.metric)} of {numbers.value(best.value)} at "
            f"epoch {best.epochs}{_place(best) if found.rungs else ''}."
        )
        if len(found.trials) > 1:
            text.append(
                f"It is the best of {len(found.trials)}, so its figure is likely too good: train "
                "it anew with fresh seeds (descentlab retrain DIR) before you rely on it."
            )
        if found.metric.startswith("test_"):
            text.append(
                "It was chosen on the test set, which cannot judge it any more: give "
                "'run.data.split.validation' to choose on other examples."
            )
    text += [f"{edge}: a wider range may hold a better setting." for edge in found.at_edges]
    if found.regret is not None:
        audited = sum(trial.status == "audited" for trial in found.trials)
        size = f"{numbers.value(abs(found.regret), 3)} {'better' if found.regret > 0 else 'worse'}"
        text.append(
            f"Regret audit: {count(audited, 'eliminated setting')}, drawn at random, went on to "
            f"the end; the best of them is {size} than the best found."
        )
    return text


def _cost(result: Result, found: SearchSummary) -> str:
    """Return how much was trained and compiled, in words."""
    settings = count(len(found.trials), "setting")
    compiled = sum(int(s.get("compilations", 0)) for s in result.provenance.get("sessions", []))
    programs = count(compiled, "compilation")
    if not found.rungs:
        return f"It trains every setting in full: {settings}, {programs}."
    done = f"{numbers.count(round(found.trained))} of the {numbers.count(found.full)} epochs"
    return (
        f"It trained {done} that all {settings} in full would take, with {programs}; "
        "nothing was trained twice."
    )


def _place(trial: Trial) -> str:
    return (
        f" (bracket {trial.bracket + 1}, rung {trial.rung + 1}, from epoch {trial.initial_epoch})"
    )


def _ended(found: SearchSummary) -> list[str]:
    ended = [
        rung
        for rung in found.standings.rungs
        if rung.values and all(math.isnan(value) for value in rung.values.values())
    ]
    return [
        f"Bracket {rung.bracket + 1} ended at rung {rung.number + 1}: every setting diverged."
        for rung in ended
    ]


def _best(found: SearchSummary) -> Trial | None:
    first = found.trials[0] if found.trials else None
    return first if first and first.status == "finished" and math.isfinite(first.value) else None


def trial_row(trial: Trial, factors: Sequence[str]) -> list[str]:
    """Return a trial as the cells of a table."""
    place = trial.bracket + 1, trial.rung + 1, trial.initial_epoch, trial.epochs
    own = [trial.configuration.labels.get(factor, "–") for factor in factors]
    return [*own, numbers.value(trial.value), *map(str, place), trial.status]


def trial_heads(result: Result, metric: str) -> list[str]:
    """Return the headings of that table."""
    names = factor_names(result.factors)
    own = [names[factor] for factor in result.factors]
    return [*own, metric_name(metric), "bracket", "rung", "from epoch", "to epoch", "outcome"]


def _trials(result: Result, found: SearchSummary) -> Markup:
    shown = found.trials[:MOST_TRIALS]
    more = (
        f"; the first {len(shown)} of {len(found.trials)}" if len(found.trials) > len(shown) else ""
    )
    caption = f"Settings that were finished first, then those that came furthest{more}."
    return _table(
        caption,
        trial_heads(result, found.metric),
        [trial_row(trial, result.factors) for trial in shown],
    )


def _rungs(found: SearchSummary) -> Markup:
    rows = rung_rows(found)
    caption = (
        "Rungs. The best of each go on from where they were, with parameters, optimizer state and "
        "data order; equal figures rank by the setting’s id, and one that diverged never goes on."
    )
    return _table(caption, RUNG_HEADS, rows)


RUNG_HEADS = ["bracket", "rung", "epochs", "settings", "diverged", "go on"]


def rung_rows(found: SearchSummary) -> list[list[str]]:
    """Return the rungs as the cells of a table."""
    return [
        [
            str(rung.bracket + 1),
            str(rung.number + 1),
            str(rung.epochs),
            str(len(rung.members)),
            str(sum(math.isnan(value) for value in rung.values.values())),
            "" if rung.last else str(len(rung.survivors)) if rung.values else "…",
        ]
        for rung in found.standings.rungs
    ]


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    head = tag("tr", *(tag("th", text, scope="col") for text in heads))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    element = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", scrolling(element, caption), class_="stacked")


def _figure(result: Result, found: SearchSummary) -> Markup | None:
    """Return the curves of every bracket: those that went on, and those that did not.

    They are means over seeds, by which settings are ranked; bands would hide the lines.
    """
    read = bands(result, found.metric, [t.configuration.id for t in found.trials], epochs=True)
    groups: dict[int, list[Trial]] = {}
    for trial in found.trials:
        if trial.configuration.id in read.bands:
            groups.setdefault(trial.bracket, []).append(trial)
    panels = []
    axis = axis_of(found.metric, read.bands.values())
    for bracket in sorted(groups):
        lines = tuple(
            _line(trial, read.bands[trial.configuration.id])
            for trial in reversed(groups[bracket][:MOST_LINES])
        )
        panels.append(Panel(f"bracket {bracket + 1}: {heading(found.metric, axis)}", lines, axis))
    if not panels:
        return None
    plot = Plot(
        "search",
        tuple(panels),
        "epoch",
        "The settings of each bracket",
        f"{metric_name(found.metric)} by epoch; eliminated settings end at their rung.",
        height=2.4,
        columns=min(3, len(panels)),
    )
    dropped = "eliminated, diverged or audited"
    items = [("finished", variable(KEPT), None), (dropped, variable(DROPPED), DASHES)]
    return tag("figure", legend(items), wide(draw(plot)))


def _line(trial: Trial, band: Band) -> Line:
    kept = trial.status in ("finished", "training")
    mean = dataclasses.replace(band, low=band.low * math.nan, high=band.high * math.nan)
    return Line(trial.configuration.id, KEPT if kept else DROPPED, mean, dashed=not kept)
