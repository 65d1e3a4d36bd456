"""Leaks of a data set: the sides are those of a study, and what is planted is found."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from descentlab.core.errors import DataError, SpecError
from descentlab.core.yaml import write_yaml
from descentlab.data.specs import CATALOGUE, Iris
from descentlab.studies.leaks import leaks
from descentlab.studies.sides import load_sides

FEATURES = list("abcde")


@pytest.fixture
def frame():
    """A table with an exact copy (rows 7 and 90), and groups of two, every tenth id missing."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(120, 5)), columns=pd.Index(FEATURES))
    table["label"] = np.arange(120) % 3
    table["patient"] = [f"p{i // 2}" if i % 10 else "" for i in range(120)]
    table.loc[7, FEATURES] = table.loc[90, FEATURES]
    return table


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(frame, path):
    if path.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


def same(one, other):
    np.testing.assert_array_equal(one[0], other.inputs)
    np.testing.assert_array_equal(one[1], other.targets)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
@pytest.mark.parametrize("split", [{"test": 30, "seed": 4}, {"test": 0.1, "validation": 20}])
def test_the_sides_of_a_table_are_the_study_s(frame, suffix, split):
    path = write(frame, f"t.{suffix}")
    spec = {"kind": suffix.split(".")[0], "path": path, "split": split, "features": FEATURES}
    study = CATALOGUE.validate({**spec, "scale": "none"}).load()
    found = load_sides(spec, "patient")
    same(found.train, study.train)
    same(found.test, study.test)
    for rows, (inputs, _) in zip(found.rows, (found.train, found.test), strict=True):
        np.testing.assert_array_equal(frame[FEATURES].to_numpy()[rows], inputs)
    assert found.groups is not None
    for rows, ids in zip(found.rows, found.groups, strict=True):
        assert [i or "" for i in ids] == frame["patient"].iloc[rows].tolist()
    if "validation" not in split:  # a group's column is no input, without naming the others
        plain = load_sides(path, "patient", test=split["test"], seed=split["seed"])
        same(plain.test, study.test)


def test_what_is_planted_in_a_table_is_found(frame):
    seed = next(s for s in range(50) if _parted(write(frame, "t.csv"), s))
    found = leaks("t.csv", "patient", test=30.0, seed=seed)
    assert found.found and found.one_table
    (pair,) = found.exact.pairs.tolist()
    assert sorted(pair) == [7, 90]
    assert found.exact.different_labels == 1  # 7 % 3 is not 90 % 3
    rows = load_sides("t.csv", "patient", test=30, seed=seed).rows
    train, test = (frame["patient"].iloc[side] for side in rows)
    assert found.groups is not None and found.groups.examples > 0
    assert found.groups.examples == sum(p in set(train) for p in test if p)
    assert found.groups.missing == (frame["patient"] == "").sum()
    text = " ".join(found.sentences())
    assert f"{found.groups.examples} of 30 test examples" in text and "share a patient" in text
    assert "1 of 30 test examples (3.3 %) is an exact copy of a training example" in text
    assert "with another label" in text
    summary = found.summary()
    assert summary["exact"]["pairs"] == [{"test": pair[0], "train": pair[1]}]
    assert summary["leaks"] and summary["groups"]["name"] == "patient"


def test_what_stands_for_nothing_is_no_group():
    rows = [f"{i},{i % 2},{'NA' if i % 3 else ''}" for i in range(20)]
    Path("t.csv").write_text("a,label,who\n" + "\n".join(rows))
    found = leaks("t.csv", "who").groups
    assert found is not None and (found.missing, found.examples) == (20, 0)


def _parted(path, seed):
    train, test = load_sides(path, "patient", test=30, seed=seed).rows
    return {7, 90} & set(train) and {7, 90} & set(test)


def test_a_study_names_the_data(frame):
    write(frame.drop(columns="patient"), "t.csv")
    study = {
        "name": "t",
        "run": {
            "data": {"kind": "csv", "path": "t.csv", "split": {"test": 40, "seed": 2}},
            "model": "linear",
            "optimizer": {"kind": "sgd", "learning_rate": 0.1},
            "epochs": 1,
        },
    }
    Path("t.yaml").write_text(write_yaml(study))
    np.testing.assert_array_equal(
        load_sides("t.yaml").rows[1], load_sides("t.csv", test=40, seed=2).rows[1]
    )
    study["vary"] = {"data.split.seed": [1, 2]}
    Path("t.yaml").write_text(write_yaml(study))
    with pytest.raises(SpecError, match=r"varies its data \(2 different\)"):
        leaks("t.yaml")


def test_a_copy_in_iris_leaks_where_the_split_parts_it():
    # Rows 101 and 142 of scikit-learn's iris are the same.
    for seed in range(12):
        found = leaks(Iris(), seed=seed, test=50)
        parted = (101 in (rows := load_sides("iris", test=50, seed=seed).rows)[0]) != (
            142 in rows[0]
        )
        assert found.exact.examples == parted
        assert found.exact.within_train == (101 in rows[0] and 142 in rows[0])
    assert "drawn for this check" in leaks("iris").split
    assert "drawn for this check" not in leaks("iris", test=0.2).split


@pytest.mark.parametrize("names", [("", "test_"), ("train_", "test_")])
def test_arrays_with_a_test_part(names):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (60, 6, 6), dtype=np.uint8), np.arange(60) % 2
    arrays = {}
    for name, rows in zip(names, (slice(0, 45), slice(45, 60)), strict=True):
        arrays |= {
            f"{name}inputs": images[rows].copy(),
            f"{name}label": labels[rows],
            f"{name}who": np.arange(60)[rows] // 7,
        }
    arrays["test_inputs"][4] = images[9]
    np.savez("a.npz", **arrays)
    found = leaks("a.npz", "who")
    assert found.exact.pairs.tolist() == [[4, 9]]
    assert found.exact.different_labels == 0  # 49 and 9 are odd
    assert found.groups is not None
    assert [tuple(g) for g in found.groups.shared] == [(6, 3, 4)]
    assert not found.one_table and (found.n_train, found.n_test) == (45, 15)
    with pytest.raises(DataError, match=r"there is no array '.*whom'; did you mean '.*who'"):
        leaks("a.npz", "whom")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (("mnst",), SpecError, "did you mean 'mnist'"),
        (("npz",), SpecError, "name the file itself"),
        (("a.txt",), SpecError, r"expected a study \(.yaml\), a table"),
        (("nowhere.csv",), DataError, "nowhere.csv is not there"),
        (("nowhere.npz",), DataError, "nowhere.npz is not there"),
        (("broken.npz",), DataError, "^broken.npz: .*; store numbers"),
        (("iris", "patient"), DataError, "iris has no groups"),
        (("t.csv", "patent"), DataError, "no column 'patent'; did you mean 'patient'"),
        (({"kind": "iris", "split": {"test": 0}},), DataError, "sets no test part apart"),
        (({"kind": "iris", "splot": {}},), SpecError, "did you mean 'split'"),
        (("few.npz",), DataError, "expected inputs such as 'train_images'"),
        (("uneven.npz",), DataError, "3 training and 2 test examples, but 3 and 1 values"),
    ],
)
def test_bad_input_is_named(frame, call, error, message):
    write(frame, "t.csv")
    Path("a.txt").write_text("a")
    Path("broken.npz").write_text("a")
    np.savez("few.npz", train_z=np.eye(3))
    uneven = {"train_x": np.eye(3), "test_x": np.eye(3)[:2], "train_y": np.arange(3)}
    np.savez("uneven.npz", **uneven, test_y=np.arange(1))
    with pytest.raises(error, match=message):
        leaks(*call)


def test_a_threshold_or_a_share_out_of_range_is_named():
    with pytest.raises(DataError, match="threshold between 0 and 1"):
        leaks("iris", near=2)
    with pytest.raises(SpecError, match=r"split.test: expected a share below 1"):
        leaks("iris", test=1.5)


def test_lesions_of_ham10000_are_on_both_sides():
    folders = os.environ.get("DESCENTLAB_DATA", "").split(os.pathsep)
    paths = [Path(f) / "ham10000" / "ham10000_28x28_rebuilt.npz" for f in folders if f]
    path = next((p for p in paths if p.exists()), None)
    if path is None:
        pytest.skip("HAM10000 is in no folder that DESCENTLAB_DATA names")
    found = leaks(path, "lesion_ids")
    assert found.groups is not None
    assert (found.n_test, found.groups.examples) == (2005, 683)
    assert "683 of 2,005 test examples (34 %) share a lesion_ids" in found.sentences()[0]
    with np.load(path) as arrays:  # what is found by pixels alone is known to be one lesion
        pairs = found.near.pairs.T
        lesions = arrays["test_lesion_ids"][pairs[0]], arrays["train_lesion_ids"][pairs[1]]
    assert found.near.examples >= 20 and (lesions[0] == lesions[1]).all()
