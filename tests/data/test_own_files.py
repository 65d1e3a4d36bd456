"""Files of one's own: what is read from them, and what is said of bad ones."""

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from descentlab.core.errors import DataError, SpecError

from .conftest import load, parse

X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 1] * 3)


def text(content: str, name: str = "own.csv") -> str:
    Path(name).write_text(content)
    return name


def arrays(**named) -> str:
    np.savez("own.npz", **named)
    return "own.npz"


def test_text_labels_become_classes_in_sorted_order():
    dataset = load("csv", path=text("a,b,label\n1,2,pear\n3,4,apple\n5,6,pear\n"), scale="none")
    assert dataset.classes == ("apple", "pear")
    assert dataset.train.targets.tolist() == [1, 0, 1]
    assert dataset.train.inputs.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_whole_numbers_are_sorted_as_numbers_and_need_not_start_at_0():
    dataset = load("csv", path=text("a,label\n1,10\n2,9\n3,10\n"))
    assert dataset.classes == ("9", "10")
    assert dataset.train.targets.tolist() == [1, 0, 1]


def test_columns_and_label_are_chosen_by_name():
    path = text("id,w,h,kind\nx,1,2,u\ny,3,4,v\n")
    dataset = load("csv", path=path, label="kind", features=["h", "w"], scale="none")
    assert dataset.train.inputs.tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_csv_of_other_form_is_read_when_it_is_described(pack):
    name = "own.csv.gz" if pack is gzip.compress else "own.csv"
    Path(name).write_bytes(pack(b"1;2;u\n3;4;v\n"))
    dataset = load("csv", path=name, delimiter=";", header=False, label="f2", scale="none")
    assert dataset.train.inputs.tolist() == [[1, 2], [3, 4]]


def test_numeric_targets_are_a_column_of_numbers():
    dataset = load("csv", path=text("a,label\n1,0.5\n2,1.5\n"), target="numeric")
    assert dataset.classes == ()
    assert dataset.train.targets.tolist() == [[0.5], [1.5]]
    path = arrays(inputs=X, label=np.stack([Y, Y], axis=1))
    assert load("npz", path=path, target="numeric").train.targets.shape == (6, 2)


def test_a_data_frames_index_is_no_feature():
    frame = pd.DataFrame({"a": [1.0, 2, 3], "label": pd.Categorical(["u", "v", "u"])})
    frame.set_index(pd.Index([7, 8, 9])).to_parquet("own.parquet")
    dataset = load("parquet", path="own.parquet", scale="none")
    assert dataset.train.inputs.tolist() == [[1], [2], [3]]
    assert dataset.classes == ("u", "v")


def test_columns_of_many_types_are_numbers():
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import compute

    columns = {
        "yes": pa.array([True, False]),
        "small": pa.array([1, 2], pa.int8()),
        "money": pa.array([1.5, 2.5]).cast(pa.decimal128(5, 2)),
        "coded": compute.dictionary_encode(pa.array([7, 9])),
        "label": pa.array(["u", "v"], pa.large_string()),
    }
    pq.write_table(pa.table(columns), "own.parquet")
    dataset = load("parquet", path="own.parquet", scale="none")
    assert dataset.train.inputs.tolist() == [[1, 1, 1.5, 7], [0, 2, 2.5, 9]]


def test_a_test_part_of_an_npz_is_official_and_arrays_not_named_are_not_read():
    path = arrays(
        inputs=X.astype(np.uint8).reshape(6, 1, 2),
        label=Y,
        test_inputs=X[:2].astype(np.uint8).reshape(2, 1, 2),
        test_label=Y[:2],
        ids=np.array([None] * 6, object),
    )
    dataset = load("npz", path=path, scale="unit")
    assert dataset.test is not None
    assert dataset.test.inputs.shape == (2, 1, 2)
    assert dataset.train.inputs.dtype == np.float32
    assert "official" in dataset.notes["split"]
    without = load("npz", path=path, split={"test": 0})
    assert without.test is None
    assert "left out" in without.notes["split"]


def test_notes_name_the_file_and_its_checksum():
    notes = load("csv", path=text("a,label\n1,u\n2,v\n")).notes
    assert notes["files"] == ["own.csv"]
    assert notes["sha256"] == [hashlib.sha256(Path("own.csv").read_bytes()).hexdigest()]
    assert notes["rows"] == 2


def test_paths_start_at_the_current_folder_or_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    text("a,label\n1,u\n2,v\n")
    assert len(load("csv", path="~/own.csv").train) == 2
    with pytest.raises(DataError) as caught:
        load("csv", path="gone.csv")
    assert (
        f"gone.csv is not there (relative paths are taken from the current folder, {tmp_path}"
        in str(caught.value)
    )


BAD_CSV = {
    "empty file": ("", "is empty", "expected a file with data"),
    "header alone": ("a,label\n", "no rows below the header", "at least two"),
    "ragged": ("a,b,label\n1,2,u\n3,v\n", "Row #3: Expected 3 columns, got 2", "mend that row"),
    "missing column": ("a,lable\n1,u\n", "no column 'label'; did you mean 'lable'", "'label'"),
    "no features": ("label\nu\nv\n", "has one column, 'label'", "'delimiter'"),
    "delimiter": ("a;label\n1;u\n2;v\n", "has one column, 'a;label'", "'delimiter'"),
    "column twice": ("a,a,label\n1,2,u\n3,4,v\n", "'a' is there 2 times", "rename"),
    "text": ("a,label\n1,u\nfoo,v\n", "'a' holds string such as 'foo' in row 1", "'features'"),
    "empty column": ("a,b,label\n,1,u\n,2,v\n", "column 'a' is empty", "leave it out"),
    "missing value": (
        "a,label\n1,u\n2,u\n,v\n",
        "nan in row 2 (counted from 0), column 'a'",
        "remove or fill in",
    ),
    "infinite": ("a,label\n1,u\ninf,v\n", "inf in row 1 (counted from 0), column 'a'", "remove"),
    "missing label": ("a,label\n1,u\n2,\n3,v\n", "label in row 1 (counted from 0)", "remove"),
    "missing number as label": ("a,label\n1,1\n2,\n3,0\n", "label in row 1", "remove"),
    "fractions": ("a,label\n1,0.5\n2,1\n", "labels such as 0.5", "target: numeric"),
    "one class": ("a,label\n1,u\n2,u\n", "all 2 examples are of one class", "two are needed"),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_a_bad_csv_says_what_where_and_what_instead(case):
    content, what, instead = BAD_CSV[case]
    refused({"kind": "csv", "path": text(content)}, what, instead)


BAD_NPZ = {
    "no array": ({"inputs": X}, "no array 'label'", "name it in 'label'"),
    "pickled label": (
        {"inputs": X, "label": np.array([{}] * 6, object)},
        "array 'label' holds pickled Python objects, which are never read",
        "store numbers or text",
    ),
    "one-hot": ({"inputs": X, "label": np.eye(2)[Y]}, "labels of shape (6, 2)", "argmax"),
    "flat": ({"inputs": Y, "label": Y}, "found int64 (6,)", "[examples, …features]"),
    "text": ({"inputs": X.astype(str), "label": Y}, "'inputs' must hold numbers", "[examples"),
    "no examples": ({"inputs": X[:0], "label": Y[:0]}, "no examples", "at least two"),
    "no features": ({"inputs": X[:, :0], "label": Y}, "has no features", "(6, 0)"),
    "counts": ({"inputs": X, "label": Y[:4]}, "6 inputs and 4 labels", "as many of each"),
    "one label": ({"inputs": X, "label": 3}, "a single value", "one label an example"),
    "infinite label": (
        {"inputs": X, "label": np.where(Y, np.inf, 0)},
        "labels such as inf",
        "numeric",
    ),
    "bytes": ({"inputs": X, "label": np.array([b"\xe9", b"a"] * 3)}, "not UTF-8", "as text"),
    "complex": ({"inputs": X, "label": Y * 1j}, "labels of type complex128", "whole numbers"),
    "half a test part": (
        {"inputs": X, "label": Y, "test_inputs": X},
        "has 'test_inputs' but not 'test_label'",
        "needs both",
    ),
    "other shape": (
        {"inputs": X, "label": Y, "test_inputs": X[:, :1], "test_label": Y},
        "test part: inputs of shape (1,) an example",
        "both must be the same",
    ),
    "other type": (
        {"inputs": X.astype(np.uint8), "label": Y, "test_inputs": X, "test_label": Y},
        "test part: inputs are float64, train's uint8",
        "both as bytes (uint8) or neither",
    ),
    "strange label": (
        {"inputs": X, "label": Y, "test_inputs": X, "test_label": Y + 1},
        "the test label '2' is not among train's",
        "add some to train",
    ),
    "NaN in an image": (
        {"inputs": np.full((2, 2, 2), np.nan), "label": np.array([0, 1])},
        "nan in row 0 (counted from 0), place (0, 0)",
        "remove or fill in",
    ),
    "NaN in test": (
        {"inputs": X, "label": Y, "test_inputs": X * np.nan, "test_label": Y},
        "test part: inputs hold nan in row 0",
        "remove or fill in",
    ),
}


@pytest.mark.parametrize("case", BAD_NPZ)
def test_a_bad_npz_says_what_where_and_what_instead(case):
    named, what, instead = BAD_NPZ[case]
    refused({"kind": "npz", "path": arrays(**named)}, what, instead)


def test_a_pickle_is_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    import pickle

    path = arrays(inputs=np.array([Trap()] * 2, object), label=Y[:2])
    refused({"kind": "npz", "path": path}, "'inputs' holds pickled", "store numbers")
    Path("own.npz").write_bytes(pickle.dumps(Trap()))
    refused({"kind": "npz", "path": path}, "pickled Python objects", "store numbers")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_a_cut_off_file_is_damaged(kind, cut):
    path = f"own.{kind}"
    arrays(inputs=X, label=Y)
    pd.DataFrame({"a": X[:, 0], "label": Y}).to_parquet("own.parquet")
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: int(cut * len(content))])
    refused({"kind": kind, "path": path}, "or is damaged", "write it again")


def test_flipped_bytes_of_a_file_never_give_a_traceback():
    generator = np.random.default_rng(0)
    np.savez_compressed("own.npz", inputs=X, label=Y)
    pd.DataFrame({"a": X[:, 0], "label": Y}).to_parquet("own.parquet")
    for path in ("own.npz", "own.parquet"):
        content = Path(path).read_bytes()
        for _ in range(150):
            broken = bytearray(content)
            for place in generator.integers(0, len(broken), 3):
                broken[place] ^= int(generator.integers(1, 256))
            Path(path).write_bytes(broken)
            try:
                load(path.removeprefix("own."), path=path)
            except DataError as error:
                assert path in str(error)


def test_files_that_are_something_else_say_so(tmp_path):
    np.save("own.npy", X)
    refused({"kind": "npz", "path": "own.npy"}, "is one array (.npy)", "numpy.savez")
    refused({"kind": "csv", "path": str(tmp_path)}, "is a folder", "the path of one file")
    refused({"kind": "csv", "path": "a\0b"}, "cannot read", "check the path")
    Path("own.csv.gz").write_bytes(b"\x1f\x8b\x08nonsense")
    refused({"kind": "csv", "path": "own.csv.gz"}, "cannot be read", "write it again")
    Path("own.csv").write_bytes(b"a,label\n1,\xe9\n2,b\n")
    refused({"kind": "csv", "path": "own.csv"}, "holds binary", "UTF-8 text")
    refused({"kind": "parquet", "path": "own.csv"}, "no Parquet file", "write it again")
    Path("own.csv").write_bytes("größe,label\n1,u\n2,v\n".encode("latin-1"))
    refused({"kind": "csv", "path": "own.csv"}, "its header is not in UTF-8", "save it again")
    refused({"kind": "csv", "path": "own.csv", "features": ["a"]}, "UTF-8", "save it again")


def test_many_columns_are_not_all_listed():
    header = ",".join(f"c{i}" for i in range(500))
    path = text(f"{header}\n{','.join(['1'] * 500)}\n")
    assert "… 488 more" in message({"kind": "csv", "path": path})
    assert len(message({"kind": "csv", "path": path})) < 300


def test_numbers_that_are_really_targets_are_not_ten_thousand_classes():
    path = arrays(inputs=np.zeros((10_001, 1)), label=np.arange(10_001))
    refused({"kind": "npz", "path": path}, "10001 different labels", "target: numeric")
    path = text("a,label\n1,u\n2,v\n")
    refused({"kind": "csv", "path": path, "target": "numeric"}, "needs numbers", "target: classes")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"features": ["a", "label"]}, "the label 'label' is among the features; take it out"),
        ({"features": []}, "expected at least one column"),
        ({"features": ["a", "a"]}, "'a' is named more than once"),
        ({"delimiter": ";;"}, "run.data.delimiter"),
        ({"target": "number"}, "run.data.target"),
        ({"lable": "x"}, "did you mean 'label'"),
    ],
)
def test_faults_of_a_specification_name_the_field(fields, says):
    with pytest.raises(SpecError, match=re.escape(says)):
        parse("csv", path="own.csv", **fields)


def test_a_path_is_required():
    with pytest.raises(SpecError, match=r"run\.data\.path: this field is required"):
        parse("npz")


def message(raw: dict) -> str:
    with pytest.raises(DataError) as caught:
        load(**raw)
    return str(caught.value)


def refused(raw: dict, what: str, instead: str) -> None:
    said = message(raw)
    assert what in said
    assert instead in said
    assert "\n" not in said
    assert repr(raw["path"])[1:-1] in said
