"""From a study to its configurations: grids expanded, paths set, runs validated."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from descentlab.core.errors import SpecError, unknown
from descentlab.studies.labels import label_of, names_of
from descentlab.studies.landscapes import check_landscape
from descentlab.studies.spec import Grid, RunSpec, Study

ASK_ABOVE = 100_000
"""Runs above which a study must be confirmed (``--yes``)."""


class Configuration(NamedTuple):
    """One setting of everything: an id, the run, the varied values, a label per factor."""

    id: str
    run: RunSpec
    values: dict[str, Any]
    labels: dict[str, str]


def count(study: Study) -> int:
    """Return the number of configurations, those a sampler will be asked for included."""
    if study.search is not None:
        return getattr(study.search, "trials", None) or len(_searched(study))
    return sum(math.prod(len(values) for values in grid.values()) for grid in study.vary) or 1


def factors(study: Study) -> list[str]:
    """Return the names of what varies, in the order of the file."""
    if study.search is not None:
        return list(study.search.space)
    return list(dict.fromkeys(relative(factor) for grid in study.vary for factor in grid))


def configurations(study: Study) -> list[Configuration]:
    """Expand a study's grids; a configuration that cannot be run or is there twice is an error."""
    _check_factors(study)
    if study.search is not None:
        return _found(study)
    keys = list(keys_of(study.vary))
    combinations = settings_of(study)
    runs = [run_of(study, choices) for choices in combinations]
    plain = [run.resolved() for run in runs]
    labels = _labels(study.vary, keys, plain)
    digits = max(2, len(str(len(runs) - 1)))
    found: list[Configuration] = []
    owners: dict[str, str] = {}
    for number, (key, choices, run) in enumerate(zip(keys, combinations, runs, strict=True)):
        own = {relative(factor): labels[key.grid, factor, index] for factor, index in key.chosen}
        name = ", ".join(f"{factor} = {label}" for factor, label in own.items())
        text = run.model_dump_json()
        if text in owners:
            raise SpecError(
                f"vary: two configurations are the same run: ({owners[text]}) and ({name})"
            )
        owners[text] = name
        values = {path: at_path(plain[number], path) for path in choices}
        found.append(Configuration(f"c{number:0{digits}d}", run, values, own))
    return found


def settings_of(study: Study) -> list[dict[str, Any]]:
    """Return what each configuration sets, by path, with the values as the file has them."""
    if study.search is not None:
        return _searched(study)
    return [_choices(study.vary, key) for key in keys_of(study.vary)]


def _found(study: Study) -> list[Configuration]:
    """Return the configurations of a search, in the order in which they were drawn."""
    assert study.search is not None
    sampled = _searched(study)
    digits = max(2, len(str(len(sampled) - 1)))
    names = {
        path: names_of(choices)
        for path, dimension in study.search.space.items()
        if (choices := getattr(dimension, "choices", None))
    }
    found: list[Configuration] = []
    owners: dict[str, str] = {}
    for number, values in enumerate(sampled):
        run = run_of(study, values, "search.space")
        labels = {
            path: names[path][study.search.space[path].choices.index(value)]
            if path in names
            else label_of(value)
            for path, value in values.items()
        }
        text, name = run.model_dump_json(), ", ".join(f"{k} = {v}" for k, v in labels.items())
        if text in owners:
            raise SpecError(f"search: two settings are the same run: ({owners[text]}) and ({name})")
        owners[text] = name
        plain = run.resolved()
        own = {path: at_path(plain, path) for path in values}
        found.append(Configuration(f"c{number:0{digits}d}", run, own, labels))
    return found


def _searched(study: Study) -> list[dict[str, Any]]:
    from descentlab.studies.search.samples import settings

    assert study.search is not None
    return settings(study.search, study.run.get("epochs") or 0)


def set_path(raw: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted path in nested plain values, making mappings of shorthand names on the way."""
    *parents, last = path.split(".")
    place: Any = raw
    for part in parents:
        key: Any = int(part) if isinstance(place, list) else part
        inner = place[key] if isinstance(place, list) else place.get(key, {})
        if isinstance(inner, str):
            inner = {"kind": inner}
        if not isinstance(inner, (dict, list)):
            raise SpecError(f"{path}: '{part}' holds {inner!r}, which has no fields to set")
        place[key] = inner
        place = inner
    place[int(last) if isinstance(place, list) else last] = copy.deepcopy(value)


def _check_factors(study: Study) -> None:
    """Refuse a grid with two factors for one place, and a report by what does not vary."""
    for grid in study.vary:
        owners: dict[str, str] = {}
        for factor, values in grid.items():
            grouped = isinstance(values, Mapping)
            paths = [p for sets in values.values() for p in sets] if grouped else [factor]
            for path in dict.fromkeys(map(relative, paths)):
                if path in owners:
                    raise SpecError(
                        f"vary: '{owners[path]}' and '{factor}' both set {path}; "
                        "let one of them set it"
                    )
                owners[path] = factor
    report, known = study.report, factors(study)
    asked = [("by", name) for name in report.by]
    asked += [(field, getattr(report, field)) for field in ("rows", "columns")]
    for field, name in asked:
        if name is not None and name not in known:
            what = unknown("factor", name, known) if known else "this study varies nothing"
            raise SpecError(f"report.{field}: {what}")


class Key(NamedTuple):
    """Which alternative of each factor of which grid."""

    grid: int
    chosen: tuple[tuple[str, int], ...]


def keys_of(vary: tuple[Grid, ...]) -> Iterator[Key]:
    """Yield each configuration's alternatives, grid after grid."""
    for number, grid in enumerate(vary or ({},)):
        for indices in itertools.product(*(range(len(values)) for values in grid.values())):
            yield Key(number, tuple(zip(grid, indices, strict=True)))


def _choices(vary: tuple[Grid, ...], key: Key) -> dict[str, Any]:
    """Return the paths that a combination sets, with the values as the file has them."""
    sets: dict[str, Any] = {}
    for factor, index in key.chosen:
        values = vary[key.grid][factor]
        if isinstance(values, Mapping):
            alternative = list(values.values())[index]
            sets |= {relative(path): value for path, value in alternative.items()}
        else:
            sets[relative(factor)] = values[index]
    return sets


def _first_users(keys: list[Key], plain: list[dict]) -> dict[tuple[int, str, int], dict]:
    """Return, for each alternative of each factor, the first resolved run that uses it."""
    users: dict[tuple[int, str, int], dict] = {}
    for key, run in zip(keys, plain, strict=True):
        for factor, index in key.chosen:
            users.setdefault((key.grid, factor, index), run)
    return users


def _labels(
    vary: tuple[Grid, ...], keys: list[Key], plain: list[dict]
) -> dict[tuple[int, str, int], str]:
    """Name every alternative for a person, by its resolved value, so that names are stable."""
    users = _first_users(keys, plain)
    labels: dict[tuple[int, str, int], str] = {}
    for number, grid in enumerate(vary):
        for factor, values in grid.items():
            names = list(map(str, values))
            if not isinstance(values, Mapping):
                path = relative(factor)
                names = names_of(
                    [at_path(users[number, factor, i], path) for i in range(len(values))]
                )
            labels |= {(number, factor, index): name for index, name in enumerate(names)}
    return labels


def _depth(path: str) -> int:
    return path.count(".")


def run_of(study: Study, sets: Mapping[str, Any], place: str = "vary") -> RunSpec:
    """Return a study's run with these settings; a place that is not there is an error."""
    raw = copy.deepcopy(study.run)
    for path in sorted(sets, key=_depth):
        try:
            set_path(raw, path, sets[path])
        except (KeyError, IndexError, ValueError, TypeError):
            raise SpecError(f"{place}.{path}: there is no such place in 'run'") from None
    try:
        run = RunSpec.parse(raw, "run")
        check_landscape(run)
    except SpecError as error:
        if not sets:
            raise
        text = ", ".join(f"{path} = {value}" for path, value in sets.items())
        raise SpecError(f"{error}\n(in the configuration with {text})") from None
    return run


def at_path(tree: Any, path: str) -> Any:
    """Return what lies at a dotted path of nested plain values."""
    for part in path.split("."):
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    return tree


def relative(path: str) -> str:
    """Return a path as seen from ``run``."""
    return path.removeprefix("run.")
