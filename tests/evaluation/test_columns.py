"""Columns of prediction files: found by name, classes as numbers or text, scores as numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from descentlab.core.errors import DataError
from descentlab.evaluation import evaluate
from descentlab.evaluation.columns import Columns
from descentlab.evaluation.files import evaluate_file, read_predictions
from descentlab.evaluation.predictions import Predictions
from tests.evaluation.test_files import formats, same, scored, text, write


@formats
def test_columns_out_of_order_and_more_than_ten_are_ordered_by_number(tmp_path, name) -> None:
    labels, scores, columns = scored("logit", classes=12)
    order = np.random.default_rng(1).permutation(12)
    shuffled = {f"logit_{k}": columns[f"logit_{k}"] for k in order} | {"label": labels}
    found = read_predictions(write(tmp_path / name, shuffled))
    same(found, Predictions.of(labels, logits=scores))


@formats
def test_class_names_stand_in_columns(tmp_path: Path, name: str) -> None:
    labels, scores, _ = scored()
    names = np.array(["cat", "a_b c", "10"])
    of_classes = zip(names, scores.T, strict=True)
    columns = {"label": names[labels]} | {f"probability_{n}": s for n, s in of_classes}
    found = read_predictions(write(tmp_path / name, columns))
    same(found, Predictions.of(labels, probabilities=scores, classes=names.tolist()))


@formats
def test_classes_numbered_from_1_keep_their_numbers(tmp_path: Path, name: str) -> None:
    labels, scores, _ = scored()
    columns = {"label": labels + 1} | {f"probability_{k + 1}": scores[:, k] for k in range(3)}
    found = read_predictions(write(tmp_path / name, columns))
    expected = Predictions.of(labels + 1, probabilities=scores, classes=["1", "2", "3"])
    same(found, expected)


def test_long_numbers_are_different_classes_where_their_digits_differ(tmp_path: Path) -> None:
    one, other = "12345678901234567890", "12345678901234567891"
    path = text(tmp_path / "x.csv", f"label,prediction\n{one},{other}\n{other},{other}\n")
    found = evaluate_file(path)[0]
    assert (found.classes, found.figures["accuracy"].value) == ((one, other), 0.5)


@pytest.mark.parametrize("names", [("01", "1"), ("007", "7"), ("1e5", "100000"), ("+1", "1")])
@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_names_that_only_look_like_a_number_stay_apart(tmp_path, name, names) -> None:
    columns = {"label": [names[0], names[1]] * 2, "prediction": [names[0], names[1], *names[::-1]]}
    found = evaluate_file(write(tmp_path / name, columns))[0]
    assert set(found.classes) == set(names)
    assert found.figures["accuracy"].value == 0.5


def test_a_name_is_one_class_in_every_block(tmp_path: Path) -> None:
    """1.0 stands in a block of numbers and in one that has a word as well."""
    filling = "x" * 1000
    rows = [f"{i % 2}.0,{i % 2}.0,{filling}\n" for i in range(9000)] + [f"a,a,{filling}\n1.0,a,\n"]
    path = text(tmp_path / "x.csv", "label,prediction,note\n" + "".join(rows))
    assert evaluate_file(path)[0].classes == ("0.0", "1.0", "a")


@formats
def test_columns_may_be_numbered_with_leading_zeros(tmp_path: Path, name: str) -> None:
    labels, scores, _ = scored()
    columns = {f"probability_{k:02d}": scores[:, k] for k in range(3)}
    same(read_predictions(write(tmp_path / name, {"label": labels} | columns)),
         Predictions.of(labels, probabilities=scores))  # fmt: skip
    if not name.endswith("npz"):
        padded = [f"{k:02d}" for k in labels]
        same(read_predictions(write(tmp_path / name, {"label": padded} | columns)),
             Predictions.of(labels, probabilities=scores))  # fmt: skip


def test_what_is_a_digit_but_no_number_is_a_name(tmp_path: Path) -> None:
    content = "label,logit_²,logit_1\n1,0.5,1\n²,0.5,1\n"
    assert read_predictions(text(tmp_path / "x.csv", content)).classes == ("²", "1")


def test_parquet_decimals_are_numbers_and_lists_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    p = [pa.array(values).cast(pa.decimal128(5, 2)) for values in ([0.7, 0.2], [0.3, 0.8])]
    label = pa.array([0, 1]).cast(pa.decimal128(19, 0))
    pq.write_table(pa.table({"label": label, "probability_0": p[0], "probability_1": p[1]}), path)
    found = read_predictions(path)
    assert found.labels.tolist() == [0, 1] and found.scores is not None
    np.testing.assert_allclose(found.scores.pieces[0], [[0.7, 0.3], [0.2, 0.8]])
    for name, lists in (("probability", [[0.7, 0.3]]), ("logits", [np.zeros(2, np.float32)])):
        pq.write_table(pa.table({"label": [0], name: lists}), path)
        with pytest.raises(DataError, match=f"'{name}'; lists are not read: give one column a cl"):
            read_predictions(path)
    pq.write_table(pa.table({"label": [0], "logit_0": [[1.0]], "logit_1": [1.0]}), path)
    with pytest.raises(DataError, match=r"logit_0: expected numbers; found list.*lists are not "):
        read_predictions(path)


def test_parquet_columns_of_every_kind_are_read(tmp_path: Path) -> None:
    labels, scores, _ = scored(n=60)
    names = pa.array([("a", "b", "c")[k] for k in labels])
    kinds = {
        "words": names, "dictionary": names.dictionary_encode(),
        "large": names.cast(pa.large_string()), "int8": pa.array(labels, pa.int8()),
        "uint64": pa.array(labels, pa.uint64()), "float": pa.array(labels, pa.float64()),
    }  # fmt: skip
    for kind, label in kinds.items():
        ends = "abc" if kind in ("words", "dictionary", "large") else "012"
        columns = {"label": label} | {f"logit_{c}": s for c, s in zip(ends, scores.T, strict=True)}
        pq.write_table(pa.table(columns), tmp_path / "x.parquet")
        expected = evaluate(labels, logits=scores, classes=list(ends)).to_json()
        assert evaluate_file(tmp_path / "x.parquet")[0].to_json() == expected, kind


HINTS = [
    (["labels", "prediction"], "expected a column 'label' .*; is it 'labels'. Rename it"),
    (["Label", "prediction"], "is it 'Label'"),
    (["x", "y"], "expected a column 'label' with the true classes; found x, y"),
    (["label"], "expected 'prediction', 'probability_0' … or 'logit_0' … beside 'label'"),
    (["label", "predicted"], "expected 'prediction'.*found label, predicted"),
    (
        ["label", "logit_0", "probability_0"],
        "expected logit_… or probability_… columns; found both",
    ),
]


@pytest.mark.parametrize(("names", "message"), HINTS)
@formats
def test_columns_that_say_nothing_are_named(tmp_path, name, names, message) -> None:
    path = write(tmp_path / name, {column: [0, 1] for column in names})
    with pytest.raises(DataError, match=message):
        read_predictions(path)


def test_columns_are_found_whatever_else_there_is() -> None:
    found = Columns.of(["id", "probability_b", "label", "probability_a"], "x")
    assert (found.scores, found.classes) == (("probability_b", "probability_a"), ("b", "a"))
    assert (found.prediction, found.scale) == (None, "probabilities")
