from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from descentlab.evaluation.comparison import Comparison, compare
from descentlab.evaluation.predictions import Predictions
from descentlab.evaluation.results import Evaluation
from descentlab.report.evaluation.rows import MOST_SINGLE, shown_differences
from descentlab.report.evaluation.terminal import show_comparison, show_evaluation
from tests.report.evaluation import fakes


def printed(found: Evaluation, width: int = 160) -> str:
    sink = io.StringIO()
    show_evaluation(found, Console(file=sink, width=width, highlight=False))
    return sink.getvalue()


def compared(found: Comparison) -> str:
    sink = io.StringIO()
    show_comparison(found, Console(file=sink, width=160, highlight=False))
    return sink.getvalue()


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_the_verdict_comes_first_then_figures_classes_confusions_targets_notes() -> None:
    found = fakes.ham()
    text = printed(found)
    assert text.startswith(found.verdict[0])
    marks = [
        *found.verdict, "accuracy", "macro F1", "macro AUC", "class ", "vasc", "Largest confusions",
        "were taken for 'nv'", "Recall targets", "Notes", found.notes[0],
    ]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_figures_stand_beside_their_baselines() -> None:
    found = fakes.ham()
    text = printed(found)
    accuracy = found.figures["accuracy"]
    cells = row(text, "accuracy").split()
    assert cells[1] == f"{accuracy.value:.3f}"
    assert cells[2] == f"{accuracy.low:.3f}–{accuracy.high:.3f}"
    assert cells[3:] == ["0.669", "0.448"]
    assert row(text, "macro precision").split()[-5:] == ["undefined", "(n", "=", "0)", "–"]
    assert row(text, "log loss ↓").split()[-2:] == ["∞", "–"]
    assert row(text, "macro AUC").split()[-2:] == ["0.500", "0.500"]
    assert "95 % interval" in text
    assert "always answering 'nv'" in text


def test_the_level_of_the_intervals_is_the_evaluations() -> None:
    text = printed(replace(fakes.ham(), level=0.9))
    assert "90 % interval" in text
    assert "95 %" not in text


def test_what_is_undefined_says_so_and_which_classes_means_are_over() -> None:
    text = printed(fakes.with_absent())
    line = next(
        line for line in text.splitlines() if line.startswith("vasc   ") and "never" in line
    )
    assert line.count("undefined (n = 0)") == 3
    assert "undefined (never predicted)" in line
    flat = " ".join(text.split())
    assert "over 6 of 7 classes, without vasc." in flat
    assert "nan" not in text.lower()


def test_many_classes_show_the_worst_and_how_many_are_not_shown() -> None:
    found = fakes.hundred()
    text = printed(found)
    assert "The 15 classes with the lowest recall; 85 more are not shown." in text
    order = sorted(found.per_class, key=lambda each: each.recall.value or 0)
    table = text.split("support")[1].split("Intervals in")[0]
    assert all(each.name in table for each in order[:15])
    assert order[20].name not in table
    assert "85 more targets are in --json." in " ".join(text.split())


def test_without_scores_it_says_what_is_missing() -> None:
    text = printed(fakes.ham(scores=False))
    assert "There are no scores, only predictions" in text
    assert "AUC" not in text.split("Notes")[0]
    assert "log loss" not in text
    assert "threshold" not in text.split("Recall targets")[1].split("Notes")[0]


def test_nothing_was_confused() -> None:
    found = fakes.evaluation(("a", "b"), (5, 7), 90.0)
    assert len(found.confusions()) == 0
    assert "None of the 12 examples was confused." in printed(found)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_window_drops_columns_and_says_so(width: int) -> None:
    text = printed(fakes.ham(), width)
    assert max(map(len, text.splitlines())) <= width
    table = text.split("support")[1].split("Intervals in")[0]
    assert ("AUC" in table) == (width == 120)
    assert row(text, "nv").split()[1] == "1,341"
    if width < 120:
        assert "AUC: in a wider window and in --json." in " ".join(text.split())


def test_names_cannot_steer_the_terminal() -> None:
    names = ("[red]a[/red]", "\x1b[31mb\x1b]0;x\x07")
    text = printed(fakes.evaluation(names, (40, 60), 2.0))
    assert "[red]a[/red]" in text
    assert "\x1b" not in text
    assert "\x07" not in text


def test_a_comparison_says_why_it_has_no_interval() -> None:
    labels, scores = fakes.simulated((40, 60), 2.0)
    model = Predictions.of(labels, probabilities=scores)
    text = compared(compare(model, model))
    assert "no interval: identical answers" in row(text, "macro F1")
    assert "no interval: identical scores" in row(text, "macro AUC")


def test_many_differences_of_single_classes_are_counted() -> None:
    labels, scores = fakes.simulated([12] * 30, 2.0)
    other = fakes.simulated([12] * 30, 2.0, seed=1)[1]
    models = [Predictions.of(labels, probabilities=each) for each in (scores, other)]
    found = compare(*models)
    rows, note = shown_differences(found)
    single = [name for name in found.differences if "_class_" in name]
    left = len(found.differences) - len(rows)
    assert len(single) > MOST_SINGLE >= len(single) - left
    assert note == f"{left:,} more differences of single classes are in --json."
    assert note in " ".join(compared(found).split())
    assert {row.better for row in rows if " of " in row.name} <= {"first", "second"}


def test_intervals_without_width() -> None:
    text = printed(fakes.without_width(fakes.two()))
    assert "0.931–0.931" in text
