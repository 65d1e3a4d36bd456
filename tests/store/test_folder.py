"""A file in a results folder is whole or absent, and failures say what to do."""

import errno
import os

import numpy as np
import pytest

from descentlab.core.errors import StoreError
from descentlab.store.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from descentlab.store.folder import Folder
from descentlab.store.provenance import locked, read_provenance
from descentlab.store.segments import query, read_segment, segment_names, write_segment

COLUMNS = {"run": ["a", "a", "b"], "step": [0, 1, 1], "train_loss": [1.0, np.nan, 0.25]}


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    return Folder(tmp_path / "r" if request.param == "local" else f"memory://{tmp_path.name}")


def test_segments_round_trip_and_answer_queries(folder):
    write_segment(folder, "k-0-1", COLUMNS, {"cohort": "k"})
    write_segment(folder, "k-1-2", {**COLUMNS, "train_loss": [3.0, 4.0, 5.0]}, {"cohort": "k"})
    assert segment_names(folder) == ["k-0-1", "k-1-2"]
    table = read_segment(folder, "k-0-1")
    assert table["run"].to_pylist() == ["a", "a", "b"]
    assert table["train_loss"].to_pylist() == [1.0, None, 0.25]
    answer = query(
        folder, "SELECT run, max(train_loss) AS m FROM segments GROUP BY run ORDER BY run"
    )
    assert answer.to_dict("list") == {"run": ["a", "b"], "m": [4.0, 5.0]}


def test_checkpoints_round_trip_every_leaf_and_dtype(folder):
    leaves = (
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asarray([-1], np.int32),
        np.zeros((2, 0)),
    )
    write_checkpoint(folder, "c-00000005", Checkpoint(("x", "y"), 5, lambda: leaves))
    found = read_checkpoint(folder, "c-00000005")
    assert (found.runs, found.step) == (("x", "y"), 5)
    for before, after in zip(leaves, found.leaves, strict=True):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"x" * 100])
def test_a_damaged_file_is_named_with_what_to_do(folder, content):
    folder.write("checkpoints/c-00000005.npz", content)
    folder.write("segments/k-0-1.parquet", content)
    with pytest.raises(StoreError, match=r"c-00000005\.npz is damaged .* delete"):
        read_checkpoint(folder, "c-00000005")
    with pytest.raises(StoreError, match=r"k-0-1\.parquet is damaged .* delete"):
        read_segment(folder, "k-0-1")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch, call):
    folder = Folder(tmp_path)
    folder.write("a/b", b"old")

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StoreError, match=r"disk is full; free some space.*kept"):
            folder.write("a/b", b"new")
    assert folder.read("a/b") == b"old"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_a_path_through_a_file_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"is a file, not a folder"):
        Folder(tmp_path / "file").write("a", b"")


def test_half_written_files_are_not_listed_and_are_swept(tmp_path):
    folder = Folder(tmp_path)
    folder.write("segments/a.parquet", b"x")
    (tmp_path / "segments" / ".tmp-123").write_bytes(b"half")
    assert folder.names("segments") == ["segments/a.parquet"]
    folder.sweep()
    assert [p.name for p in (tmp_path / "segments").iterdir()] == ["a.parquet"]


def test_two_processes_cannot_run_in_one_folder(tmp_path):
    folder = Folder(tmp_path)
    with locked(folder), pytest.raises(StoreError, match="another process"), locked(folder):
        pass
    with locked(folder):
        pass


DAMAGED = [
    b"[]",
    b"3",
    b"nul",
    b"\x80abc",
    b"[" * 100_000,
    b'{"sessions": 3}',
    b'{"sessions": [3]}',
    b'{"sessions": [], "data": {}}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_provenance_is_named_with_what_to_do(folder, content):
    folder.write("provenance.json", content)
    with pytest.raises(StoreError, match=r"provenance\.json is damaged \(.*delete it"):
        read_provenance(folder)


@pytest.mark.parametrize("protocol", ["file", "local"])
def test_a_file_url_is_a_local_folder_and_is_made(tmp_path, protocol):
    folder = Folder(f"{protocol}://{tmp_path}/x/y")
    folder.write("segments/a", b"1")
    assert (tmp_path / "x" / "y" / "segments" / "a").read_bytes() == b"1"
    assert folder.local == tmp_path / "x" / "y"
    assert folder.names("segments") == ["segments/a"] and folder.exists("segments/a")


def test_a_url_that_cannot_be_served_says_what_is_missing(monkeypatch):
    import fsspec

    with pytest.raises(StoreError, match=r"nosuch://x: .*not known.*expected a folder"):
        Folder("nosuch://x")

    def missing(url):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(StoreError, match=r"s3://bucket/x: .*Install s3fs.*local folder"):
        Folder("s3://bucket/x")


def test_whatever_an_object_store_raises_is_explained(monkeypatch):
    folder = Folder("memory://broken")

    def refuse(*args):
        raise RuntimeError("Unable to locate credentials")

    monkeypatch.setattr(folder._remote, "pipe_file", refuse)
    with pytest.raises(StoreError, match=r"cannot write memory://broken/a: Unable to locate"):
        folder.write("a", b"")
