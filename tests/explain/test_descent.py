"""One update of a descent in the method's own formulas: what it says is what the descent did."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from descentlab.engine.descents.run import run
from descentlab.explain.descent import worked_update
from descentlab.explain.language import Language
from descentlab.objectives.landscape_catalogue import find_landscape

WITH_FORMULAS = [
    "gd lr=0.0005",
    "gd lr=0.0005 lr_decay=0.1",
    "momentum lr=0.0002",
    "momentum lr=0.0002 lr_decay=0.01",
    "nesterov lr=0.0002",
    "adagrad lr=0.1",
    "rmsprop lr=0.01 lr_decay=0.01",
    "adam lr=0.01",
    "adamw lr=0.01 lr_decay=0.1",
    "nadam lr=0.01",
    "adabelief lr=0.01 rectify=false",
    "lion lr=0.01",
    "lookahead inner.kind=sgd inner.learning_rate=0.0005",
]


@pytest.mark.parametrize("method", WITH_FORMULAS)
@pytest.mark.parametrize("at", [1, 2, 7])
def test_formulas_give_the_new_point(method, at):
    (descent,) = run(find_landscape("rosenbrock"), [method], (-1.54, -0.64), 10)
    lines = {line["name"]: line for line in worked_update(descent, at, Language())}
    assert {"w1", "w2", "d_w1", "d_w2", "w1_new", "w2_new"} <= set(lines)
    assert len(lines) > 6  # settings and buffers are there too
    for number, name in enumerate(("w1", "w2")):
        assert lines[name]["value"] == descent.iterates[at - 1][number]
        assert lines[f"d_{name}"]["value"] == descent.gradients[at - 1][number]
        assert lines[f"{name}_new"]["value"] == pytest.approx(
            descent.iterates[at][number], rel=1e-9
        )


@pytest.mark.parametrize("method", ["muon", "lbfgs", "newton", "saddle_free"])
def test_methods_without_formulas_by_coordinates_show_what_they_made(method):
    (descent,) = run(find_landscape("rosenbrock"), [method], (-1.54, -0.64), 5)
    lines = {line["name"]: line["value"] for line in worked_update(descent, 4, Language())}
    assert [lines["w1"], lines["w2"]] == descent.iterates[3].tolist()
    assert [lines["w1_new"], lines["w2_new"]] == descent.iterates[4].tolist()


def test_lines_are_mathml_in_the_digits_asked_for():
    (descent,) = run(find_landscape("himmelblau"), ["adam lr=0.1"], (0.5, 4.0), 3)
    for line in worked_update(descent, 3, Language("fa", persian_digits=True)):
        root = ElementTree.fromstring(line["math"].replace("&nbsp;", " "))
        numbers = "".join(part.text or "" for part in root.iter() if part.tag == "mn")
        assert not set(numbers) & set("0123456789")


def test_a_descent_that_has_left_all_numbers_shows_no_false_formula():
    (descent,) = run(find_landscape("rosenbrock"), ["gd lr=0.1"], (-1.54, -0.64), 20)
    at = descent.diverged_at
    assert at is not None
    lines = {line["name"]: line["value"] for line in worked_update(descent, at - 1, Language())}
    assert np.isfinite(lines["w1"])
