"""The sections of the report, in the order in which they are read."""

from __future__ import annotations

from descentlab.core.yaml import write_yaml
from descentlab.report import definitions as meanings
from descentlab.report import numbers, words
from descentlab.report.answers import Answers, Result
from descentlab.report.markup import Markup, join, tag
from descentlab.report.provenance import seconds_of, sessions_of, terms
from descentlab.report.tables import AnswerTable, answer_table
from descentlab.report.tables_html import answer_html

FULL_RANKING = 24  # rows up to which the ranking is shown whole
FIRST_RANKING = 10  # rows of a longer one that stand open
MOST_YAML = 200_000  # characters


def header(result: Result, found: Answers) -> Markup:
    """Return the title, the question, the study's size, and a warning if it is not finished."""
    missing = words.standing(found)
    return tag(
        "header",
        tag("p", "DescentLab study", class_="eyebrow"),
        tag("h1", result.study.name),
        tag("p", result.study.question, class_="lead") if result.study.question else None,
        tag("ul", *(tag("li", fact) for fact in _facts(result, found)), class_="facts"),
        _warning(missing) if missing else None,
    )


def answer(found: Answers) -> Markup:
    """Return the answer in a paragraph or two."""
    paragraphs = [
        tag("p", *(tag("strong", text) if strong else text for text, strong in sentence))
        for sentence in words.answer(found)
    ]
    heading = tag("h2", "Answer", id="answer")
    return tag("section", heading, *paragraphs, class_="answer", aria_labelledby="answer")


def ranking(found: Answers) -> Markup | None:
    """Return the answer table; a long one stands open only at its head."""
    if not found.metrics:
        return None
    caption = _ranking_caption(found)
    whole = answer_table(found)
    total = numbers.count(len(found.rows))
    if len(found.rows) <= FULL_RANKING:
        parts = [answer_html(whole, found, caption)]
    else:
        first = AnswerTable(whole.factors, whole.metrics, found.rows[:FIRST_RANKING])
        shown = f"All {total}" if not whole.omitted else f"{len(whole.rows)} of {total}"
        head = f"The best {FIRST_RANKING} of {total}. {caption}"
        summary = tag("summary", f"{shown} configurations")
        parts = [
            tag("div", answer_html(first, found, head), class_="head-only"),
            tag("details", summary, answer_html(whole, found, caption)),
        ]
    return tag("section", tag("h2", "Results", id="results"), *parts, aria_labelledby="results")


def definitions(result: Result, found: Answers) -> Markup:
    """Return what every figure means."""
    meaning = meanings.metric_definitions(result, found) + meanings.general_definitions(found)
    heading = tag("h2", "What the figures mean", id="meaning")
    return tag("section", heading, terms([*meaning]), aria_labelledby="meaning")


def study(result: Result) -> Markup:
    """Return the resolved study file."""
    resolved = getattr(result, "resolved", None)
    text = write_yaml(resolved) if resolved else ""
    if len(text) > MOST_YAML:
        text = f"{text[:MOST_YAML]}\n… (the rest is in study.yaml)"
    note = (
        "With every default written out, as study.yaml in the results folder has it; "
        "“descentlab run study.yaml --out NEW” repeats it."
    )
    return tag(
        "section",
        tag("h2", "The study", id="study"),
        tag("p", note),
        tag("details", tag("summary", "study.yaml"), tag("pre", tag("code", text))),
        aria_labelledby="study",
    )


def footer(found: Answers) -> Markup:
    """Return how to get at the numbers."""
    metric = found.primary or "METRIC"
    return tag(
        "footer",
        "Every number as data: ",
        tag("code", "descentlab show DIR --json"),
        ", ",
        tag("code", f"descentlab curves DIR --metric {metric} --csv FILE"),
        ", or the Parquet files in segments/.",
    )


def _ranking_caption(found: Answers) -> str:
    caption = (
        "Figures at the end of training: mean ± half the width of its 95 % interval over seeds."
    )
    if max((row.used for row in found.rows), default=0) == 1:
        caption = (
            "Figures at the end of training. With one seed there is no interval: one run can’t "
            "tell how much runs differ."
        )
    if len(found.rows) > 1:
        caption += " “Minus the best” is the difference from the first row, seed by seed."
        caption += " ≈: not told apart from the best."
    return caption


def _facts(result: Result, found: Answers) -> list[Markup]:
    done = numbers.count(found.done)
    runs = done if found.complete else f"{done} of {numbers.count(found.planned)}"
    facts = [_fact(len(found.rows), "configuration"), _fact(found.seeds, "seed")]
    facts.append(join([tag("b", runs), " runs"]))
    if found.diverged:
        facts.append(join([tag("b", numbers.count(found.diverged)), " diverged"]))
    seconds = seconds_of(result)
    if seconds is not None:
        facts.append(join([tag("b", numbers.duration(seconds)), " of computing"]))
    sessions = sessions_of(result)
    if sessions and sessions[-1].get("started"):
        facts.append(tag("b", str(sessions[-1]["started"])[:10]))
    return facts


def _fact(number: int, noun: str) -> Markup:
    return join([tag("b", numbers.count(number)), f" {noun}{'' if number == 1 else 's'}"])


def _warning(text: str) -> Markup:
    head, mark, rest = text.partition(":")
    return tag("p", tag("strong", head + mark), rest, class_="warning", role="status")
