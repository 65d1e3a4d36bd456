"""Claims, seeds and times on the command line."""

from __future__ import annotations

import json

import pytest

from descentlab.core.yaml import write_yaml
from descentlab.store.folder import Folder
from descentlab.studies.claims.until import looks
from descentlab.studies.load import load_study
from tests.cli.test_cli import STUDY, call, refused

CLAIM = {"kind": "better", "a": {"model.activation": "tanh"}, "metric": "test_loss"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a study and its results."""
    place = tmp_path_factory.mktemp("deciding")
    (place / "tiny.yaml").write_text(write_yaml({**STUDY, "claims": [CLAIM]}))
    status, _, message = call("run", "tiny.yaml", "--quiet", "--no-report", cwd=place)
    assert status == 0, message
    return place


def test_max_seeds_is_for_adding_seeds_and_three_at_least(place) -> None:
    message = refused("run", "tiny.yaml", "--max-seeds", 5, "--out", "new", cwd=place)
    assert "--max-seeds" in message and "--until-decided" in message
    assert "equal to 3" in refused(
        "run", "tiny.yaml", "--until-decided", "--max-seeds", 2, cwd=place
    )


@pytest.mark.parametrize("target", ["nan", "inf", "-inf"])
def test_a_target_is_finite(place, target: str) -> None:
    arguments = ["times", "results/tiny", "--metric", "test_loss", f"--reach={target}"]
    assert "--reach: expected a finite number" in refused(*arguments, cwd=place)


@pytest.mark.parametrize("size", ["0", "-1", "nan", "inf"])
def test_what_to_detect_is_finite_and_positive(place, size: str) -> None:
    assert "--detect: expected a finite" in refused("plan", "tiny", f"--detect={size}", cwd=place)


def test_times_say_whose_seconds_they_are(place) -> None:
    arguments = ["times", "results/tiny", "--metric", "test_loss", "--reach", 1]
    session = json.loads((place / "results/tiny/provenance.json").read_text())["sessions"][0]
    (found,) = json.loads(call(*arguments, "--json", cwd=place)[1])["machines"]
    assert session["device"] in found
    assert f"machine that trained: {found}." in call(*arguments, cwd=place)[1]


def test_a_plan_says_how_many_seeds_and_that_they_need_a_new_folder(place) -> None:
    status, out, _ = call("plan", "tiny", "--detect", 0.1, cwd=place)
    assert status == 0 and "--seeds N --out DIR" in out
    found = json.loads(call("plan", "tiny", "--detect", 0.1, "--json", cwd=place)[1])["claims"][0]
    assert found["seeds"] >= 2 and found["reason"] == ""


def test_a_folder_stopped_before_its_first_look_says_how_to_go_on_and_does(place) -> None:
    study = load_study(str(place / "tiny.yaml"))
    next(looks(study, Folder(place / "begun"), 4))
    out = call("show", "begun", cwd=place)[1]
    assert "--out begun --until-decided --max-seeds 4" in out
    command = out.partition("descentlab ")[2].split()
    status, _, message = call(*command, "--quiet", "--no-report", cwd=place)
    assert status == 0, message
    found = json.loads(call("show", "begun", "--json", cwd=place)[1])
    assert found["complete"] and found["claims"][0]["seeds"] in (3, 4)
