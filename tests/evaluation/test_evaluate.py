"""Evaluations as a whole: scikit-learn's figures, what is undefined, intervals, invariances."""

from __future__ import annotations

import json
import resource
import time
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from descentlab.evaluation import evaluate
from descentlab.evaluation.areas import EMPTY, NO_REST, ONE_CLASS
from descentlab.evaluation.evaluate import NO_SCORES
from descentlab.evaluation.results import Estimate, Evaluation
from tests.evaluation.test_counts import reference
from tests.evaluation.test_scores import sample, softmax

# Classes, those without examples, those that are never predicted.
CASES = {
    "all there": (4, [], []),
    "two classes": (2, [], []),
    "an absent class": (4, [2], []),
    "a class never predicted": (4, [], [1]),
    "neither there nor predicted": (5, [2], [2]),
    "only wrongly predicted": (4, [3], [0]),
    "one class only": (4, [0, 1, 3], []),
    "one answer only": (3, [], [0, 2]),
    "one class, one answer": (3, [0, 1], [0, 1]),
    "one class, another answer": (3, [0, 1], [1, 2]),
    "one of two classes": (2, [0], []),
    "a single class": (1, [], []),
}
cases = pytest.mark.parametrize("case", list(CASES))
KINDS = ["predictions", "probabilities", "logits"]


def make(case: str, n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, and logits whose highest are the answers."""
    classes, absent, unpredicted = CASES[case]
    labels, logits = sample(seed, 3 * n, classes)
    keep = ~np.isin(labels, absent)
    labels, logits = labels[keep][:n], logits[keep][:n]
    if not len(labels):
        labels, logits = np.full(n, classes - 1), sample(seed, n, classes)[1]
    logits[:, unpredicted] -= 12
    return labels, logits


@cache
def of(case: str, kind: str = "logits", **options: Any) -> Evaluation:
    labels, logits = make(case)
    if kind == "predictions":
        return evaluate(labels, logits.argmax(1), classes=range(CASES[case][0]), **options)
    scores = logits if kind == "logits" else softmax(logits)
    return evaluate(labels, **{kind: scores}, **options)


def by_class(found: Evaluation, name: str) -> np.ndarray:
    values = [getattr(each, name).value for each in found.per_class]
    return np.array([np.nan if value is None else value for value in values])


def estimates(found: Evaluation) -> Iterator[tuple[str, Estimate]]:
    yield from found.figures.items()
    for what in ("auc", "average_precision"):
        yield from ((f"{what}_{name}", e) for name, e in getattr(found, what).items())
    for each in found.per_class:
        for name in ("precision", "recall", "f1", "auc", "average_precision"):
            yield f"{name} of {each.name}", getattr(each, name)
    for each in found.targets:
        pairs = (("reached", each.reached), ("precision", each.precision))
        yield from ((f"{name} by {each.name}", e) for name, e in pairs if e is not None)


def same_value(estimate: Estimate, expected: float, name: str) -> None:
    if np.isnan(expected):
        assert estimate.value is None and estimate.reason.startswith("undefined ("), name
    else:
        assert estimate.value == pytest.approx(expected, rel=1e-9, abs=1e-12), name


@cases
@pytest.mark.parametrize("kind", KINDS)
def test_figures_of_counts_are_scikit_learns(case: str, kind: str) -> None:
    found, (labels, logits) = of(case, kind), make(case)
    answers, classes = logits.argmax(axis=1), CASES[case][0]
    matrix, expected = reference(labels, answers, classes)
    np.testing.assert_array_equal(found.matrix, matrix)
    if len(set(labels)) == 1 or len(set(answers)) == 1:
        expected["matthews"] = np.nan  # scikit-learn puts 0 where it is 0 / 0
    if not (np.isfinite(expected["precision"]) & (matrix.sum(axis=1) > 0)).any():
        expected["weighted_precision"] = np.nan  # scikit-learn drops weights that are all 0
    for name in ("precision", "recall", "f1"):
        np.testing.assert_allclose(by_class(found, name), expected.pop(name), err_msg=name)
    for name, value in expected.items():
        same_value(found.figures[name], value, name)
    assert found.figures["micro_f1"] == found.figures["accuracy"]
    assert [each.support for each in found.per_class] == matrix.sum(axis=1).tolist()
    assert [each.predicted for each in found.per_class] == matrix.sum(axis=0).tolist()
    assert [each.hits for each in found.per_class] == np.diag(matrix).tolist()


@cases
@pytest.mark.parametrize("kind", ["probabilities", "logits"])
def test_figures_of_scores_are_scikit_learns(case: str, kind: str) -> None:
    found, (labels, logits) = of(case, kind), make(case)
    p, classes = softmax(logits), CASES[case][0]
    names, one = list(range(classes)), np.eye(classes)[labels]
    there = sorted(set(labels.tolist()))
    wanted = found.figures
    own = p[np.arange(len(labels)), labels]
    assert wanted["log_loss"].value == pytest.approx(-np.log(own).mean(), abs=1e-12)
    if classes > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            same_value(wanted["log_loss"], metrics.log_loss(labels, p, labels=names), "log loss")
        if classes > 2:
            brier = metrics.brier_score_loss(labels, p, labels=names)
        else:
            brier = metrics.brier_score_loss(labels, p[:, 1], pos_label=1)
        same_value(wanted["brier"], brier, "Brier score")
    for k in range(2, classes):
        expected = metrics.top_k_accuracy_score(labels, p, k=k, labels=names)
        assert (k not in (2, 3, 5)) or wanted[f"top_{k}"].value == pytest.approx(expected)
    if len(there) < 2:
        assert {e.reason for e in found.auc.values()} == {ONE_CLASS}
        return
    for name, score in (
        ("auc", metrics.roc_auc_score), ("average_precision", metrics.average_precision_score),
    ):  # fmt: skip
        values = np.array([score(one[:, k], p[:, k]) for k in there])
        np.testing.assert_allclose(by_class(found, name)[there], values, err_msg=name)
        means = getattr(found, name)
        same_value(means["macro"], values.mean(), name)
        same_value(means["weighted"], np.average(values, weights=one.sum(0)[there]), name)
        same_value(means["micro"], score(one.ravel(), p.ravel()), name)


@cases
def test_what_is_undefined_says_why(case: str) -> None:
    found, (labels, logits) = of(case), make(case)
    answers = logits.argmax(axis=1)
    for k, each in enumerate(found.per_class):
        n, m = int((labels == k).sum()), int((answers == k).sum())
        reasons = ("undefined (n = 0)", "")
        assert each.recall.reason == reasons[n > 0] and each.precision.reason == reasons[m > 0]
        assert each.f1.reason == reasons[n + m > 0]
        area = EMPTY if n == 0 else NO_REST if n == len(labels) else ""
        assert (each.auc.reason, each.average_precision.reason) == (area, area)
    for name, estimate in estimates(found):
        assert (estimate.value is None) == bool(estimate.reason), name
        if estimate.value is None:
            assert estimate.to_json() == {"value": None, "reason": estimate.reason}
            assert estimate.low is estimate.high is None
    one = len(set(labels)) == 1 or len(set(answers)) == 1
    assert found.figures["matthews"].reason.startswith("undefined (one class only") == one


MEANS = {
    "balanced_accuracy": "recall", "macro_recall": "recall", "macro_precision": "precision",
    "macro_f1": "f1",
}  # fmt: skip


@cases
def test_means_name_the_classes_that_entered(case: str) -> None:
    classes = tuple(f"class {k}" for k in range(CASES[case][0]))
    found = of(case, classes=classes)
    told = found.to_json()
    for name, part in MEANS.items():
        entered = np.flatnonzero(np.isfinite(by_class(found, part)))
        assert found.figures[name].value == pytest.approx(by_class(found, part)[entered].mean())
        if len(entered) == len(classes):
            assert "over" not in told[name]
        else:
            assert told[name]["over"] == [classes[k] for k in entered], name
    there = [k for k, each in enumerate(found.per_class) if each.support]
    if 1 < len(there) < len(classes):
        for figure in (told["weighted_f1"], told["weighted_recall"], told["auc"]["macro"]):
            assert figure["over"] == [classes[k] for k in there]


@cases
@pytest.mark.parametrize("kind", ["predictions", "logits"])
def test_json_is_strict_and_has_the_keys_of_the_contract(case: str, kind: str) -> None:
    found = of(case, kind, recall_at_least=0.8).to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert {
        "examples", "classes", "accuracy", "balanced_accuracy", "macro_f1", "weighted_f1",
        "matthews", "kappa", "log_loss", "brier", "auc", "per_class", "confusion_matrix",
        "baselines", "verdict",
    } <= set(found)  # fmt: skip
    assert {"macro", "weighted", "micro"} <= set(found["auc"])
    for row in found["per_class"]:
        assert {"class", "support", "precision", "recall", "f1", "auc"} <= set(row)
    figures = [found["accuracy"], found["kappa"], *found["auc"].values()]
    for figure in figures:
        keys = {"value", "reason"} if figure["value"] is None else {"value", "low", "high"}
        assert keys <= set(figure)
    assert (kind == "predictions") == (found["log_loss"].get("reason") == NO_SCORES)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_very_few_examples_will_do(n: int, kind: str) -> None:
    scores = {"logits": np.eye(3)[:n] * 5, "probabilities": np.eye(3)[:n]}
    given: dict[str, Any] = {kind: scores.get(kind, np.arange(n))}
    found = evaluate(np.arange(n), **given, recall_at_least=1.0)
    assert found.figures["accuracy"].value == 1
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize(("examples", "classes", "scored"), [(20_000, 3000, 0), (60, 10_000, 1)])
def test_ten_thousand_classes_are_no_trouble(examples: int, classes: int, scored: bool) -> None:
    random = np.random.default_rng(0)
    labels, other = random.integers(0, classes, (2, examples))
    answers = np.where(random.random(examples) < 0.7, labels, other)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    if scored:
        logits = random.normal(size=(examples, classes)).astype(np.float32)
        logits[np.arange(examples), answers] += 10
        found = evaluate(labels, logits=logits)
    else:
        found = evaluate(labels, answers, classes=range(classes))
    seconds = time.monotonic() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 500_000 and seconds < 60  # in KiB: a matrix of all cells would have 800 MB
    assert found.matrix is None and found.to_json()["confusion_matrix"] is None
    f1 = metrics.f1_score(labels, answers, average="macro")
    assert found.figures["macro_f1"].value == pytest.approx(f1)
    assert sum(each.count for each in found.confusions(10**6)) == (labels != answers).sum()
    json.dumps(found.to_json(), allow_nan=False)


SIGNED = ("matthews", "kappa")
BESIDE = ("calibration_error",)  # its interval takes off what chance adds, so it may lie below


def assert_intervals(found: Evaluation) -> None:
    for name, each in estimates(found):
        if each.value is None or each.low is None or each.high is None:
            continue
        most = np.inf if name == "log_loss" else 2 if name == "brier" else 1
        assert (-1 if name in SIGNED else 0) <= each.low <= each.high <= most, (name, each)
        assert name in BESIDE or each.low <= each.value <= each.high, (name, each)


small = st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=3, max_size=3)


@settings(max_examples=30)
@example([[0, 0, 1], [0, 0, 1], [1, 0, 2]], 0.5)  # a mean area of classes of one example
@given(small.filter(lambda rows: np.sum(rows) > 0), st.sampled_from([0.5, 0.95, 0.999]))
def test_intervals_hold_the_figure_and_stay_in_its_range(rows: Any, level: float) -> None:
    matrix = np.array(rows)
    row, column = np.nonzero(matrix)
    labels, answers = (np.repeat(x, matrix[row, column]) for x in (row, column))
    assert_intervals(evaluate(labels, answers, classes=range(3), level=level))
    random = np.random.default_rng(int(matrix.sum()))
    logits = (2 * np.eye(3)[answers] + random.normal(size=(len(labels), 3))).round(1)
    found = evaluate(labels, logits=logits, level=level, recall_at_least=0.7)
    assert_intervals(found)
    json.dumps(found.to_json(), allow_nan=False)


def test_a_higher_level_has_wider_intervals() -> None:
    narrow, wide = (dict(estimates(of("all there", level=level))) for level in (0.8, 0.99))
    for name, one in narrow.items():
        other = wide[name]
        assert other.low is not None and one.low is not None, name
        assert other.low < one.low or (other.low == 0 and name in BESIDE), name
        assert other.high > one.high, name


def numbers(estimate: Estimate) -> list[float]:
    found = (estimate.value, estimate.low, estimate.high)
    return [np.nan if value is None else value for value in found]


def assert_same(one: Evaluation, other: Evaluation, order: Any, atol: float) -> None:
    """Compare the same figures of two evaluations; class k is class order[k] of the other."""
    for what in ("figures", "auc", "average_precision"):
        for name, estimate in getattr(one, what).items():
            ours, theirs = numbers(estimate), numbers(getattr(other, what)[name])
            assert theirs[0] == pytest.approx(ours[0], abs=1e-12, nan_ok=True), name
            assert theirs == pytest.approx(ours, abs=atol, rel=1e-9, nan_ok=True), name
    for k, each in enumerate(one.per_class):
        again = other.per_class[order[k]]
        for name in ("precision", "recall", "f1", "auc", "average_precision"):
            ours, theirs = numbers(getattr(each, name)), numbers(getattr(again, name))
            assert theirs == pytest.approx(ours, rel=1e-9, abs=1e-9, nan_ok=True), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", ["an absent class", "two classes"])
def test_order_of_examples_does_not_matter(case: str, kind: str) -> None:
    labels, logits = make(case)
    order = np.random.default_rng(1).permutation(len(labels))
    pair = []
    for y, z in ((labels, logits), (labels[order], logits[order])):
        p = {"logits": z, "probabilities": softmax(z), "predictions": z.argmax(1)}[kind]
        pair.append(evaluate(y, **{kind: p}, classes=range(logits.shape[1])))
    assert_same(*pair, range(logits.shape[1]), atol=1e-9)
    assert pair[0].verdict == pair[1].verdict


@pytest.mark.parametrize("kind", ["predictions", "logits"])
@pytest.mark.parametrize("case", ["all there", "an absent class", "a class never predicted"])
def test_names_of_classes_do_not_matter(case: str, kind: str) -> None:
    labels, logits = make(case)
    old = np.array([2, 0, 3, 1])  # class k is what was class old[k]
    new = np.argsort(old)
    before: dict[str, Any] = {"logits": logits, "predictions": logits.argmax(1)}
    after: dict[str, Any] = {"logits": logits[:, old], "predictions": new[logits.argmax(1)]}
    one = evaluate(labels, **{kind: before[kind]}, classes=[*"abcd"])
    other = evaluate(new[labels], **{kind: after[kind]}, classes=["abcd"[k] for k in old])
    assert_same(one, other, new, atol=0.01)  # the posterior draws are others
    assert one.majority == other.majority and one.matrix is not None and other.matrix is not None
    np.testing.assert_array_equal(other.matrix, one.matrix[np.ix_(old, old)])
    for name, value in one.baselines["stratified"].items():
        assert other.baselines["stratified"][name] == pytest.approx(value), name


def test_the_same_data_twice_have_narrower_intervals() -> None:
    labels, logits = make("all there")
    once = dict(estimates(evaluate(labels, logits=logits)))
    twice = dict(estimates(evaluate(np.tile(labels, 2), logits=np.tile(logits, (2, 1)))))
    for name, one in once.items():
        other = twice[name]
        assert other.value == pytest.approx(one.value), name
        assert one.high is not None and one.low is not None, name
        ratio = (one.high - one.low) / (other.high - other.low)
        assert ratio == pytest.approx(2**0.5, rel=0.15) or (name in BESIDE and ratio > 1), name


@cases
def test_logits_and_their_softmax_agree(case: str) -> None:
    one, other = of(case, "logits"), of(case, "probabilities")
    if case != "a single class":  # its loss is 0 from logits, the last bit from a probability of 1
        assert_same(one, other, range(len(one.classes)), atol=1e-9)
    assert one.verdict == other.verdict
    assert (one.scores, other.scores) == ("logits", "probabilities")


def test_names_and_numbers_agree() -> None:
    labels, logits = make("all there")
    names = np.array(["zebra", "ant", "ünï ✓", "a,b"])
    expected = evaluate(labels, logits=logits, classes=names.tolist()).to_json()
    assert evaluate(names[labels], logits=logits, classes=names.tolist()).to_json() == expected
    answers = logits.argmax(axis=1)
    found = evaluate(names[labels], names[answers])
    assert list(found.classes) == sorted(names.tolist())
    again = evaluate(names[labels].tolist(), names[answers].tolist(), classes=sorted(names))
    assert found.to_json() == again.to_json()
    assert found.figures["macro_f1"].value == pytest.approx(expected["macro_f1"]["value"])


def test_the_seed_decides_the_draws() -> None:
    one, same, other = (of("all there", seed=seed).figures["macro_f1"] for seed in (1, 1, 2))
    assert one == same and one.value == other.value and one.low != other.low


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(({"level": level}, "a level between 0 and 1") for level in (0, 1, 95, float("nan"))),
        *(({"recall_at_least": r}, "a recall above 0 and at most 1") for r in (0, -1, 1.5)),
        ({"recall_at_least": float("nan")}, "a recall above 0 and at most 1"),
    ],
)
def test_what_is_no_level_and_no_recall_is_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate([0, 1], [0, 1], **options)
