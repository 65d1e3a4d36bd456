"""HTML and MathML as a tree of elements, so that everything is escaped where it is written."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

Element = ElementTree.Element


def element(name: str, /, *children: Any, **attributes: Any) -> Element:
    """Return an element.

    Args:
        name: of the element.
        children: elements or text; lists of them are laid flat, None is left out.
        attributes: ``class_`` stands for ``class`` and ``aria_label`` for ``aria-label``;
            True is a bare attribute, None and False leave it out.
    """
    made = Element(name)
    for key, value in attributes.items():
        if value is not None and value is not False:
            plain = key.rstrip("_").replace("_", "-")
            made.set(plain, plain if value is True else str(value))
    for child in children:
        _append(made, child)
    return made


def _append(parent: Element, child: Any) -> None:
    if child is None:
        return
    if isinstance(child, Element):
        parent.append(child)
    elif isinstance(child, (list, tuple)):
        for each in child:
            _append(parent, each)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + str(child)
    else:
        parent.text = (parent.text or "") + str(child)


def html(root: Element) -> str:
    """Return an element as HTML."""
    return ElementTree.tostring(root, encoding="unicode", method="html")
