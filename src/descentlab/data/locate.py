"""Where data sets lie: ``DESCENTLAB_DATA``, the user's cache, system folders, or the web."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from descentlab.core.errors import DataError
from descentlab.core.folders import cache_folder
from descentlab.data import idx

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that have come, and how many there will be."""

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
    return [folder for folder, _ in _places(data)]


def find(data: PublicData) -> list[Path] | None:
    """Return the paths of a data set's files from the first folder that has them all.

    A folder of the data set's own name that has some but not all is an error: a mixture is
    never put together. The cache folder is excepted, where that is a fetch broken off. A
    folder that the variable names directly must show by its labels that it is this data
    set, because MNIST and Fashion-MNIST use the same file names.
    """
    cache = data_cache() / data.name
    for folder, direct in _places(data):
        paths = [variant(folder, file.name) for file in data.files]
        present = [path for path in paths if path is not None]
        if len(present) == len(paths):
            if direct and not _recognised(data, present):
                continue
            return present
        if present and not direct and folder != cache:
            missing = [f.name for f, p in zip(data.files, paths, strict=True) if p is None]
            raise DataError(
                f"{data.name}: {folder} has {present[0].name} but not {', '.join(missing)}; "
                "put all its files there, or remove them"
            )
    return None


def verify(file: PublicFile, path: Path, content: bytes) -> None:
    """Raise :class:`DataError` unless a file's decompressed content is the published one."""
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != file.content_md5:
        raise DataError(
            f"{path} has the wrong checksum (md5 of the content {found}, "
            f"published {file.content_md5}); "
            "delete it and fetch it again, or use kind 'npz' for data of your own"
        )


def verify_files(data: PublicData, paths: list[Path]) -> None:
    """Read a data set's files and verify each; see :func:`verify`."""
    for file, path in zip(data.files, paths, strict=True):
        verify(file, path, idx.read_bytes(path))


def variant(folder: Path, name: str) -> Path | None:
    """Find a file under its published name, unpacked, or with the dot that some archives use."""
    plain = name.removesuffix(".gz")
    dotted = plain.replace("-idx", ".idx")
    for candidate in (name, plain, f"{dotted}.gz", dotted):
        if os.path.isfile(folder / candidate):  # False, not an error, where one may not look
            return folder / candidate
    return None


def instructions(data: PublicData) -> str:
    """Say where a user can put a data set's files."""
    names = ", ".join(file.name for file in data.files)
    return (
        f"put {names} (or the same unpacked) into {data_cache() / data.name}, or into a folder "
        f"'{data.name}' below one that the environment variable {VARIABLE} names"
    )


def _places(data: PublicData) -> list[tuple[Path, bool]]:
    """List the folders to look in, and whether each is one that may hold anything."""
    found: list[tuple[Path, bool]] = []
    for item in os.environ.get(VARIABLE, "").split(os.pathsep):
        if item:
            folder = Path(os.path.expanduser(item))
            found += [(folder / data.name, False), (folder, folder.name != data.name)]
    own = [data_cache() / data.name, *map(Path, data.system)]
    return [*found, *((folder, False) for folder in own)]


def _recognised(data: PublicData, paths: list[Path]) -> bool:
    for file, path in zip(data.files, paths, strict=True):
        if "labels" in file.name:
            try:
                verify(file, path, idx.read_bytes(path))
            except DataError:
                continue
            return True
    return False
