"""Which configurations a claim speaks of, and which of them belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from descentlab.core.errors import SpecError, unknown
from descentlab.studies.claims.spec import Selection
from descentlab.studies.configurations import Configuration, at_path, factors, relative
from descentlab.studies.labels import text_of
from descentlab.studies.spec import Study

ABSENT = "–"
Traits = dict[str, Any]


class Cell(NamedTuple):
    """Configurations that differ in nothing but what two sides are compared by."""

    a: tuple[str, ...]
    b: tuple[str, ...]


class Configurations:
    """A study's configurations with what they are selected and paired by."""

    def __init__(self, study: Study, configurations: Sequence[Configuration]) -> None:
        self.study = study
        self.all = {c.id: c for c in configurations}
        self.factors = factors(study)

    @cached_property
    def _resolved(self) -> dict[str, dict[str, Any]]:
        return {name: c.run.resolved() for name, c in self.all.items()}

    def select(self, selection: Selection, where: str, among: Iterable[str] = ()) -> list[str]:
        """Return the ids of the configurations that have what a selection asks for.

        Raises:
            SpecError: an unknown factor or path, a value that no configuration has, or
                values that no configuration has together.
        """
        left = list(among) or list(self.all)
        for key, wanted in selection.items():
            found = [self._having(key, value, where) for value in self._values(key, wanted)]
            left = [name for name in left if any(name in names for names in found)]
        if not left:
            text = ", ".join(f"{key}: {value}" for key, value in selection.items())
            raise SpecError(f"{where}: no configuration has all of {{{text}}}")
        return left

    def _values(self, key: str, wanted: Any) -> list[Any]:
        """Return the values that are asked for: any in a list, unless one is that very list."""
        if not isinstance(wanted, list):
            return [wanted]
        whole = any(self._at(name, relative(key)) == wanted for name in self.all)
        return [wanted] if whole else wanted

    def _having(self, key: str, value: Any, where: str) -> set[str]:
        """Return the configurations with a value; those of a label or kind if none has it."""
        key = relative(key)
        if key not in self.factors and not self._is_path(key):
            paths = {path for c in self.all.values() for path in c.values}
            names = {*self.factors, *paths}
            raise SpecError(f"{where}: {unknown('factor or path', key, names)}")
        found = {name for name in self.all if self._has_value(name, key, value)}
        # values that are equal to six digits share their label
        found = found or {name for name in self.all if self._has_label(name, key, value)}
        if not found:
            known = dict.fromkeys(self.label(name, key) for name in self.all)
            raise SpecError(
                f"{where}.{key}: no configuration has {text_of(value)!r}; "
                f"there are: {', '.join(list(known)[:20])}"
            )
        return found

    def label(self, name: str, key: str) -> str:
        """Return what a configuration has at a factor or path, as a person reads it."""
        key = relative(key)
        if key in self.all[name].labels:
            return self.all[name].labels[key]
        value = self._at(name, key)
        return str(value.get("kind")) if isinstance(value, dict) else text_of(value)

    def value(self, name: str, key: str, where: str) -> Any:
        """Return what a configuration's resolved run has at a path, or its label of a group.

        Raises:
            SpecError: no configuration has such a factor or path.
        """
        key = relative(key)
        if key in self._groups:
            return self.all[name].labels.get(key)
        if not self._is_path(key):
            paths = {path for c in self.all.values() for path in c.values}
            raise SpecError(f"{where}: {unknown('factor or path', key, {*self.factors, *paths})}")
        return self._at(name, key)

    def words(self, selection: Selection) -> str:
        """Return a selection as a person would say it."""
        texts = {
            key: " or ".join(map(self.text, self._values(key, value)))
            for key, value in selection.items()
        }
        return ", ".join(self.word(key, text) for key, text in texts.items())

    def text(self, value: Any) -> str:
        """Return a value as labels have it, with more digits where they need not tell it."""
        short = text_of(value)
        return repr(value) if isinstance(value, float) and float(short) != value else short

    def own_text(self, name: str, key: str) -> str:
        """Return what a configuration has at a factor or path, told from all that differ."""
        value = self._at(name, relative(key))
        return self.text(value) if isinstance(value, float) else self.label(name, key)

    def word(self, key: str, label: str) -> str:
        """Name a label; a number, a yes or no, or a path's value means little by itself."""
        key = relative(key)
        letters = label.replace("e-", "").replace("e+", "")
        own = key in self.factors and any(letter.isalpha() for letter in letters)
        if own and label.lower() not in {"true", "false", "none"}:
            return label
        return f"{key.rpartition('.')[2].replace('_', ' ')} {label}"

    def _has_value(self, name: str, key: str, wanted: Any) -> bool:
        value = self._at(name, key) if key not in self._groups else None
        same_kind = isinstance(value, bool) == isinstance(wanted, bool)
        return same_kind and value is not None and value == wanted

    def _has_label(self, name: str, key: str, wanted: Any) -> bool:
        label = self.all[name].labels.get(key)
        if label is not None and label == text_of(wanted):
            return True
        value = self._at(name, key) if key not in self._groups else None
        return isinstance(value, dict) and value.get("kind") == wanted

    def _at(self, name: str, path: str) -> Any:
        try:
            return at_path(self._resolved[name], path)
        except (KeyError, IndexError, ValueError, TypeError):
            return None

    def _is_path(self, path: str) -> bool:
        return any(self._at(name, path) is not None for name in self.all)

    @cached_property
    def _groups(self) -> dict[str, set[str]]:
        """The paths that each named group of ``vary`` sets."""
        groups: dict[str, set[str]] = {}
        for grid in self.study.vary:
            for factor, values in grid.items():
                if isinstance(values, Mapping):
                    paths = {relative(path) for sets in values.values() for path in sets}
                    groups.setdefault(relative(factor), set()).update(paths)
        return groups

    @cached_property
    def _traits(self) -> dict[str, Traits]:
        return {name: _leaves(c.values) for name, c in self.all.items()}

    def cells(self, a: Sequence[str], b: Sequence[str], keys: Iterable[str]) -> list[Cell]:
        """Pair two sides: configurations are alike in all that varies but ``keys``.

        Only what every configuration of both sides has can be alike, so plain gradient
        descent is paired with momentum of any strength at the same learning rate.
        """
        owned = {path for key in map(relative, keys) for path in self._groups.get(key, {key})}
        kept = {name: self._kept(name, owned) for name in (*a, *b)}
        shared = set.intersection(*(set(traits) for traits in kept.values()))
        sides: tuple[dict[str, list[str]], dict[str, list[str]]] = {}, {}
        for side, names in zip(sides, (a, b), strict=True):
            for name in names:
                key = repr(sorted((path, kept[name][path]) for path in shared))
                side.setdefault(key, []).append(name)
        first, second = sides
        return [Cell(tuple(first[key]), tuple(second[key])) for key in first if key in second]

    def _kept(self, name: str, owned: set[str]) -> Traits:
        """Return the traits that are not the keys' own; a path that varies itself is nobody's.

        Of a list whose elements are owned, the others and the length are kept.
        """
        varied, kept = self.all[name].values, {}
        for path, value in self._traits[name].items():
            inside = path not in varied and any(path.startswith(f"{own}.") for own in owned)
            if path in owned or inside:
                continue
            if isinstance(value, list) and any(own.startswith(f"{path}.") for own in owned):
                items = {f"{path}.{index}": item for index, item in enumerate(value)}
                kept |= {key: item for key, item in items.items() if key not in owned}
                kept[f"{path}.length"] = len(value)
            else:
                kept[path] = value
        return kept


def _leaves(values: Mapping[str, Any]) -> Traits:
    """Flatten varied values; a deeper path that varies by itself is not its parent's."""
    found: Traits = {}
    for path in sorted(values, key=lambda path: path.count(".")):
        _flatten(values[path], path, found)
    return found


def _flatten(value: Any, path: str, found: Traits) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, f"{path}.{key}", found)
    else:
        found[path] = value
