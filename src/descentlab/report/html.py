"""One self-contained HTML file with everything that a study says."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

from descentlab.report import palette, sections
from descentlab.report.answers import Answers, Result, answers
from descentlab.report.figures import figures
from descentlab.report.markup import Markup, tag
from descentlab.report.provenance import provenance

REPORT = "report.html"


def write_report(result: Result) -> str:
    """Write ``report.html`` into a result's folder and return its path.

    The file needs no network and no other file; it reads in light and dark, on paper
    and without JavaScript.

    Args:
        result: a study's result, finished or not.

    Raises:
        StoreError: the folder cannot be read or written.
    """
    result.folder.write(REPORT, page(result).encode())
    return result.folder.at(REPORT)


def page(result: Result) -> str:
    """Return the report as one HTML document."""
    found = answers(result)
    script = _asset("report.js")
    return "<!doctype html>\n" + tag(
        "html",
        tag("head", *_head(result.study.name, script)),
        tag("body", tag("main", *_body(result, found)), tag("script", Markup(script))),
        lang="en",
    )


def _head(name: str, script: str) -> list[Markup]:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="DescentLab"),
        tag("title", f"{name} – DescentLab"),
        tag("style", Markup(_asset("report.css") + palette.css())),
    ]


def _body(result: Result, found: Answers) -> list[Any]:
    return [
        sections.header(result, found),
        sections.answer(found),
        sections.ranking(found),
        figures(result, found),
        sections.definitions(result, found),
        sections.study(result),
        provenance(result),
        sections.footer(found),
    ]


def _asset(name: str) -> str:
    return (resources.files("descentlab.report") / "assets" / name).read_text("utf-8")
