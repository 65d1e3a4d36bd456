"""The idx format: round trips, and files that are none."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from descentlab.core.errors import DataError
from descentlab.data import idx

shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)


@given(hnp.arrays(np.uint8, shapes))
def test_what_is_packed_is_parsed_again(array):
    found = idx.parse(idx.pack(array), "it")
    assert found.dtype == np.uint8
    assert found.shape == array.shape
    assert np.array_equal(found, array)


@given(hnp.arrays(np.uint8, (2, 3)), st.integers(0, 13), st.booleans())
def test_no_prefix_and_no_extension_is_taken(array, length, longer):
    content = idx.pack(array)
    with pytest.raises(DataError):
        idx.parse(content + b"\0" * (length + 1) if longer else content[:length], "it")


def test_the_layout_is_the_published_one():
    literal = struct.pack(">BBBBII", 0, 0, 8, 2, 2, 3) + bytes(range(6))
    assert idx.parse(literal, "it").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert idx.pack(np.arange(6, dtype=np.uint8).reshape(2, 3)) == literal


def test_a_header_that_promises_more_than_exists_costs_nothing():
    huge = struct.pack(">BBBB4I", 0, 0, 8, 4, *[2**32 - 1] * 4)
    with pytest.raises(DataError, match="truncated"):
        idx.parse(huge, "it")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_is_read_packed_or_not(tmp_path, pack):
    (tmp_path / "x").write_bytes(pack(b"content"))
    assert idx.read_bytes(tmp_path / "x") == b"content"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b\x08nonsense", "damaged gzip"),
        (gzip.compress(b"content")[:-6], "damaged gzip"),
        (gzip.compress(b"content" * 99)[:-20], "damaged gzip"),
    ],
    ids=["empty", "nonsense", "cut short", "cut in half"],
)
def test_a_damaged_file_says_so(tmp_path, content, says):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        idx.read_bytes(path)
    assert str(path) in str(caught.value)
    assert "fetch it again" in str(caught.value)


def test_a_gzip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "MOST_BYTES", 1000)
    (tmp_path / "bomb").write_bytes(gzip.compress(b"\0" * 100_000))
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        idx.read_bytes(tmp_path / "bomb")


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(DataError, match="permissions"):
        idx.read_bytes(tmp_path)
