"""Sentences, baselines and recall targets against closed forms, simulation and brute force."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.dummy import DummyClassifier

from descentlab.evaluation import evaluate
from descentlab.evaluation.baselines import baselines
from descentlab.evaluation.counts import Cells
from descentlab.evaluation.proportions import wilson
from descentlab.evaluation.results import Evaluation, RecallTarget
from descentlab.evaluation.scores import Scores
from descentlab.evaluation.verdict import verdict
from tests.evaluation.test_counts import reference
from tests.evaluation.test_scores import sample, softmax


def of(matrix: Any, classes: Any = None, **options: Any) -> Evaluation:
    """Evaluate the predictions that have this confusion matrix."""
    matrix = np.array(matrix)
    row, column = np.nonzero(matrix)
    labels, answers = (np.repeat(x, matrix[row, column]) for x in (row, column))
    return evaluate(labels, answers, classes=classes or range(len(matrix)), **options)


SKIN = ["nv", "mel", "bkl", "df", "bcc", "vasc", "akiec"]
RARELY_RIGHT = [[640, 20, 9], [170, 25, 5], [110, 6, 15]]  # 66.9 % are nv, 68 % of answers right
CLEAR = [[630, 25, 14], [40, 150, 10], [20, 11, 100]]
EVEN = [[45, 5, 0], [5, 40, 5], [0, 10, 40]]
LEANING = [[70, 4, 3, 3], [5, 35, 0, 0], [5, 0, 35, 0], [5, 0, 0, 35]]
NEVER = [[650, 0, 19], [199, 0, 1], [100, 0, 31]]
WORSE = [[400, 200, 69], [150, 50, 0], [60, 1, 70]]
SAYS: list[tuple[str, Any, list[str], list[str]]] = [
    (
        "no better than the majority", RARELY_RIGHT,
        [
            r"^68\.0 % \[65\.0, 70\.8\] of the answers are right; always answering 'nv' is right "
            r"for 66\.9 %\. Whether the model beats the majority answer can't be told "
            r"\(\+1\.1 points, 95 % interval −0\.5 to \+2\.7; McNemar p = 0\.23\)\.$",
            r"^It misses more than half of 'bkl' \(15 of 131\) and 'mel' \(25 of 200\): recall is",
            "^Accuracy is the wrong measure here: 66.9 % of the examples are 'nv', which decides",
            r"Balanced accuracy, where every class counts the same, is 0\.399 \[",
        ],
        ["never finds", "Few examples", "fair summary", "beats the majority answer \\("],
    ),
    (
        "a clear winner", CLEAR,
        [
            r"^88\.0 % .* always answering 'nv' is right for 66\.9 %\. The model beats the major"
            r"ity answer \(\+21\.1 points, 95 % interval \+18\.0 to \+24\.1; McNemar p < 0\.0001\)",
            "Accuracy is the wrong measure",
        ],
        ["can't be told", "misses", "never"],
    ),
    (
        "worse than the majority", WORSE,
        [r"The model is worse than the majority answer \(−14\.9 points"], ["beats"],
    ),
    (
        "a class never found", NEVER,
        [r"^It never finds 'mel' \(0 of 200\)\.$", r"more than half of 'bkl' \(31 of 131\):"],
        ["misses more than half of .*mel"],
    ),
    (
        "classes equally common", EVEN,
        [
            r"beats the majority answer",
            r"equally common, so accuracy is a fair summary; balanced accuracy is 0\.833 \[",
        ],
        ["wrong measure", "leans"],
    ),
    (
        "a class twice as common", LEANING,
        [r"^Accuracy leans towards 'nv' \(40\.0 % of the examples\); balanced accuracy is 0\.875"],
        ["fair", "wrong measure"],
    ),
    (
        "few examples", [[60, 3, 2], [1, 20, 3], [0, 1, 28]],
        [r"^Few examples of 'mel' \(24\) and 'bkl' \(29\): look at the intervals"], ["never"],
    ),
    (
        "one class only", [[30, 10, 0], [0, 0, 0], [0, 0, 0]],
        [r"^Every example is of one class: nothing can be said .* 75\.0 % \[.*\] of the answers"],
        ["majority", "misses", "wrong measure"],
    ),
    (
        "three of four of one class", [[730, 10], [240, 20]],
        ["misses more than half of 'mel'", r"wrong measure here: 74\.0 % of the examples are 'nv'"],
        ["fair"],
    ),
    (
        "two large classes and a small one", [[460, 30, 0], [30, 460, 0], [15, 5, 0]],
        [r"wrong measure here: it hardly sees 'bkl' \(20 of 1,000 examples\)"],
        ["fair", "leans", "decides it"],
    ),
    (
        "two rare classes of seven", np.diag([210, 210, 200, 185, 185, 5, 5]),
        [r"it hardly sees 'vasc' \(5 of 1,000 examples\)"], ["fair"],
    ),
    (
        "equally common, but one is missed", [[50, 0, 0], [0, 50, 0], [35, 5, 10]],
        ["misses more than half of 'bkl'", "equally common, but accuracy does not show which"],
        ["fair"],
    ),
    (
        "two largest classes as large", [[40, 0, 0], [0, 40, 0], [0, 0, 15]],
        [r"^The classes are not equally common \(15 to 40 examples\)"], ["leans", "fair"],
    ),
    (
        "classes that are not there", [[30, 3, 0, 0], [2, 40, 0, 0], [0] * 4, [0] * 4],
        [r"fair summary; balanced accuracy is 0\.931 \[.*\] over 2 of 4 classes\.$"], [],
    ),
    (
        "flagged far too often", [[500, 450], [0, 50]],
        [r"answers far too often 'mel' \(500 times, there are 50; 10 % of the times it is right\)"],
        ["misses more"],
    ),
    (
        "all right, of few", [[5, 0], [0, 5]],
        [r"can't be told \(\+50\.0 points, .* \+5\.5 to \+77\.9; McNemar p = 0\.062; just short"],
        ["beats the majority answer \\("],
    ),
    (
        "three errors of twenty thousand", [[19996, 0], [3, 1]],
        [
            r"^99\.985 % \[99\.956, 99\.995\] of the answers are right; always answering 'nv' is "
            r"right for 99\.980 %.* \(\+0\.005 points, 95 % interval −0\.012 to \+0\.022; ",
            r"wrong measure here: 99\.98 % of",
        ],
        [r"100\.0 %", r"100 %"],
    ),
    (
        "a small gain of a million", [[999000, 100], [400, 500]],
        [r"beats the majority answer \(\+0\.0400 points, 95 % interval \+0\.0352 to \+0\.0448"],
        [r"\+0\.0 "],
    ),
    (
        "a small loss", [[999, 1], [1, 0]],
        [r"\(−0\.10 points, 95 % interval −0\.44 to \+0\.24"], [r"−0\.0 "],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("matrix", "said", "unsaid"), [c[1:] for c in SAYS], ids=[c[0] for c in SAYS]
)
def test_the_verdict_says_what_matters(matrix: Any, said: Any, unsaid: Any) -> None:
    found = of(matrix, SKIN[: len(matrix)]).verdict
    assert re.search("of the answers (are|is) right", found[0])  # the most important comes first
    for pattern in said:
        assert any(re.search(pattern, sentence) for sentence in found), (pattern, found)
    for pattern in unsaid:
        assert not any(re.search(pattern, sentence) for sentence in found), (pattern, found)


@settings(max_examples=80)
@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=3, max_size=3))
def test_a_model_is_better_where_the_binomial_test_of_the_disagreements_says_so(rows: Any) -> None:
    matrix = np.array(rows)
    support = matrix.sum(axis=1)
    if (support > 0).sum() < 2:
        return
    per_class = evaluate([0, 1], [0, 1]).per_class[0]
    classes = [
        type(per_class)(name, int(n), int(m), int(h), *[per_class.recall] * 5)
        for name, n, m, h in zip("abc", support, matrix.sum(0), np.diag(matrix), strict=True)
    ]
    accuracy = per_class.recall
    figures = dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1"), accuracy)
    sentence = verdict(Cells.of(matrix), figures, classes)[0]
    common = int(support.argmax())
    model = int(np.trace(matrix) - matrix[common, common])
    majority = int(support[common] - matrix[common, common])
    p = 1.0 if model + majority == 0 else binomtest(model, model + majority).pvalue
    if p >= 0.05:
        expected = "can't be told"
    else:
        expected = "The model beats" if model > majority else "The model is worse"
    assert expected in sentence, (matrix, p)
    points = re.search(r"\(([+−]?[\d.]+) points", sentence)
    assert points is not None
    gap = 100 * (model - majority) / matrix.sum()
    assert float(points[1].replace("−", "-")) == pytest.approx(gap, abs=0.051)


def test_a_level_is_the_sentences_too() -> None:
    assert "can't be told" in of(NEVER, level=0.95).verdict[0]
    first = of(NEVER, level=0.8).verdict[0]
    assert "beats the majority answer" in first and "80 % interval" in first


def test_a_level_is_never_rounded_to_all() -> None:
    assert "99.9 % interval" in of([[50, 2], [1, 60]], level=0.999).verdict[0]


def test_a_class_that_is_ranked_well_but_never_answered_has_a_wrong_threshold() -> None:
    random = np.random.default_rng(0)
    labels = (random.random(2000) < 0.05).astype(int)
    odds = random.normal(size=2000) + 4 * labels
    for shift, said in ((8, True), (2, False)):
        logits = np.stack([np.zeros(2000), odds - shift], axis=1)
        found = " ".join(evaluate(labels, logits=logits).verdict)
        assert ("It never finds '1'" in found) == said
        assert ("The scores rank '1' (AUC 0.998" in found) == said
        assert ("the threshold is what is wrong, not the ranking" in found) == said


@pytest.mark.parametrize(("wrong", "said"), [(8, False), (30, True)])
def test_a_class_is_flagged_too_often_where_there_is_evidence(wrong: int, said: bool) -> None:
    found = " ".join(of([[100, wrong], [0, 1]]).verdict)
    assert ("answers far too often '1'" in found) == said


def test_a_class_among_thousands_decides_nothing() -> None:
    labels = np.r_[np.arange(2000), np.arange(1000), np.arange(5)]
    found = evaluate(labels, labels, classes=range(2000)).verdict
    assert not any("leans" in sentence for sentence in found)
    assert any("not equally common (1 to 3 examples)" in sentence for sentence in found)


@pytest.mark.parametrize("name", ["x" * 300, "a\nb\x1b[31m", "a\u2028b"])
def test_names_in_sentences_are_short_and_on_one_line(name: str) -> None:
    found = " ".join(
        of([[80, 0], [20, 0]], [name, "b"]).verdict + of([[9, 0], [20, 5]], ["b", name]).verdict
    )
    assert name not in found and len(found) < 2000
    assert not any(c in found for c in "\n\x1b\u2028")


def test_many_missed_classes_are_counted_not_listed() -> None:
    labels = np.repeat(np.arange(12), 40)
    sentences = evaluate(labels, np.zeros_like(labels), classes=range(12)).verdict
    never = next(s for s in sentences if s.startswith("It never finds"))
    assert never.endswith("'6' (0 of 40) and 5 more classes.")


SUPPORTS = [[669, 200, 131], [50, 50], [7, 0, 13], [1, 2, 3, 4, 5], [30, 30, 40, 0, 0]]
supports = pytest.mark.parametrize("support", SUPPORTS, ids=str)


@supports
def test_the_majority_baseline_is_a_dummy_classifiers(support: list[int]) -> None:
    classes = len(support)
    labels = np.repeat(np.arange(classes), support)
    answers = DummyClassifier(strategy="most_frequent").fit(labels, labels).predict(labels)
    found = baselines(np.array(support))["majority"]
    expected = reference(labels, answers, classes)[1]
    for name in ("accuracy", "balanced_accuracy", "kappa"):
        assert found[name] == pytest.approx(expected[name], abs=1e-12), name
    for name in ("macro_recall", "macro_f1", "weighted_recall", "weighted_f1"):
        assert found[name] == pytest.approx(expected[name], abs=1e-12), name
    for name in ("matthews", "macro_precision", "weighted_precision"):
        assert found[name] is None, name  # 0 / 0, and means over one class alone


@supports
def test_the_stratified_baseline_is_what_drawn_answers_tend_to(support: list[int]) -> None:
    random = np.random.default_rng(0)
    share = np.array(support) / sum(support)
    labels = np.repeat(np.arange(len(support)), np.array(support) * (400_000 // sum(support)))
    answers = random.choice(len(support), len(labels), p=share)
    found = baselines(np.array(support))["stratified"]
    expected = reference(labels, answers, len(support))[1]
    for name, value in expected.items():
        if name in found:
            assert found[name] == pytest.approx(value, abs=6e-3), name
    assert found["accuracy"] == found["micro_f1"] == pytest.approx((share**2).sum())
    assert found["balanced_accuracy"] == pytest.approx(1 / (share > 0).sum())
    assert found["matthews"] == pytest.approx(0) and found["kappa"] == pytest.approx(0)


@supports
@pytest.mark.parametrize("baseline", ["majority", "stratified"])
def test_frequencies_as_probabilities_score_what_the_baselines_say(support, baseline) -> None:
    labels = np.repeat(np.arange(len(support)), support)
    p = np.tile(np.array(support) / sum(support), (len(labels), 1))
    measured = evaluate(labels, probabilities=p)
    found = baselines(np.array(support))[baseline]
    figures = {name: measured.figures[name] for name in ("log_loss", "brier")}
    figures |= {name: e for name, e in measured.figures.items() if name.startswith("top_")}
    figures |= {f"auc_{name}": e for name, e in measured.auc.items()}
    figures |= {f"average_precision_{name}": e for name, e in measured.average_precision.items()}
    for name, estimate in figures.items():
        assert found[name] == pytest.approx(estimate.value), name
    one = np.eye(len(support))[labels].ravel()
    assert found["auc_micro"] == pytest.approx(metrics.roc_auc_score(one, p.ravel()))


def test_one_class_has_baselines_without_areas() -> None:
    found = baselines(np.array([0, 9]))["majority"]
    assert found["accuracy"] == 1 and found["log_loss"] == 0
    assert {found[name] for name in found if name.startswith(("auc", "average"))} == {None}


def by_brute_force(scores: np.ndarray, own: np.ndarray, recall: float) -> tuple[float, int, int]:
    """Try every score as the threshold, from the highest down, until the recall is reached."""
    for threshold in sorted(set(scores), reverse=True):
        flagged = scores >= threshold
        if (flagged & own).sum() >= recall * own.sum() - 1e-9:
            return threshold, int((flagged & own).sum()), int(flagged.sum())
    raise AssertionError("the lowest score flags every example")


@pytest.mark.parametrize("kind", ["probabilities", "logits"])
@pytest.mark.parametrize("decimals", [0, 6])
@pytest.mark.parametrize("recall", [0.01, 0.5, 0.8, 0.95, 1.0])
def test_thresholds_and_their_price_are_those_of_brute_force(kind, decimals, recall) -> None:
    labels, logits = sample(3, 150, 3, decimals=decimals)
    given: dict[str, Any] = {kind: logits if kind == "logits" else softmax(logits)}
    found = evaluate(labels, **given, recall_at_least=recall)
    scores = Scores.of("logits" if kind == "logits" else "probabilities", given[kind])
    for k, target in enumerate(found.targets):
        column = np.asarray(scores.column(k))
        threshold, hits, flagged = by_brute_force(column, labels == k, recall)
        assert target.threshold == threshold and target.flagged == flagged
        assert target.reached is not None and target.precision is not None
        assert target.reached.value == hits / (labels == k).sum() >= recall
        assert target.precision.value == hits / flagged
        assert (target.reached.low, target.precision.low) == (
            wilson(hits, (labels == k).sum())[0], wilson(hits, flagged)[0],
        )  # fmt: skip
        assert target.recall == found.per_class[k].recall and target.target == recall


@settings(max_examples=60)
@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.05, 1))
def test_an_answer_needs_the_whole_interval_on_one_side(hits, n, recall) -> None:
    hits = min(hits, n)
    labels, answers = np.zeros(n + 1, int), np.ones(n + 1, int)
    labels[n], answers[:hits] = 1, 0
    (target, _) = evaluate(labels, answers, recall_at_least=recall).targets
    low, high = wilson(hits, n)
    answer = "yes" if low >= recall else "no" if high < recall else "undecided"
    assert (target.answer, target.threshold, target.flagged) == (answer, None, None)


def test_what_cannot_be_reached_is_said_and_has_no_threshold() -> None:
    def targets(labels: Any, **options: Any) -> tuple[RecallTarget, ...]:
        return evaluate(labels, recall_at_least=0.9, **options).targets

    labels, logits = sample(4, 100, 3)
    absent = targets(np.where(labels == 2, 1, labels), logits=logits)[2]
    assert (absent.answer, absent.threshold, absent.recall.value) == ("undefined", None, None)
    only = targets(np.zeros(100, int), logits=logits)
    assert [each.threshold for each in only] == [None, None, None]  # there is no rest to tell from
    assert [each.answer for each in only][1:] == ["undefined", "undefined"]
    never = targets([0] * 50 + [1] * 50, predictions=[0] * 100)
    assert [each.answer for each in never] == ["yes", "no"]
    tied = targets([0] * 50 + [1] * 50, probabilities=np.full((100, 2), 0.5))[1]
    assert (tied.threshold, tied.flagged) == (0.5, 100)  # only with every example flagged
    assert tied.precision is not None and tied.precision.value == 0.5
