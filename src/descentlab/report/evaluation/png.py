"""Small pictures as PNG within a page, without any imaging library."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from jaxtyping import UInt8

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR = 0, 2


def png(pixels: UInt8[np.ndarray, "height width *channels"]) -> bytes:
    """Return a picture as PNG: grey without a channel axis, RGB with one of three.

    Source: Portable Network Graphics (W3C, third edition), 5.3 and 7.2, filter type 0.
    """
    height, width = pixels.shape[:2]
    kind = GREY if pixels.ndim == 2 else COLOUR
    rows = np.ascontiguousarray(pixels, np.uint8).reshape(height, -1)
    filtered = np.pad(rows, ((0, 0), (1, 0))).tobytes()  # a zero before each row: not filtered
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = zlib.compress(filtered, 9)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", body), _chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def data_uri(pixels: UInt8[np.ndarray, "height width *channels"]) -> str:
    """Return a picture as ``data:image/png;base64,…``."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum
