"""From a study to its configurations: grids expanded, paths set, runs validated."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from descentlab.core.errors import SpecError
from descentlab.studies.spec import Grid, RunSpec, Study

ASK_ABOVE = 100_000
"""Runs above which a study must be confirmed (``--yes``)."""


class Configuration(NamedTuple):
    """One setting of everything: an id, the run, the varied values, a label per factor."""

    id: str
    run: RunSpec
    values: dict[str, Any]
    labels: dict[str, str]


class Choice(NamedTuple):
    """One alternative of a factor: its label and the paths that it sets."""

    factor: str
    label: str
    sets: dict[str, Any]


def count(study: Study) -> int:
    """Return the number of configurations without expanding them."""
    return sum(math.prod(len(values) for values in grid.values()) for grid in study.vary) or 1


def factors(study: Study) -> list[str]:
    """Return the names of what varies, in the order of the file."""
    return list(dict.fromkeys(_relative(factor) for grid in study.vary for factor in grid))


def configurations(study: Study) -> list[Configuration]:
    """Expand a study's grids; a configuration that cannot be run or is there twice is an error."""
    found: list[Configuration] = []
    owners: dict[str, str] = {}
    digits = max(2, len(str(count(study) - 1)))
    for number, choices in enumerate(_combinations(study.vary)):
        labels = {choice.factor: choice.label for choice in choices}
        run = _run_of(study, choices)
        paths = dict.fromkeys(path for choice in choices for path in choice.sets)
        text = run.model_dump_json()
        name = ", ".join(f"{k} = {v}" for k, v in labels.items())
        if text in owners:
            raise SpecError(f"vary: two configurations are the same run: ({owners[text]}) and ({name})")
        owners[text] = name
        resolved = run.resolved()
        values = {path: _get(resolved, path) for path in paths}
        found.append(Configuration(f"c{number:0{digits}d}", run, values, labels))
    return found


def resolved(study: Study, found: list[Configuration]) -> dict[str, Any]:
    """Return the study with every default written out; loading it gives the same configurations."""
    by_choice = dict(zip(_combination_keys(study.vary), found, strict=True))
    vary = []
    for number, grid in enumerate(study.vary):
        owner: dict[tuple[str, int], dict[str, Any]] = {}
        for key, configuration in by_choice.items():
            if key[0] == number:
                for item in key[1]:
                    owner.setdefault(item, configuration.run.resolved())
        vary.append({f: _resolved_factor(f, v, owner) for f, v in grid.items()})
    return {
        "name": study.name,
        "question": study.question,
        "run": found[0].run.resolved(),
        "vary": vary,
        "seeds": list(study.seeds),
        "report": study.report.resolved(),
    }


def set_path(raw: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted path in nested plain values, making mappings of shorthand names on the way."""
    *parents, last = _relative(path).split(".")
    place: Any = raw
    for part in parents:
        inner = place[int(part)] if isinstance(place, list) else place.get(part, {})
        if isinstance(inner, str):
            inner = {"kind": inner}
        if not isinstance(inner, (dict, list)):
            raise SpecError(f"{path}: '{part}' holds {inner!r}, which has no fields to set")
        place[int(part) if isinstance(place, list) else part] = inner
        place = inner
    place[int(last) if isinstance(place, list) else last] = copy.deepcopy(value)


def _combinations(vary: tuple[Grid, ...]) -> Iterator[tuple[Choice, ...]]:
    for grid in vary or ({},):
        yield from itertools.product(*(_choices(f, values) for f, values in grid.items()))


def _combination_keys(vary: tuple[Grid, ...]) -> Iterator[tuple[int, tuple[tuple[str, int], ...]]]:
    for number, grid in enumerate(vary or ({},)):
        for indices in itertools.product(*(range(len(values)) for values in grid.values())):
            yield number, tuple(zip(grid, indices, strict=True))


def _choices(factor: str, values: list[Any] | Mapping[str, dict[str, Any]]) -> list[Choice]:
    if isinstance(values, Mapping):
        return [
            Choice(factor, str(label), {_relative(p): v for p, v in sets.items()})
            for label, sets in values.items()
        ]
    path = _relative(factor)
    labels = _labels(values)
    return [Choice(path, label, {path: value}) for label, value in zip(labels, values, strict=True)]


def _labels(values: list[Any]) -> list[str]:
    """Name values for a person: nested kinds by their kind, and by their fields where needed."""
    kinds = [v.get("kind", "?") if isinstance(v, dict) else v for v in values]
    labels = []
    for value, kind in zip(values, kinds, strict=True):
        if isinstance(value, dict) and kinds.count(kind) > 1:
            fields = ", ".join(f"{k}={_text(v)}" for k, v in value.items() if k != "kind")
            labels.append(f"{kind}({fields})")
        else:
            labels.append(_text(kind))
    return labels


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "-".join(map(_text, value)) if isinstance(value, list) else str(value)


def _run_of(study: Study, choices: tuple[Choice, ...]) -> RunSpec:
    raw = copy.deepcopy(study.run)
    sets = [(path, value) for choice in choices for path, value in choice.sets.items()]
    for path, value in sorted(sets, key=lambda item: item[0].count(".")):
        try:
            set_path(raw, path, value)
        except (KeyError, IndexError, ValueError, TypeError):
            raise SpecError(f"vary.{path}: there is no such place in 'run'") from None
    try:
        return RunSpec.parse(raw, "run")
    except SpecError as error:
        if not choices:
            raise
        text = ", ".join(f"{choice.factor} = {choice.label}" for choice in choices)
        raise SpecError(f"{error}\n(in the configuration with {text})") from None


def _resolved_factor(factor: str, values: Any, owner: Mapping[tuple[str, int], dict]) -> Any:
    if isinstance(values, Mapping):
        return {
            label: {path: _get(owner[factor, index], _relative(path)) for path in sets}
            for index, (label, sets) in enumerate(values.items())
        }
    return [_get(owner[factor, index], _relative(factor)) for index in range(len(values))]


def _get(tree: Any, path: str) -> Any:
    for part in path.split("."):
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    return tree


def _relative(path: str) -> str:
    return path.removeprefix("run.")
