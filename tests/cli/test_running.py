"""What a study that is begun but not finished says, and what shows while data is fetched."""

from __future__ import annotations

import contextlib
import json

import pytest
from typer.testing import CliRunner

from descentlab.cli import running
from descentlab.cli.app import app
from descentlab.store.folder import Folder
from descentlab.studies.run import Options, execute, prepare
from descentlab.studies.spec import Study

STUDY = {
    "name": "begun",
    "run": {
        "data": {"kind": "iris", "split": {"test": 30}},
        "model": {"kind": "mlp", "hidden": [6]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "steps": 1_000_000,
        "record": {"every": 500_000},
    },
    "seeds": 1,
}


@pytest.fixture(scope="module")
def prepared():
    return prepare(Study.parse(STUDY))


@pytest.fixture(scope="module")
def begun(prepared, tmp_path_factory):
    """The folder of a study that was stopped after its first stretch."""
    folder = tmp_path_factory.mktemp("begun") / "r"
    with contextlib.closing(execute(prepared, Folder(folder))) as progress:
        next(progress)
    return folder


def test_the_expected_time_covers_what_interrupted_runs_have_left(begun, prepared, capsys):
    def expected(folder):
        running.explain(prepared, str(folder), Options(), as_json=True)
        return json.loads(capsys.readouterr().out)

    rest, whole = expected(begun), expected(begun.parent / "new")
    assert rest["cohorts"][0]["resumed"] == 1 and rest["cohorts"][0]["runs"] == 0
    assert 0.1 * whole["total"]["seconds"] < rest["total"]["seconds"]
    assert rest["total"]["seconds"] < 3 * whole["total"]["seconds"]  # the peak is measured anew


def test_a_study_without_a_finished_run_says_so_and_how_to_go_on(begun):
    found = CliRunner().invoke(app, ["show", str(begun)])
    assert found.exit_code == 0
    assert "begun: 0 of 1 planned runs are finished yet" in found.output
    assert f"descentlab run {begun}/study.yaml --out {begun}" in found.output
    assert "seed" not in found.output
    found = CliRunner().invoke(app, ["show", str(begun), "--json"])
    assert json.loads(found.output)["runs"]["done"] == 0


def test_data_that_must_be_fetched_shows_a_progress_bar(prepared, tmp_path, monkeypatch, capsys):
    asked = []

    def fetch(name, progress):
        asked.append(name)
        progress("images.gz", 5, 10)

    monkeypatch.setattr("descentlab.data.listing.fetch_missing", fetch)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a terminal
    running.explain(prepared, str(tmp_path / "r"), Options(), as_json=True)
    captured = capsys.readouterr()
    assert asked == ["iris"]
    assert "iris: images.gz" in captured.err and json.loads(captured.out)
