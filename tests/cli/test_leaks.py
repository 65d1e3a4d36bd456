"""``descentlab data leaks``: sentences, table, JSON and exit statuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.cli.test_cli import call, refused


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with groups, in which no two rows are alike, and one with a copy."""
    place = tmp_path_factory.mktemp("leaks")
    rng = np.random.default_rng(0)
    rows = [
        f"{a:.6f},{b:.6f},{i % 2},[red]p{i % 9}"
        for i, (a, b) in enumerate(rng.normal(size=(60, 2)))
    ]
    header = "a,b,label,patient\n"
    (place / "clean.csv").write_text(header + "\n".join(rows))
    (place / "copies.csv").write_text(header + "\n".join([*rows, *rows]))
    return place


def test_status_0_where_nothing_leaks(folder):
    status, out, message = call("data", "leaks", "digits", cwd=folder)
    assert (status, message) == (0, "")
    assert out.startswith("digits: 1,438 training and 359 test examples")
    assert "No test example is an exact copy" in out


def test_status_1_where_something_does(folder):
    status, out, message = call("data", "leaks", "clean.csv", "--group", "patient", cwd=folder)
    assert (status, message) == (1, "")
    sentence = "12 of 12 test examples (100 %) share a patient with training examples"
    assert sentence in " ".join(out.split())
    assert "[red]p3" in out  # an id is no markup


def test_json_holds_the_same(folder):
    options = ("--test", "40", "--seed", "1", "--json")
    status, out, _ = call("data", "leaks", "copies.csv", "--group", "patient", *options, cwd=folder)
    found = json.loads(out)
    assert status == 1 and found["leaks"] and (found["train"], found["test"]) == (80, 40)
    assert found["exact"]["examples"] > 10 and found["exact"]["different_labels"] == 0
    assert all(abs(p["test"] - p["train"]) == 60 for p in found["exact"]["pairs"])
    assert found["groups"]["examples"] == 40
    assert len(found["verdict"]) == 3


def test_a_threshold_is_taken(folder):
    def near(threshold):
        out = call("data", "leaks", "digits", "--near", threshold, "--json", cwd=folder)[1]
        return json.loads(out)["near"]

    assert near(0.6)["threshold"] == 0.6
    assert near(0.6)["examples"] > near(0.2)["examples"] == 0


def test_status_2_for_bad_input(folder):
    assert "did you mean 'mnist'" in refused("data", "leaks", "mnst")
    assert "did you mean 'patient'" in refused(
        "data", "leaks", "clean.csv", "--group", "patent", cwd=folder
    )
    assert "threshold between 0 and 1" in refused("data", "leaks", "iris", "--near", "3")
    assert "share below 1" in refused("data", "leaks", "iris", "--test", "-1")
    assert "no column 'label'" not in refused("data", "leaks", "no.csv")


def test_another_label_column(folder):
    status, out, _ = call("data", "leaks", "clean.csv", "--label", "patient", "--json", cwd=folder)
    assert status == 0 and json.loads(out)["groups"] is None
