"""Reading YAML files of unknown quality: strict, bounded, with errors that say where."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

import yaml

from descentlab.core.errors import SpecError

MOST_BYTES = 4 << 20
MOST_VALUES = 1_000_000
MOST_DEPTH = 100


class Loader(yaml.SafeLoader):
    """YAML in which ``1e-3`` is a number and a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is given twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # which the loader itself refuses
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' is there twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {
    first: [item for item in resolvers if item[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_yaml(text: str | bytes, source: str) -> Any:
    """Parse YAML; a fault is a :class:`SpecError` with the line.

    Args:
        text: the document.
        source: its name, for messages.
    """
    return guarded(lambda: yaml.load(text, Loader), text, source)


def guarded(load: Callable[[], Any], text: str | bytes, source: str) -> Any:
    """Return what ``load`` makes of a document; faults of it are :class:`SpecError`."""
    if len(text) > MOST_BYTES:
        raise SpecError(f"{source}: a file of {len(text):,} bytes; at most {MOST_BYTES:,} are read")
    try:
        value = load()
        _bounded(value, source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SpecError(f"{where}: not valid YAML: {problem}") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise SpecError(f"{source}: not readable as text: {error}") from None
    except RecursionError:
        raise SpecError(
            f"{source}: nested too deeply; at most {MOST_DEPTH} levels are read"
        ) from None
    return value


def write_yaml(value: Any) -> str:
    """Write plain values as YAML, keys in their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Short lists of plain values on one line; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_list(self, data: list[Any]) -> yaml.Node:
        plain = all(not isinstance(item, (dict, list)) for item in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)


_Dumper.add_representer(list, _Dumper.represent_list)
_Dumper.yaml_implicit_resolvers = Loader.yaml_implicit_resolvers  # what reads as a number is quoted


def _bounded(value: Any, source: str) -> None:
    """Refuse documents that aliases blow up or that nest without end."""
    count = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise SpecError(
                f"{source}: more than {MOST_VALUES:,} values; vary a grid instead of listing"
            )
        if depth > MOST_DEPTH:
            raise SpecError(f"{source}: nested too deeply; at most {MOST_DEPTH} levels are read")
        if isinstance(item, dict):
            waiting.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            waiting.extend((child, depth + 1) for child in item)
