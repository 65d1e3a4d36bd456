"""The documentation is true: its examples are executed, page by page, from top to bottom.

``yaml`` blocks are validated: whole studies, or fragments of one. With a ``title`` they
become files for the blocks below them. ``python`` blocks share a page's namespace.
``console`` blocks are run after their ``$``; a training is cut short to one seed and an
epoch or two updates. An output that begins with ``descentlab: `` must be the
message that comes, with status 2; all other outputs are illustrations.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from descentlab.core.formulas.functions import FUNCTIONS
from descentlab.explain.checking.solution import parse_solutions
from descentlab.explain.exercise import Convention, Exercise, Slip, Table, Update, parse_exercise
from descentlab.studies.configurations import configurations
from descentlab.studies.load import load_study
from descentlab.studies.search.asking import begun
from descentlab.studies.spec import RunSpec, Study

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.M | re.S)
NOT_RUN = {"make", "git", "pip", "python3"}
READ_ONLY = {"ls", "cat", "head"}

BASE = """
name: base
run:
  data: iris
  model: {kind: mlp, hidden: [8]}
  optimizer: {kind: sgd, learning_rate: 0.1}
  epochs: 1
"""


class Block(NamedTuple):
    """A fenced block: its language, the title if it has one, its text, its line."""

    language: str
    title: str | None
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text()
    found = []
    for match in FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', match[2])
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], title[1] if title else None, match[3], line))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "example"}
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.title:
            Path(block.title).write_text(block.text)
        if block.language == "yaml":
            check_yaml(block, tmp_path)
        elif block.language == "python":
            importing_from_here(monkeypatch, tmp_path)
            exec(compile("\n" * block.line + block.text, where, "exec"), namespace)
        elif block.language == "console":
            check_console(block, where)
        elif block.language == "json":
            json.loads(block.text)
        else:
            assert block.language == "text", f"{where}: what is '{block.language}'?"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_hold_nothing_hidden_and_link_to_what_is_there(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    assert "<!--" not in text
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_reference_names_every_field_and_every_kind() -> None:
    from descentlab.studies.catalogue import CATALOGUES

    pages = ("study-file.md", "data.md", "optimizers.md")
    text = "\n".join((ROOT / "docs" / name).read_text() for name in pages)
    words = set(re.findall(r"`([^`\n]+)`", text))
    wanted = set(Study.model_fields) | set(RunSpec.model_fields)
    for catalogue in CATALOGUES.values():
        for kind, spec in catalogue.kinds.items():
            wanted |= {kind, *spec.model_fields}
    assert not wanted - words, f"not in the reference: {sorted(wanted - words)}"


def test_the_page_on_exercises_names_every_field_and_every_function() -> None:
    words = set(re.findall(r"`([^`\n]+)`", (ROOT / "docs" / "worked-calculations.md").read_text()))
    fields = set(Exercise.model_fields) | set(Table.model_fields) | set(Update.model_fields)
    fields |= set(Convention.model_fields) | set(Slip.model_fields) - {"formula"}
    assert not (fields | set(FUNCTIONS)) - words


def importing_from_here(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let blocks import the page's own titled Python files, as a user's would in their folder."""
    if str(folder) not in sys.path:
        monkeypatch.syspath_prepend(str(folder))


def check_yaml(block: Block, folder: Path) -> None:
    """Validate a study, or a fragment of one on top of a small valid study."""
    raw = yaml.safe_load(block.text)
    assert isinstance(raw, dict), block.text
    if "exercise" in raw:
        check_exercise(block, raw)
        return
    if "name" not in raw or "run" not in raw:
        base = yaml.safe_load(BASE)
        known = set(RunSpec.model_fields)
        if set(raw) <= known:
            raw = base | {"run": _run(base["run"], raw)}
        else:
            assert set(raw) <= set(Study.model_fields), f"no fragment of a study: {sorted(raw)}"
            raw = base | raw | {"run": _run(base["run"], raw.get("run", {}))}
    file = folder / "block-of-the-page.yaml"
    file.write_text(yaml.safe_dump(raw, sort_keys=False))
    assert configurations(begun(load_study(file)))


def check_exercise(block: Block, raw: dict[str, Any]) -> None:
    """Read an exercise, or a solution of one; what an example shows to be wrong is shown below."""
    if "quantities" in raw:
        parse_exercise(block.text, block.title or "exercise.yaml")
    else:
        assert parse_solutions(block.text, block.title or "solution.yaml")[0].numbers


def _run(base: dict[str, Any], fragment: dict[str, Any]) -> dict[str, Any]:
    merged = base | fragment
    if "steps" in fragment:
        merged.pop("epochs")
    return merged


def check_console(block: Block, where: str) -> None:
    """Run a block's commands, and compare the error messages that it shows."""
    text = block.text.replace("\\\n", " ")
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command, comments=True)
        environment = os.environ | {"COLUMNS": "100"}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = os.pathsep.join(filter(None, [value, os.environ.get(name)]))
        if words[0] in NOT_RUN:
            continue
        assert words[0] in READ_ONLY | {"descentlab"}, f"{where}: may not run '{words[0]}'"
        expected = 2 if shown.startswith("descentlab: ") else 0
        if words[0] == "descentlab":
            words = [sys.executable, "-P", "-m", "descentlab", *smaller(words[1:])]
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=environment, timeout=300
        )
        assert done.returncode == expected, f"{where}: $ {command}\n{done.stdout}{done.stderr}"
        if expected:
            assert " ".join(shown.split()) in " ".join(done.stderr.split()), f"{where}: {command}"


def smaller(arguments: list[str]) -> list[str]:
    """Cut a training short, unless the example itself says how long it is."""
    if arguments[0] != "run" or "--explain-plan" in arguments:
        return arguments
    changes = [b for a, b in itertools.pairwise(arguments) if a == "--set"]
    more: list[str] = [] if "--seeds" in arguments else ["--seeds", "1"]
    try:
        run = load_study(arguments[1], changes=changes).run
    except Exception:  # the example shows an error
        return arguments
    length = "steps=2" if "steps" in run else "epochs=1"
    if not any(change.startswith(("steps", "epochs")) for change in changes):
        more += ["--set", length]
    return [*arguments, *more]
