"""Loading a study by file or by name, with settings changed on the command line."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from descentlab.core.errors import SpecError, unknown
from descentlab.core.yaml import read_yaml
from descentlab.studies.configurations import set_path
from descentlab.studies.spec import STUDY, Study


def library() -> dict[str, str]:
    """Return the studies that come with DescentLab: their question by name."""
    return {name: str(_read(name)[1].get("question", "")) for name in _names()}


def load_study(
    source: str | os.PathLike[str], *, changes: Iterable[str] = (), seeds: int | None = None
) -> Study:
    """Load a study.

    Args:
        source: a study file, or the name of a study in the library.
        changes: ``PATH=VALUE`` settings (YAML values) that replace what the file says.
        seeds: number of seeds instead of the file's.

    Raises:
        SpecError: the file cannot be read, or says something that cannot be run; the
            message names the path in the file, what was found and what is allowed.
    """
    where, raw = _read(os.fspath(source))
    for change in changes:
        _change(raw, change)
    if seeds is not None:
        raw["seeds"] = seeds
    raw.setdefault("name", _name(source))
    return Study.parse(raw, file=where)


def differences(before: Any, after: Any) -> list[str]:
    """Describe where two resolved studies differ, one line a difference."""
    from descentlab.core.yaml import write_yaml

    lines = difflib.unified_diff(
        write_yaml(before).splitlines(),
        write_yaml(after).splitlines(),
        "folder",
        "asked for",
        n=0,
        lineterm="",
    )
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def _names() -> list[str]:
    folder = resources.files("descentlab.studies") / "library"
    return sorted(
        item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")
    )


def _name(source: str | os.PathLike[str]) -> str:
    """Make a study's name of a file's: 'my study.yaml' is 'my-study'."""
    return re.sub("[^A-Za-z0-9._-]+", "-", Path(source).stem).strip("-._")[:100] or "study"


def _read(source: str) -> tuple[str, dict[str, Any]]:
    """Return what to call a study's file in messages (nothing in the library), and its content."""
    path = Path(source)
    names = _names()
    if source in names:
        text = (resources.files("descentlab.studies") / "library" / f"{source}.yaml").read_bytes()
    elif path.suffix in (".yaml", ".yml") or path.exists():
        if path.is_dir():
            path = path / STUDY
            if not path.is_file():
                raise SpecError(
                    f"{source} is a folder without {STUDY}; expected a study file, a results "
                    "folder, or the name of a study ('descentlab list studies')"
                )
            source = str(path)
        try:
            text = path.read_bytes()
        except OSError as error:
            raise SpecError(f"cannot read the study file {source}: {error.strerror}") from None
    else:
        raise SpecError(f"{unknown('study', source, names)}; a file's name ends in .yaml")
    raw = read_yaml(text, source)
    if raw is None:
        raise SpecError(f"{source} is empty; expected a study (name, run, vary, seeds …)")
    if not isinstance(raw, dict):
        raise SpecError(
            f"{source}: expected a study (name, run, vary, seeds …), found {type(raw).__name__}"
        )
    if not all(isinstance(key, str) for key in raw):
        raise SpecError(f"{source}: the fields of a study are words")
    return "" if source in names else source, raw


def _change(raw: dict[str, Any], change: str) -> None:
    path, equals, text = change.partition("=")
    path = path.strip()
    if not equals or not path:
        raise SpecError(
            f"--set: expected PATH=VALUE such as optimizer.learning_rate=0.1, found '{change}'"
        )
    value = read_yaml(text, f"--set {path}")
    if path == "run" or f"{path}.".startswith("run.run."):
        near = path.removeprefix("run.") if path.count(".") > 1 else "run.epochs"
        raise SpecError(
            f"--set {path}: there is no such place in the study; give a path in 'run', such as "
            f"'{near}'"
        )
    first = path.split(".")[0]
    if first in Study.model_fields and first != "run":
        if first == "vary":
            raise SpecError(
                "--set: 'vary' cannot be changed from the command line; "
                "copy the study file and edit it"
            )
        place = raw
    else:
        path = path.removeprefix("run.")
        _refuse_varied(raw, path)
        place = raw.setdefault("run", {})
    if not isinstance(place, dict):
        raise SpecError(f"--set {path}: 'run' is no mapping in the file")
    try:
        set_path(place, path, value)
    except (KeyError, IndexError, ValueError, TypeError):
        raise SpecError(
            f"--set {path}: there is no such place in the study; there is '{_reached(place, path)}'"
        ) from None


def _reached(place: Any, path: str) -> str:
    """Return how much of a path is there."""
    found: list[str] = []
    for part in path.split("."):
        key: Any = int(part) if isinstance(place, list) and part.isdecimal() else part
        try:
            place = place[key]
        except (KeyError, IndexError, TypeError):
            break
        found.append(part)
    return ".".join(found)


def _refuse_varied(raw: dict[str, Any], path: str) -> None:
    vary = raw.get("vary") or []
    for grid in [vary] if isinstance(vary, dict) else vary:
        for factor, values in grid.items() if isinstance(grid, dict) else ():
            sets = (
                [p for a in values.values() if isinstance(a, dict) for p in a]
                if isinstance(values, dict)
                else [factor]
            )
            for varied in (str(item).removeprefix("run.") for item in sets):
                if f"{path}.".startswith(f"{varied}.") or f"{varied}.".startswith(f"{path}."):
                    raise SpecError(
                        f"--set {path}: the study varies '{varied}', so one value cannot be set; "
                        "copy the study file and edit its 'vary'"
                    )
