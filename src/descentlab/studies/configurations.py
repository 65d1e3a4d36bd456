"""From a study to its configurations: grids expanded, paths set, runs validated."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from descentlab.core.errors import SpecError, unknown
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
    keys = list(_keys(study.vary))
    combinations = [_choices(study.vary, key) for key in keys]
    runs = [_run_of(study, choices) for choices in combinations]
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


def resolved(study: Study, found: list[Configuration]) -> dict[str, Any]:
    """Return the study with every default written out; loading it gives the same configurations."""
    plain = [configuration.run.resolved() for configuration in found]
    rest = {
        "seeds": list(study.seeds),
        "claims": [claim.resolved() for claim in study.claims],
        "report": study.report.resolved(),
    }
    head = {"name": study.name, "question": study.question}
    if study.search is not None:
        return {**head, "run": plain[0], "search": study.search.resolved(), **rest}
    keys = list(_keys(study.vary))
    users = _first_users(keys, plain)
    vary = [
        {factor: _resolved_factor(number, factor, values, users) for factor, values in grid.items()}
        for number, grid in enumerate(study.vary)
    ]
    return {**head, "run": _base(study, keys, plain), "vary": vary, **rest}


def _found(study: Study) -> list[Configuration]:
    """Return the configurations of a search, in the order in which they were drawn."""
    assert study.search is not None
    sampled = _searched(study)
    digits = max(2, len(str(len(sampled) - 1)))
    names = {
        path: _names(choices)
        for path, dimension in study.search.space.items()
        if (choices := getattr(dimension, "choices", None))
    }
    found: list[Configuration] = []
    owners: dict[str, str] = {}
    for number, values in enumerate(sampled):
        run = _run_of(study, values, "search.space")
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


def label_of(value: Any) -> str:
    """Return a value as people read it: a nested kind by its name."""
    return str(value.get("kind", "…")) if isinstance(value, Mapping) else text_of(value)


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


class _Key(NamedTuple):
    """Which alternative of each factor of which grid."""

    grid: int
    chosen: tuple[tuple[str, int], ...]


def _keys(vary: tuple[Grid, ...]) -> Iterator[_Key]:
    for number, grid in enumerate(vary or ({},)):
        for indices in itertools.product(*(range(len(values)) for values in grid.values())):
            yield _Key(number, tuple(zip(grid, indices, strict=True)))


def _choices(vary: tuple[Grid, ...], key: _Key) -> dict[str, Any]:
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


def _first_users(keys: list[_Key], plain: list[dict]) -> dict[tuple[int, str, int], dict]:
    """Return, for each alternative of each factor, the first resolved run that uses it."""
    users: dict[tuple[int, str, int], dict] = {}
    for key, run in zip(keys, plain, strict=True):
        for factor, index in key.chosen:
            users.setdefault((key.grid, factor, index), run)
    return users


def _labels(
    vary: tuple[Grid, ...], keys: list[_Key], plain: list[dict]
) -> dict[tuple[int, str, int], str]:
    """Name every alternative for a person, by its resolved value, so that names are stable."""
    users = _first_users(keys, plain)
    labels: dict[tuple[int, str, int], str] = {}
    for number, grid in enumerate(vary):
        for factor, values in grid.items():
            names = list(map(str, values))
            if not isinstance(values, Mapping):
                path = relative(factor)
                names = _names(
                    [at_path(users[number, factor, i], path) for i in range(len(values))]
                )
            labels |= {(number, factor, index): name for index, name in enumerate(names)}
    return labels


def _names(values: list[Any]) -> list[str]:
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


def _base(study: Study, keys: list[_Key], plain: list[dict]) -> dict[str, Any]:
    """Return the run that the grids start from: what no grid or not every grid sets.

    It is the first configuration's, except for paths that some grid leaves alone:
    there it is what that grid's configurations have.
    """
    base = copy.deepcopy(plain[0])
    firsts = {
        key.grid: (set(_choices(study.vary, key)), run)
        for key, run in reversed(list(zip(keys, plain, strict=True)))
    }
    paths = sorted({path for own, _ in firsts.values() for path in own}, key=_depth)
    for path in paths:
        for own, run in firsts.values():
            if not any(f"{path}.".startswith(f"{other}.") for other in own):
                set_path(base, path, at_path(run, path))
                break
    for path in paths:
        if path.endswith(".flavour"):
            _leave_to_flavours(base, path.removesuffix(".flavour"), study.run, plain)
    return base


def _leave_to_flavours(
    base: dict[str, Any], place: str, raw: dict[str, Any], plain: list[dict[str, Any]]
) -> None:
    """Take out of the base what a varied flavour fills in: each has values of its own."""
    given = _there(raw, place)
    filled = [fields for run in plain if (fields := _there(run, place))]
    fields = _there(base, place)
    for name in list(fields):
        differs = any(other.get(name) != fields[name] for other in filled)
        if differs and name not in given and name != "flavour":
            del fields[name]


def _there(run: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the fields at a path; none where a name stands for them or nothing is there."""
    try:
        found = at_path(run, place)
    except (KeyError, TypeError, IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _depth(path: str) -> int:
    return path.count(".")


def text_of(value: Any) -> str:
    """Return a value as labels have it."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "-".join(map(text_of, value)) or "none"
    return str(value)


def _run_of(study: Study, sets: Mapping[str, Any], place: str = "vary") -> RunSpec:
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


def _resolved_factor(
    grid: int, factor: str, values: Any, users: Mapping[tuple[int, str, int], dict]
) -> Any:
    if isinstance(values, Mapping):
        return {
            label: {path: at_path(users[grid, factor, index], relative(path)) for path in sets}
            for index, (label, sets) in enumerate(values.items())
        }
    path = relative(factor)
    return [at_path(users[grid, factor, index], path) for index in range(len(values))]


def at_path(tree: Any, path: str) -> Any:
    """Return what lies at a dotted path of nested plain values."""
    for part in path.split("."):
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    return tree


def relative(path: str) -> str:
    """Return a path as seen from ``run``."""
    return path.removeprefix("run.")
