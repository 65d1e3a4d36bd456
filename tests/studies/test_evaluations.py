"""A study's kept test predictions, evaluated run by run and over seeds."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import descentlab
from descentlab.evaluation.files import evaluate_file
from descentlab.report.html import page
from descentlab.studies.evaluations import evaluations, typical
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
    assert section.count("minus the first") == 1
    assert section.count("Wrong: ") + section.count("No example is wrong") >= 2
    assert "data:image/png;base64," in section


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
    from descentlab.studies.plan import Datasets

    def gone(*_: object) -> None:
        raise DataError("gone")

    monkeypatch.setattr(Datasets, "load", gone)
    found = evaluations(result)
    assert found[0].images is None
    assert found[0].runs[0].figures["accuracy"].defined
