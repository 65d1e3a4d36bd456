"""Prediction files: the same numbers from every format, and a reason for what can't be read."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from descentlab.core.errors import DataError
from descentlab.evaluation import evaluate, files
from descentlab.evaluation.files import evaluate_file, read_predictions
from descentlab.evaluation.predictions import Predictions
from tests.evaluation.test_scores import sample, softmax

FORMATS = ["x.csv", "x.csv.gz", "x.tsv", "X.CSV", "x.parquet", "x.npz"]
formats = pytest.mark.parametrize("name", FORMATS)


def write(path: Path, columns: dict[str, Any]) -> Path:
    """Write columns in the format that the name says."""
    if path.suffix == ".npz":
        np.savez(path, **columns)  # type: ignore[arg-type]
    elif path.suffix == ".parquet":
        pd.DataFrame(columns).to_parquet(path)
    else:
        pd.DataFrame(columns).to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def text(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def scored(kind: str = "probability", classes: int = 3, n: int = 200, seed: int = 0):
    """Return labels, scores, and both as the columns of a file."""
    labels, logits = sample(seed, n, classes)
    scores = softmax(logits) if kind == "probability" else logits
    return labels, scores, {"label": labels} | {
        f"{kind}_{k}": scores[:, k] for k in range(classes)
    }  # fmt: skip


def same(found: Predictions, expected: Predictions) -> None:
    assert found.classes == expected.classes
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert (found.answers is None) == (expected.answers is None)
    if expected.answers is not None:
        np.testing.assert_array_equal(found.answers, expected.answers)
    assert (found.scores is None) == (expected.scores is None)
    if found.scores is not None and expected.scores is not None:
        assert found.scores.scale == expected.scores.scale
        for k in range(len(expected.classes)):
            np.testing.assert_array_equal(found.scores.column(k), expected.scores.column(k))


@formats
@pytest.mark.parametrize("kind", ["probability", "logit"])
def test_every_format_gives_the_same_predictions(tmp_path: Path, name: str, kind: str) -> None:
    labels, scores, columns = scored(kind)
    columns["prediction"] = labels[::-1].copy()
    columns["note"] = np.arange(200)  # columns that say nothing are left alone
    given = {"probability": "probabilities", "logit": "logits"}[kind]
    expected = Predictions.of(labels, labels[::-1], **{given: scores})
    same(read_predictions(write(tmp_path / name, columns)), expected)


@formats
def test_predictions_alone_will_do(tmp_path: Path, name: str) -> None:
    columns = {"label": ["b", "a", "b"], "prediction": ["b", "b", "a"]}
    found = read_predictions(write(tmp_path / name, columns))
    same(found, Predictions.of(columns["label"], columns["prediction"]))


@pytest.mark.parametrize("name", ["logit", "logits", "probability", "probabilities"])
def test_an_npz_may_hold_one_array(tmp_path: Path, name: str) -> None:
    labels, scores, _ = scored(name[:5] if name[0] == "l" else "probability")
    classes = ["x", "y", "z"]
    np.savez(tmp_path / "x.npz", label=labels, classes=classes, **{name: scores})
    scale = "logits" if name[0] == "l" else "probabilities"
    expected = Predictions.of(labels, classes=classes, **{scale: scores})
    same(read_predictions(tmp_path / "x.npz"), expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["x.parquet", "x.npz"])
def test_scores_keep_their_precision(tmp_path: Path, name: str, dtype: type) -> None:
    labels, scores, columns = scored("logit")
    for k in range(3):
        columns[f"logit_{k}"] = columns[f"logit_{k}"].astype(dtype)
    found = read_predictions(write(tmp_path / name, columns))
    assert found.scores is not None and found.scores.pieces[0].dtype == dtype
    same(found, Predictions.of(labels, logits=scores.astype(dtype)))


def test_pieces_beyond_memory_give_the_same_evaluation(tmp_path, monkeypatch) -> None:
    labels, scores, columns = scored(n=500)
    path = write(tmp_path / "x.parquet", columns | {"prediction": labels})
    monkeypatch.setattr(files, "ROWS", 64)
    done: list[int] = []
    spilt = read_predictions(path, memory=0, progress=done.append)
    assert done == [*range(64, 500, 64), 500]
    assert spilt.scores is not None and len(spilt.scores.pieces) == 1  # a mapping, an open file
    assert isinstance(spilt.scores.pieces[0], np.memmap)
    part = read_predictions(path, memory=4000)
    assert part.scores is not None
    kinds = [isinstance(piece, np.memmap) for piece in part.scores.pieces]
    assert kinds == sorted(kinds) and len(set(kinds)) == 2
    expected = evaluate(labels, labels, probabilities=scores).to_json()
    for given in (spilt, part):
        same(given, Predictions.of(labels, labels, probabilities=scores))
        found = files.evaluate_predictions(given).to_json()
        assert approximately(found) == approximately(expected)


def approximately(value: Any) -> Any:
    """Round numbers, which may be summed in another order."""
    if isinstance(value, dict):
        return {key: approximately(item) for key, item in value.items()}
    if isinstance(value, list):
        return [approximately(item) for item in value]
    return round(value, 9) if isinstance(value, float) else value


def test_csv_is_read_in_blocks_whose_labels_need_not_look_alike(tmp_path: Path) -> None:
    """Labels are numbers in the first blocks and words in the last."""
    filling, n = "x" * 1000, 18_000
    rows = [f"{i % 3},{i % 2},{filling}\n" for i in range(n)] + [f"cat,1,{filling}\n"]
    path = text(tmp_path / "x.csv", "label,prediction,note\n" + "".join(rows))
    done: list[int] = []
    found = read_predictions(path, progress=done.append)
    assert len(done) > 1 and done[-1] == n + 1
    expected = [str(i % 3) for i in range(n)] + ["cat"]
    same(found, Predictions.of(expected, [str(i % 2) for i in range(n)] + ["1"]))


@pytest.mark.parametrize(
    "content",
    [
        "label,prediction\r\n0,1\r\n1,1\r\n",
        "\ufefflabel,prediction\n0,1\n1,1\n",
        'label,prediction\n"0","1"\n"1","1"\n',
        "prediction,other,label\n1,a,0\n1,,1\n",
        "label,prediction\n0.0,1.0\n1.0,1.0\n",
        "label,prediction\n0,1.0\n1.0,1\n",
        "label,prediction\n0.000000000000000000e+00,1\n1,1.000000000000000000e+00\n",  # savetxt
        "label,prediction\n-0.0,1\n1,1\n",
        "label,prediction\n0,1\n1,1",
    ],
)
def test_csv_of_any_writer_is_read(tmp_path: Path, content: str) -> None:
    same(read_predictions(text(tmp_path / "x.csv", content)), Predictions.of([0, 1], [1, 1]))


def test_rounded_probabilities_are_read(tmp_path: Path) -> None:
    rows = "0,0.333,0.333,0.333\n1,0.1,0.8,0.1\n"
    content = "label,probability_0,probability_1,probability_2\n" + rows
    assert evaluate_file(text(tmp_path / "x.csv", content))[0].examples == 2


def test_pieces_of_a_wide_parquet_file_have_few_rows(tmp_path, monkeypatch) -> None:
    labels, scores, columns = scored("logit", n=500)
    path = tmp_path / "x.parquet"
    words = np.array(["a", "b", "c"])[labels]
    table = columns | {"label": words, "prediction": pd.Categorical(words)}
    pd.DataFrame(table).rename(
        columns=lambda c: c.translate({48: "a", 49: "b", 50: "c"})
    ).to_parquet(path, row_group_size=500)
    monkeypatch.setattr(files, "BLOCK_BYTES", 100 * (3 * 8 + files.TEXT_BYTES + 4))
    done: list[int] = []
    found = read_predictions(path, progress=done.append)
    assert len(done) in (5, 6, 9, 10) and max(np.diff(done)) <= 110  # the dictionary's width varies
    same(found, Predictions.of(words, words, logits=scores, classes=["a", "b", "c"]))


def test_an_npz_names_the_classes_of_whatever_it_holds(tmp_path: Path) -> None:
    path, labels, names = tmp_path / "x.npz", [0, 1, 0], ["dog", "cat", "owl"]
    logits = {"logit_0": [1.0, 2, 3], "logit_1": [0.0, 3, 1], "logit_2": [0.0, 0, 0]}
    named = dict(zip([f"logit_{name}" for name in names], logits.values(), strict=True))
    for columns in ({"prediction": [0, 1, 1]}, logits, named):
        for classes in (np.array(names), np.array(names, "S3")):
            np.savez(path, label=labels, classes=classes, **columns)
            found = read_predictions(path)
            assert found.classes == ("dog", "cat", "owl") and found.labels.tolist() == labels
    np.savez(path, label=labels, classes=["a", "b", "c"], **named)
    with pytest.raises(
        DataError, match="classes are a, b, c, but the columns are of dog, cat, owl"
    ):
        read_predictions(path)
    np.savez(path, label=labels, classes="ab", prediction=labels)
    with pytest.raises(DataError, match=r"one name a class; found shape \(\)"):
        read_predictions(path)


ROWS = [
    ("label,prediction\n", "at least one example"),
    ("", "[Ee]mpty"),
    ("label,prediction\n0,1\n1,\n", "prediction: example 1 has none"),
    ("label,prediction\nNA,1\n1,1\n", r"label: example 0 has none \(an empty field, NA, NaN,"),
    ("label,prediction\nTrue,1\nFalse,0\n", "labels are False, True, predictions are 0, 1"),
    ("label,prediction\n01,1\n02,2\n", "labels are 01, 02, predictions are 1, 2"),
    ("label;prediction\n0;1\n", "divided by commas .* here by ';'"),
    ("label\tprediction\n0\t1\n", "here by tabs; call the file .tsv"),
    ("label, prediction\n0,1\n", "column ' prediction' has spaces around its name; remove them"),
    (
        "label,prediction,probability_max\n0,1,.9\n",
        "one column of probabilities, 'probability_max', taken for those of the class 'max'",
    ),
    (
        "label,probability_0,probability_1,probability_threshold\n0,.7,.3,.5\n",
        "its sum is 1.5.*; what was taken for classes: 0, 1, threshold",
    ),
    ("label,probability_0,probability_1\n0,70,30\n", "are they percentages"),
    ("label,probability_1\n0,.2\n", r"one column .* give probability_0 \(1 − p\) as well"),
    ("label,probability_0\n0,.2\n", r"one column .* give probability_1 \(1 − p\) as well"),
    ("label,logit_1\n0,.2\n", r"one column of logits.* give logit_0 \(0\) as well"),
    ("label,probability\n0,.2\n", r"'probability' is one column; .* probability_0 \(1 − p\) and"),
    ("label,logit\n0,.2\n", r"'logit' is one column; .* logit_0 \(0\) and logit_1"),
    ("label,prediction\n0,1\n0.5,1\n", "labels: expected classes; example 1 has 0.5"),
    ("label,logit_0,logit_1\n0,1,2\n1,,3\n", "logit_0: example 1 has none"),
    ("label,logit_0,logit_1\n0,1,2\n1,nan,3\n", "logit_0: example 1 has none"),
    ("label,logit_0,logit_1\n0,1,2\n1,inf,3\n", "logits are finite numbers; example 1"),
    ("label,logit_0,logit_1\n0,1,2\n1,x,3\n", "logit_0|column #1|x"),
    ("label,logit_0,logit_1\n0,1,2\n1,3\n", "3 columns, got 2"),
    ("label,logit_0,logit_1\n2,1,2\n", r"label 2 \(example 0\) is none of the classes 0 … 1"),
    ("label,probability_0,probability_1\n0,0.5,0.4\n", "sum to 1; example 0 .*its sum is 0.9"),
    ("label,probability_0,probability_1\n0,1.5,-0.5\n", "between 0 and 1"),
    ("label,probability_a,probability_b\na,1,0\nc,1,0\n", r"label 'c' \(example 1\) .* a, b"),
    ("label,label,prediction\n0,0,1\n", "'?label'?.*(twice|2 times|duplicate)"),
    ("label,logit_0,logit_0\n0,0,1\n", "'?logit_0'?.*(twice|2 times|duplicate)"),
    (b"label,prediction\n\xff\xfe,1\n", "UTF-?8"),
]


@pytest.mark.parametrize(("content", "message"), ROWS)
def test_rows_that_cannot_be_evaluated_are_named(tmp_path, content, message) -> None:
    path = text(tmp_path / "x.csv", content)
    with pytest.raises(DataError, match=message) as caught:
        evaluate_file(path)
    assert str(path) in str(caught.value) and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["x.parquet", "x.npz"])
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": np.array([], int), "prediction": np.array([], int)}, "at least one example"),
        ({"label": [0.0, np.nan], "prediction": [0, 1]}, "label.*: example 1 has none"),
        ({"label": [0, 1], "logit_0": [0.0, 1.0], "logit_1": [0, np.nan]}, "example 1"),
        ({"label": [0, 1], "logit_0": ["a", "b"], "logit_1": ["c", "d"]}, "numbers"),
    ],
)
def test_so_are_those_of_other_formats(tmp_path, name, columns, message) -> None:
    with pytest.raises(DataError, match=message):
        evaluate_file(write(tmp_path / name, columns))


ARRAYS = [
    ({"label": [0, 1], "prediction": [0, 1, 1]}, "different lengths: label 2, prediction 3"),
    ({"label": [0, 1], "logit_0": [0.0], "logit_1": [1.0]}, "different lengths"),
    ({"label": [0, 1], "logit": np.zeros((3, 2))}, "2 labels, but scores of 3 examples"),
    ({"label": 1, "prediction": [0, 1]}, "label|lengths"),
    ({"label": [[0, 1]], "prediction": [[0, 1]]}, "one value an example"),
    ({"logit": np.zeros((3, 2))}, "expected a column 'label'"),
    ({"label": [0, 1], "probability": [0.2, 0.8]}, r"\[examples, classes\].*one column; for two"),
    ({"label": [0, 1], "probability": [[0.2], [0.8]]}, "scores of one class: one column; for two"),
    ({"label": [0], "logit": np.eye(2)[:1], "probability": np.eye(2)[:1]}, "found both"),
    ({"label": [0], "logit": np.eye(2)[:1], "classes": ["a"]}, "1 classes, but scores of 2"),
    ({"label": np.array(["a", None], object), "prediction": [0, 1]}, "Python objects"),
]


@pytest.mark.parametrize(("arrays", "message"), ARRAYS)
def test_arrays_that_do_not_fit_are_named(tmp_path: Path, arrays: Any, message: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=message):
        evaluate_file(tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["x.csv.gz", "x.parquet", "x.npz"])
def test_damaged_files_are_said_to_be_unreadable(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, scored()[2])
    whole = path.read_bytes()
    middle = len(whole) // 2
    noise = bytes(255 - byte for byte in whole[middle : middle + 200])
    for content in (
        b"", b"no such thing", whole[:middle], whole[middle:], whole[:-1],
        whole[:middle] + noise + whole[middle + 200 :],
    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(DataError, match="x\\."):  # else no probabilities any more
            evaluate_file(path)


def test_so_are_damaged_compressed_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, **scored()[2])
    whole = bytearray(path.read_bytes())
    for place in (60, 400, len(whole) // 2):
        damaged = whole.copy()
        damaged[place : place + 30] = b"\xff" * 30
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"x\.npz"):
            read_predictions(path)


def test_an_array_that_is_called_npz_is_none(tmp_path: Path) -> None:
    with (tmp_path / "x.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"x\.npz"):
        read_predictions(tmp_path / "x.npz")


def test_what_is_no_prediction_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    text(tmp_path / "x.xlsx", "1")
    text(tmp_path / "x", "1")
    text(tmp_path / "packed.csv.gz", gzip.compress(b""))
    for name, message in {
        "gone.csv": "no such file", "folder.csv": r"is a folder; give a file \(\.csv",
        "x.xlsx": r"expected a prediction file \(\.csv, .*\.npz\); found '\.xlsx'",
        "x": "found 'x'", "packed.csv.gz": "[Ee]mpty",
    }.items():  # fmt: skip
        with pytest.raises(DataError, match=message):
            read_predictions(tmp_path / name)


def test_two_files_are_compared(tmp_path: Path) -> None:
    labels, scores, columns = scored("logit")
    one = write(tmp_path / "one.csv", columns)
    two = write(tmp_path / "two.npz", columns | {"logit_0": scores[:, 0] + 1})
    found, compared = evaluate_file(one, against=two, recall_at_least=0.8)
    assert len(found.targets) == 3 and found.targets[0].target == 0.8
    assert compared is not None and compared.names == ("one.csv", "two.npz")
    other = write(tmp_path / "other.csv", columns | {"label": np.roll(labels, 1)})
    with pytest.raises(DataError, match=r"one\.csv and .*other\.csv: the labels differ in"):
        evaluate_file(one, against=other)
