"""Where data sets lie: ``DESCENTLAB_DATA``, the user's cache, system folders, or the web."""

from __future__ import annotations

import contextlib
import hashlib
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from descentlab.core.errors import DataError
from descentlab.core.folders import cache_folder

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that have come, and how many there will be."""

TIMEOUT = 30.0
VARIABLE = "DESCENTLAB_DATA"


class PublicFile(NamedTuple):
    """A file with its public address and checksums (of the file there; of its content)."""

    name: str
    address: str
    md5: str
    content_md5: str


class PublicData(NamedTuple):
    """A data set of several public files, its folder's name, and system folders to look in."""

    name: str
    files: tuple[PublicFile, ...]
    system: tuple[str, ...] = ()


def data_cache() -> Path:
    """Return the folder that downloads go to."""
    return cache_folder() / "data"


def folders(data: PublicData) -> list[Path]:
    """Return the folders in which a data set is looked for, first to last."""
    found: list[Path] = []
    for item in os.environ.get(VARIABLE, "").split(os.pathsep):
        if item:
            found += [Path(item) / data.name, Path(item)]
    return [*found, data_cache() / data.name, *map(Path, data.system)]


def find(data: PublicData) -> list[Path] | None:
    """Return the paths of a data set's files from the first folder that has any of them.

    A folder that has some but not all is an error: a mixture is never put together.
    """
    for folder in folders(data):
        paths = [_variant(folder, file.name) for file in data.files]
        present = [path for path in paths if path is not None]
        if len(present) == len(paths):
            return present
        if present:
            missing = [f.name for f, p in zip(data.files, paths, strict=True) if p is None]
            raise DataError(
                f"{data.name}: {folder} has {present[0].name} but not {', '.join(missing)}; "
                "put all its files there, or remove them"
            )
    return None


def require(data: PublicData) -> list[Path]:
    """Return the paths of a data set's files, fetching them if they are nowhere."""
    return find(data) or fetch(data)


def fetch(data: PublicData, progress: Progress | None = None) -> list[Path]:
    """Download a data set into the user's cache folder, each file verified before it appears.

    Raises:
        DataError: it cannot be reached, or what came has another checksum; nothing is kept.
    """
    folder = data_cache() / data.name
    return [_fetch_file(data, file, folder, progress) for file in data.files]


def verify(file: PublicFile, path: Path, content: bytes) -> None:
    """Raise :class:`DataError` unless a file's decompressed content is the published one."""
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != file.content_md5:
        raise DataError(
            f"{path} has the wrong checksum (md5 of the content {found}, "
            f"published {file.content_md5}); "
            "delete it and fetch it again, or use kind 'npz' for data of your own"
        )


def _variant(folder: Path, name: str) -> Path | None:
    """Find a file under its published name, unpacked, or with the dot that some archives use."""
    plain = name.removesuffix(".gz")
    dotted = plain.replace("-idx", ".idx")
    for candidate in (name, plain, f"{dotted}.gz", dotted):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def _fetch_file(
    data: PublicData, file: PublicFile, folder: Path, progress: Progress | None
) -> Path:
    target = folder / file.name
    if target.is_file():
        return target
    temporary = folder / f".tmp-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _download(file, temporary, progress)
        if found != file.md5:
            raise DataError(
                f"{data.name}: {file.address}{file.name} came with the wrong checksum "
                f"(md5 {found}, expected {file.md5}); nothing was kept, try again later"
            )
        os.replace(temporary, target)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"{data.name} is not on this machine and {file.address} cannot be reached ({reason}). "
            f"Put {', '.join(f.name for f in data.files)} into {folder}, or into a folder "
            f"'{data.name}' below one that {VARIABLE} names"
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot write {folder}: {error.strerror or error}; nothing was kept"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


def _download(file: PublicFile, temporary: Path, progress: Progress | None) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with (
        urllib.request.urlopen(file.address + file.name, timeout=TIMEOUT) as answer,
        open(temporary, "wb") as out,
    ):
        length = answer.headers.get("Content-Length")
        total = int(length) if length else None
        done = 0
        while block := answer.read(1 << 16):
            out.write(block)
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress(file.name, done, total)
        if total is not None and done < total:
            raise ConnectionError(f"the connection broke off after {done:,} of {total:,} bytes")
    return digest.hexdigest()
