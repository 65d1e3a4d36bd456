"""A results folder, on a local disk or an object store, in which a file is whole or absent.

Local files are written to a temporary name, synced, renamed, and the folder synced.
Object stores write an object whole by themselves (fsspec's ``pipe_file``).
"""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path
from typing import Any

from descentlab.core.errors import StoreError

TEMPORARY = ".tmp-"


class Folder:
    """Whole-file reads and writes under one path or URL (``results/x``, ``s3://bucket/x``).

    Names are relative, with ``/``. Every failure of the system is a
    :class:`StoreError` that says what to do; so is a URL that cannot be served.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.local: Path | None = None
        if "://" not in self.path:
            self.local = Path(self.path)
            return
        from fsspec.implementations.local import LocalFileSystem

        self._remote, self._root = _open(self.path)
        if isinstance(self._remote, LocalFileSystem):
            self.local = Path(self._root)

    def __str__(self) -> str:
        """Return the path as given."""
        return self.path

    def at(self, name: str) -> str:
        """Return the full path of a file, for messages and for other programs."""
        return str(self.local / name) if self.local else f"{self.path.rstrip('/')}/{name}"

    def write(self, name: str, content: bytes) -> None:
        """Write a file so that it is there whole or not at all."""
        with self._explained("write", name):
            if self.local is None:
                self._remote.pipe_file(f"{self._root}/{name}", content)
            else:
                _write_local(self.local / name, content)

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self._explained("read", name):
            if self.local is None:
                return self._remote.cat_file(f"{self._root}/{name}")
            return (self.local / name).read_bytes()

    def exists(self, name: str) -> bool:
        """Return whether a file is there."""
        with self._explained("read", name):
            if self.local is None:
                return self._remote.exists(f"{self._root}/{name}")
            return (self.local / name).is_file()

    def names(self, below: str) -> list[str]:
        """Return the finished files directly in the subfolder ``below``, sorted."""
        with self._explained("list", below):
            if self.local is None:
                path = f"{self._root}/{below}"
                found = self._remote.ls(path, detail=False) if self._remote.exists(path) else []
                found = [item.rsplit("/", 1)[-1] for item in found]
            else:
                path = self.local / below
                found = [item.name for item in path.iterdir()] if path.is_dir() else []
        return sorted(f"{below}/{name}" for name in found if not name.startswith(TEMPORARY))

    def delete(self, name: str) -> None:
        """Delete a file if it is there."""
        with self._explained("delete", name), contextlib.suppress(FileNotFoundError):
            if self.local is None:
                self._remote.rm_file(f"{self._root}/{name}")
            else:
                (self.local / name).unlink()

    def sweep(self) -> None:
        """Delete what a killed writer left half written."""
        if self.local is not None and self.local.is_dir():
            with self._explained("clean", "."):
                for item in self.local.rglob(f"{TEMPORARY}*"):
                    item.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _explained(self, action: str, name: str):
        # what an object store raises is its own affair: no credentials, no such bucket, …
        faults = OSError if self.local else Exception
        try:
            yield
        except faults as error:
            raise StoreError(_explain(error, action, self.at(name))) from error


def _open(url: str) -> tuple[Any, str]:
    """Return the file system that a URL names, and the path in it."""
    import fsspec

    try:
        return fsspec.core.url_to_fs(url)
    except ImportError as error:
        advice = f"a package is missing ({error}); install it, or choose a local folder"
    except Exception as error:
        advice = f"{error}; expected a folder, or a URL that fsspec knows, such as s3://bucket/x"
    raise StoreError(f"cannot open {url}: {advice}")


def _write_local(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the rename itself must survive a power cut
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _explain(error: Exception, action: str, path: str) -> str:
    advice = {
        errno.ENOSPC: "the disk is full; free some space",
        errno.EDQUOT: "your disk quota is used up; free some space",
        errno.EROFS: "the file system is read-only; choose another folder with --out",
        errno.EACCES: "permission is denied; change the folder's permissions or use --out",
        errno.EPERM: "permission is denied; change the folder's permissions or use --out",
        errno.ENOTDIR: "part of that path is a file, not a folder; choose another with --out",
        errno.EEXIST: "part of that path is a file, not a folder; choose another with --out",
        errno.ENOENT: "it is not there",
    }.get(
        getattr(error, "errno", None) or 0,
        getattr(error, "strerror", None) or str(error) or type(error).__name__,
    )
    kept = (
        ""
        if action == "read"
        else ". What was saved before is kept; the same command goes on from there"
    )
    return f"cannot {action} {path}: {advice}{kept}"
