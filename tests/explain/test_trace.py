"""Lines of a calculation: what is shown holds, digit by digit, and the chain rule makes it."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descentlab.core.formulas import evaluate, names_in, parse, written
from descentlab.explain.build import build
from descentlab.explain.exercise import library, load_exercise, parse_exercise
from descentlab.explain.numbers import Disagreement, Numbers
from descentlab.explain.showing.calculation import calculation as describe
from descentlab.explain.showing.calculation import plain, sections, to_json, worked
from descentlab.explain.showing.numerals import Summary, numeral, stated, summary
from descentlab.explain.showing.symbols import symbol_of
from descentlab.explain.showing.trace import lines

NETWORK = """
exercise: small
title: a layer
text: of two units
given: {x: [1, 2, -1], W: [[0.5, -0.25, 1], [0.1, 0.2, 0.3]], b: [0.1, -0.3], y: [1, 0], c: 0.5}
quantities:
  h: tanh(W @ x + b)
  out: c*h + c^2
  L: mse(out, y)
loss: L
gradients: [W, b, c]
"""


@cache
def numbers(name: str) -> Numbers:
    return Numbers(build(load_exercise(name)))


@cache
def calculated(name: str):
    return describe(name, name, name, numbers(name), 4)


@pytest.fixture(params=sorted(library()))
def calculation(request):
    return calculated(request.param)


def small(**given: str) -> str:
    """Return an exercise of formulas over given values."""
    known, formulas = given.pop("known"), "\n".join(f"  {k}: {v}" for k, v in given.items())
    return f"exercise: a\ntitle: a\ntext: a\ngiven: {known}\nquantities:\n{formulas}\n"


def shown_by_name(text: str, digits: int = 4) -> dict[str, str]:
    found = lines(graph := build(parse_exercise(text)), Numbers(graph), digits)
    return {line.name: written(line.shown) for line in found}


def test_every_formula_gives_its_value(calculation):
    values = {line.name: line.value for line in calculation.lines}
    for line in calculation.lines:
        if line.formula is not None:
            found = evaluate(parse(written(line.formula)), values)
            np.testing.assert_allclose(
                np.broadcast_to(found, line.value.shape), line.value, rtol=1e-9, atol=1e-14
            )


def test_numbers_put_in_give_the_result(calculation):
    for line in lines(calculation.graph, numbers(calculation.name), 13):
        if line.numbers is not None and not names_in(line.numbers):
            with np.errstate(all="ignore"):
                found = evaluate(parse(written(line.numbers)), {})
            found = np.broadcast_to(found, line.value.shape)
            np.testing.assert_allclose(found, line.value, rtol=1e-8, atol=1e-11)


def test_terms_add_up_to_each_gradient(calculation):
    for line in calculation.lines:
        assert bool(line.terms) == (line.kind == "gradient")
        if line.terms:
            total = sum(term.value for term in line.terms)
            scale = sum(np.abs(term.value).max() for term in line.terms)
            np.testing.assert_allclose(total, line.value, rtol=1e-9, atol=1e-12 * scale)


def test_factors_multiply_to_each_term(calculation):
    for line in calculation.lines:
        for term in line.terms:
            values = [factor.value for factor in term.factors]
            if all(value is not None for value in values):
                product = np.asarray(values[0]) * values[-1] if len(values) > 1 else values[0]
                total = product if product.shape == term.value.shape else product.sum()
                np.testing.assert_allclose(total, term.value, rtol=1e-9, atol=1e-14)


def test_local_factors_against_central_differences(calculation):
    values = {line.name: line.value for line in calculation.lines}
    formulas = {line.name: line.formula for line in calculation.lines}
    of = {q.name: q.of for q in calculation.graph}
    for line in calculation.lines:
        for term in line.terms:
            local = term.factors[-1].value
            x = values[of[line.name]]
            if local is None or x.shape:
                continue
            step = 1e-6 * max(1.0, abs(float(x)))
            ends = [
                evaluate(formulas[term.through], {**values, of[line.name]: x + s})
                for s in (step, -step)
            ]
            slope = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(local, slope, rtol=1e-5, atol=1e-7)


def test_vectors_and_matrices_have_their_terms():
    graph = build(parse_exercise(NETWORK))
    by_name = {line.name: line for line in lines(graph, Numbers(graph), 5)}
    (through_out,) = by_name["d_c"].terms
    upstream, local = (factor.value for factor in through_out.factors)
    assert upstream.shape == local.shape == (2,)
    assert upstream @ local == pytest.approx(float(by_name["d_c"].value), rel=1e-12)
    assert by_name["d_W"].terms[0].factors[-1].value is None
    assert by_name["d_W"].symbol.text == "∂L/∂W"
    assert written(by_name["L"].formula) == "sum((out - y)^2)/2"


class Shaken:
    """Numbers whose terms are not quite the gradient."""

    def __init__(self, graph, by: float) -> None:
        self.inner, self.by = Numbers(graph), by

    @property
    def values(self):
        return self.inner.values

    def terms(self, quantity):
        return [term * (1 + self.by) for term in self.inner.terms(quantity)]


def test_terms_that_do_not_make_the_gradient_are_never_shown():
    graph = build(load_exercise("backprop-2-2-1"))
    lines(graph, Shaken(graph, 1e-11), 4)
    with pytest.raises(Disagreement, match="chain rule"):
        lines(graph, Shaken(graph, 1e-7), 4)


@given(st.floats(-1e30, 1e30, allow_subnormal=False), st.integers(1, 11))
def test_a_numeral_is_within_half_of_its_last_digit(value, digits):
    text = numeral(value, digits)
    shown = Decimal(text)
    error = abs(shown - Decimal(value))
    last = Decimal(1).scaleb(shown.as_tuple().exponent)
    known = Decimal(f"{value:.15g}")
    assert error <= last / 2 + abs(Decimal(value) - known)
    significant = len(shown.as_tuple().digits)
    assert significant <= max(digits, 9) or "e" in text
    assert float(text) == pytest.approx(value, rel=0.6 * 10.0 ** (1 - digits))


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (8.080000000000002, 4, "8.08"), (0.7550000000000001, 4, "0.755"), (64.0, 4, "64"),
        (0.69998, 4, "0.7000"), (0.01810390383656677, 4, "0.01810"), (0.285, 2, "0.29"),
        (12345.678, 4, "12346"), (-0.19999999999999996, 4, "-0.2"), (0.99999, 4, "1.000"),
        (1e-8, 4, "1e-8"), (1.23456e-7, 3, "1.23e-7"), (6.02214076e23, 4, "6.022e23"),
        (0.0009290711608, 4, "0.0009291"), (-0.0, 4, "0"), (1e6, 4, "1000000"),
    ],
)  # fmt: skip
def test_numerals(value, digits, text):
    assert numeral(value, digits) == text


def test_a_given_number_is_shown_as_stated_unless_that_is_long():
    assert stated(0.123456, 4) == "0.123456"
    assert stated(0.12345678912, 4) == "0.1235"


def test_rounding_dust_is_nothing_and_a_tiny_number_is_not():
    text = small(
        known="{a: 0.1, b: 0.2, c: 0.3, t: 1.0e-18, v: [0.1, 0.7]}",
        dust="a + b - c", scaled="1000*dust", tiny="t*a", left="1 + dust",
        some="v*3 - [c, 1]", mean_of="mean(some*[1, 0])",
    )  # fmt: skip
    shown = shown_by_name(text)
    assert (shown["dust"], shown["scaled"], shown["left"]) == ("0", "0", "1")
    assert shown["tiny"] == "1e-19"
    assert shown["some"] == "[0, 1.1]"
    assert shown["mean_of"] == "0"


@pytest.mark.parametrize(
    "quantities",
    [
        "{F: 0.3*x + 0.6*x - 0.9*x + 0*w}",
        "{a: w*x, b: 3*x, F: (a - b/10)^2 + 1}",
        "{a: 0.1*x, b: 0.2*x, c: -0.3*x, F: a + b + c}",
    ],
)
def test_gradients_that_are_rounding_dust_are_nothing(quantities):
    text = small(known="{x: 0.7, w: 0.3}", y="1").partition("quantities")[0]
    text += f"quantities: {quantities}\nloss: F\ngradients: [x]\n"
    assert shown_by_name(text)["d_x"] == "0"


def test_large_arrays_are_summarised():
    values = np.random.default_rng(0).normal(size=(7, 8))
    rows = [[round(float(x), 6) for x in row] for row in values]
    graph = build(parse_exercise(small(known=f"{{M: {rows}}}", N="2*M", s="sum(N)")))
    by_name = {line.name: line for line in lines(graph, Numbers(graph), 4)}
    twice = 2 * np.asarray(rows)
    found = by_name["N"].shown
    assert isinstance(found, Summary)
    assert found.shape == (7, 8)
    assert found[1:] == pytest.approx(
        (twice.min(), twice.mean(), twice.max(), np.linalg.norm(twice)), rel=1e-12
    )
    assert by_name["s"].numbers is None, "nothing to put in"
    assert plain(twice).keys() == {"shape", "min", "mean", "max", "norm"}
    assert summary(np.array([[1.0, -1.0], [1e-17, 0.0]])).mean == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w13", "w13"), ("learning_rate", "learning_rate"), ("beta1", "β1"), ("beta_1", "β1"),
        ("mhat", "m̂"), ("mu", "μ"), ("what", "ŵ"), ("drop_rate", "drop_rate"), ("H", "H"),
        ("w_slow", "w_slow"), ("_x", "_x"), ("وزن", "وزن"),
    ],
)  # fmt: skip
def test_symbols_by_spelling(name, text):
    assert symbol_of(name).text == text


def test_symbols_of_a_calculation():
    found = {line.name: line.symbol.text for line in calculated("momentum-by-hand").lines}
    assert found["d_w1_2"] == "∂L⁽²⁾/∂w1⁽¹⁾"
    assert found["w1_new"] == "w1⁽²⁾"
    assert (found["learning_rate"], found["momentum"]) == ("η", "β")
    assert len(set(found.values())) == len(found)


def test_a_name_of_ones_own_keeps_its_letter():
    text = """
exercise: clash
title: a
text: a
given: {eta: 2, η: 3, w: 1}
quantities: {L: eta*w^2 + η}
loss: L
update: {optimizer: {kind: sgd, learning_rate: 0.5}, parameters: [w]}
"""
    found = {line.name: line.symbol.text for line in worked(parse_exercise(text)).lines}
    assert found["learning_rate"] != found["eta"] != found["η"] != found["learning_rate"]


def test_lines_are_in_parts():
    parts = [(s.part, s.step) for s in sections(calculated("momentum-by-hand"))]
    each = ["batch", "forward", "gradients", "update"]
    assert parts == [("given", None), *((part, step) for step in (1, 2) for part in each)]
    after = sections(calculated("lookahead-cycle"))[-1]
    assert (after.part, after.step) == ("after", None)
    alone = sections(calculated("bootstrap-coverage"))
    assert [section.part for section in alone] == ["given", "calculation"]


def test_json_holds_plain_values(calculation):
    found = to_json(calculation, "fa")
    assert found["language"] == "fa"
    assert [line["name"] for line in found["lines"]] == list(found["values"])
    for line, own in zip(found["lines"], calculation.lines, strict=True):
        if isinstance(line["value"], (float, list)):
            np.testing.assert_array_equal(line["value"], own.value)
        assert line["value"] == found["values"][line["name"]]
    assert set(found["asked"]) <= set(found["values"])
