"""One self-contained HTML file with everything that a study says."""

from __future__ import annotations

from typing import Any

from descentlab.report import sections
from descentlab.report.answers import Answers, Result, answers
from descentlab.report.claims import claims
from descentlab.report.document import document
from descentlab.report.evaluations import evaluations
from descentlab.report.figures import figures
from descentlab.report.provenance import provenance
from descentlab.report.search import search
from descentlab.report.updates import updates
from descentlab.studies.evaluations import Progress
from descentlab.studies.evaluations import evaluations as evaluate_runs

REPORT = "report.html"


def write_report(result: Result, *, progress: Progress | None = None) -> str:
    """Write ``report.html`` into a result's folder and return its path.

    The file needs no network and no other file; it reads in light and dark, on paper
    and without JavaScript.

    Args:
        result: a study's result, finished or not.
        progress: called with the share of the kept predictions that is evaluated.

    Raises:
        StoreError: the folder cannot be read or written.
    """
    result.folder.write(REPORT, page(result, progress=progress).encode())
    return result.folder.at(REPORT)


def page(result: Result, *, progress: Progress | None = None) -> str:
    """Return the report as one HTML document."""
    found = answers(result)
    return document(result.study.name, _body(result, found, progress))


def _body(result: Result, found: Answers, progress: Progress | None) -> list[Any]:
    evaluated = evaluate_runs(result, progress=progress)  # type: ignore[arg-type]
    return [
        sections.header(result, found),
        sections.answer(found),
        claims(result.claims()),
        search(result),
        sections.ranking(found),
        figures(result, found),
        updates(result, found),
        evaluations(found, evaluated),
        sections.definitions(result, found),
        sections.study(result),
        provenance(result),
        sections.footer(found),
    ]
