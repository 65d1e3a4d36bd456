"""What is evaluated: classes get their numbers, and what can't be evaluated its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from descentlab.evaluation import evaluate
from descentlab.evaluation.predictions import Predictions

EVEN = np.full((3, 2), 0.5)


def matrix(labels: Any, predictions: Any, **options: Any) -> list[list[int]]:
    found = evaluate(labels, predictions, **options).matrix
    assert found is not None
    return found.tolist()


def test_numbers_are_the_classes_that_occur() -> None:
    found = Predictions.of([10, 2, 10, 7], [2, 2, 10, 10])
    assert found.classes == ("2", "7", "10")  # by number, not as text
    assert found.labels.tolist() == [2, 0, 2, 1]
    assert found.answers is not None and found.answers.tolist() == [0, 0, 2, 2]


def test_names_are_sorted_or_in_the_order_given() -> None:
    labels, predictions = ["dog", "cat", "dog"], ["dog", "dog", "cat"]
    assert Predictions.of(labels, predictions).classes == ("cat", "dog")
    assert matrix(labels, predictions) == [[0, 1], [1, 1]]
    found = evaluate(labels, predictions, classes=["dog", "cat", "owl"])
    assert found.classes == ("dog", "cat", "owl")
    assert found.matrix is not None and found.matrix.tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "object"],
)
def test_labels_may_be_of_any_kind_of_number(dtype: str) -> None:
    labels, predictions = np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2])
    scores = np.eye(3)[[0, 1, 2, 2]]
    expected = [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert matrix(labels.astype(dtype), predictions.astype(dtype)) == expected
    assert matrix(labels.astype(dtype), None, probabilities=scores) == expected
    assert matrix(labels.astype(dtype), predictions, logits=scores) == expected


def test_true_and_false_are_1_and_0() -> None:
    assert matrix([True, False, True], [False, False, True]) == [[1, 0], [1, 1]]


def test_pandas_columns_are_read() -> None:
    frame = pd.DataFrame({"label": ["a", "b", "a"], "prediction": ["a", "b", "b"]})
    assert matrix(frame["label"], frame["prediction"]) == [[1, 1], [0, 1]]
    categories = frame.astype("category")
    assert matrix(categories["label"], categories["prediction"]) == [[1, 1], [0, 1]]


def test_numbers_may_stand_for_names_in_the_order_of_the_columns() -> None:
    found = evaluate([0, 1, 1], probabilities=EVEN, classes=["cat", "dog"])
    assert found.classes == ("cat", "dog")
    assert [each.support for each in found.per_class] == [1, 2]


def test_names_that_are_numbers_are_names_first() -> None:
    found = evaluate([1, 2, 2], [2, 2, 1], classes=["2", "1"])
    assert found.matrix is not None and found.matrix.tolist() == [[1, 1], [1, 0]]


def test_labels_and_predictions_are_numbered_alike() -> None:
    """1, 2, 3 are names; a 0 must not turn the predictions, and them alone, into positions."""
    with pytest.raises(ValueError, match=r"'0' .*1, 2, 3"):
        evaluate([1, 2, 2], [0, 1, 2], classes=["1", "2", "3"])


def test_labels_and_predictions_without_a_class_in_common_are_fine_if_said_to_be() -> None:
    found = evaluate([0, 1], [2, 3], classes=range(4))
    assert found.figures["accuracy"].value == 0
    assert evaluate([0, 1, 1], [2, 2, 2]).figures["accuracy"].value == 0  # a constant answer


def test_without_predictions_the_highest_score_answers() -> None:
    found = Predictions.of([0, 1, 1], probabilities=EVEN)
    assert found.answers is None and found.classes == ("0", "1")
    assert matrix([0, 1, 1], None, probabilities=EVEN) == [[1, 0], [2, 0]]


def test_predictions_that_are_not_the_highest_score_are_kept_and_said() -> None:
    found = evaluate([0, 1, 1], [0, 1, 1], probabilities=[[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]])
    assert found.figures["accuracy"].value == 1
    assert "differ from the class with the highest score in 1 of 3 examples" in found.notes[0]
    assert not any("differ" in note for note in evaluate([0], probabilities=[[1, 0]]).notes)


BAD = [
    (([0, 1, 1], [0, 1]), {}, "3 labels, but predictions of 2 examples"),
    (([0, 1], None), {"probabilities": EVEN}, "2 labels, but scores of 3 examples"),
    (([0, 1], None), {"logits": EVEN}, "2 labels, but scores of 3 examples"),
    (([0, 1, 1], None), {}, "expected predictions, probabilities or logits; there are only labels"),
    (([0], None), {"logits": EVEN, "probabilities": EVEN}, "logits; both were given"),
    (([], []), {}, "at least one example; there is none"),
    (([], None), {"logits": np.zeros((0, 3))}, "at least one example"),
    (([[0, 1]], [0, 1]), {}, r"one value an example in labels; found shape \(1, 2\)"),
    (([0, 1], [[0, 1]]), {}, "one value an example in predictions"),
    ((3, 3), {}, r"one value an example in labels; found shape \(\)"),
    (([0, np.nan], [0, 0]), {}, r"labels: example 1 has none \(nan\)"),
    (([0, 0], [np.inf, 0]), {}, r"predictions: example 0 has none \(inf\)"),
    (([0, 0.5], [0, 0]), {}, "labels: expected classes; example 1 has 0.5"),
    ((["a", None], ["a", "a"]), {}, "labels: example 1 has none"),
    ((["a", "a"], ["a", float("nan")]), {}, "predictions: example 1 has none"),
    (([1j, 0], [0, 0]), {}, "labels: expected classes as numbers or text; found complex128"),
    (([0, 1, 2], None), {"probabilities": EVEN}, r"label 2 \(example 2\) is none .* 0 … 1"),
    (([0, -1, 1], None), {"logits": EVEN}, r"label -1 \(example 1\) is none .* 0 … 1"),
    (([0, 1, 1], [0, 5, 1]), {"logits": EVEN}, r"prediction 5 \(example 1\)"),
    (([0, 7], [0, 0]), {"classes": ["a", "b"]}, r"label 7 .* 0 … 1, or one of a, b"),
    ((["a", "c"], ["a", "a"]), {"classes": ["a", "b"]}, r"label 'c' \(example 1\) .* a, b; say"),
    ((["cat"] * 3, None), {"logits": EVEN}, "'cat' .* 0, 1; say the classes in the order of the s"),
    ((["True", "False"], ["1", "0"]), {}, "labels are False, True, predictions are 0, 1: no class"),
    ((["cat", "dog"], ["Cat", "Dog"]), {}, "in both; write them alike, or say the classes"),
    (([0, 1], ["cat", "dog"]), {}, "labels are 0, 1, predictions are cat, dog"),
    (([0, 1], None), {"logits": [[0.5], [1]]}, "classes 0, 1, but scores of one class: one column"),
    (([0, 0], [0, 1]), {"probabilities": [[1], [1]]}, r"both: np.column_stack\(\[1 - p, p"),
    (([0], [0]), {"classes": ["a", "a"]}, "every class once; 'a' is there twice"),
    (([0] * 3, None), {"logits": EVEN, "classes": list("abc")}, "3 classes, but scores of 2"),
    (([0, 1], None), {"probabilities": [0.2, 0.8]}, r"\[examples, classes\]; found .*\(2,\)"),
    (([0, 1], None), {"probabilities": [["x", "y"]] * 2}, "as numbers"),
    (([0, 1], None), {"probabilities": [[0.5, 0.4]] * 2}, "sum to 1; example 0"),
    (([0, 1], None), {"probabilities": [[1.5, -0.5]] * 2}, "between 0 and 1"),
    (([0, 1], None), {"probabilities": [[0.5, np.nan]] * 2}, "none is NaN"),
    (([0, 1], None), {"logits": [[0.5, np.inf]] * 2}, "logits are finite numbers"),
    (([0, 1], [0, 1]), {"recall_at_least": 0}, "a recall above 0 and at most 1"),
    (([0, 1], [0, 1]), {"recall_at_least": 80}, "found 80"),
    (([0, 1], [0, 1]), {"recall_at_least": np.nan}, "found nan"),
    (([0, 1], [0, 1]), {"level": 95}, "a level between 0 and 1"),
]


@pytest.mark.parametrize(("arrays", "options", "message"), BAD)
def test_what_cannot_be_evaluated_is_said(arrays: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(*arrays, **options)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["a", "b", None], dtype=object),
        pd.Series(["a", "b", None], dtype="string"),
        pd.Series(["a", "b", None], dtype="category"),
        pd.Series([0, 1, None], dtype=float),
        pd.Series([0, 1, None], dtype="Int64"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_missing_values_of_pandas_are_named(column: Any) -> None:
    with pytest.raises(ValueError, match="labels: example 2 has none"):
        evaluate(column, [0, 1, 1])


def test_many_classes_are_not_all_listed_in_a_message() -> None:
    with pytest.raises(ValueError, match=r"0, 1, 2, 3, 4, 5, 6, 7, … \(500\)"):
        evaluate(["x"], ["y"], classes=range(500))
