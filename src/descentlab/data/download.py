"""Fetching public data sets: verified, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from pathlib import Path

from descentlab.core.errors import DataError
from descentlab.data import idx
from descentlab.data.locate import (
    Progress,
    PublicData,
    PublicFile,
    data_cache,
    find,
    folders,
    instructions,
    variant,
    verify,
)

TIMEOUT = 30.0
"""Seconds without a byte after which a connection is given up."""

MOST_BYTES = 1 << 28
"""A server that sends more than this sends something else."""

BLOCK = 1 << 16
TEMPORARY = ".tmp-"


class _Broken(Exception):
    """The server cannot be reached or its answer is no good; the message says why."""


def fetch(data: PublicData, progress: Progress | None = None) -> list[Path]:
    """Download a data set into the user's cache folder, each file verified before it appears.

    Files that are there already and are right are kept, so that a fetch broken off goes on.

    Raises:
        DataError: it cannot be reached, what came has another checksum, or the folder
            cannot be written; no part of a file is kept.
    """
    folder = data_cache() / data.name
    return [_right(folder, f) or _fetch_file(data, f, folder, progress) for f in data.files]


def require(data: PublicData, progress: Progress | None = None) -> list[Path]:
    """Return the paths of a data set's files, fetching them if they are nowhere."""
    return find(data) or fetch(data, progress)


def _right(folder: Path, file: PublicFile) -> Path | None:
    """Return where a file lies in the cache, if its content is the published one."""
    path = variant(folder, file.name)
    if path is None:
        return None
    try:
        verify(file, path, idx.read_bytes(path))
    except DataError:
        return None
    return path


def _fetch_file(
    data: PublicData, file: PublicFile, folder: Path, progress: Progress | None
) -> Path:
    target = folder / file.name
    temporary = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        found = _download(file, temporary, progress)
        if found != file.md5:
            raise DataError(
                f"{data.name}: {file.address}{file.name} came with the wrong checksum "
                f"(md5 {found}, expected {file.md5}); nothing was kept. Try again later, or "
                f"{instructions(data)}"
            )
        os.replace(temporary, target)
    except _Broken as broken:
        looked = ", ".join(map(str, folders(data)))
        raise DataError(
            f"{data.name} is not on this machine (looked in {looked}), and "
            f"{file.address}{file.name} cannot be fetched: {broken}. "
            f"Try again, or {instructions(data)}"
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot write {folder}: {error.strerror or error}; nothing was kept. "
            f"Free it, or set XDG_CACHE_HOME to another folder, or {instructions(data)}"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


def _download(file: PublicFile, temporary: Path, progress: Progress | None) -> str:
    """Write what the address gives to a temporary file; return its md5."""
    import http.client
    import urllib.error
    import urllib.request

    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    with open(temporary, "wb") as out:
        try:
            # Errors of the network are OSErrors too, so they are told apart from the disk's here.
            answer = urllib.request.urlopen(file.address + file.name, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()  # it holds the connection
            raise _Broken(f"the server says {error}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _Broken(_reason(error)) from None
        with answer:
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            while True:
                try:
                    block = answer.read(BLOCK)
                except (OSError, http.client.HTTPException) as error:
                    raise _Broken(f"{_reason(error)} after {done:,} bytes") from None
                if not block:
                    break
                out.write(block)
                digest.update(block)
                done += len(block)
                if done > MOST_BYTES:
                    raise _Broken(f"more than {MOST_BYTES:,} bytes came")
                if progress is not None:
                    progress(file.name, done, total)
        if total is not None and done < total:
            raise _Broken(f"the connection broke off after {done:,} of {total:,} bytes")
        out.flush()
        os.fsync(out.fileno())  # or a power cut could leave the name without the bytes
    return digest.hexdigest()


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT:g} seconds"
    return str(getattr(reason, "strerror", None) or reason) or type(error).__name__


def _sweep(folder: Path) -> None:
    """Remove what a killed fetch left a day ago or earlier; a younger one may be at work."""
    for path in folder.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - 86_400:
                path.unlink()
