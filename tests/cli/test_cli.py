"""The command line as its users and their scripts see it: output, statuses, messages."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from descentlab.core.yaml import write_yaml

COMMAND = [sys.executable, "-m", "descentlab"]

STUDY = {
    "name": "tiny",
    "question": "Is <b>it</b> so?",
    "run": {
        "data": {"kind": "iris", "split": {"test": 30}},
        "model": {"kind": "mlp", "hidden": [6]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "epochs": 3,
    },
    "vary": {"model.activation": ["tanh", "relu"]},
    "seeds": 3,
}


def call(*arguments, cwd=None, **environment):
    """Run a command and return status, output and errors."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def refused(*arguments, **options):
    """Run a command that cannot be served and return its message."""
    status, out, message = call(*arguments, **options)
    assert status == 2, (status, out, message)
    assert "Traceback" not in message and len(message.splitlines()) <= 20
    return message


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The results of a tiny study, run through the command line."""
    place = tmp_path_factory.mktemp("cli")
    (place / "tiny.yaml").write_text(write_yaml(STUDY))
    status, out, message = call("run", "tiny.yaml", cwd=place)
    assert status == 0, message
    assert out.splitlines()[-1] == os.path.join("results", "tiny")
    return place / "results" / "tiny"


def test_help_names_the_commands():
    status, out, _ = call("--help")
    assert status == 0
    assert all(word in out for word in ("list", "run", "show", "curves", "report", "data"))
    status, out, _ = call("run", "--help")
    assert status == 0 and all(w in out for w in ("--seeds", "--set", "--explain-plan", "--out"))


def test_version_is_the_package_s():
    from importlib.metadata import version

    assert call("--version")[1].strip() == version("descentlab")


def test_a_results_folder_has_what_the_contract_says(folder):
    names = {p.name for p in folder.iterdir()}
    assert {"study.yaml", "provenance.json", "segments", "report.html"} <= names
    provenance = json.loads((folder / "provenance.json").read_text())
    (session,) = provenance["sessions"]
    assert len(session["source"]) == 64 and session["versions"]["jax"] and session["device"]
    assert provenance["data"][0]["scaling"] and "seed 0" in provenance["data"][0]["split"]


def test_show_prints_the_contract_s_json(folder):
    status, out, _ = call("show", folder, "--json")
    found = json.loads(out)
    assert status == 0
    assert {"study", "question", "complete", "runs", "configurations", "claims"} <= set(found)
    assert found["complete"] is True and found["runs"] == {"planned": 6, "done": 6, "diverged": 0}
    first = found["configurations"][0]
    assert first["values"] == {"model.activation": "tanh"} and first["seeds"] == 3
    assert set(first["metrics"]) == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    interval = first["metrics"]["test_loss"]
    assert interval["low"] < interval["mean"] < interval["high"]
    status, out, _ = call("show", folder)
    assert status == 0 and "relu" in out


def test_curves_are_csv_with_the_contract_s_columns(folder, tmp_path):
    status, out, _ = call("curves", folder, "--metric", "test_loss")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0 and len(rows) == 6 * 4
    assert list(rows[0]) == ["configuration", "seed", "step", "epoch", "value"]
    status, _, _ = call("curves", folder, "--metric", "test_loss", "--csv", tmp_path / "c.csv")
    assert status == 0 and (tmp_path / "c.csv").read_text() == out


def test_report_prints_its_path(folder):
    status, out, _ = call("report", folder)
    assert status == 0 and out.strip() == str(folder / "report.html")
    page = (folder / "report.html").read_text()
    assert "<b>it</b>" not in page and "&lt;b&gt;it&lt;/b&gt;" in page


def test_running_again_goes_on_and_more_seeds_are_another_study(folder):
    place = folder.parents[1]
    status, out, _ = call("run", "tiny.yaml", "--quiet", cwd=place)
    assert status == 0 and out.strip() == os.path.join("results", "tiny")
    message = refused("run", "tiny.yaml", "--seeds", 4, cwd=place)
    assert "another study" in message and "seeds" in message


def test_the_plan_is_explained_without_training(tmp_path):
    status, out, message = call("run", "digits-optimizers", "--explain-plan", cwd=tmp_path)
    assert status == 0, message
    assert "45 runs in 9 cohorts" in out and "vmap:" in out
    assert not list(tmp_path.iterdir())
    status, out, _ = call("run", "digits-optimizers", "--explain-plan", "--json", cwd=tmp_path)
    plan = json.loads(out)
    assert len(plan["cohorts"]) == 9 and plan["total"]["runs"] == 45
    assert {"runs", "strategy", "compilations", "bytes", "seconds"} <= set(plan["cohorts"][0])


@pytest.mark.parametrize("what", ["", "studies", "data", "optimizers", "models"])
def test_list_names_things_with_a_sentence(what):
    status, out, _ = call("list", *([what] if what else []), "--json")
    found = json.loads(out)
    assert status == 0
    assert all(text for entries in found.values() for text in entries.values())
    if what:
        assert list(found) == [what]


def test_list_of_studies_has_the_library():
    found = json.loads(call("list", "studies", "--json")[1])["studies"]
    assert {"digits-optimizers", "logistic-descent", "mnist-ten"} <= set(found)


def test_data_commands(tmp_path):
    status, out, _ = call("data", "list", "--json")
    assert status == 0 and {"digits", "mnist", "csv"} <= {e["name"] for e in json.loads(out)}
    nowhere = {"DESCENTLAB_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    assert "DESCENTLAB_DATA" in refused("data", "path", "mnist", **nowhere)
    assert "did you mean 'mnist'" in refused("data", "path", "mnst")
    assert "scikit-learn" in call("data", "get", "digits")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "digits-optimiser"], "did you mean 'digits-optimizers'"),
        (["run", "nowhere.yaml"], "No such file"),
        (["run", "digits-optimizers", "--set", "model.activation=relu"], "the study varies"),
        (["run", "digits-optimizers", "--set", "epochs=0"], "run.epochs"),
        (
            ["run", "digits-optimizers", "--set", "batches.size=5000"],
            "larger than the training data",
        ),
        (["run", "digits-optimizers", "--seeds", "0"], "number of seeds"),
        (["run", "digits-optimizers", "--strategy", "fast"], "--strategy"),
        (["run", "digits-optimizers", "--seeds", "50000"], "--yes"),
        (["run", "digits-optimizers", "--out", "/dev/null/x"], "not a folder|is a file"),
        (["run", "digits-optimizers", "--out", "nosuch://x"], "cannot open nosuch://x"),
        (["show", "."], "no results folder"),
        (["report", "nowhere"], "no results folder"),
        (["curves", ".", "--metric", "x"], "no results folder"),
        (["list", "things"], "unknown list"),
    ],
)
def test_what_cannot_be_served_is_said_with_status_2(tmp_path, arguments, message):
    import re

    assert re.search(message, refused(*arguments, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: [", "not valid YAML"),
        ("a: " + "[" * 2000, "nested too deeply"),
        ("- 1", "expected a study"),
        ("1: 2", "fields of a study are words"),
        ("name: x", "run: this field is required"),
        ("name: x\nrun: {optimizer: adm, data: iris, model: mlp, epochs: 1}", "mean 'adam'"),
        (
            "name: x\n"
            "run: {data: {kind: csv, path: gone.csv}, model: mlp, optimizer: adam, epochs: 1}",
            "gone.csv is not there",
        ),
    ],
)
def test_bad_study_files_are_explained(tmp_path, text, message):
    (tmp_path / "x.yaml").write_text(text)
    assert message in refused("run", "x.yaml", cwd=tmp_path)
    assert not (tmp_path / "results").exists()


def test_a_read_only_folder_is_explained(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    assert "permission is denied" in refused("run", "digits-optimizers", "--out", tmp_path / "r")


LONG = {**STUDY, "name": "long", "seeds": 4}


# A session in the background ignores Ctrl-C, and so would its children.
LISTENING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["descentlab", "run", "long.yaml"]
from descentlab.cli import main
main()
"""


def start_long_study(folder):
    """Start a study of minutes, and return the process once it has saved something new."""
    segments = folder / "results" / "long" / "segments"
    before = set(segments.glob("*.parquet"))
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENING], cwd=folder, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and set(segments.glob("*.parquet")) <= before:
        time.sleep(0.05)
    assert process.poll() is None, "the study ended before it could be stopped"
    return process


def stretches(folder):
    """Return the stretches that are saved, by chunk: lists of (first step, last step)."""
    found: dict[str, list[tuple[int, int]]] = {}
    for path in sorted((folder / "results" / "long" / "segments").glob("*.parquet")):
        chunk, first, last = path.stem.rsplit("-", 2)
        found.setdefault(chunk, []).append((int(first), int(last)))
    return found


@pytest.mark.parametrize("killer", [signal.SIGINT, signal.SIGKILL])
def test_stopped_by_ctrl_c_or_killed_it_goes_on_where_it_was(tmp_path, killer):
    study = {**LONG, "run": {**LONG["run"], "epochs": 5_000_000, "record": {"every": 500_000}}}
    (tmp_path / "long.yaml").write_text(write_yaml(study))
    process = start_long_study(tmp_path)
    begun = time.monotonic()
    process.send_signal(killer)
    _, message = process.communicate(timeout=20)
    if killer == signal.SIGINT:
        assert time.monotonic() - begun < 2
        assert process.returncode == 130 and b"goes on" in message and b"Traceback" not in message
    saved = stretches(tmp_path)
    process = start_long_study(tmp_path)
    process.kill()
    process.communicate()
    later = stretches(tmp_path)
    assert all(later[chunk][: len(own)] == own for chunk, own in saved.items())
    assert sum(map(len, later.values())) > sum(map(len, saved.values()))
    for own in later.values():  # each begins where the one before it ended: nothing trained twice
        assert own[0][0] == 0 and all(a[1] == b[0] for a, b in itertools.pairwise(own))
