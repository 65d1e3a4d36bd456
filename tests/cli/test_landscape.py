"""``descentlab landscape …``: JSON as promised, files, messages and statuses."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from descentlab.cli.app import app
from descentlab.core.errors import DescentLabError
from descentlab.objectives.landscape_catalogue import LANDSCAPES

VALLEY = ("rosenbrock", "--start", "-1.54,-0.64")


def answer(*arguments):
    """Return what a command of this process prints."""
    done = CliRunner().invoke(app, ["landscape", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def told(*arguments):
    return json.loads(answer(*arguments, "--json"))


def test_a_run_as_json_is_what_others_rely_on():
    found = told("run", *VALLEY, "--optimizer", "adam learning_rate=0.01", "--steps", 20)
    promised = {"landscape", "optimizer", "start", "steps", "cost", "path", "final_cost"}
    assert promised | {"diverged"} <= set(found)
    assert found["landscape"] == "rosenbrock" and found["optimizer"]["kind"] == "adam"
    assert found["start"] == [-1.54, -0.64] and found["steps"] == 20
    assert len(found["cost"]) == len(found["path"]) == 21
    assert found["cost"][0] == pytest.approx(913.425056) and found["path"][0] == [-1.54, -0.64]
    assert found["final_cost"] == found["cost"][20] and found["diverged"] is False


def test_what_diverged_is_null_and_said_to_have_diverged():
    found = told("run", *VALLEY, "--optimizer", "sgd learning_rate=0.001 momentum=0.9")
    assert found["diverged"] is True and found["diverged_at"] == 14
    assert found["final_cost"] is None and found["cost"][14] is None
    assert found["cost"][13] is not None and found["diagnosis"]["outcome"] == "diverges"


def test_several_methods_are_runs_and_a_table(tmp_path):
    rows, study = tmp_path / "paths.csv", tmp_path / "study.yaml"
    found = told("run", *VALLEY, "--steps", 5, "--csv", rows, "--study", study)
    kinds = [each["optimizer"]["kind"] for each in found["runs"]]
    assert kinds == ["sgd", "sgd", "rmsprop", "adam"]
    table = list(csv.DictReader(rows.read_text().splitlines()))
    assert len(table) == 4 * 6 and float(table[0]["cost"]) == pytest.approx(913.425056)
    from descentlab.studies.configurations import configurations
    from descentlab.studies.load import load_study

    assert len(configurations(load_study(str(study)))) == 4
    text = answer("run", *VALLEY)
    assert "crawls" in text and "diverges" in text and "2/η" in text


def test_tuning_tells_the_best_and_the_robust():
    found = told("tune", "goldstein_price", "--start", "-0.67,0.46", "--optimizer", "rmsprop",
                 "--steps", 150, "--fix", "beta")  # fmt: skip
    for name in ("best", "robust"):
        assert {"settings", "final_cost", "success"} <= set(found[name])
        assert set(found[name]["settings"]) == {"learning_rate", "decay"}
        assert 0 <= found[name]["success"] <= 1
    again = told("run", "goldstein_price", "--start", "-0.67,0.46",
                 "--optimizer", found["robust"]["method"])  # fmt: skip
    assert again["final_cost"] == pytest.approx(found["robust"]["final_cost"], rel=1e-6)
    assert "success" in answer("tune", "goldstein_price", "--settings", 500)


def test_basins_are_counted_drawn_and_kept(tmp_path):
    png, npz = tmp_path / "basins.png", tmp_path / "basins.npz"
    found = told("basins", "himmelblau", "--optimizer", "gd lr=0.01", "--size", 40,
                 "--png", png, "--npz", npz)  # fmt: skip
    total = sum(each["starts"] for each in found["minima"]) + found["none"] + found["diverged"]
    assert total == found["starts"] == 1600 and len(found["minima"]) == 4
    with np.load(npz) as kept:
        assert kept["index"].shape == (40, 40)
        assert (kept["index"] == 0).sum() == found["minima"][0]["starts"]
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert "diverged" in answer("basins", "w1^2 + w2^4", "--size", 10, "--steps", 5)


def test_stability_is_counted_and_drawn(tmp_path):
    png = tmp_path / "stability.png"
    found = told("stability", "ravine", "--condition", 30, "--size", 12, "--png", png)
    assert sum(found["counts"].values()) == 144 and png.stat().st_size > 1000
    assert "oscillates" in answer("stability", "ravine", "--size", 6, "--optimizer", "adagrad")


def test_landscapes_are_listed_and_shown():
    done = CliRunner().invoke(app, ["list", "landscapes", "--json"], catch_exceptions=False)
    listed = json.loads(done.stdout)["landscapes"]
    assert list(listed) == list(LANDSCAPES)
    assert listed["rosenbrock"]["minima"] == [{"point": [1.0, 1.0], "value": 0.0}]
    assert all({"formula", "domain", "source"} <= set(each) for each in listed.values())
    assert "(1 - w1)^2" in answer("list")
    shown = told("show", "rosenbrock")
    assert shown["minima"][0]["curvatures"] == pytest.approx([0.399, 1001.6], abs=0.05)
    assert "no minimum" in answer("show", "w1*w2")
    assert "landscapes" in json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "rosenbrok"), "did you mean 'rosenbrock'"),
        (("run", "rosenbrock", "--start", "1"), "--start: expected X,Y"),
        (("run", "rosenbrock", "--start", "nan,1"), "--start: expected X,Y"),
        (("run", "rosenbrock", "--steps", "0"), "steps: expected a whole number"),
        (("run", "rosenbrock", "--optimizer", "adm"), "did you mean 'adam'"),
        (("run", "w1 +"), "formula: .*ends here"),
        (("run", "w1^2", "--domain", "1,2,3"), "--domain: expected four numbers"),
        (("run", "w1^2", "--csv", "/no/such/folder/x.csv"), "cannot write"),
        (("run", "noisy_quadratic", "--study", "x.yaml"), "are noisy"),
        (("tune", "rosenbrock", "--fix", "rate"), "--fix: expected"),
        (("basins", "rosenbrock", "--size", "1"), "columns: "),
        (("stability", "rosenbrock", "--optimizer", "newton schedule=cosine"), "no momentum"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_few_words(arguments, message):
    with pytest.raises(DescentLabError, match=message):
        CliRunner().invoke(app, ["landscape", *arguments], catch_exceptions=False)


def test_the_status_of_a_refusal_is_two():
    command = [sys.executable, "-m", "descentlab", "landscape", "run", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr and not done.stdout
