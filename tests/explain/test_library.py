"""The exercises that come with the lab, against the same worked a second time.

That is in ``tests.explain.by_hand``, under each of an exercise's conventions.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from descentlab.core.formulas import checked, parse
from descentlab.explain.build import build
from descentlab.explain.exercise import library, load_exercise, with_convention
from descentlab.explain.numbers import Numbers
from tests.explain.by_hand import BY_HAND, sigmoid


@cache
def graph_of(name, convention=None):
    found = load_exercise(name)
    if convention is not None:
        chosen = next(c for c in found.exercise.conventions if c.name == convention)
        found = with_convention(found, chosen)
    return build(found)


@cache
def numbers_of(name, convention=None):
    return Numbers(graph_of(name, convention))


def values_of(name, convention=None):
    return numbers_of(name, convention).values


EVERY_WAY = [
    (name, convention)
    for name in BY_HAND
    for convention in (None, *(c.name for c in load_exercise(name).exercise.conventions))
]


def test_the_library_is_what_was_promised():
    assert set(library()) == set(BY_HAND)
    for name in BY_HAND:
        assert load_exercise(name).exercise.exercise == name


@pytest.mark.parametrize(("name", "convention"), EVERY_WAY)
def test_all_that_is_asked_is_what_a_second_way_gives(name, convention):
    graph, values = graph_of(name, convention), values_of(name, convention)
    answer = BY_HAND[name](convention)
    assert set(graph.asked) == set(answer)
    for asked in graph.asked:
        np.testing.assert_allclose(
            values[asked], answer[asked], rtol=1e-11, atol=1e-13, err_msg=f"{name}: {asked}"
        )
        assert np.shape(values[asked]) == np.shape(answer[asked])


@pytest.mark.parametrize(("name", "convention"), [way for way in EVERY_WAY if way[1]])
def test_a_convention_changes_numbers_that_are_asked(name, convention):
    right, other = values_of(name), values_of(name, convention)
    asked = [n for n in graph_of(name).asked if n in other]
    changed = [n for n in asked if not np.allclose(right[n], other[n], rtol=1e-3, atol=0)]
    assert changed


@pytest.mark.parametrize(("name", "convention"), EVERY_WAY)
def test_every_gradient_has_a_formula(name, convention):
    graph = graph_of(name, convention)
    assert all(q.formula is not None for q in graph if q.kind == "gradient")


@pytest.mark.parametrize("name", ["backprop-2-2-1", "triplet-loss", "batch-norm"])
def test_the_terms_of_a_gradient_add_up_to_it(name):
    numbers = numbers_of(name)
    for quantity in numbers.graph:
        if quantity.kind == "gradient":
            total, value = sum(numbers.terms(quantity)), numbers.values[quantity.name]
            np.testing.assert_allclose(total, value, rtol=1e-12, atol=1e-13)


SLIPS = [(name, slip) for name in BY_HAND for slip in load_exercise(name).exercise.slips]


@pytest.mark.parametrize(("name", "slip"), SLIPS, ids=lambda x: getattr(x, "formula", x))
def test_a_slip_gives_another_number(name, slip):
    values = values_of(name)
    assert slip.quantity in graph_of(name).quantities
    wrong, right = checked(parse(slip.formula), values), values[slip.quantity]
    assert np.shape(wrong) == np.shape(right)
    assert np.max(np.abs(wrong - right)) > 1e-3 * np.max(np.abs(right))


@pytest.mark.parametrize("name", BY_HAND)
def test_slips_of_one_quantity_can_be_told_apart(name):
    values, seen = values_of(name), {}
    for slip in load_exercise(name).exercise.slips:
        wrong = checked(parse(slip.formula), values)
        for other in seen.get(slip.quantity, []):
            assert np.max(np.abs(wrong - other)) > 1e-3 * np.max(np.abs(other))
        seen.setdefault(slip.quantity, []).append(wrong)


def texts(exercise):
    yield exercise.title
    yield exercise.text
    for one in (*exercise.conventions, *exercise.slips):
        yield one.says


@pytest.mark.parametrize("name", BY_HAND)
def test_every_text_is_there_in_both_languages(name):
    for said in texts(load_exercise(name).exercise):
        assert re.search("[a-z]{2}", said.en)
        assert not re.search("[\u0600-\u06ff]", said.en)
        assert said.fa
        assert re.search("[آ-ی]{2}", said.fa)
        # Persian's own letters and digits, and not the Arabic ones that look alike.
        assert not re.search("[\u064a\u0643\u0629\u0660-\u0669]", said.fa)
        assert said.text("fa") != said.text("en")


def test_published_numbers_of_backpropagation():
    values = values_of("backprop-2-2-1")
    published = {"H3": 0.755, "y3": 0.680, "H4": 0.68}  # before the published slip
    for name, number in published.items():
        assert values[name] == pytest.approx(number, abs=1e-3)


def test_published_numbers_of_momentum():
    names = ("w1_new", "w2_new", "w3_new", "b_new")
    summed, averaged = (values_of("momentum-by-hand", c) for c in (None, "averaged-velocity"))
    assert [float(summed[n]) for n in names] == pytest.approx([8.08, 3.68, -2, 4.44])
    assert [float(averaged[n]) for n in names] == pytest.approx([1.7728, -0.2944, -1.1648, 1.452])


def test_published_numbers_of_dropout():
    name = "dropout-train-and-test"
    assert values_of(name)["train"] == 0
    found = [float(values_of(name, c)["test"]) for c in (None, "drop-rate", "inverted")]
    assert found == pytest.approx([2.1, 3.15, 5.25])


def test_the_logistic_slip_leaves_the_second_term_out():
    x, y, a = np.array([2.0, 4]), np.array([1.0, 0]), sigmoid([0.5, 1.5])
    slip = next(s for s in load_exercise("logistic-gradient").exercise.slips if s.quantity == "d_w")
    found = checked(parse(slip.formula), values_of("logistic-gradient"))
    assert found == pytest.approx(np.mean(-y * (1 - a) * x))
    assert values_of("logistic-gradient")["d_w"] == pytest.approx(np.mean((a - y) * x))


def test_a_bootstrap_sample_holds_what_simulation_finds():
    draws = np.random.default_rng(0).integers(10, size=(40_000, 10))
    times = (draws == 0).sum(axis=1)
    values = values_of("bootstrap-coverage")
    assert values["covered"] == pytest.approx(np.mean(times > 0), abs=0.01)
    assert values["once"] == pytest.approx(np.mean(times == 1), abs=0.01)


def test_slow_weights_are_the_average_that_they_unroll_to():
    values = values_of("lookahead-cycle")
    assert values["average"] == pytest.approx(float(values["w_new"]), rel=1e-14)
