"""The idx format of MNIST and its kin, gzipped or plain.

Two zero bytes, a type byte (8 = uint8), the number of dimensions, each dimension as
a big-endian 32-bit number, then the values. Source: LeCun, Cortes & Burges.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from descentlab.core.errors import DataError

MOST_BYTES = 1 << 30
"""Content larger than this is refused; a small gzip file can hold any amount."""


def read_bytes(path: Path) -> bytes:
    """Return a file's content, decompressed if its first bytes say gzip.

    Raises:
        DataError: the file cannot be read, is empty, or is a damaged gzip file.
    """
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with gzip.GzipFile(fileobj=file) if packed else file as content:
                found = content.read(MOST_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is a damaged gzip file ({error}); delete it and fetch it again"
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; check the file and its permissions"
        ) from None
    if not found:
        raise DataError(f"{path} is empty; delete it and fetch it again")
    if len(found) > MOST_BYTES:
        raise DataError(f"{path} holds more than {MOST_BYTES:,} bytes; this is no such data set")
    return found


def parse(content: bytes, source: str, dimensions: int | None = None) -> np.ndarray:
    """Return the array of an idx file.

    Args:
        content: the decompressed file.
        source: its name, for messages.
        dimensions: how many there must be; any number without it.

    Raises:
        DataError: not idx, not of bytes, of other dimensions, or shorter or longer than
            its header says.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(
            f"{source} is no idx file: it begins with {content[:4].hex(' ') or 'nothing'}, "
            "where 00 00 08 is expected; put the right file there"
        )
    if content[2] != 8:
        raise DataError(
            f"{source}: values of type 0x{content[2]:02x}; only bytes (0x08) are expected; "
            "put the right file there"
        )
    if dimensions is not None and content[3] != dimensions:
        raise DataError(
            f"{source} has {content[3]} dimensions where {dimensions} are expected "
            "(images have 3, labels 1); are files exchanged?"
        )
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DataError(f"{source} is truncated within its header; fetch it again")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", content[3], 4))
    expected = header + math.prod(shape)
    if len(content) != expected:
        state = "truncated" if len(content) < expected else "too long"
        raise DataError(
            f"{source} is {state}: {len(content):,} bytes, where its header {shape} "
            f"means {expected:,}; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def pack(array: np.ndarray) -> bytes:
    """Return the content of an idx file that holds an array of bytes; :func:`parse` undoes it."""
    if array.dtype != np.uint8 or not 1 <= array.ndim <= 255:
        raise ValueError(f"expected an array of uint8, found {array.dtype} {array.shape}")
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
