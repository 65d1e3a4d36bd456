"""What is said of descents that leave the map, begin at no number, or fall for ever."""

from __future__ import annotations

import pytest

from descentlab.engine.descents.diagnosis import diagnose
from descentlab.engine.descents.run import run
from descentlab.objectives.landscape_catalogue import find_landscape


def said(landscape, method, start, steps=150):
    (descent,) = run(find_landscape(landscape), [method], start, steps)
    found = diagnose(descent)
    return found.outcome, " ".join(found.sentences)


def test_a_fall_along_negative_curvature_is_no_matter_of_the_rate():
    outcome, text = said("hyperbolic_saddle", "gd lr=0.1", (1.5, 0.01))
    assert outcome == "diverges"
    assert "no learning rate brings it to rest" in text
    assert "stable" not in text


@pytest.mark.parametrize("formula", ["log(w1)", "sqrt(w1) + w2^2", "w1^w2"])
def test_a_start_where_there_is_no_cost_cannot_be_begun_from(formula):
    outcome, text = said(formula, "gd lr=0.01", (-2.0, 0.5))
    assert outcome == "diverges"
    assert "no finite number" in text
    assert "nan" not in text


def test_a_rate_beyond_all_numbers_has_no_share_of_a_limit():
    _, text = said("rosenbrock", "rmsprop lr=1e308", (-1.54, -0.64))
    assert "inf of" not in text
    assert "after 1 update cost" in text
