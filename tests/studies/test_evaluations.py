"""A study's kept test predictions, evaluated run by run and over seeds."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp

import descentlab
from descentlab.evaluation.files import evaluate_file
from descentlab.report.answers import answers
from descentlab.report.evaluations import evaluations as report
from descentlab.report.html import page
from descentlab.studies.evaluations import FIGURES, evaluations, typical
from descentlab.studies.result import StudyResult
from descentlab.studies.spec import Study

DIGITS = {
    "name": "kept",
    "run": {
        "data": {"kind": "digits", "split": {"test": 0.25}},
        "model": {"kind": "mlp", "hidden": [16]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "batches": {"kind": "shuffled", "size": 64},
        "epochs": 3,
        "record": {"predictions": True},
    },
    "vary": {"optimizer.learning_rate": [0.01, 0.1, 1e30]},
    "seeds": 3,
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The study's results: two configurations that learn, one that diverges."""
    folder = tmp_path_factory.mktemp("kept") / "out"
    return descentlab.run(Study.parse(DIGITS), out=str(folder))


def test_every_run_is_evaluated_as_its_file_is(result: StudyResult) -> None:
    found = evaluations(result)
    frame = result.frame()
    for item in found:
        own = frame[(frame.configuration == item.configuration.id) & ~frame.diverged]
        assert list(item.seeds) == own.seed.tolist()
        for seed, run in zip(item.seeds, item.runs, strict=True):
            name = result.folder.at(f"predictions/{item.configuration.id}-s{seed}.parquet")
            assert run.to_json() == evaluate_file(name)[0].to_json()
            (recorded,) = own[own.seed == seed].test_accuracy
            assert run.figures["accuracy"].value == pytest.approx(recorded, abs=1e-6)
            assert run.figures["log_loss"].value == pytest.approx(
                own[own.seed == seed].test_loss.item(), rel=1e-4
            )


def test_a_diverged_run_has_no_answers(result: StudyResult) -> None:
    assert result.frame().diverged.sum() == 3
    assert len(evaluations(result)) == 2


def test_seeds_and_test_set_are_apart(result: StudyResult) -> None:
    item = evaluations(result)[0]
    values = np.array([each.figures["accuracy"].value for each in item.runs], float)
    figure = item.over_seeds["accuracy"]
    assert figure.interval.mean == pytest.approx(np.mean(values))
    assert figure.spread == pytest.approx(np.std(values, ddof=1))
    n, share = item.runs[0].examples, float(np.mean(values))
    assert figure.test_error == pytest.approx(math.sqrt(share * (1 - share) / n), rel=0.1)
    distances = np.abs(values - values.mean())
    assert distances[typical(item.runs)] == distances.min()


def test_the_report_shows_them_best_first_with_pictures(result: StudyResult) -> None:
    text = page(result)
    section = text.split('id="evaluation"')[1]
    names = re.findall(r'<details class="configuration"[^>]*><summary>([^<]+)', section)
    assert len(names) == 2
    best = result.best("test_accuracy").labels["optimizer.learning_rate"]
    assert best in names[0]
    assert section.count("Minus the first row’s figures, paired by seed") == 1
    assert section.count("Wrong: ") + section.count("No example is wrong") >= 2
    assert "data:image/png;base64," in section


def table(text: str, label: str) -> list[list[str]]:
    """Return the body of a table as texts, a list of cells a row."""
    body = text.split(f'aria-label="{label}"')[1].split("<tbody>")[1].split("</tbody>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>")[:-1]]
    return [[re.sub(r"<[^>]+>", " ", cell).strip() for cell in row] for row in rows]


def test_every_figure_is_compared_with_the_first_by_seed(result: StudyResult) -> None:
    text = page(result).split('id="evaluation"')[1]
    (row,) = table(text, "Minus the first row")
    found = evaluations(result)
    first = result.best("test_accuracy").id
    best, other = sorted(found, key=lambda item: item.configuration.id != first)
    assert row[1] == "3"
    for cell, figure in zip(row[2:], FIGURES, strict=True):
        mine, theirs = other.by_seed(figure), best.by_seed(figure)
        gaps = [mine[seed] - theirs[seed] for seed in best.seeds]
        low, high = ttest_1samp(gaps, 0).confidence_interval(0.95)
        assert other.minus(best, figure)[:3] == pytest.approx((np.mean(gaps), low, high))
        assert cell.startswith("≈") == (low <= 0 <= high)
        assert float(cell.lstrip("≈ ").split()[0].replace("−", "-")) == pytest.approx(
            np.mean(gaps), abs=(high - low) / 2
        )
    assert "comparisons at once" not in text  # there is one only


def test_seeds_and_diverged_runs_are_counted(result: StudyResult) -> None:
    text = page(result).split('id="evaluation"')[1]
    assert [row[1] for row in table(text, "Evaluation over seeds")] == ["3", "3"]
    assert "Without figures, because every run diverged: " in text
    first, second = evaluations(result)
    few = replace(second, seeds=second.seeds[:2], runs=second.runs[:2], diverged=1)
    section = str(report(answers(result), [first, few, few]))
    rows = {tuple(row[1].split()) for row in table(section, "Evaluation over seeds")}
    assert rows == {("3",), ("2", "(1", "diverged)")}
    assert "To allow for 2 comparisons at once, each interval is 97.5 %" in section
    assert "The first row was picked afterwards" in section


def test_a_run_that_diverged_is_counted_with_its_configuration(
    result: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = result.frame()
    own = frame.configuration == evaluations(result)[0].configuration.id
    frame.loc[own & (frame.seed == frame.seed.min()), "diverged"] = True
    read = result.predictions

    def predictions(configuration: str, seed: int):
        found = read(configuration, seed)
        lost = frame[(frame.configuration == configuration) & (frame.seed == seed)].diverged.any()
        return None if lost else found

    monkeypatch.setattr(type(result), "frame", lambda self: frame)
    monkeypatch.setattr(type(result), "predictions", lambda self, *a: predictions(*a))
    assert [(len(item.seeds), item.diverged) for item in evaluations(result)] == [(2, 1), (3, 0)]


def test_differences_without_spread_are_no_evidence(result: StudyResult) -> None:
    first = evaluations(result)[0]
    same = replace(first, configuration=evaluations(result)[1].configuration)
    (row,) = table(str(report(answers(result), [first, same])), "Minus the first row")
    assert all(cell.startswith("≈ 0") and "the same in every seed" in cell for cell in row[2:])


def test_progress_ends_at_one(result: StudyResult) -> None:
    shares: list[float] = []
    evaluations(result, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_without_predictions_there_is_nothing(tmp_path: Path) -> None:
    raw = DIGITS | {"run": DIGITS["run"] | {"record": {"predictions": False}}, "seeds": 1}  # type: ignore[operator]
    result = descentlab.run(Study.parse(raw | {"vary": {}}), out=str(tmp_path / "out"))
    assert evaluations(result) == []
    assert 'id="evaluation"' not in page(result)


def test_one_seed_says_what_it_cannot_tell(tmp_path: Path) -> None:
    raw = DIGITS | {"seeds": 1, "vary": {}}
    result = descentlab.run(Study.parse(raw), out=str(tmp_path / "out"))
    (item,) = evaluations(result)
    assert item.over_seeds["accuracy"].spread is None
    assert item.over_seeds["accuracy"].interval.low is None
    assert "one run can’t tell" in page(result).split('id="evaluation"')[1]


def test_names_and_pictures_need_the_data_but_figures_do_not(
    result: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    from descentlab.core.errors import DataError
    from descentlab.studies.datasets import Datasets

    def gone(*_: object) -> None:
        raise DataError("gone")

    monkeypatch.setattr(Datasets, "load", gone)
    found = evaluations(result)
    assert found[0].images is None
    assert found[0].runs[0].figures["accuracy"].defined
