"""Where results come from: versions, device, source, and every session that added to them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from descentlab.core.errors import StoreError
from descentlab.store.folder import Folder

PROVENANCE = "provenance.json"
PACKAGES = ("descentlab", "jax", "jaxlib", "optax", "equinox", "numpy", "pyarrow")


def read_provenance(folder: Folder) -> dict[str, Any]:
    """Return a folder's provenance, or an empty one."""
    if not folder.exists(PROVENANCE):
        return {"sessions": []}
    try:
        found = json.loads(folder.read(PROVENANCE))
        _check(found)
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f"{folder.at(PROVENANCE)} is damaged ({error}); delete it: results do not depend on it"
        ) from None
    return found


def _check(found: Any) -> None:
    """Raise ValueError if JSON is not what :func:`write_provenance` is given."""
    if not isinstance(found, dict):
        raise ValueError(f"expected an object with 'sessions', found {type(found).__name__}")
    for name in ("sessions", "data"):
        entries = found.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise ValueError(f"expected a list of objects in '{name}'")


def write_provenance(folder: Folder, provenance: dict[str, Any]) -> None:
    """Write a folder's provenance."""
    folder.write(PROVENANCE, json.dumps(provenance, indent=1, default=str).encode())


def session(device: str) -> dict[str, Any]:
    """Return the facts about a session that starts now."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": device,
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "source": source_hash(),
    }


def version(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


@cache
def source_hash() -> str:
    """Return a SHA-256 over the package's own Python and YAML files."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.yaml")]):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Hold a local folder for this process; a killed process lets go by itself."""
    if folder.local is None or sys.platform == "win32":
        yield
        return
    import fcntl

    if not folder.exists(".lock"):
        folder.write(".lock", b"")
    with open(folder.local / ".lock", "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(
                f"another process is running the study in {folder}; wait for it, or choose "
                "another folder with --out"
            ) from None
        yield
