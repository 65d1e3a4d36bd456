from __future__ import annotations

import math
from dataclasses import replace

import pytest

from descentlab.evaluation.results import Confusion, Estimate, RecallTarget
from descentlab.report.evaluation import wording
from tests.report.evaluation import fakes


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.5312, 0.4421, 0.6187), "0.53 (0.44–0.62)"),
        (Estimate(0.86567, 0.86421, 0.86701), "0.8657 (0.8642–0.8670)"),
        (Estimate(1.0, 0.61, 1.0), "1.00 (0.61–1.00)"),
        (Estimate(0.0, 0.0, 0.0), "0 (0–0)"),
        (Estimate(0.25, 0.25, 0.25), "0.25 (0.25–0.25)"),
        (Estimate(-0.021, -0.113, 0.071), "−0.02 (−0.11 to 0.07)"),
        (Estimate(0.75), "0.75"),
        (Estimate(math.inf), "∞"),
        (Estimate.undefined("undefined (n = 0)"), "undefined (n = 0)"),
        (Estimate(None), "undefined"),
    ],
)
def test_an_estimate_has_the_digits_of_its_interval(estimate: Estimate, text: str) -> None:
    assert str(wording.written(estimate)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.15, "15 %"),
        (0.0042, "0.42 %"),
        (0.0996, "10 %"),
        (1.0, "100 %"),
        (0.998, "99.8 %"),
        (0.99999, "> 99.9 %"),
        (0.0, "0 %"),
    ],
)
def test_a_share_is_only_whole_when_it_is_all(share: float, text: str) -> None:
    assert wording.percent(share) == text


def test_confusions_are_named_in_words() -> None:
    assert wording.confusion(Confusion("mel", "nv", 12, 0.15), 80) == (
        "12 of 80 'mel' were taken for 'nv' (15 %)"
    )
    assert "1 of 80 'mel' was taken" in wording.confusion(Confusion("mel", "nv", 1, 1 / 80), 80)


def test_a_mean_says_which_classes_entered_it() -> None:
    classes = ("a", "b", "c", "d")
    assert wording.entered(Estimate(0.5), classes) == ""
    assert wording.entered(Estimate(0.5, over=(0, 1, 2, 3)), classes) == ""
    assert wording.entered(Estimate(0.5, over=(0, 1, 3)), classes) == (
        "over 3 of 4 classes, without c"
    )
    assert wording.entered(Estimate(0.5, over=(3,)), classes) == "over 1 of 4 classes: d"
    many = [str(i) for i in range(100)]
    text = wording.entered(Estimate(0.5, over=tuple(range(60))), many)
    assert text.startswith("over 60 of 100 classes, without 60, 61,")
    assert text.endswith("and 28 more")


def test_means_over_the_same_classes_share_a_sentence() -> None:
    sentences = wording.means(fakes.with_absent())
    assert len(sentences) == 1
    assert "balanced accuracy, macro precision" in sentences[0]
    assert sentences[0].endswith("over 6 of 7 classes, without vasc.")
    assert wording.means(fakes.ham()) == []


def test_the_worst_classes_come_first_and_the_undefined_last() -> None:
    found = wording.worst(fakes.with_absent().per_class, 7)
    known = [each.recall.value for each in found[:-1] if each.recall.value is not None]
    assert len(known) == 6
    assert known == sorted(known)
    assert found[-1].name == "vasc"


def test_answers_to_recall_targets() -> None:
    recall = Estimate(0.5, 0.4, 0.6)
    target = RecallTarget("a", 0.5, recall, "undecided", threshold=0.99968)
    assert wording.reach(target) == "can’t tell"
    assert wording.threshold(target) == "1 − 0.00032"
    assert wording.threshold(replace(target, threshold=0.25)) == "0.25"
    assert wording.threshold(replace(target, threshold=None)) == "–"
    missing = RecallTarget("a", 0.5, Estimate.undefined("undefined (n = 0)"), "undefined")
    assert wording.reach(missing) == "undefined (n = 0)"


def test_missed_targets_come_first() -> None:
    targets = fakes.with_absent().targets
    found = wording.pressing(targets, 7)
    assert [each.answer for each in found] == ["no"] * 5 + ["yes", "undefined"]
    missed = [each.recall.value or 0 for each in found[:5]]
    assert missed == sorted(missed)
    assert len(wording.pressing(targets, 3)) == 3


def test_the_note_on_thresholds_needs_thresholds() -> None:
    assert "threshold" in wording.targets_note(fakes.ham().targets)
    assert "threshold" not in wording.targets_note(fakes.ham(scores=False).targets)


def test_names_of_figures() -> None:
    names = [wording.figure_name(key) for key in ("macro_f1", "top_5", "kappa", "log_loss")]
    assert names == ["macro F1", "top-5 accuracy", "Cohen’s κ", "log loss"]
