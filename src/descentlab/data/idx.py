"""The idx format of MNIST and its kin, gzipped or plain.

Two zero bytes, a type byte (8 = uint8), the number of dimensions, each dimension as
a big-endian 32-bit number, then the values. Source: LeCun, Cortes & Burges.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from descentlab.core.errors import DataError


def read_bytes(path: Path) -> bytes:
    """Return a file's content, decompressed if its first bytes say gzip.

    Raises:
        DataError: the file cannot be read, or is a damaged gzip file.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is a damaged gzip file ({error}); delete it and fetch it again"
        ) from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None


def parse(content: bytes, source: str) -> np.ndarray:
    """Return the array of an idx file.

    Raises:
        DataError: not idx, not of bytes, or shorter or longer than its header says.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError(
            f"{source} is no idx file: its first bytes are {content[:4].hex() or 'missing'}"
        )
    if content[2] != 8:
        raise DataError(
            f"{source}: values of type 0x{content[2]:02x}; only bytes (0x08) are expected"
        )
    dimensions = content[3]
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise DataError(f"{source} is truncated within its header; fetch it again")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", dimensions, 4))
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        state = "truncated" if len(content) < expected else "too long"
        raise DataError(
            f"{source} is {state}: {len(content):,} bytes, where its header {shape} "
            f"means {expected:,}; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
