"""Matplotlib's SVG made fit to stand in a page: its colours, its fonts, its ids."""

from __future__ import annotations

import re

from descentlab.report import palette
from descentlab.report.markup import Markup, escape

PIXELS_PER_POINT = 1.62  # so that a label of 8.5 points is about as large as the page's text


def cleaned(svg: str, key: str, title: str, description: str) -> Markup:
    """Return a plot as an inline ``<svg>`` element.

    Text takes the page's font and colour (``currentColor``), lines take the page's
    variables, ids are only those that are referred to and carry ``key``, and nothing in
    it reaches outside (Matplotlib's ``*`` style rule would).

    Args:
        svg: what Matplotlib wrote, with ``svg.fonttype: none``.
        key: a prefix for ids, its own for each plot of a page.
        title: a short name for the picture.
        description: the picture in words.
    """
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert box, "Matplotlib wrote an SVG without a viewBox"
    width, height = box.groups()
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    body = re.sub(
        r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", body, flags=re.S
    )
    body = re.sub(r"<defs>\s*</defs>", "", body)
    body = _ids(body, key)
    body = _fonts(body)
    body = _colours(body)
    body = re.sub(r">\s+<", "><", body)
    size = f"--width:{float(width) * PIXELS_PER_POINT:.0f}"
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{key}-t {key}-d" '
        f'style="{size}" stroke-linejoin="round" stroke-linecap="butt">'
        f'<title id="{key}-t">{escape(title)}</title>'
        f'<desc id="{key}-d">{escape(description)}</desc>'
        f"{body.strip()}</svg>"
    )


def _ids(body: str, key: str) -> str:
    """Keep the ids that something refers to, in order of their appearance."""
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    names = {old: f"{key}-{i}" for i, old in enumerate(used)}
    body = re.sub(
        r'\sid="([^"]*)"', lambda m: f' id="{names[m[1]]}"' if m[1] in names else "", body
    )
    body = re.sub(r'(href="#|url\(#)([^")]+)', lambda m: m[1] + names[m[2]], body)
    return body.replace("xlink:href", "href")


def _fonts(body: str) -> str:
    """Turn ``font: bold 9px 'Some Font'`` into size and weight alone; the family is the page's."""
    body = re.sub(
        r"font: ((?:\w+ )*)([\d.]+px) [^;\"]*", lambda m: f"{_weight(m[1])}font-size: {m[2]}", body
    )
    return re.sub(r"font-family: [^;\"]*;?", "", body)


def _weight(words: str) -> str:
    weight = re.search(r"\b(bold|[1-9]00)\b", words)
    return f"font-weight: {weight[1]}; " if weight else ""


def _colours(body: str) -> str:
    for colour, name in palette.variables().items():
        body = body.replace(colour, f"var({name}, {colour})")
    body = body.replace(palette.TEXT, "currentColor")
    body = body.replace(palette.PAPER, "var(--paper, #ffffff)")
    return body.replace(palette.GRID, "var(--line, #dcdcd6)")
