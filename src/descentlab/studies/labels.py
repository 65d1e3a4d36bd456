"""Names of varied values for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def label_of(value: Any) -> str:
    """Return a value as people read it: a nested kind by its name."""
    return str(value.get("kind", "…")) if isinstance(value, Mapping) else text_of(value)


def names_of(values: list[Any]) -> list[str]:
    """Name values: nested kinds by their kind, and by the fields that differ where needed."""
    kinds = [v.get("kind") if isinstance(v, dict) else None for v in values]
    names = []
    for value, kind in zip(values, kinds, strict=True):
        if kind is None:
            names.append(text_of(value))
            continue
        same = [v for v, k in zip(values, kinds, strict=True) if k == kind]
        differing = [f for f in value if any(other.get(f) != value[f] for other in same)]
        fields = ", ".join(f"{f}={text_of(value[f])}" for f in differing if value[f] is not None)
        names.append(f"{kind}({fields})" if fields else kind)
    return names


def text_of(value: Any) -> str:
    """Return a value as labels have it."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "-".join(map(text_of, value)) or "none"
    return str(value)
