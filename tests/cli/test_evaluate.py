"""``descentlab evaluate``: what it prints and writes, and what it says where it cannot."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from descentlab.cli.evaluating import evaluate as command
from descentlab.core.errors import StoreError
from descentlab.evaluation import evaluate
from tests.cli.test_cli import call, refused
from tests.evaluation.test_files import scored, text, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions of two models, and of other examples; one with names, an absent class."""
    place = tmp_path_factory.mktemp("evaluate")
    labels, scores, columns = scored("logit", n=300)
    write(place / "model.csv", columns)
    (place / "second").mkdir()
    shaken = scores + np.random.default_rng(1).normal(0, 3, scores.shape)
    worse = columns | {f"logit_{k}": shaken[:, k] for k in range(3)}
    write(place / "second" / "model.csv", worse)
    write(place / "other.csv", columns | {"label": np.roll(labels, 1)})
    np.savez(place / "skin.npz", label=[*"aab<"] * 9, prediction=[*"aabb"] * 9)
    return place


def evaluated(folder: Path, name: str = "model.csv", *options: Any) -> tuple[str, str]:
    status, out, message = call("evaluate", name, *options, cwd=folder)
    assert status == 0, message
    return out, message


def expected(**options: Any) -> dict[str, Any]:
    labels, scores, _ = scored("logit", n=300)
    return evaluate(labels, logits=scores, **options).to_json()


def constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def strict(out: str) -> dict[str, Any]:
    return json.loads(out, parse_constant=constant)


def flat(out: str) -> str:
    return " ".join(out.split())


def test_the_first_lines_are_the_verdict(folder: Path) -> None:
    out, message = evaluated(folder)
    assert flat(out).startswith(flat(" ".join(expected()["verdict"])))
    assert "300 examples, 3 classes, scores: logits" in out and message == ""
    for word in ("balanced accuracy", "majority", "macro AUC", "Largest confusions", "Notes"):
        assert word in out
    assert "\x1b" not in out and "nan" not in out.lower()


def test_json_is_strict_and_has_the_keys_of_the_contract(folder: Path) -> None:
    found = strict(evaluated(folder, "model.csv", "--json", "--recall-at-least", "0.8")[0])
    assert found == json.loads(json.dumps(expected(recall_at_least=0.8)))
    interval = {"value", "low", "high"}
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "matthews", "kappa",
                 "log_loss", "brier"):  # fmt: skip
        assert interval <= set(found[name]), name
    assert all(interval <= set(found["auc"][name]) for name in ("macro", "weighted", "micro"))
    assert found["examples"] == 300 and found["classes"] == ["0", "1", "2"]
    for row in found["per_class"]:
        assert {"class", "support", "precision", "recall", "f1", "auc"} <= set(row)
    assert np.sum(found["confusion_matrix"]) == 300
    assert {"majority", "stratified"} <= set(found["baselines"])
    assert all(isinstance(sentence, str) for sentence in found["verdict"])
    assert [each["target"] for each in found["recall_targets"]] == [0.8] * 3


def test_undefined_figures_are_null_with_a_reason(folder: Path) -> None:
    found = strict(evaluated(folder, "skin.npz", "--json")[0])
    assert found["classes"] == ["<", "a", "b"]
    assert found["per_class"][0]["precision"] == {"value": None, "reason": "undefined (n = 0)"}
    assert found["macro_precision"]["over"] == ["a", "b"]
    assert found["log_loss"] == {"value": None, "reason": "undefined (no scores)"}


def test_a_page_is_one_file_that_needs_no_other(folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    out, message = evaluated(folder, "skin.npz", "--html", "skin.html", "--recall-at-least", "1")
    assert message == "skin.html: written\n" and "Recall targets" in out
    assert {path.name for path in folder.iterdir()} == before | {"skin.html"}
    page = (folder / "skin.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>") and "</html>" in page
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!#|data:)[^\s>]""", page)
    assert not re.search(r"@import|url\((?!['\"]?(#|data:))", page)
    assert "never finds &#x27;&lt;&#x27;" in page or "never finds '&lt;'" in page
    assert str(folder) not in page


def test_recall_targets_are_answered(folder: Path) -> None:
    out, _ = evaluated(folder, "model.csv", "--recall-at-least", "0.85")
    rows = out.split("Recall targets")[1].split("Notes")[0].splitlines()
    for each in expected(recall_at_least=0.85)["recall_targets"]:
        row = next(row for row in rows if row.startswith(f"{each['class']} "))
        threshold = f"{each['threshold']:.3f}".replace("-", "−")
        for part in ("≥ 0.85", each["answer"], threshold, str(each["flagged"])):
            assert part in row, (part, row)
    assert "thresholds are such log-odds" in flat(out)


def test_two_models_are_compared_under_names_that_differ(folder: Path) -> None:
    out, _ = evaluated(folder, "model.csv", "--against", "second/model.csv", "--json")
    compared = strict(out)["comparison"]
    (sentence,) = compared["verdict"]
    assert ": model.csv is better" in sentence and "second/model.csv answers" in sentence
    assert compared["examples"] == 300
    gap = compared["differences"]["accuracy"]
    assert gap["low"] <= gap["value"] <= gap["high"]
    assert gap["value"] == pytest.approx((compared["only_first"] - compared["only_second"]) / 300)


BAD = {
    "nothing.csv": ("", "[Ee]mpty"),
    "column.csv": ("labels,prediction\n0,1\n", "expected a column 'label'.*is it 'labels'"),
    "alone.csv": ("label\n0\n", "expected 'prediction'"),
    "sum.csv": ("label,probability_0,probability_1\n0,0.5,0.4\n", "sum to 1; example 0"),
    "class.csv": ("label,logit_0,logit_1\n7,1,2\n", r"label 7 \(example 0\) is none of"),
    "damaged.parquet": ("PAR1", "damaged.parquet"),
    "damaged.npz": ("PK", "damaged.npz"),
    "model.xlsx": ("x", "expected a prediction file"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_file_is_named_with_its_fault(tmp_path: Path, name: str) -> None:
    content, fault = BAD[name]
    text(tmp_path / name, content)
    message = refused("evaluate", name, "--json", cwd=tmp_path)
    assert message.startswith(f"descentlab: {name}: ") and len(message.splitlines()) == 1
    assert re.search(fault, message)


REQUESTS = [
    (["gone.csv"], "gone.csv: no such file"),
    (["model.csv", "--recall-at-least", "2"], "model.csv: expected a recall above 0 and at most 1"),
    (["model.csv", "--html", "no/x.html"], "cannot write no/x.html: No such file or directory"),
    (["model.csv", "--html", "second/../model.csv"], "it holds the predictions; name another"),
    (["model.csv", "--against", "other.csv"], "model.csv and other.csv: the labels differ in"),
]


@pytest.mark.parametrize("place", ["no/x.html", "second"])
def test_where_a_page_cannot_be_written_is_said_before_the_work(
    folder: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: Any, **__: Any) -> None:
        raise AssertionError("the work was begun")

    monkeypatch.setattr("descentlab.evaluation.files.evaluate_file", work)
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    with pytest.raises(StoreError, match=f"cannot write {place}: (No such file|Is a directory)"):
        command("model.csv", json=False, html=Path(place), recall=None, against=None)
    assert sorted(folder.rglob("*")) == before


def test_a_page_that_was_there_stays_where_the_work_fails(folder: Path) -> None:
    (folder / "old.html").write_text("old")
    refused("evaluate", "gone.csv", "--html", "old.html", cwd=folder)
    assert (folder / "old.html").read_text() == "old"
    refused("evaluate", "gone.csv", "--html", "new.html", cwd=folder)
    assert not (folder / "new.html").exists()


@pytest.mark.parametrize(("options", "fault"), REQUESTS)
def test_what_cannot_be_served_is_said(folder: Path, options: list[str], fault: str) -> None:
    before = (folder / "model.csv").read_bytes()
    message = refused("evaluate", *options, cwd=folder)
    assert fault in message and len(message.splitlines()) == 1
    assert (folder / "model.csv").read_bytes() == before
