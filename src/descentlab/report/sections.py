"""The sections of the report, in the order in which they are read."""

from __future__ import annotations

from typing import Any

from descentlab.core.yaml import write_yaml
from descentlab.report import definitions as meanings
from descentlab.report import numbers, words
from descentlab.report.answers import Answers, Result
from descentlab.report.figures import figures as draw_figures
from descentlab.report.markup import Markup, join, tag
from descentlab.report.tables import answer_table
from descentlab.report.tables_html import answer_html, scrolling

FULL_RANKING = 24  # rows up to which the ranking is shown whole
FIRST_RANKING = 10  # rows of a longer one that stand open


def header(result: Result, found: Answers) -> Markup:
    """Return the title, the question, the size of the study, and a warning if it is not finished."""
    missing = words.standing(found)
    return tag(
        "header",
        tag("p", "DescentLab study", class_="eyebrow"),
        tag("h1", result.study.name),
        tag("p", result.study.question, class_="lead") if result.study.question else None,
        tag("ul", *(tag("li", fact) for fact in _facts(result, found)), class_="facts"),
        tag("p", _stressed(missing), class_="warning", role="status") if missing else None,
    )


def answer(found: Answers) -> Markup:
    """Return the answer in a paragraph or two."""
    sentences = words.answer(found)
    body = [_sentence(sentence) for sentence in sentences]
    return tag(
        "section",
        tag("h2", "Answer", id="answer"),
        *(tag("p", join(piece, "")) for piece in body),
        class_="answer", aria_labelledby="answer",
    )  # fmt: skip


def ranking(found: Answers) -> Markup | None:
    """Return the answer table; a long one stands open only at its head."""
    if not found.metrics:
        return None
    caption = (
        "Figures at the end of training: mean ± half the width of its 95 % interval over seeds. "
        + (
            "“Minus the best” is the difference from the first row, seed by seed. "
            if len(found.rows) > 1
            else ""
        )
        + ("≈: not told apart from the best." if len(found.rows) > 1 else "")
    )
    whole = answer_table(found)
    if len(found.rows) <= FULL_RANKING:
        parts = [answer_html(whole, found, caption)]
    else:
        first = type(whole)(whole.factors, whole.metrics, found.rows[:FIRST_RANKING])
        text = f"All {numbers.count(len(found.rows))} configurations"
        if whole.omitted:
            text = f"{len(whole.rows)} of {numbers.count(len(found.rows))} configurations"
        parts = [
            answer_html(
                first, found, f"The best {FIRST_RANKING} of {len(found.rows):,}. {caption}"
            ),
            tag("details", tag("summary", text), answer_html(whole, found, caption)),
        ]
    return tag("section", tag("h2", "Results", id="results"), *parts, aria_labelledby="results")


def figures(result: Result, found: Answers) -> Markup | None:
    """Return the curves, and the tables of factors with theirs."""
    return draw_figures(result, found)


def definitions(result: Result, found: Answers) -> Markup:
    """Return what every figure means."""
    terms = meanings.metric_definitions(result, found) + meanings.general_definitions(found)
    return tag(
        "section",
        tag("h2", "What the figures mean", id="meaning"),
        _terms(terms),
        aria_labelledby="meaning",
    )


def study(result: Result) -> Markup:
    """Return the resolved study file."""
    resolved = getattr(result, "resolved", None)
    text = write_yaml(resolved) if resolved else ""
    if len(text) > 200_000:
        text = text[:200_000] + "\n… (the rest is in study.yaml)"
    return tag(
        "section",
        tag("h2", "The study", id="study"),
        tag("p", "With every default written out, as study.yaml in the results folder has it; "
            "“descentlab run study.yaml” repeats it."),
        tag("details", tag("summary", "study.yaml"), tag("pre", tag("code", text))),
        aria_labelledby="study",
    )  # fmt: skip


def provenance(result: Result) -> Markup:
    """Return where the results come from: sessions, versions, data."""
    facts = result.provenance or {}
    sessions = [s for s in facts.get("sessions") or [] if isinstance(s, dict)]
    parts: list[Any] = []
    if not sessions:
        parts.append(tag("p", "The results folder does not say."))
    sources = {s.get("source") for s in sessions}
    versions = {str(s.get("versions")) for s in sessions}
    if len(sources) > 1 or len(versions) > 1:
        parts.append(
            tag("p", tag("strong", "The sessions differ"), " in their source or in the versions of their packages.",
                class_="warning")
        )  # fmt: skip
    parts += [
        _session(s, i, len(sessions))
        for i, s in enumerate(sessions[-5:], max(1, len(sessions) - 4))
    ]
    if len(sessions) > 5:
        parts.append(
            tag("p", f"{len(sessions) - 5} earlier sessions are in provenance.json.", class_="note")
        )
    if isinstance(facts.get("data"), dict) and facts["data"]:
        parts += [tag("h3", "Data"), *_data(facts["data"])]
    return tag(
        "section", tag("h2", "Provenance", id="provenance"), *parts, aria_labelledby="provenance"
    )


def footer(found: Answers) -> Markup:
    """Return how to get at the numbers."""
    metric = found.primary or "METRIC"
    return tag(
        "footer",
        "Every number as data: ", tag("code", "descentlab show DIR --json"), ", ",
        tag("code", f"descentlab curves DIR --metric {metric} --csv FILE"), ", or the Parquet files in segments/.",
    )  # fmt: skip


def _facts(result: Result, found: Answers) -> list[Markup]:
    runs = (
        f"{numbers.count(found.done)} of {numbers.count(found.planned)}"
        if not found.complete
        else None
    )
    facts = [
        _fact(len(found.rows), "configuration"),
        _fact(found.seeds, "seed"),
        join([tag("b", runs or numbers.count(found.done)), " runs"]),
    ]
    if found.diverged:
        facts.append(join([tag("b", numbers.count(found.diverged)), " diverged"]))
    sessions = [s for s in (result.provenance or {}).get("sessions") or [] if isinstance(s, dict)]
    seconds = [s["seconds"] for s in sessions if isinstance(s.get("seconds"), (int, float))]
    if seconds:
        facts.append(join([tag("b", numbers.duration(sum(seconds))), " of computing"]))
    if sessions and sessions[-1].get("started"):
        facts.append(join([tag("b", str(sessions[-1]["started"])[:10])]))
    return facts


def _fact(number: int, noun: str) -> Markup:
    return join([tag("b", numbers.count(number)), f" {noun}{'' if number == 1 else 's'}"])


def _stressed(text: str) -> Markup:
    head, mark, rest = text.partition(":")
    return (
        join([tag("strong", head + mark), rest])
        if mark and len(head) < 30
        else join([tag("strong", text)])
    )


def _sentence(sentence: words.Sentence) -> list[Any]:
    return [tag("strong", piece.text) if piece.strong else piece.text for piece in sentence]


def _terms(terms: list[tuple[str, Any]]) -> Markup:
    return tag("dl", *(join([tag("dt", name), tag("dd", text)]) for name, text in terms))


def _session(session: dict[str, Any], number: int, total: int) -> Markup:
    seconds, compiling = session.get("seconds"), session.get("compile_seconds")
    took = numbers.duration(seconds) if isinstance(seconds, (int, float)) else "not finished"
    if isinstance(compiling, (int, float)):
        took += f", {numbers.duration(compiling)} of it compiling {session.get('compilations', '')} programs"
    versions = session.get("versions")
    terms = [
        ("Started", session.get("started")),
        ("Took", took),
        ("Device", session.get("device")),
        ("Processor", session.get("processor")),
        ("System", session.get("system")),
        ("Python", session.get("python")),
        (
            "Packages",
            ", ".join(f"{k} {v}" for k, v in versions.items())
            if isinstance(versions, dict)
            else None,
        ),
        ("Source (SHA-256)", tag("code", session["source"]) if session.get("source") else None),
        ("Reproducible mode", {True: "on", False: "off"}.get(session.get("reproducible"))),  # type: ignore[arg-type]
    ]
    heading = tag("h3", f"Session {number} of {total}") if total > 1 else None
    return join([heading, _terms([(name, text) for name, text in terms if text])])


def _data(data: dict[str, Any]) -> list[Markup]:
    parts = []
    for name, notes in data.items():
        if not isinstance(notes, dict):
            parts.append(_terms([(str(name), notes)]))
            continue
        rows = [tag("tr", tag("th", key, scope="row"), tag("td", _flat(value), style="white-space:normal"))
                for key, value in notes.items()]  # fmt: skip
        parts.append(
            scrolling(tag("table", tag("caption", name), tag("tbody", *rows)), f"Data set {name}")
        )
    return parts


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_flat(v)}" for k, v in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, (list, tuple)) else str(value)
