"""Checked solutions as one HTML file: a working number by number, or a class in a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

from descentlab.explain.checking.key import AnswerKey
from descentlab.explain.checking.results import Checked, Item
from descentlab.explain.checking.summary import first_wrong, row
from descentlab.explain.checking.verdict import class_summary, sentences
from descentlab.explain.language import Language
from descentlab.explain.showing.elements import element
from descentlab.explain.showing.frame import document

MOST_IN_FULL = 100
"""Of a class, so many solutions with a wrong number are shown in full."""


def checked_page(key: AnswerKey, found: Sequence[Checked]) -> str:
    """Return checked solutions as an HTML document that needs no other file and no script."""
    language = key.language
    exercise = key.found.exercise.title.text(language.code)
    title = language.text("check.page_title", exercise=exercise)
    body = [
        element("p", language.text("page_kind"), class_="eyebrow"),
        element("h1", title),
    ]
    if len(found) == 1 and found[0].fault is None:
        return document(title, body + _one(found[0], language), language)
    return document(title, body + _class(found, language), language)


def _one(checked: Checked, language: Language) -> list[Any]:
    said = [element("p", element("bdi", each)) for each in sentences(checked, language)]
    return [*said, _numbers(checked, language)]


def _numbers(checked: Checked, language: Language) -> Element:
    heads = [language.text(f"check.{h}") for h in ("name", "given", "expected", "verdict", "guess")]
    caption = element("caption", element("bdi", checked.solution))
    rows = [_item(item, language) for item in checked.items]
    return _table(heads, rows, caption, numbers=(1, 2))


def _item(item: Item, language: Language) -> Element:
    given = "" if item.given is None else language.number(item.given.text)
    expected = "" if item.expected is None else language.number(f"{item.expected:.6g}")
    return element(
        "tr",
        element("th", element("code", item.name, dir="ltr"), scope="row"),
        element("td", given, class_="number", dir="ltr"),
        element("td", expected, class_="number", dir="ltr"),
        element("td", _status(item.status, language)),
        element("td", element("bdi", item.guess or "")),
    )


def _status(status: str, language: Language) -> Element:
    return element("span", language.text(f"status.{status}"), class_=f"status {status}")


def _class(found: Sequence[Checked], language: Language) -> list[Any]:
    keys = ("solution", "score", "wrong", "carried", "missing", "first_wrong", "guess")
    heads = [language.text(f"check.{key}") for key in keys]
    table = _table(
        heads,
        [_class_row(checked, language) for checked in found],
        element("caption", language.text("check.class")),
        numbers=(1, 2, 3, 4),
    )
    parts: list[Any] = [element("p", each) for each in class_summary(found, language)]
    parts += [_often(found, language), table]
    full = [checked for checked in found if checked.first_wrong][:MOST_IN_FULL]
    for checked in full:
        summary = element("summary", element("bdi", checked.solution))
        parts.append(element("details", summary, *_one(checked, language)))
    return parts


def _class_row(checked: Checked, language: Language) -> Element:
    shown = row(checked)
    score = "" if checked.fault else language.number(f"{100 * checked.score:.0f}")
    counts = [language.number(str(shown[s])) for s in ("wrong", "carried", "missing")]
    return element(
        "tr",
        element("th", element("bdi", checked.solution), scope="row"),
        [element("td", text, class_="number") for text in (score, *counts)],
        element("td", element("code", shown["first_wrong"] or "", dir="ltr")),
        element("td", element("bdi", shown["fault"] or shown["guess"] or "")),
    )


def _often(found: Sequence[Checked], language: Language) -> Element | None:
    """Return which numbers went wrong first, and how often, as a table."""
    counts = first_wrong(found)
    if not counts:
        return None
    rows = [
        element(
            "tr",
            element("th", element("code", name, dir="ltr"), scope="row"),
            element("td", language.number(str(count)), class_="number"),
            element("td", element("bdi", guess or "")),
        )
        for name, count, guess in counts
    ]
    heads = [language.text(f"check.{key}") for key in ("name", "times", "guess")]
    caption = element("caption", language.text("check.often_head"))
    return _table(heads, rows, caption, numbers=(1,))


def _table(
    heads: Sequence[str], rows: Sequence[Element], caption: Element, numbers: Sequence[int]
) -> Element:
    head = [
        element("th", text, scope="col", class_="number" if i in numbers else None)
        for i, text in enumerate(heads)
    ]
    table = element(
        "table", caption, element("thead", element("tr", head)), element("tbody", list(rows))
    )
    return element("div", table, class_="scroll", tabindex="0")
