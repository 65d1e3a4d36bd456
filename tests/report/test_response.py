"""The final metric against what varies: which lines, what they say, when there is none."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from descentlab.report.answers import answers
from descentlab.report.html import page
from descentlab.report.response import Scale, _ticks, find, responses
from tests.studies.claims.conftest import made  # noqa: F401 (a fixture)

RATES = [0.001, 0.01, 0.1, 1.0, 10.0]


def outcome(labels, seed, random):
    """A valley over the learning rate; the largest diverges with every other seed."""
    rate = float(labels["optimizer.learning_rate"])
    if rate == 10 and seed % 2:
        return None
    return {"test_loss": [9.0, float(np.log10(rate / 0.1) ** 2 + 1 + random.normal(0, 0.01))]}


@pytest.fixture
def result(made):  # noqa: F811
    vary = {"optimizer.learning_rate": RATES, "model.activation": ["relu", "tanh"]}
    return made(outcome, [], vary=vary)


def test_a_line_for_each_combination_of_the_rest_through_every_value(result) -> None:
    (response,) = find(result, answers(result))
    assert response.path == "optimizer.learning_rate"
    assert set(response.lines) == {"activation relu", "activation tanh"}
    frame = result.frame()
    for own in response.lines.values():
        assert [number for number, _ in own] == RATES
        for _, row in own:
            mine = frame[(frame["configuration"] == row.id) & ~frame["diverged"]]["test_loss"]
            interval = row.metrics["test_loss"]
            low, high = stats.ttest_1samp(mine, 0).confidence_interval(0.95)
            assert (interval.mean, interval.low, interval.high) == pytest.approx(
                (mine.mean(), low, high)
            )


def test_the_plot_names_its_axes_and_says_what_diverged(result) -> None:
    text = str(responses(result, answers(result)))
    assert "Final test loss by learning rate" in text
    assert "learning rate (log scale)" in text
    for tick in ("0.001", "0.01", "0.1", "1", "10"):
        assert f">{tick}</text>" in text
    assert "× at the upper edge marks values at which runs diverged" in text
    assert "3 of 6 at 10 (activation relu)" in text
    assert "diverged" in text
    assert text in page(result)


def test_no_plot_for_three_values_for_words_or_for_a_search(made) -> None:  # noqa: F811
    vary: dict[str, Any] = {
        "optimizer.learning_rate": RATES[:3],
        "model.activation": ["relu", "tanh"],
    }
    result = made(outcome, [], vary=vary)
    assert responses(result, answers(result)) is None


def test_a_search_has_a_section_of_its_own(result) -> None:
    found = answers(result)
    searched = SimpleNamespace(
        study=SimpleNamespace(search=object()), configurations=result.configurations
    )
    assert responses(searched, found) is None
    assert responses(result, found) is not None


def test_a_number_that_a_named_group_sets_has_a_plot_too(made) -> None:  # noqa: F811
    budget = {
        f"n{n}": {"epochs": n, "optimizer.learning_rate": rate}
        for n, rate in zip((1, 2, 4, 8), (0.1, 0.05, 0.03, 0.02), strict=True)
    }

    def falling(labels, seed, random):
        return {"test_loss": [9.0, 1 / float(labels["budget"][1:]) + random.normal(0, 0.01)]}

    result = made(falling, [], vary={"budget": budget})
    found = find(result, answers(result))
    assert {each.path for each in found} == {"epochs", "optimizer.learning_rate"}
    assert all(len(each.lines) == 1 for each in found)
    text = str(responses(result, answers(result)))
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_eight_lines_at_most_the_best_ones(made) -> None:  # noqa: F811
    vary = {"optimizer.learning_rate": RATES[:4], "model.hidden": [[n] for n in range(2, 12)]}

    def wider(labels, seed, random):
        return {"test_loss": [9.0, 1 / float(labels["model.hidden"]) + random.normal(0, 1e-4)]}

    result = made(wider, [], vary=vary, seeds=2)
    (response,) = find(result, answers(result))
    assert set(response.lines) == {f"hidden {n}" for n in range(4, 12)}
    assert response.left_out == 2
    assert "Shown are 8 of 10 combinations" in str(responses(result, answers(result)))


def test_zero_stands_one_step_left_of_the_smallest_value(made) -> None:  # noqa: F811
    decays = [0.0, 1e-6, 1e-5, 1e-4, 1e-3, 10.0]

    def flat(labels, seed, random):
        return {"test_loss": [9.0, 1 + random.normal(0, 0.01)]}

    result = made(flat, [], vary={"optimizer.l2": decays})
    scale = Scale.of(decays)
    assert [scale.at(v) for v in decays] == pytest.approx([-7, -6, -5, -4, -3, 1])
    text = str(responses(result, answers(result)))
    assert "l2 (log scale)" in text and "it stands left of the break (//)" in text
    assert not re.search(r">0\.0\d*1</text>", text)  # all ticks are powers of ten
    assert "10⁻⁶" in text and "10⁻⁵" in text and ">0</text>" in text
    assert not Scale.of([-1.0, 0.1, 100.0]).log and not Scale.of([0.0, 1.0, 50.0]).log


def test_lines_join_only_what_differs_in_nothing_else(made) -> None:  # noqa: F811
    """Remedies of which some set the rate are no sweep of it; one by rule, beside them, is."""
    remedies = {
        "none": {"optimizer.learning_rate": 1.0},
        "less": {"optimizer.learning_rate": 0.3},
        "much less": {"optimizer.learning_rate": 0.1},
        "hardly any": {"optimizer.learning_rate": 0.03},
        "longer": {"epochs": 9},
    }
    rules = {
        "plain": {"optimizer": {"kind": "sgd"}},
        "heavy": {"optimizer": {"kind": "sgd", "momentum": 0.9}},
    }
    rates = [0.2, 0.4, 0.6, 0.8]

    def flat(labels, seed, random):
        return {"test_loss": [9.0, 1 + random.normal(0, 0.01)]}

    sweep = {"rule": rules, "optimizer.learning_rate": rates}
    result = made(flat, [], vary=[{"remedy": remedies}, sweep])
    (response,) = find(result, answers(result))
    assert response.path == "optimizer.learning_rate"
    assert set(response.lines) == {"rule plain", "rule heavy"}
    for own in response.lines.values():
        assert [number for number, _ in own] == rates


def test_doubled_values_are_on_a_log_scale_and_texts_do_not_overlap() -> None:
    assert Scale.of([0.0003, 0.001, 0.003, 0.01, 0.03]).log
    assert Scale.of([1024, 2048, 4096, 8192, 16384]).log
    assert not Scale.of([1.0, 2.0, 3.0, 4.0, 5.0]).log and not Scale.of([0.5, 0.9, 0.99]).log
    ticks = _ticks({0.0, 0.01, 0.02, 0.5, 0.99, 1.0}, Scale(log=False))
    assert [text for _, text in ticks] == ["0", "", "", "0.5", "", "1"]
