"""What the runs of a study were told, across its configurations."""

from __future__ import annotations

from typing import Any

from descentlab.report.answers import Result

MISSING = object()


def settings(result: Result, path: str) -> list[Any]:
    """Return the distinct values of a setting such as ``model.dropout``."""
    base = _run(result)
    found: list[Any] = []
    for configuration in result.configurations:
        value = _varied(configuration.values, path)
        value = _get(base, path) if value is MISSING else value
        if value is not MISSING and value not in found:
            found.append(value)
    return found


def by_epoch(result: Result) -> bool:
    """Return whether curves are drawn by epoch: the study counts in epochs, not in updates."""
    found = settings(result, "epochs")
    return bool(found) and all(value is not None for value in found)


def _run(result: Result) -> dict[str, Any]:
    resolved = getattr(result, "resolved", None)
    run = resolved.get("run") if isinstance(resolved, dict) else result.study.run
    return run if isinstance(run, dict) else {}


def _varied(values: dict[str, Any], path: str) -> Any:
    """Find a path among varied ones, or within a nested kind that is varied as a whole."""
    if path in values:
        return values[path]
    parent, dot, rest = path.rpartition(".")
    tail = rest
    while dot:
        if parent in values:
            return _get(values[parent], tail)
        parent, dot, rest = parent.rpartition(".")
        tail = f"{rest}.{tail}"
    return MISSING


def _get(tree: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return MISSING
        tree = tree[part]
    return tree
