"""HTML out of values: everything that is not markup already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

VOID = {"br", "col", "hr", "img", "input", "link", "meta"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(value: Any) -> Markup:
    """Return a value as HTML text; markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value), quote=True))


def join(parts: Iterable[Any], separator: str = "") -> Markup:
    """Return parts one after the other, each escaped unless it is markup; None is nothing."""
    return Markup(separator.join(escape(part) for part in parts if part is not None))


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return an element.

    Args:
        name: the element's name.
        children: text to escape, or markup; None is left out.
        attributes: ``class_`` stands for ``class`` and ``aria_label`` for ``aria-label``;
            True is a bare attribute, None and False leave it out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def _attribute(key: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value), quote=True)}"'
