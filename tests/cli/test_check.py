"""``descentlab check``: its exit statuses, its refusals, and what it writes."""

from __future__ import annotations

import csv
import json

import pytest

from tests.cli.test_cli import call, refused

RIGHT = "H3: 0.755\ny3: 0.680\n"
WRONG = "H3: 0.755\ny3: 0.608\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(("text", "status"), [(RIGHT, 0), (WRONG, 1)])
def test_the_status_says_whether_a_number_is_wrong(folder, text, status):
    (folder / "mine.yaml").write_text(text)
    done, out, _ = call("check", "backprop-2-2-1", "mine.yaml", "--json")
    assert done == status
    assert json.loads(out)["first_wrong"] == (None if status == 0 else "y3")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("other.yaml", "exercise: adam-two-steps\nw_1: 1\n", "other.yaml, line 1, column 11"),
        ("names.yaml", "w1_new: 8\n", "names.yaml, line 1, column 9: none of its names"),
        ("names.yaml", "w1_new: 8\n", "they fit momentum-by-hand"),
        ("bad.yaml", "H3: abc\n", "bad.yaml, line 1, column 5"),
        ("empty", None, "empty: no solutions in this folder"),
        ("none.yaml", None, "there is no file none.yaml"),
        ("heads.csv", "solution,H3\n", "no solutions in it"),
    ],
)
def test_what_cannot_be_checked_is_a_sentence(folder, name, text, says):
    if text is not None:
        (folder / name).write_text(text)
    assert says in refused("check", "backprop-2-2-1", name)


def test_a_class_whose_table_has_who_could_not_be_checked(folder):
    (folder / "class.csv").write_text("solution,H3,y3\nann,0.755,x\nbob,0.755,0.68\n")
    status, out, _ = call(
        "check", "backprop-2-2-1", "class.csv", "--csv", "scores.csv", "--html", "page.html"
    )
    assert status == 2
    assert "1 solutions, mean score 11 of 100." in out
    assert "Could not be checked: 1." in out
    assert "Could not be checked: 1." in (folder / "page.html").read_text()
    ann, bob = csv.DictReader((folder / "scores.csv").read_text().splitlines())
    assert "line 2, column 11" in ann["fault"]
    assert (bob["ok"], bob["wrong"]) == ("2", "0")


def test_persian_words_and_digits_go_together(folder):
    (folder / "mine.yaml").write_text(RIGHT)
    out = call("check", "backprop-2-2-1", "mine.yaml", "--language", "fa")[1]
    assert "11 از 100" in out
    out = call("check", "backprop-2-2-1", "mine.yaml", "--language", "fa", "--persian-digits")[1]
    assert "۱۱ از ۱۰۰" in out
