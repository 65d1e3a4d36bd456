"""Idx files: where they are looked for, and what is said of bad ones."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from descentlab.core.errors import DataError
from descentlab.data import idx, listing, public
from descentlab.data.images import read_images
from descentlab.data.locate import find, folders

from .conftest import NAMES, Tiny

CLASSES = ("a", "b", "c")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("DESCENTLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "tiny"


@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("style", ["dashed", "dotted"])
def test_all_names_and_both_forms_are_read(tiny, here, style, packed):
    tiny.write(here, style, packed)
    raw = read_images(tiny.data, CLASSES)
    assert raw.test is not None
    for found, expected in zip((raw.inputs, raw.targets, *raw.test), tiny.arrays, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert raw.targets.dtype == np.int32
    assert raw.source["rows"] == 16


def test_another_gzip_header_does_not_matter(tiny, here):
    paths = tiny.write(here)
    paths[0].write_bytes(gzip.compress(tiny.contents[0], 1, mtime=123))  # as Debian's differ
    assert len(read_images(tiny.data, CLASSES).inputs) == 12


def test_the_order_of_places_is_as_documented(tiny, tmp_path, monkeypatch):
    one, two, system = tmp_path / "one", tmp_path / "two", tmp_path / "system"
    cache = tmp_path / "cache" / "descentlab" / "data" / "tiny"
    data = tiny.data._replace(system=(str(system),))
    monkeypatch.setenv("DESCENTLAB_DATA", f"{one}{os.pathsep}{os.pathsep}{two}")
    expected = [one / "tiny", one, two / "tiny", two, cache, system]
    assert folders(data) == expected
    assert find(data) is None
    for folder in reversed(expected):
        paths = tiny.write(folder)
        assert find(data) == paths
    monkeypatch.delenv("DESCENTLAB_DATA")
    assert folders(data) == [cache, system]


def test_a_folder_is_not_taken_for_another_data_set_with_the_same_file_names(tmp_path, monkeypatch):
    mnist, fashion = Tiny.make("mnist"), Tiny.make("fashion-mnist", seed=1)
    mnist.write(tmp_path / "flat")
    monkeypatch.setenv("DESCENTLAB_DATA", str(tmp_path / "flat"))
    assert find(fashion.data) is None
    assert find(mnist.data) is not None
    fashion.write(tmp_path / "cache/descentlab/data/fashion-mnist")
    found = find(fashion.data)
    assert found is not None
    assert found[0].parent.name == "fashion-mnist"


def test_a_folder_named_like_the_data_set_may_be_named_itself(tiny, here, monkeypatch):
    paths = tiny.write(here)
    monkeypatch.setenv("DESCENTLAB_DATA", str(here))
    assert find(tiny.data) == paths
    paths[1].write_bytes(b"damaged")  # and then it is not passed over in silence
    assert find(tiny.data) == paths


def test_home_is_understood(tiny, here, monkeypatch, tmp_path):
    tiny.write(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DESCENTLAB_DATA", "~/data")
    assert find(tiny.data) is not None


def test_a_folder_with_some_of_the_files_is_an_error_that_names_the_others(tiny, here):
    for path in tiny.write(here)[1:3]:
        path.unlink()
    with pytest.raises(DataError) as caught:
        find(tiny.data)
    assert f"{here} has {NAMES[0]} but not {NAMES[1]}, {NAMES[2]}" in str(caught.value)
    assert "put all its files there, or remove them" in str(caught.value)


def change(number: int, edit):
    """Return a fault: one file's content, edited."""

    def spoil(tiny: Tiny, paths: list[Path]) -> Path:
        paths[number].write_bytes(gzip.compress(edit(tiny.contents[number])))
        return paths[number]

    return spoil


def raw_bytes(number: int, edit):
    def spoil(tiny: Tiny, paths: list[Path]) -> Path:
        paths[number].write_bytes(edit(tiny.packed[number]))
        return paths[number]

    return spoil


FAULTS = {
    "empty": (raw_bytes(0, lambda b: b""), "is empty", "fetch it again"),
    "cut gzip": (raw_bytes(0, lambda b: b[:-9]), "damaged gzip", "fetch it again"),
    "broken gzip": (raw_bytes(2, lambda b: b[:20] + b"\xff" * 9), "damaged gzip", "fetch it"),
    "truncated": (change(0, lambda b: b[:-1]), "is truncated: 87 bytes", "means 88; fetch it"),
    "too long": (change(3, lambda b: b + b"\0"), "is too long: 13 bytes", "fetch it again"),
    "header": (change(0, lambda b: b[:9]), "truncated within its header", "fetch it again"),
    "magic": (change(0, lambda b: b"\x89PNG" + b[4:]), "begins with 89 50 4e 47", "00 00 08"),
    "type": (change(1, lambda b: b"\0\0\x0d" + b[3:]), "type 0x0d; only bytes", "right file"),
    "exchanged": (
        change(1, lambda b: idx.pack(np.zeros((12, 3, 2), np.uint8))),
        "3 dimensions where 1 are expected",
        "exchanged?",
    ),
    "count": (
        change(1, lambda b: idx.pack(np.zeros(11, np.uint8))),
        "11 labels; expected as many",
        "fetch both again",
    ),
    "label": (change(3, lambda b: b[:-1] + b"\x03"), "labels must be 0 … 2, found 3", "fetch it"),
    "pixel": (
        change(2, lambda b: b[:-1] + bytes([b[-1] ^ 1])),
        "wrong checksum (md5 of the content",
        "kind 'npz'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_file_says_what_where_and_what_instead(tiny, here, fault):
    spoil, what, instead = FAULTS[fault]
    path = spoil(tiny, tiny.write(here))
    with pytest.raises(DataError) as caught:
        read_images(tiny.data, CLASSES)
    assert str(path) in str(caught.value)
    assert what in str(caught.value)
    assert instead in str(caught.value)


def test_a_checksum_error_gives_both_sums(tiny, here):
    FAULTS["pixel"][0](tiny, tiny.write(here))
    with pytest.raises(DataError, match=f"published {tiny.data.files[2].content_md5}"):
        read_images(tiny.data, CLASSES)


def test_what_is_known_of_each_data_set_is_listed(tmp_path, monkeypatch):
    entries = {entry["name"]: entry for entry in listing.list_data()}
    assert {"digits", "mnist", "csv", "blobs"} <= set(entries)
    for entry in entries.values():
        assert all(entry[key] for key in ("what", "rows", "how", "licence"))
    assert entries["mnist"]["where"] is None
    assert "descentlab data get mnist" in entries["mnist"]["how"]
    monkeypatch.setitem(listing.PUBLIC, "mnist", (tiny := Tiny.make("mnist")).data)
    monkeypatch.setenv("DESCENTLAB_DATA", str(tmp_path))
    paths = tiny.write(tmp_path / "mnist")
    assert listing.data_path("mnist") == str(tmp_path / "mnist")
    paths[0].unlink()  # listing goes on, and says what is wrong
    entry = next(entry for entry in listing.list_data() if entry["name"] == "mnist")
    assert entry["where"] is None
    assert f"but not {NAMES[0]}" in entry["how"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mnist", "DESCENTLAB_DATA"),
        ("mnist", "descentlab data get mnist"),
        ("digits", "ships with scikit-learn"),
        ("blobs", "generated"),
        ("csv", "give its 'path'"),
    ],
)
def test_a_path_that_is_not_there_says_what_to_do(name, says):
    with pytest.raises(DataError, match=says):
        listing.data_path(name)


def test_published_sums_are_those_of_the_data_readme():
    assert [file.md5[:8] for file in public.MNIST.files] == [
        "f68b3c2d",
        "d53e105e",
        "9fb629c4",
        "ec29112d",
    ]
    assert [file.md5[:8] for file in public.FASHION_MNIST.files] == [
        "8d4fb7e6",
        "25c81989",
        "bef4ecab",
        "bb300cfd",
    ]
