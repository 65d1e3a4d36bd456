"""What happened to a results folder in the meantime: changed data, lost and foreign files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from descentlab.core.errors import SpecError, StoreError
from descentlab.core.yaml import read_yaml, write_yaml
from descentlab.engine import lanes
from descentlab.store.folder import Folder
from descentlab.studies import execute as executing
from descentlab.studies.result import StudyResult
from descentlab.studies.run import Options, execute, explain_plan, prepare, run
from descentlab.studies.spec import Study


@pytest.fixture
def often(monkeypatch):
    """Checkpoints after every stretch, and stretches of a few updates."""
    monkeypatch.setattr(executing, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(lanes, "_longer", lambda length, done, seconds: 7)


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def begun(study: Study, folder: Path, stretches: int = 5) -> None:
    progress = execute(prepare(study), Folder(folder))
    for _ in range(stretches):
        next(progress)
    progress.close()


def table(path: Path, seed: int) -> Path:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(60, 2)), columns=["a", "b"])
    frame.assign(label=np.arange(60) % 2).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("complete", [True, False])
def test_other_data_under_the_same_name_is_refused(small, tmp_path, often, complete) -> None:
    path = table(tmp_path / "x.csv", 0)
    small["run"]["data"] = {"kind": "csv", "path": str(path), "split": {"test": 20}}
    study, folder = Study.parse(small), tmp_path / "r"
    if complete:
        run(study, folder)
    else:
        begun(study, folder)
    before = content(folder)
    table(path, 1)
    for again in (lambda: run(study, folder), lambda: explain(study, folder)):
        with pytest.raises(
            StoreError, match=r"other data: .*sha256 [0-9a-f]{64}, and .*x\.csv has"
        ):
            again()
    assert content(folder) == before
    table(path, 0)
    assert run(study, folder).complete


def explain(study: Study, folder: Path) -> int:
    plans, _ = explain_plan(prepare(study), Folder(folder), Options())
    return sum(len(p.pending) + sum(len(c.runs) for c in p.open_chunks) for p in plans)


def test_whichever_segment_is_lost_its_runs_are_trained_anew(study, tmp_path, often) -> None:
    """As the message about a damaged segment says: delete it and run the study again."""
    expected = run(study, tmp_path / "whole")
    names = sorted(path.name for path in (tmp_path / "whole" / "segments").iterdir())
    assert len(names) > 8  # several segments a chunk
    for number, name in enumerate(names[:5]):
        shutil.copytree(tmp_path / "whole", folder := tmp_path / str(number))
        (folder / "segments" / name).unlink()
        assert not StudyResult(folder).complete or explain(study, folder) > 0
        found = run(study, folder)
        for metric in expected.metrics:
            pd.testing.assert_frame_equal(
                found.curves(metric), expected.curves(metric), check_exact=True
            )


def test_the_plan_is_explained_without_touching_the_folder(study, tmp_path, often) -> None:
    begun(study, folder := tmp_path / "r")
    (folder / "checkpoints" / "k99-000000-0000000000-00000007.npz").write_bytes(b"left over")
    lost = sorted((folder / "segments").iterdir())[0]
    lost.unlink()
    before = content(folder)
    assert explain(study, folder) > 0
    assert content(folder) == before
    assert run(study, folder).complete
    assert not list((folder / "checkpoints").iterdir())


def test_foreign_files_are_left_alone_and_not_counted(study, tmp_path) -> None:
    expected = run(study, folder := tmp_path / "r").frame()
    segment = next((folder / "segments").iterdir())
    foreign = [folder / "segments" / name for name in ("notes.parquet", "x-1.parquet", "a.txt")]
    foreign.append(folder / "segments" / f"Copy of {segment.name}")
    for path in foreign:
        shutil.copy(segment, path)
    (folder / "checkpoints").mkdir(exist_ok=True)
    (mine := folder / "checkpoints" / "mine.npz").write_bytes(b"mine")
    pd.testing.assert_frame_equal(run(study, folder).frame(), expected)
    assert mine.exists() and all(path.exists() for path in foreign)


def test_question_and_report_may_change(small, tmp_path) -> None:
    run(Study.parse(small), folder := tmp_path / "r")
    segments = content(folder / "segments")
    small |= {"question": "Another one?", "report": {"metric": "test_loss"}}
    found = run(Study.parse(small), folder)
    assert found.primary == "test_loss" and found.study.question == "Another one?"
    assert content(folder / "segments") == segments


REPORTS = [
    ({"metric": "test_acuracy"}, r"report\.metric: unknown metric .*; .*'test_accuracy'"),
    ({"metric": "validation_loss"}, r"unknown metric 'validation_loss'"),
    ({"rows": "model.activaton"}, r"report\.rows: unknown factor .*'model\.activation'"),
    ({"columns": "x"}, r"report\.columns: unknown factor 'x'"),
    ({"by": ["optimizer"]}, r"report\.by: unknown factor 'optimizer'"),
]  # fmt: skip


@pytest.mark.parametrize(("report", "message"), REPORTS)
def test_a_report_that_cannot_be_made_is_refused_before_training(
    small, tmp_path, report, message
) -> None:
    small["report"] = report
    with pytest.raises(SpecError, match=message):
        run(Study.parse(small), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_two_factors_for_one_place_are_refused(small) -> None:
    group = {"fast": {"optimizer.learning_rate": 1.0}, "slow": {"optimizer.learning_rate": 0.1}}
    small["vary"] = {"speed": group, "optimizer.learning_rate": [0.5]}
    with pytest.raises(SpecError, match=r"'speed' and .* both set optimizer\.learning_rate"):
        prepare(Study.parse(small))


def test_metrics_are_those_of_all_configurations(small, tmp_path) -> None:
    small["vary"] = {
        "data": {
            "without": {"data": {"kind": "iris"}},
            "with": {"data": {"kind": "iris", "split": {"test": 30}}},
        }
    }
    small["run"]["record"] = {}
    result = run(Study.parse(small), tmp_path / "r")
    assert {"train_loss", "test_loss", "test_accuracy"} <= set(result.metrics)
    frame = result.frame()
    assert frame.groupby("configuration")["test_loss"].count().to_dict() == {"c00": 0, "c01": 2}
    assert json.dumps(result.summary(), allow_nan=False)
    assert set(result.curves("test_loss")["configuration"]) == {"c01"}


def test_a_folder_without_results_says_so(study, tmp_path) -> None:
    progress = execute(prepare(study), Folder(tmp_path))
    next(progress)
    progress.close()
    for path in (tmp_path / "segments").glob("*"):
        path.unlink()
    result = StudyResult(tmp_path)
    for ask in (result.best, lambda: result.primary, lambda: result.curves("test_loss")):
        with pytest.raises(StoreError, match=r"no results yet|no finished run"):
            ask()
    assert result.metrics == [] and result.frame().empty


@pytest.mark.parametrize("complete", [True, False])
def test_a_folder_from_before_a_field_existed_goes_on(study, tmp_path, often, complete) -> None:
    """Records of draws, fast weights and gradient norms came later; all are off by default."""
    expected = run(study, tmp_path / "whole")
    folder = tmp_path / "r"
    if complete:
        run(study, folder)
    else:
        begun(study, folder)
    written = read_yaml((folder / "study.yaml").read_bytes(), "study.yaml")
    for field in ("draws", "fast_weights", "gradient_norms"):
        assert written["run"]["record"].pop(field) is False
    (folder / "study.yaml").write_text(write_yaml(written))
    assert (explain(study, folder) == 0) == complete
    found = run(study, folder)
    assert found.complete and found.curves("test_loss").equals(expected.curves("test_loss"))
    written["run"]["record"]["every"] = 3
    (folder / "study.yaml").write_text(write_yaml(written))
    with pytest.raises(StoreError, match=r"another study[\s\S]*- +every: 3"):
        run(study, folder)
    written["run"]["record"]["later"] = 3  # what a newer version wrote is compared as it is
    (folder / "study.yaml").write_text(write_yaml(written))
    with pytest.raises(StoreError, match=r"another study[\s\S]*later"):
        run(study, folder)


def test_a_search_by_batches_goes_on_though_its_later_settings_differ(small, tmp_path) -> None:
    """What its first settings share is in 'run' at first, and is left out later."""
    pytest.importorskip("optuna")
    del small["vary"]
    small |= {"seeds": 1, "report": {"metric": "test_accuracy"}}
    small["run"] |= {"optimizer": {"kind": "rmsprop"}, "epochs": 1}
    space = {"optimizer.flavour": ["torch", "keras"], "model.activation": ["relu", "tanh", "gelu"]}
    search = {"kind": "optuna", "sampler": "random", "trials": 6, "batch": 1, "space": space}
    study = Study.parse({**small, "search": search})
    first = prepare(study)
    assert "epsilon" in first.resolved["run"]["optimizer"]
    whole = run(study, tmp_path)
    assert (
        "epsilon" not in read_yaml((tmp_path / "study.yaml").read_bytes(), "")["run"]["optimizer"]
    )
    assert len({c.run.optimizer.epsilon for c in whole.configurations}) == 2
    assert len(run(study, tmp_path).frame()) == 6
