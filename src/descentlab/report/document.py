"""The frame of a page: one file that needs no other, and that runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib import resources
from typing import Any

from descentlab.report import palette
from descentlab.report.markup import Markup, join, tag

STYLES = ("report.css", "evaluation.css")


def document(name: str, parts: Iterable[Any]) -> str:
    """Return one HTML document that reads in light and dark, on paper and without JavaScript.

    Args:
        name: the page's name, for its title.
        parts: what stands in it, markup or text to escape.
    """
    script = _asset("report.js")
    body = join(parts)
    pictures = 'src="data:image/' in body  # written by us: in text the quotes are escaped
    return "<!doctype html>\n" + tag(
        "html",
        tag("head", *_head(name, script, pictures=pictures)),
        tag("body", tag("main", body), tag("script", Markup(script))),
        lang="en",
    )


def _head(name: str, script: str, *, pictures: bool) -> list[Markup]:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    if pictures:
        policy += "; img-src data:"
    return [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="DescentLab"),
        tag("title", f"{name} – DescentLab"),
        tag("style", Markup("".join(map(_asset, STYLES)) + palette.css())),
    ]


def _asset(name: str) -> str:
    return (resources.files("descentlab.report") / "assets" / name).read_text("utf-8")
