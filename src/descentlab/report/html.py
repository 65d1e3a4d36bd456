"""One self-contained HTML file with everything that a study says."""

from __future__ import annotations

from typing import Any

from descentlab.report import sections
from descentlab.report.answers import Answers, Result, answers
from descentlab.report.document import document
from descentlab.report.figures import figures
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
    return document(result.study.name, _body(result, found))


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
