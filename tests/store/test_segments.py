"""Segments come back to the bit as plain columns, and queries over them read what they need."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from descentlab.core.errors import StoreError
from descentlab.store import segments
from descentlab.store.folder import Folder
from descentlab.store.segments import query, read_segment, segment_notes, write_segment


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    return Folder(tmp_path / "r" if request.param == "local" else f"memory://{tmp_path.name}")


def columns(run: str = "c0-s0", **metrics) -> dict:
    length = len(next(iter(metrics.values())))
    names = pa.DictionaryArray.from_arrays(pa.array([0] * length, pa.int32()), pa.array([run]))
    return {"run": names, "step": np.arange(length), **metrics}


def test_notes_are_kept_and_strings_are_strings_to_every_reader(folder):
    write_segment(folder, "k-0-9", columns(train_loss=[1.0, 0.5]), {"cohort": "k", "seconds": "1"})
    assert segment_notes(folder, "k-0-9") == {"cohort": "k", "seconds": "1"}
    table = read_segment(folder, "k-0-9")
    assert table.schema.field("run").type == pa.string()
    assert table["run"].to_pylist() == ["c0-s0", "c0-s0"]
    if folder.local:
        frame = pd.read_parquet(folder.at("segments/k-0-9.parquet"))
        assert not isinstance(frame["run"].dtype, pd.CategoricalDtype)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_noisy_and_repeating_figures_come_back_to_the_bit(folder, precision):
    random = np.random.default_rng(0)
    noisy = random.normal(size=30_000).astype(precision)
    few = (random.integers(0, 401, 30_000) / 400).astype(precision)
    gaps = np.where(random.random(30_000) < 0.1, np.nan, noisy)
    big = np.where(random.random(30_000) < 0.1, np.inf, few)
    given = {"a": noisy, "b": few, "c": gaps, "d": big, "e": np.full(30_000, np.nan)}
    write_segment(folder, "k-0-9", columns(**given), {})
    table = read_segment(folder, "k-0-9")
    for name, values in given.items():
        found = table[name].to_numpy()
        assert table[name].null_count == np.isnan(values).sum()
        np.testing.assert_array_equal(found, values)


def test_only_figures_that_repeat_are_listed(tmp_path):
    random = np.random.default_rng(0)
    given = {"loss": random.random(20_000), "accuracy": random.integers(0, 401, 20_000) / 400}
    write_segment(Folder(tmp_path), "k-0-9", columns(**given), {})
    group = pq.read_metadata(tmp_path / "segments" / "k-0-9.parquet").row_group(0)
    found = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    listed = {name for name, column in found.items() if column.has_dictionary_page}
    assert listed == {"run", "step", "accuracy"}
    assert found["loss"].total_compressed_size < 20_000 * 8


def test_a_segment_without_rows_is_written_and_read(folder):
    write_segment(folder, "k-0-9", columns(loss=np.zeros(0)), {"cohort": "k"})
    write_segment(folder, "k-9-12", columns(loss=np.ones(2)), {"cohort": "k"})
    assert query(folder, "SELECT run, loss FROM segments").values.tolist() == [["c0-s0", 1.0]] * 2


def test_cohorts_with_other_metrics_and_precision_are_one_table(folder):
    first = columns("c0-s0", train_loss=np.asarray([0.1, 0.2], np.float32))
    second = columns("c1-s0", train_loss=np.asarray([0.3]), test_accuracy=np.asarray([0.9]))
    write_segment(folder, "k00-abcdef-0123456789-00000000-00000001", first, {})
    write_segment(folder, "k01-fedcba-9876543210-00000000-00000001", second, {})
    found = query(
        folder,
        "SELECT cohort, run, train_loss AS loss, test_accuracy AS a FROM segments ORDER BY loss",
        cohorts=True,
    )
    assert found["cohort"].tolist() == ["k00-abcdef", "k00-abcdef", "k01-fedcba"]
    assert found["run"].tolist() == ["c0-s0", "c0-s0", "c1-s0"]
    assert found["loss"].tolist() == [np.float32(0.1), np.float32(0.2), 0.3]
    np.testing.assert_array_equal(found["a"], [np.nan, np.nan, 0.9])
    assert list(query(folder, "SELECT * FROM segments")) == [*first, "test_accuracy"]


@pytest.mark.parametrize("name", ["a[1]", "a*", "what?", "it's", "seed=3", "~x", "[!a]", "ä b"])
def test_any_folder_name_is_meant_literally(tmp_path, monkeypatch, name):
    for decoy in ("a1", "ab", "whatx", "b"):
        write_segment(Folder(tmp_path / decoy), "k-0-9", columns(loss=[5.0]), {})
    monkeypatch.chdir(tmp_path)
    for folder in (Folder(name), Folder(tmp_path / name)):
        write_segment(folder, "k-0-9", columns(loss=[1.0]), {})
        found = query(folder, "SELECT * FROM segments")
        assert found.to_dict("list") == {"run": ["c0-s0"], "step": [0], "loss": [1.0]}


@pytest.mark.parametrize("keep", [0, 20, -30])
def test_a_query_names_the_damaged_file(folder, keep):
    for number in range(3):
        write_segment(folder, f"k-{number}-9", columns(loss=np.arange(100.0)), {})
    path = "segments/k-1-9.parquet"
    folder.write(path, folder.read(path)[:keep])
    with pytest.raises(StoreError, match=r"k-1-9\.parquet is damaged .* delete"):
        query(folder, "SELECT sum(loss) FROM segments")


def test_a_faulty_query_over_sound_files_stays_what_it_is(folder):
    write_segment(folder, "k-0-9", columns(loss=[1.0]), {})
    with pytest.raises(duckdb.Error, match="accuracy"):
        query(folder, "SELECT accuracy FROM segments")


def test_a_folder_without_segments_says_to_run_the_study(folder):
    with pytest.raises(StoreError, match="run the study first"):
        query(folder, "SELECT * FROM segments")


def test_local_files_are_not_read_whole(tmp_path, monkeypatch):
    folder = Folder(tmp_path)
    write_segment(folder, "k-0-9", columns(loss=[1.0, 2.0]), {})

    def refuse(*args, **kwargs):
        raise AssertionError("read whole")

    monkeypatch.setattr(segments, "read_segment", refuse)
    monkeypatch.setattr(Folder, "read", refuse)
    assert query(folder, "SELECT max(loss) AS m FROM segments")["m"].tolist() == [2.0]
