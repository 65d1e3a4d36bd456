"""Two models on the same examples, against the bootstrap over examples and DeLong by placements."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, norm, ttest_rel
from sklearn import metrics

from descentlab.evaluation.comparison import Comparison, compare
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.proportions import PairedAccuracy, paired_difference
from descentlab.report.evaluation.rows import difference_rows
from tests.evaluation.test_areas import areas_of
from tests.evaluation.test_scores import sample, softmax

Z = norm.ppf(0.975)


def two(seed: int = 0, n: int = 300, classes: int = 3, *, decimals: int = 6, noise: float = 1.5):
    """Return labels and the logits of a model and of a worse one that is like it."""
    labels, logits = sample(seed, n, classes, decimals=decimals)
    shaken = logits + np.random.default_rng(seed + 1).normal(0, noise, logits.shape)
    return labels, logits, shaken.round(decimals)


def compared(labels: Any, one: Any, other: Any, **options: Any) -> Comparison:
    models = (Predictions.of(labels, logits=logits) for logits in (one, other))
    return compare(*models, **options)


def of_answers(labels: Any, one: Any, other: Any, **options: Any) -> Comparison:
    classes = sorted({*labels, *one, *other})
    models = (Predictions.of(labels, answers, classes=classes) for answers in (one, other))
    return compare(*models, **options)


def ends(found: Comparison, name: str) -> tuple[float, float]:
    low, high = found.differences[name].low, found.differences[name].high
    assert low is not None and high is not None
    return low, high


@pytest.mark.parametrize("seed", range(4))
def test_accuracies_are_compared_by_the_examples_that_one_of_them_has_right(seed: int) -> None:
    labels, one, other = two(seed)
    found = compared(labels, one, other)
    right = [logits.argmax(axis=1) == labels for logits in (one, other)]
    b, c = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert (found.only_first, found.only_second) == (b, c)
    assert found.both == (right[0] & right[1]).sum()
    assert found.neither == (~right[0] & ~right[1]).sum()
    assert found.both + b + c + found.neither == found.examples == 300
    assert found.p == pytest.approx(binomtest(b, b + c).pvalue)
    difference, *interval = paired_difference(b, c, 300)
    assert found.differences["accuracy"].value == difference == pytest.approx((b - c) / 300)
    assert ends(found, "accuracy") == tuple(interval)
    assert (
        found.first["accuracy"] == right[0].mean() and found.second["accuracy"] == right[1].mean()
    )


def test_figures_of_both_are_scikit_learns() -> None:
    labels, one, other = two(5, 400, 4)
    found = compared(labels, one, other)
    for values, logits in ((found.first, one), (found.second, other)):
        answers, p, names = logits.argmax(axis=1), softmax(logits), range(4)
        expected = {
            "balanced_accuracy": metrics.balanced_accuracy_score(labels, answers),
            "macro_f1": metrics.f1_score(labels, answers, average="macro"),
            "weighted_f1": metrics.f1_score(labels, answers, average="weighted"),
            "matthews": metrics.matthews_corrcoef(labels, answers),
            "kappa": metrics.cohen_kappa_score(labels, answers),
            "log_loss": metrics.log_loss(labels, p, labels=names),
            "auc_macro": metrics.roc_auc_score(labels, p, multi_class="ovr"),
            "auc_ovo_macro": metrics.roc_auc_score(labels, p, multi_class="ovo"),
        } | {f"auc_class_{k}": metrics.roc_auc_score(labels == k, p[:, k]) for k in names}
        for name, value in expected.items():
            assert values[name] == pytest.approx(value, rel=1e-9), name
    for name, gap in found.differences.items():
        first, second = found.first[name], found.second[name]
        assert first is not None and second is not None
        assert gap.value == pytest.approx(first - second, abs=1e-12), name


def test_the_bootstrap_over_joint_cells_is_that_over_examples() -> None:
    random = np.random.default_rng(0)
    labels, one, other = two(6, 250)
    answers = [logits.argmax(axis=1) for logits in (one, other)]
    drawn: dict[str, list[float]] = {"macro_f1": [], "balanced_accuracy": []}
    for _ in range(1500):
        chosen = random.integers(0, 250, 250)
        y, (a, b) = labels[chosen], (each[chosen] for each in answers)
        recalls = [np.mean([(x == y)[y == k].mean() for k in range(3)]) for x in (a, b)]
        f1 = [np.mean([2 * ((x == k) & (y == k)).sum() / ((x == k).sum() + (y == k).sum())
                       for k in range(3)]) for x in (a, b)]  # fmt: skip
        drawn["balanced_accuracy"].append(recalls[0] - recalls[1])
        drawn["macro_f1"].append(f1[0] - f1[1])
    found = of_answers(labels, *answers, draws=20_000)
    for name, values in drawn.items():
        expected = np.quantile(values, [0.025, 0.975])
        np.testing.assert_allclose(ends(found, name), expected, atol=0.012, err_msg=name)


def placements(labels: Any, logits: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return DeLong's structural components: each positive's, and each negative's."""
    odds = np.log(softmax(logits)[:, k]) - np.log1p(-softmax(logits)[:, k])
    own, rest = odds[labels == k], odds[labels != k]
    order = (own[:, None] > rest) + (own[:, None] == rest) / 2
    return order.mean(axis=1), order.mean(axis=0)


@pytest.mark.parametrize("decimals", [0, 6])
def test_areas_have_delongs_paired_covariance(decimals: int) -> None:
    labels, one, other = two(7, 400, 3, decimals=decimals)
    if decimals == 0:  # two classes of whole logits, whose log-odds are tied exactly
        labels, one, other = (labels > 0).astype(int), one[:, :2], other[:, :2]
    found = compared(labels, one, other)
    for k in range(one.shape[1]):
        (v10, v01), (w10, w01) = (placements(labels, logits, k) for logits in (one, other))
        s10, s01 = np.cov(v10, w10), np.cov(v01, w01)
        s = s10 / len(v10) + s01 / len(v01)
        half = Z * (s[0, 0] + s[1, 1] - 2 * s[0, 1]) ** 0.5
        gap = found.differences[f"auc_class_{k}"]
        low, high = ends(found, f"auc_class_{k}")
        assert gap.value == pytest.approx(v10.mean() - w10.mean(), abs=1e-9)
        assert (low + high) / 2 == pytest.approx(gap.value)
        # The mean squares of influences are divided by n where DeLong has n - 1.
        assert (high - low) / 2 == pytest.approx(half, rel=0.012)


def test_mean_areas_have_the_spread_that_redrawn_examples_have() -> None:
    random = np.random.default_rng(1)
    labels, one, other = two(8, 300)
    found = compared(labels, one, other)
    p = [softmax(logits) for logits in (one, other)]
    drawn = []
    for _ in range(400):
        i = random.integers(0, 300, 300)
        areas, share = [areas_of(labels[i], q[i]) for q in p], np.bincount(labels[i]) / 300
        drawn.append([[each.mean(), each @ share] for each in areas])
    spreads = np.std(np.diff(drawn, axis=1)[:, 0], axis=0)
    for name, spread in zip(("auc_macro", "auc_weighted"), spreads, strict=True):
        low, high = ends(found, name)
        assert (high - low) / (2 * Z) == pytest.approx(spread, rel=0.15), name


def test_log_losses_are_compared_example_by_example() -> None:
    labels, one, other = two(9)
    found = compared(labels, one, other)
    losses = [-np.log(softmax(z)[np.arange(300), labels]) for z in (one, other)]
    expected = ttest_rel(*losses)
    interval = expected.confidence_interval(0.95)
    assert ends(found, "log_loss") == pytest.approx((interval.low, interval.high))


def test_the_same_model_twice_differs_in_nothing() -> None:
    labels, one, _ = two(10)
    found = compared(labels, one, one)
    assert (found.only_first, found.only_second, found.p) == (0, 0, 1)
    for name, gap in found.differences.items():
        assert gap.value == 0 and found.better[name] == "", name
        if gap.method == "Bonett and Price":  # which adds an example to either side
            low, high = ends(found, name)
            assert low < 0 < high, name
        else:
            scored = name.startswith(("auc", "log", "brier"))
            kind = "scores" if scored else "answers"
            assert (gap.low, gap.reason) == (None, f"no interval: identical {kind}"), name
            assert found.to_json()["differences"][name]["reason"] == gap.reason
    assert found.verdict[0].endswith("their answers are identical on every example.")


def test_without_spread_there_is_no_interval() -> None:
    labels = np.repeat([0, 1], 5)
    p = np.where(labels[:, None] == [0, 1], 0.9, 0.1)
    models = [Predictions.of(labels, probabilities=each) for each in (p, p * 0.9 + 0.05)]
    found = compare(*models)
    for name, gap in found.differences.items():
        assert gap.value is not None and found.better[name] == "", name
        assert gap.low is None or gap.high is None or gap.low < gap.high, name
    assert found.differences["log_loss"].value == pytest.approx(np.log(0.86 / 0.9))
    assert found.differences["log_loss"].reason == "no interval: no spread between examples"
    assert found.differences["auc_macro"].reason == "no interval: no spread between examples"
    assert found.differences["kappa"].reason == "no interval: identical answers"


def test_one_example_of_a_class_has_no_interval_of_its_area() -> None:
    labels, one, other = two(16)
    labels = np.where(labels == 2, 1, labels)
    labels[0] = 2
    found = compared(labels, one, other)
    for name in ("auc_class_2", "auc_macro", "auc_ovo_macro"):
        assert found.differences[name].reason == "no interval: one example of a class"
    assert found.differences["auc_class_0"].low is not None


@pytest.mark.parametrize(("b", "c", "short"), [(20, 9, True), (5, 0, False), (30, 10, False)])
def test_the_table_says_of_the_accuracy_what_the_sentence_says(b: int, c: int, short: bool) -> None:
    labels = np.repeat([0, 1], 50)
    one, other = labels.copy(), labels.copy()
    other[:b], one[50 : 50 + c] = 1, 0
    found = of_answers(labels, one, other, names=("A", "B"))
    (row, *_) = difference_rows(found)
    assert (row.name, row.better) == ("accuracy", found.better["accuracy"])
    assert ("just short" in found.verdict[0]) == short
    assert (row.better == "first") == ("A is better" in found.verdict[0])
    assert (row.better == "first") == (binomtest(b, b + c).pvalue < 0.05)


def test_the_exact_test_is_stricter_than_the_interval() -> None:
    for n in (5, 17, 40, 60):
        for b in range(n + 1):
            for c in range(n - b + 1):
                gap = PairedAccuracy.of(b, c, n)
                told = gap.p < 0.05
                assert not told or not gap.low <= 0 <= gap.high, (n, b, c)
                assert bool(gap.better) == told
                assert gap.better != 1 or b > c
                assert gap.better != 2 or c > b


def test_every_class_and_score_is_compared() -> None:
    labels, one, other = two(17, 400, 4)
    found = compared(labels, one, other)
    for values, logits in ((found.first, one), (found.second, other)):
        answers, p = logits.argmax(axis=1), softmax(logits)
        own = {
            "precision": metrics.precision_score(labels, answers, average=None),
            "recall": metrics.recall_score(labels, answers, average=None),
            "f1": metrics.f1_score(labels, answers, average=None),
        }
        for name, expected in own.items():
            got = [values[f"{name}_class_{k}"] for k in range(4)]
            assert got == pytest.approx(list(expected)), name
        assert values["macro_precision"] == pytest.approx(own["precision"].mean())
        assert values["brier"] == pytest.approx(((p - np.eye(4)[labels]) ** 2).sum(1).mean())
        assert values["top_2"] == pytest.approx(metrics.top_k_accuracy_score(labels, logits, k=2))
    squares = [((softmax(z) - np.eye(4)[labels]) ** 2).sum(axis=1) for z in (one, other)]
    interval = ttest_rel(*squares).confidence_interval(0.95)
    assert ends(found, "brier") == pytest.approx((interval.low, interval.high))
    names = list(found.differences)
    first = next(i for i, name in enumerate(names) if "_class_" in name)
    assert all("_class_" in name for name in names[first:])
    assert names[first:][::4] == [f"{x}_class_0" for x in ("precision", "recall", "f1", "auc")]
    assert found.better["log_loss"] == found.better["brier"] == "first"  # lower is better
    halved = compared((labels > 1).astype(int), one[:, :2], other[:, :2])
    p = softmax(one[:, :2])
    assert halved.first["brier"] == pytest.approx(metrics.brier_score_loss(labels > 1, p[:, 1]))


def test_losses_are_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, one, other = two(19, 50)
    models = [Predictions.of(labels, probabilities=softmax(z)) for z in (one, other)]
    whole = compare(*models)
    monkeypatch.setattr("descentlab.evaluation.differences.BLOCK", 21)
    assert compare(*models) == whole


def test_recalls_of_classes_are_shares_of_their_examples() -> None:
    labels, one, other = two(18)
    found = compared(labels, one, other)
    for k in range(3):
        mine, theirs = (z.argmax(axis=1)[labels == k] == k for z in (one, other))
        b, c = (mine & ~theirs).sum(), (theirs & ~mine).sum()
        expected = paired_difference(b, c, len(mine))
        gap = found.differences[f"recall_class_{k}"]
        assert (gap.value, gap.low, gap.high) == expected


@pytest.mark.parametrize("scored", [True, False])
def test_swapping_the_models_flips_the_signs(scored: bool) -> None:
    labels, one, other = two(11)
    pair = (one, other) if scored else (one.argmax(axis=1), other.argmax(axis=1))
    how = compared if scored else of_answers
    there, back = how(labels, *pair, draws=20_000), how(labels, *pair[::-1], draws=20_000)
    assert there.p == back.p and there.first == back.second
    assert (there.only_first, there.only_second) == (back.only_second, back.only_first)
    assert set(there.differences) == set(back.differences)
    for name, gap in there.differences.items():
        mirrored = back.differences[name]
        assert mirrored.value == pytest.approx(-(gap.value or 0), abs=1e-12), name
        assert gap.low is not None and gap.high is not None, name
        tolerance = 3e-3 if gap.method == "paired bootstrap" else 1e-9  # those are other draws
        expected = pytest.approx((-gap.high, -gap.low), abs=tolerance)
        assert (mirrored.low, mirrored.high) == expected, name


def test_the_sentence_names_the_better_one_where_the_test_tells() -> None:
    labels, one, other = two(12, 600, noise=4)
    names = ("net.csv", "tree.csv")
    (sentence,) = compared(labels, one, other, names=names).verdict
    share = 100 * (one.argmax(1) == labels).mean()
    assert sentence.startswith(f"net.csv answers {share:.1f} % right, tree.csv answers ")
    assert ": net.csv is better (difference +" in sentence and "McNemar p < 0.0001" in sentence
    (back,) = compared(labels, other, one, names=names[::-1]).verdict
    assert ": net.csv is better (difference −" in back
    (few,) = compared(labels[:9], one[:9], other[:9], names=names).verdict
    assert "these examples can't tell which is better" in few


def test_a_lower_level_has_narrower_intervals_and_is_said() -> None:
    labels, one, other = two(13)
    wide, narrow = (compared(labels, one, other, level=level) for level in (0.95, 0.5))
    for name in wide.differences:
        (a, b), (c, d) = ends(wide, name), ends(narrow, name)
        assert a < c < d < b, name
    assert "50 % interval" in narrow.verdict[0] and narrow.level == 0.5


def test_undefined_differences_say_so_in_strict_json() -> None:
    found = of_answers([0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0])
    assert found.differences["matthews"].reason == "undefined for one of the models"
    told = found.to_json()
    assert told["first"]["matthews"] is None and told["differences"]["matthews"]["value"] is None
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert {"mcnemar_p", "first", "second", "differences", "verdict", "both"} <= set(told)
    one = compared([1, 1], np.eye(2), np.eye(2)[::-1])  # one class: there are no areas
    assert not any(name.startswith("auc") for name in one.differences)
    json.dumps(compared([1], np.eye(2)[:1], np.eye(2)[1:]).to_json(), allow_nan=False)


def test_a_model_without_scores_is_compared_by_its_answers() -> None:
    labels, one, other = two(14)
    first, second = Predictions.of(labels, logits=one), Predictions.of(labels, other.argmax(1))
    found = compare(first, second)
    expected = of_answers(labels, one.argmax(1), other.argmax(1))
    assert found == replace(expected, names=found.names)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint64", "float32", "str"])
def test_classes_of_any_type_are_compared(dtype: str) -> None:
    labels, one, other = two(15)
    given = [np.asarray(x).astype(dtype) for x in (labels, one.argmax(1), other.argmax(1))]
    models = [Predictions.of(given[0], answers) for answers in given[1:]]
    expected = of_answers(labels, one.argmax(1), other.argmax(1))
    assert compare(*models).differences == expected.differences


def test_answers_that_only_one_model_gives_are_classes_of_both() -> None:
    labels, one, other = np.array([*"aabbcc"]), np.array([*"aabbca"]), np.array([*"aadbcc"])
    found = compare(Predictions.of(labels, one), Predictions.of(labels, other))
    assert (found.both, found.only_first, found.only_second) == (4, 1, 1)
    assert found.differences == of_answers(labels, one, other).differences
    scored = Predictions.of(labels, logits=np.eye(4)[[0, 0, 1, 1, 2, 0]], classes=[*"abcd"])
    mixed = compare(scored, Predictions.of(labels, other))
    assert mixed.differences == found.differences
    swapped = compare(Predictions.of(labels, other), scored)
    assert swapped.differences["accuracy"].value == 0 and swapped.only_first == 1


def predictions(labels: Any, classes: Any = "abc") -> Predictions:
    scores = np.eye(len(classes))[: len(labels)]
    return Predictions.of([*labels], logits=scores, classes=[*classes])


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (predictions("abc"), predictions("ab"), "3 and 2 examples: not one test set"),
        (predictions("abc"), predictions("acb"), "labels differ in 2 examples, first in example 1"),
        (predictions("abc"), predictions("abd", "abd"), "classes differ: a, b, c and a, b, d"),
        (predictions("abc"), predictions("abc", "acb"), "classes differ: a, b, c and a, c, b"),
        (
            Predictions.of(["cat", "dog"], ["cat", "cat"]), Predictions.of([0, 1], [0, 0]),
            "classes differ: cat, dog and 0, 1",
        ),
        (predictions("abc"), Predictions.of([*"abc"], [*"abc"] [::-1]), None),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(first: Any, second: Any, message: str | None) -> None:
    if message is None:
        compare(first, second)
        return
    with pytest.raises(ValueError, match=message):
        compare(first, second)
