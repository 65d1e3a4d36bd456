"""``descentlab explain`` and ``list exercises``: text, JSON, a page, and clear refusals."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from descentlab.cli.app import app
from descentlab.core.errors import DescentLabError
from descentlab.explain.build import build
from descentlab.explain.exercise import library, load_exercise
from descentlab.explain.numbers import Numbers
from tests.cli.test_cli import call, refused

OWN = """
exercise: own
title: {en: A plane, fa: یک صفحه}
text: two numbers
given: {x: [1, 2], w: [[0.5, -1], [2, 0.25]]}
quantities: {h: w @ x, L: sum(h^2)}
loss: L
gradients: [w]
digits: 3
"""


def explained(*arguments, **options):
    status, out, message = call("explain", *arguments, **options)
    assert status == 0, message
    return out


def test_json_has_every_number():
    found = json.loads(explained("backprop-2-2-1", "--json", "--language", "fa"))
    values = Numbers(build(load_exercise("backprop-2-2-1"))).values
    assert found["values"] == pytest.approx({k: float(v) for k, v in values.items()}, rel=1e-12)
    assert (found["exercise"], found["language"]) == ("backprop-2-2-1", "fa")
    line = next(line for line in found["lines"] if line["name"] == "d_w13")
    assert (line["symbol"], line["formula"]) == ("∂E/∂w13", "d_H3*x1")
    (term,) = line["terms"]
    assert [factor["symbol"] for factor in term["factors"]] == ["∂E/∂H3", "∂H3/∂w13"]
    upstream, local = (factor["value"] for factor in term["factors"])
    assert local == 0.35
    assert upstream * local == pytest.approx(term["value"], rel=1e-9)
    assert term["value"] == pytest.approx(found["values"]["d_w13"], rel=1e-9)


def test_an_exercise_of_ones_own_as_text_and_as_a_page(tmp_path):
    (tmp_path / "own.yaml").write_text(OWN)
    out = explained("own.yaml", "--html", "own.html", "--digits", "5", cwd=tmp_path)
    assert out.startswith("A plane\n")
    assert "w @ x" in out
    assert max(map(len, out.splitlines())) <= 80
    page = (tmp_path / "own.html").read_text(encoding="utf-8")
    assert "<math" in page and "A plane" in page
    persian = explained("own.yaml", "--language", "fa", "--persian-digits", cwd=tmp_path)
    assert persian.startswith("یک صفحه")
    assert "۲٫۵" in persian


def test_digits_as_asked():
    assert "0.68026720" in explained("backprop-2-2-1", "--digits", "8")
    assert "0.68" in explained("backprop-2-2-1", "--digits", "2")


REFUSED = {
    ("backprob-2-2-1",): "did you mean 'backprop-2-2-1'",
    ("backprop-2-2-1", "--language", "xx"): "--language",
    ("backprop-2-2-1", "--run", "c00-s0"): "--run: 'backprop-2-2-1' is an exercise",
    ("backprop-2-2-1", "--step", "2"): "--step: 'backprop-2-2-1' is an exercise",
    ("own.yaml", "--run", "c00-s0"): "--run: own.yaml is a file",
    ("own.yaml", "--html", "own.yaml"): "cannot write own.yaml",
    ("own.yaml", "--html", "no/such/folder.html"): "cannot write",
    ("own.yaml", "--html", "empty"): "cannot write empty",
    ("bad.yaml",): "bad.yaml, line 6",
    ("none.yaml",): "there is no file none.yaml",
    ("empty",): "empty",
    ("empty", "--run", "c00-s0"): "empty",
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_cannot_be_served(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text(OWN)
    (tmp_path / "bad.yaml").write_text(OWN.replace("sum(h^2)", "sum(k^2)"))
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(app, ["explain", *arguments])
    assert isinstance(done.exception, DescentLabError)
    assert REFUSED[arguments] in str(done.exception)
    assert done.output == ""
    assert (tmp_path / "own.yaml").read_text() == OWN


def test_a_refusal_is_a_sentence():
    assert "did you mean" in refused("explain", "backprob-2-2-1")
    assert "--digits" in refused("explain", "backprop-2-2-1", "--digits", "0")


def test_help_says_what_there_is():
    status, out, _ = call("explain", "--help", TERMINAL_WIDTH="100")
    assert status == 0
    for option in ("--run", "--step", "--json", "--html", "--language", "--digits"):
        assert option in out


def test_list_of_exercises():
    found = json.loads(call("list", "exercises", "--json")[1])
    assert list(found) == ["exercises"]
    assert found["exercises"].keys() == library().keys()
    everything = json.loads(call("list", "--json")[1])
    assert everything["exercises"] == found["exercises"]
    assert "exercises" in refused("list", "exercizes")
