"""Names of varied values for people: a nested kind by its name, and by what tells it apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def text_of(value: Any) -> str:
    """Return a value as labels have it."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "-".join(map(text_of, value)) or "none"
    if isinstance(value, Mapping):
        own = {k: v for k, v in value.items() if k != "kind" and v is not None}
        fields = ", ".join(f"{name}={text_of(item)}" for name, item in own.items())
        kind = _kind(value)
        return f"{kind}({fields})" if kind and fields else kind or fields or "none"
    return str(value)


def label_of(value: Any) -> str:
    """Return a value as people read it: a nested kind by its name."""
    return str(value.get("kind", "…")) if isinstance(value, Mapping) else text_of(value)


def names_of(values: Sequence[Any]) -> list[str]:
    """Name values: nested kinds by their kind, and by the fields that differ where needed.

    Where kinds within are different ones too, they are named alike
    (``lookahead(sgd, k=3)``); where they are the same, their fields are given by path
    (``lookahead(inner.learning_rate=0.1)``).
    """
    names = [_name(value, values, text_of) for value in values]
    if any(isinstance(v, Mapping) for v in values) and len(set(names)) < len(names):
        return [_name(value, values, _exact) for value in values]
    return names


def _name(value: Any, values: Sequence[Any], text: Callable[[Any], str]) -> str:
    if not isinstance(value, Mapping):
        return text(value)
    kind = _kind(value)
    same = [other for other in values if _kind(other) == kind]
    parts = ", ".join(_parts(value, same, "", text))
    if kind is None:
        return parts or text(value)
    return f"{kind}({parts})" if parts else kind


def _parts(
    value: Mapping[str, Any], same: Sequence[Any], path: str, text: Callable[[Any], str]
) -> Iterator[str]:
    """Yield what tells a mapping from others of its kind."""
    rows = [other if isinstance(other, Mapping) else {} for other in same]
    differing = [name for name in value if any(row.get(name) != value[name] for row in rows)]
    varied = [
        name for name in differing
        if _kind(value[name]) and len({_kind(row.get(name)) for row in rows}) > 1
    ]  # fmt: skip
    for name in differing:
        found, others = value[name], [row.get(name) for row in rows]
        if name in varied:
            bare = len(varied) == 1 and not path and all(map(_kind, others))
            label = _name(found, others, text)
            yield label if bare else f"{path}{name}={label}"
        elif isinstance(found, Mapping):
            yield from _parts(found, others, f"{path}{name}.", text)
        elif found is not None:
            yield f"{path}{name}={text(found)}"


def _exact(value: Any) -> str:
    """Return a value with all its digits, where fewer would not tell it from another."""
    return repr(value) if isinstance(value, float) else text_of(value)


def _kind(value: Any) -> str | None:
    return value.get("kind") if isinstance(value, Mapping) else None
