"""The house rules that no other tool holds: sizes, borders, what is packed, what is pinned."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "descentlab"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

FILE_LINES = 400
FUNCTION_LINES = 45  # without the docstring; aim at 40

HEAVY = ("jax", "optax", "equinox", "pandas", "pyarrow", "duckdb", "matplotlib", "sklearn", "scipy")
IMPORTED_AS = {"pyyaml": "yaml", "scikit-learn": "sklearn"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring, decorators counted from ``def`` on."""
    length = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return length
    docstring = function.body[0]
    return length - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _imports(path: Path) -> set[str]:
    """Top-level names of the packages that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


def _requirement(text: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", text)
    assert match, text
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _python(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_file_is_one_idea(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= FILE_LINES, f"{_name(path)} has {lines} lines; part it by ideas"
    long = {f.name: _own_lines(f) for f in _functions(path) if _own_lines(f) > FUNCTION_LINES}
    assert not long, f"{_name(path)} has long functions: {long}"


def test_tests_mirror_the_rooms() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    folders = {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py"))}
    assert rooms == folders


def test_everything_imported_is_declared_and_everything_declared_is_imported() -> None:
    used = set[str]().union(*map(_imports, MODULES)) - set(sys.stdlib_module_names)
    used -= {"descentlab", "__future__", "pydantic_core"}  # pydantic_core comes with pydantic
    declared = {_requirement(text) for text in PROJECT["dependencies"]}
    used -= {"optuna"}  # an extra, imported where a study asks for it
    assert used == {IMPORTED_AS.get(name, name) for name in declared}


def test_no_process_wide_switch_is_set() -> None:
    faults = [
        _name(path)
        for path in MODULES
        if re.search(r"""config\.update\(\s*["']jax_enable_x64|JAX_ENABLE_X64""", path.read_text())
    ]
    assert not faults, f"precision is local to a thread; these set it for the process: {faults}"


def test_rooms_do_not_import_the_facade() -> None:
    faults = [
        _name(path)
        for path in MODULES
        if path.parent != PACKAGE
        and re.search(r"^\s*(import descentlab$|from descentlab import)", path.read_text(), re.M)
    ]
    assert not faults, f"import from the room that has it, not from the top: {faults}"


@pytest.mark.parametrize("module", ["descentlab", "descentlab.cli", "descentlab.studies.spec"])
def test_imports_are_lazy(module: str) -> None:
    loaded = _python(f"import sys, {module}; print(*{{n.split('.')[0] for n in sys.modules}})")
    assert not set(HEAVY) & set(loaded.split())


def test_importing_leaves_jax_as_it_was() -> None:
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if path.name != "__main__.py"
    ]
    code = f"import jax; before = dict(jax.config.values); import {', '.join(modules)}"
    assert _python(f"{code}; print(before == jax.config.values)") == "True"


def test_the_version_is_one() -> None:
    assert metadata.version("descentlab") == PROJECT["version"]
    newest = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest
    assert newest[1] == PROJECT["version"]


def test_constraints_are_names_and_versions_that_cover_every_requirement() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    wrong = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)]
    assert not wrong
    pinned = {_requirement(line) for line in lines}
    extras = PROJECT["optional-dependencies"].values()
    wanted = {_requirement(text) for group in [PROJECT["dependencies"], *extras] for text in group}
    assert wanted <= pinned, f"not pinned: {sorted(wanted - pinned)}"


def test_the_wheel_carries_everything_but_code_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*command, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("descentlab/")}
    present = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == present
    assert "descentlab/studies/library/digits-optimizers.yaml" in packed


def test_no_path_of_one_machine_is_written_down() -> None:
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    home = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/")
    faults = []
    for name in done.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ""} and path.is_file():
            faults += [name] * bool(home.search(path.read_text(errors="ignore")))
    assert [name for name in faults if name != "tests/test_house.py"] == []


def test_the_gate_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
