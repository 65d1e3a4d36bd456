"""YAML with the place of everything in it, so that a fault can be shown by line and column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from descentlab.core.errors import SpecError
from descentlab.core.yaml import Loader, guarded


class Mark(NamedTuple):
    """A place in a file; lines and columns are counted from 1."""

    line: int
    column: int


Path = tuple[Any, ...]


class Marked(NamedTuple):
    """Plain values, and the place of each by its path; of a key at ``(*path, KEY)``."""

    value: Any
    marks: Mapping[Path, Mark]
    source: str

    def at(self, path: Path, column: int = 0) -> str:
        """Return 'file, line 3, column 7', of a path or the nearest above it."""
        while path and path not in self.marks:
            path = path[:-1]
        mark = self.marks.get(path)
        if mark is None:
            return self.source
        return f"{self.source}, line {mark.line}, column {mark.column + column}"


KEY = object()
"""After a path: the key itself."""


def read_marked(text: str | bytes, source: str, *, as_written: bool = False) -> Marked:
    """Parse YAML; see :func:`descentlab.core.yaml.read_yaml` for what is refused.

    Args:
        text: the document.
        source: its name, for messages.
        as_written: every value is text, just as it stands in the file.
    """
    marks: dict[Path, Mark] = {}

    def load() -> Any:
        loader = Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _walk(node, (), marks)
            return _strings(node) if as_written else loader.construct_document(node)
        finally:
            loader.dispose()

    return Marked(guarded(load, text, source), marks, source)


def _walk(node: yaml.Node, path: Path, marks: dict[Path, Mark], depth: int = 0) -> None:
    if depth > 100:
        raise RecursionError
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    mark = node.start_mark
    marks[path] = Mark(mark.line + 1, mark.column + 1 + quoted)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            marks[(*path, name, KEY)] = Mark(key.start_mark.line + 1, key.start_mark.column + 1)
            _walk(value, (*path, name), marks, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*path, number), marks, depth + 1)


def _strings(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_strings(item) for item in node.value]
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is no text", key.start_mark)
        if key.value in found:
            problem = f"the key '{key.value}' is there twice"
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        found[key.value] = _strings(value)
    return found


def located(error: SpecError, marked: Marked) -> SpecError:
    """Return a validation error whose lines begin with their places in the file."""
    lines = []
    for line in str(error).splitlines():
        dotted = line.partition(": ")[0]
        path: Path = ()
        for part in dotted.split("."):
            listed = part.isdigit() and (*path, int(part)) in marked.marks
            path = (*path, int(part) if listed else part)
        of_key = "unknown field" in line or "a name must be text" in line
        place = marked.at((*path, KEY) if of_key else path)
        lines.append(f"{place}: {line}")
    return SpecError("\n".join(lines))
