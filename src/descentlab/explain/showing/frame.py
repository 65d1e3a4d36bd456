"""The frame of a page: one file that needs no other, in either direction of writing."""

from __future__ import annotations

from importlib import resources
from typing import Any

from descentlab.explain.language import Language
from descentlab.explain.showing.elements import element, html


def document(title: str, parts: list[Any], language: Language) -> str:
    """Return one HTML document that reads in light and dark and on paper, without any script.

    Args:
        title: of the page.
        parts: elements or text.
        language: whose direction it runs in.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; style-src 'unsafe-inline'",
        ),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content="DescentLab"),
        element("title", f"{title} – DescentLab"),
        element("style", _style()),
    )
    body = element("body", element("main", parts))
    root = element("html", head, body, lang=language.code, dir=language.direction)
    return "<!doctype html>\n" + html(root) + "\n"


def _style() -> str:
    file = resources.files("descentlab.explain.showing") / "assets" / "explain.css"
    return file.read_text("utf-8")
