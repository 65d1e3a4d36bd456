"""The study file that a results folder keeps: every default written out, and read back alike.

What depends on a varied ``kind`` or ``flavour`` has no one value to write into ``run``:
such fields are left out, and each kind and flavour fills them anew.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.studies.configurations import (
    Configuration,
    keys_of,
    relative,
    run_of,
    settings_of,
)
from descentlab.studies.spec import Study

CHECKED = 500
"""Configurations up to which all are read back; of more a sample is (0.1 ms to 0.2 ms each)."""

SET = object()
"""Marks a place that a configuration sets for itself."""

ABSENT = object()
"""Stands for a field that is not there."""


class _Found(NamedTuple):
    """What a configuration has at a place, and which places below it sets for itself."""

    value: Any
    own: Mapping[str, Any]


def resolved(study: Study, found: Sequence[Configuration]) -> dict[str, Any]:
    """Return the study with every default written out; loading it gives the same configurations."""
    plain = [configuration.run.resolved() for configuration in found]
    base = _common(_settings(found, plain, ""), study.run)
    head = {"name": study.name, "question": study.question, "run": base}
    rest = {
        "seeds": list(study.seeds),
        "claims": [claim.resolved() for claim in study.claims],
        "report": study.report.resolved(),
    }
    if study.search is not None:
        return {**head, "search": study.search.resolved(), **rest}
    users: dict[tuple[int, str, int], list[int]] = {}
    for number, key in enumerate(keys_of(study.vary)):
        for factor, index in key.chosen:
            users.setdefault((key.grid, factor, index), []).append(number)

    def value(user: tuple[int, str, int], path: str, given: Any) -> Any:
        numbers = users[user]
        own = [found[i] for i in numbers], [plain[i] for i in numbers]
        return _common(_settings(*own, relative(path)), given)

    vary = [
        {
            factor: {
                label: {path: value((number, factor, i), path, sets[path]) for path in sets}
                for i, (label, sets) in enumerate(values.items())
            }
            if isinstance(values, Mapping)
            else [value((number, factor, i), factor, given) for i, given in enumerate(values)]
            for factor, values in grid.items()
        }
        for number, grid in enumerate(study.vary)
    ]
    return {**head, "vary": vary, **rest}


def check_resolved(study: Study, found: Sequence[Configuration], written: dict[str, Any]) -> None:
    """Refuse to begin if the written study would not be read back as the same configurations.

    Of more than ``CHECKED`` configurations a sample is compared: as many drawn evenly, and the
    first of each alternative of each factor (of as many at most).

    Raises:
        SpecError: one would be another, or none; nothing has been trained yet.
    """
    numbers = _sample(found)
    what = "the study cannot be written down so that it is read back alike"
    advice = (
        "give that field in 'run' or in each alternative, or vary the whole of what holds it "
        "('optimizer: [{kind: …}, {kind: …}]'); nothing was trained"
    )
    try:
        again = Study.parse(copy.deepcopy(written))
        sets = settings_of(again)
        runs = [run_of(again, sets[number]) for number in numbers]
    except SpecError as error:
        raise SpecError(f"{what}: {error}\n{advice}") from None
    for number, run in zip(numbers, runs, strict=True):
        if run != found[number].run:
            then, now = found[number].run.resolved(), run.resolved()
            place, one, other = next(_differences(then, now, ""), ("run", "one", "another"))
            name = ", ".join(f"{k} = {v}" for k, v in found[number].labels.items())
            raise SpecError(
                f"{what}: with {name or 'nothing varied'}, run.{place} is {one!r} and would be "
                f"{other!r}\n{advice}"
            )


def _sample(found: Sequence[Configuration]) -> list[int]:
    if len(found) <= CHECKED:
        return list(range(len(found)))
    drawn = np.random.default_rng(0).choice(len(found), CHECKED, replace=False).tolist()
    firsts: dict[str, dict[str, int]] = {}
    for number, configuration in enumerate(found):
        for factor, label in configuration.labels.items():
            own = firsts.setdefault(factor, {})
            if len(own) < CHECKED:
                own.setdefault(label, number)
    return sorted({*drawn, *itertools.chain.from_iterable(own.values() for own in firsts.values())})


def _differences(one: Any, other: Any, path: str) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one | other:
            inner = f"{path}.{name}" if path else name
            yield from _differences(one.get(name), other.get(name), inner)
    elif one != other:
        yield path, one, other


def _settings(
    found: Sequence[Configuration], plain: Sequence[dict[str, Any]], place: str
) -> list[_Found]:
    """Return what configurations have at a place (the whole run: ''), each with what it sets."""
    trees: dict[tuple[str, ...], Mapping[str, Any]] = {}
    settings = []
    for configuration, run in zip(found, plain, strict=True):
        paths = tuple(configuration.values)
        if paths not in trees:
            trees[paths] = _tree(paths, place)
        value: Any = run
        for part in place.split(".") if place else ():
            value = _child(value, part)
        settings.append(_Found(value, trees[paths]))
    return settings


def _tree(paths: Sequence[str], place: str) -> dict[str, Any]:
    """Return paths below a place as nested mappings that end in ``SET``."""
    start = f"{place}." if place else ""
    tree: dict[str, Any] = {}
    for path in paths:
        if not path.startswith(start):
            continue
        *parents, last = path.removeprefix(start).split(".")
        inner: Any = tree
        for part in parents:
            inner = inner.setdefault(part, {}) if inner is not SET else SET
        if inner is not SET:
            inner[last] = SET
    return tree


def _common(settings: Sequence[_Found], given: Any) -> Any:
    """Return what to write at a place so that every configuration becomes what it is.

    Where all that leave the place to the base have the same, it is that; where they differ,
    it is what the user gave, which each filled up or made its own of; else it is left out.
    """
    first = settings[0].value
    if all(each.value == first for each in settings):
        return copy.deepcopy(first) if first is not ABSENT else ABSENT
    values = [each.value for each in settings]
    names: Sequence[str] = ()
    if all(isinstance(value, dict) for value in values):
        names = list(dict.fromkeys(itertools.chain.from_iterable(values)))
        fields = {name: _field(settings, name, _child(given, name)) for name in names}
        if fields.get("kind") is not ABSENT:  # else there are no fields without their kind
            return {name: field for name, field in fields.items() if field is not ABSENT}
    if all(isinstance(value, list) and len(value) == len(first) for value in values):
        names = [str(i) for i in range(len(first))]
        items = [_field(settings, name, _child(given, name)) for name in names]
        if ABSENT not in items:
            return items
    return copy.deepcopy(given) if given is not ABSENT else ABSENT


def _field(settings: Sequence[_Found], name: str, given: Any) -> Any:
    """Return what to write into a field; where each configuration sets it, the first one's."""
    left = [
        _Found(_child(each.value, name), each.own.get(name, {}))
        for each in settings
        if each.own.get(name) is not SET
    ]
    if left:
        return _common(left, given)
    there: Callable[[Any], bool] = lambda value: value is not ABSENT  # noqa: E731
    return copy.deepcopy(next(filter(there, (_child(e.value, name) for e in settings)), ABSENT))


def _child(value: Any, name: str) -> Any:
    """Return a field of a mapping, an item of a list, the kind that a bare name stands for."""
    if isinstance(value, str):
        value = {"kind": value}
    if isinstance(value, list):
        return value[int(name)] if name.isdecimal() and int(name) < len(value) else ABSENT
    return value.get(name, ABSENT) if isinstance(value, Mapping) else ABSENT
