"""Validation errors in words: the path in the file, what is allowed, what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, get_args

import pydantic
from pydantic import BaseModel

from descentlab.core.errors import nearest

Fault = dict[str, Any]

MOST_LINES = 5

EXPECTED = {
    "literal_error": "{expected}",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "greater_than": "a number greater than {gt}",
    "greater_than_equal": "a number greater than or equal to {ge}",
    "less_than": "a number less than {lt}",
    "less_than_equal": "a number less than or equal to {le}",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "fields with values",
    "model_type": "fields with values",
}


def describe(
    error: pydantic.ValidationError, model: type[BaseModel], raw: Any, where: str = ""
) -> list[str]:
    """Turn a validation error into one line a faulty path, each beginning with that path.

    Args:
        error: what validating ``raw`` raised.
        model: what it was validated against.
        raw: the value from the file; it tells which parts of a location are in the file.
        where: the path of ``raw`` in the file.
    """
    faults = _deepest(flatten(error, model, raw))
    lines = [_line(where, path, list(same)) for path, same in groupby(faults, lambda f: f["loc"])]
    shown, rest = lines[:MOST_LINES], lines[MOST_LINES:]
    return shown + ([f"… and {len(rest)} more faults"] if rest else [])


def flatten(error: pydantic.ValidationError, model: type[BaseModel], raw: Any) -> list[Fault]:
    """List the faults of an error by their paths in the file, those inside kinds too."""
    faults: list[Fault] = []
    for item in error.errors(include_url=False):
        path = _in_file(item["loc"], raw, missing=item["type"] == "missing")
        inner = (item.get("ctx") or {}).get("faults")
        if inner is not None:
            faults += [{**fault, "loc": (*path, *fault["loc"])} for fault in inner]
            continue
        fault: Fault = {**item, "loc": path, "branch": len(path) < len(item["loc"])}
        if item["type"] == "extra_forbidden":
            fault["fields"] = _fields_at(model, path[:-1])
        if item["loc"][-1:] == ("[key]",):
            fault["type"] = "key"
        faults.append(fault)
    return faults


def _in_file(location: tuple[Any, ...], raw: Any, *, missing: bool) -> tuple[Any, ...]:
    """Drop what a location has beside places in the file, such as the branches of a union."""
    path: list[Any] = []
    for number, part in enumerate(location):
        if isinstance(raw, Mapping):
            keys = [key for key in raw if key == part or str(key) == part]
        else:
            inside = isinstance(raw, (list, tuple)) and isinstance(part, int) and part < len(raw)
            keys = [part] if inside else []
        if keys:
            path.append(keys[0])
            raw = raw[keys[0]]
        elif missing and number == len(location) - 1:
            path.append(part)
    return tuple(path)


def _deepest(faults: list[Fault]) -> list[Fault]:
    """Leave out the branches of a union that did not get as far into a value as another."""
    paths = [fault["loc"] for fault in faults if fault.get("branch")]
    return [
        fault
        for fault in faults
        if not fault.get("branch")
        or not any(p != fault["loc"] and p[: len(fault["loc"])] == fault["loc"] for p in paths)
    ]


def _line(where: str, path: tuple[Any, ...], faults: list[Fault]) -> str:
    """Describe the faults of one path: one, or one a branch of a union."""
    fault = faults[0]
    place = ".".join(filter(None, [where, *map(str, path)]))
    start = f"{place}: " if place else ""
    if fault["type"] == "extra_forbidden":
        guess = nearest(str(path[-1]), fault["fields"])
        hint = f"; did you mean '{guess}'?" if guess else ""
        known = f" (known: {', '.join(fault['fields'])})" if fault["fields"] else ""
        return f"{start}unknown field{hint}{known}"
    if fault["type"] == "missing":
        return f"{start}this field is required and is not there"
    found = _found(fault.get("input"))
    if fault["type"] == "key":
        return f"{start}a name must be text; write it in quotes (found {found})"
    if any(f["type"] == "literal_error" for f in faults):
        return start + _not_allowed(faults, found)
    expected = list(dict.fromkeys(filter(None, map(_expected, faults))))
    message = f"expected {' or '.join(expected)}" if expected else _message(fault)
    value = fault.get("input")
    whole = not expected and isinstance(value, (Mapping, BaseModel))
    said = whole or (isinstance(value, str) and found in message) or ", found " in message
    return start + message + ("" if said else f" (found {found})")


def _not_allowed(faults: list[Fault], found: str) -> str:
    """Say which words a field may hold, and which of them is nearest."""
    allowed = dict.fromkeys(_expected(fault) or _message(fault) for fault in faults)
    guess = nearest(str(faults[0]["input"]), re.findall("'(.*?)'", " ".join(allowed)))
    hint = f"; did you mean '{guess}'?" if guess else ""
    return f"unknown value{hint} (allowed: {' or '.join(allowed)}) (found {found})"


def _expected(fault: Fault) -> str | None:
    """Return what is allowed in a few words, or None if the message is a sentence of its own."""
    if fault["type"] in EXPECTED:
        context = fault.get("ctx") or {}
        return EXPECTED[fault["type"]].format(**{k: _number(v) for k, v in context.items()})
    message = _message(fault)
    return message.removeprefix("expected ") if message.startswith("expected ") else None


def _message(fault: Fault) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _found(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    models = [model]
    for part in path:
        if not isinstance(part, int):  # a place in a list holds what the list's type says
            fields = [m.model_fields[part] for m in models if part in m.model_fields]
            models = [found for field in fields for found in _models(field.annotation)]
    return list(dict.fromkeys(name for found in models for name in found.model_fields))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
