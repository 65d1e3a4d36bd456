"""Where results come from, as a section of the report: sessions, versions, data."""

from __future__ import annotations

from collections import Counter
from typing import Any

from descentlab.report import numbers, words
from descentlab.report.answers import Result
from descentlab.report.markup import Markup, join, tag
from descentlab.report.tables_html import scrolling

MOST_SESSIONS = 5


def sessions_of(result: Result) -> list[dict[str, Any]]:
    """Return the sessions that a results folder knows of, oldest first."""
    found = (result.provenance or {}).get("sessions") or []
    return [session for session in found if isinstance(session, dict)]


def seconds_of(result: Result) -> float | None:
    """Return the seconds that all sessions took, or None if none says."""
    found = [session.get("seconds") for session in sessions_of(result)]
    known = [seconds for seconds in found if isinstance(seconds, (int, float))]
    return float(sum(known)) if known else None


def provenance(result: Result) -> Markup:
    """Return the section: the latest sessions, a warning if they differ, and the data."""
    sessions = sessions_of(result)
    parts: list[Any] = []
    if not sessions:
        parts.append(tag("p", "The results folder does not say."))
    if any(len({str(s.get(what)) for s in sessions}) > 1 for what in ("source", "versions")):
        text = " in their source or in the versions of their packages."
        parts.append(tag("p", tag("strong", "The sessions differ"), text, class_="warning"))
    earlier = max(0, len(sessions) - MOST_SESSIONS)
    for number, session in enumerate(sessions[earlier:], earlier + 1):
        if len(sessions) > 1:
            parts.append(tag("h3", f"Session {number} of {len(sessions)}"))
        parts.append(terms(_session(session)))
    if earlier:
        text = f"{earlier} earlier sessions are in provenance.json."
        parts.append(tag("p", text, class_="note"))
    data = _data((result.provenance or {}).get("data"))
    if data:
        parts += [tag("h3", "Data"), *data]
    heading = tag("h2", "Provenance", id="provenance")
    return tag("section", heading, *parts, aria_labelledby="provenance")


def terms(found: list[tuple[str, Any]]) -> Markup:
    """Return names with what they stand for, as a description list."""
    return tag("dl", *(join([tag("dt", name), tag("dd", text)]) for name, text in found))


def _session(session: dict[str, Any]) -> list[tuple[str, Any]]:
    versions = session.get("versions")
    packages = versions.items() if isinstance(versions, dict) else ()
    source = session.get("source")
    found = [
        ("Started", session.get("started")),
        ("Took", _took(session)),
        ("Device", session.get("device")),
        ("Processor", session.get("processor")),
        ("System", session.get("system")),
        ("Python", session.get("python")),
        ("Packages", ", ".join(f"{name} {version}" for name, version in packages)),
        ("Source (SHA-256)", tag("code", source) if source else None),
        ("Layout", _layout(session)),
        ("Reproducible mode", "on" if session.get("reproducible") else "off"),
    ]
    return [(name, text) for name, text in found if text]


def _took(session: dict[str, Any]) -> str:
    seconds, compiling = session.get("seconds"), session.get("compile_seconds")
    if not isinstance(seconds, (int, float)):
        return "not finished"
    text = numbers.duration(seconds)
    if isinstance(compiling, (int, float)) and session.get("compilations"):
        programs = words.count(session["compilations"], "compilation")
        text += f"; {programs}, {numbers.duration(compiling)} together"
    return text


def _data(data: Any) -> list[Markup]:
    """Return a table of facts for each data set: a list of mappings with a name."""
    parts = []
    for notes in data if isinstance(data, list) else []:
        facts = dict(notes) if isinstance(notes, dict) else {"": notes}
        name = facts.pop("name", "data")
        rows = [
            tag("tr", tag("th", key, scope="row"), tag("td", _flat(value), class_="prose"))
            for key, value in facts.items()
        ]
        table = tag("table", tag("caption", name), tag("tbody", *rows))
        parts.append(scrolling(table, f"Data set {name}"))
    return parts


def _layout(session: dict[str, Any]) -> str:
    """Say how cohorts were laid on the device: 'vmap:64x2 (3 cohorts)'."""
    strategies = session.get("strategies")
    found = Counter(strategies.values()) if isinstance(strategies, dict) else Counter()
    return ", ".join(f"{name} ({words.count(n, 'cohort')})" for name, n in found.most_common())


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_flat(item)}" for key, item in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, (list, tuple)) else str(value)
