from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from descentlab.report import words
from descentlab.report.answers import answers


def told(result) -> str:
    return " ".join(words.plain(sentence) for sentence in words.answer(answers(result)))


def two(fakes: ModuleType, folder: Path, first: list[float], second: list[float], **options):
    """Two configurations with the given final accuracies by seed."""
    configurations = fakes.grid({"optimizer": ["sgd", "adam"]})
    runs = {
        (c.id, seed): {"test_accuracy": np.array([0.5, value])}
        for c, values in zip(configurations, (first, second), strict=True)
        for seed, value in enumerate(values)
    }
    return fakes.FakeResult(folder, configurations, runs, seeds=len(first), **options)


def test_a_clear_winner(fakes: ModuleType, tmp_path: Path) -> None:
    text = told(two(fakes, tmp_path, [0.91, 0.92, 0.93], [0.95, 0.961, 0.972]))
    assert text.startswith("adam has the highest mean final test accuracy: 0.961 (95 % interval")
    assert "Next is sgd (0.920)." in text
    assert "over 3 seeds, its final test accuracy is 0.0410 lower (95 % interval" in text
    assert "more than the spread over seeds explains" in text
    assert "confirm it with fresh seeds" in text


def test_pairs_decide_and_not_overlapping_intervals(fakes: ModuleType, tmp_path: Path) -> None:
    text = told(two(fakes, tmp_path, [0.70, 0.80, 0.90], [0.711, 0.812, 0.913]))
    assert "more than the spread over seeds explains" in text


def test_what_cannot_be_told_apart(fakes: ModuleType, tmp_path: Path) -> None:
    text = told(two(fakes, tmp_path, [0.91, 0.97, 0.93], [0.95, 0.93, 0.96]))
    assert "which includes zero): these runs do not tell the two apart" in text


def test_one_seed_cannot_tell(fakes: ModuleType, tmp_path: Path) -> None:
    text = told(two(fakes, tmp_path, [0.91], [0.95]))
    assert "with one seed it can’t tell" in text
    assert "can’t tell which of the two is better; run more seeds" in text
    assert "interval" not in text


def test_identical_runs_are_called_the_same(fakes: ModuleType, tmp_path: Path) -> None:
    text = told(two(fakes, tmp_path, [0.91, 0.92], [0.91, 0.92]))
    assert "adam gives the same figure to five digits, seed by seed" in text
    assert "Next" not in text


def test_differences_of_rounding_decide_nothing(fakes: ModuleType, tmp_path: Path) -> None:
    first, second = [0.20831, 0.20832], [0.2083101, 0.2083199]
    text = told(two(fakes, tmp_path, first, second))
    assert "gives the same figure to five digits" in text
    assert "worse" not in text


def test_runs_without_randomness(fakes: ModuleType, tmp_path: Path) -> None:
    text = told(two(fakes, tmp_path, [0.91, 0.91, 0.91], [0.95, 0.95, 0.95]))
    assert "the same in all 3 seeds." in text and "depends on the seed" not in text
    assert "0.04000 lower, exactly so in each of them" in text


def test_divergence_is_told(fakes: ModuleType, tmp_path: Path) -> None:
    result = two(fakes, tmp_path, [0.91, 0.92], [0.95, 0.96], diverged={("c01", 0): 1})
    assert told(result).startswith("sgd has the highest")
    assert "1 run in 1 configuration diverged; it ranks last." in told(result)
    result.diverged = dict.fromkeys(result.runs, 1)
    assert told(result) == "There is no answer: all 4 finished runs diverged."
    result.diverged = {("c00", 0): 1, ("c01", 0): 1}
    assert "1 of its 2 runs diverged and are not in that mean." in told(result)


def test_what_is_missing(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.incomplete(tmp_path)
    text = words.standing(answers(result))
    assert text.startswith("Incomplete: 33 of 45 planned runs are finished. 2 configurations have")
    assert " so far: " in told(result)
    result.runs = {}
    assert "none of the 45 planned runs" in words.standing(answers(result))
    assert told(result) == "There is no answer yet: no run is finished."
    assert words.standing(answers(fakes.digits(tmp_path))) is None


def test_a_study_of_one_configuration(fakes: ModuleType, tmp_path: Path) -> None:
    run = {("c00", seed): {"test_loss": np.array([1.0, 0.5 + seed / 100])} for seed in range(3)}
    only = [fakes.FakeConfiguration("c00", {}, {})]
    text = told(fakes.FakeResult(tmp_path, only, run, seeds=3))
    assert text.startswith("The mean final test loss is 0.510 (95 % interval")
    assert "picked" not in text
