"""The safe formula parser: what it reads, what it refuses and where, and what it gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descentlab.core.formulas import FormulaError, checked, evaluate, names_in, parse, written
from descentlab.core.formulas.functions import FUNCTIONS

NAMES = {"x": 1.5, "y": -0.25, "w13": 2.0}


def formulas():
    leaves = st.sampled_from(["x", "y", "w13", "2", "0.5", "1e-3", "۱۲٫۵"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/"), inner).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            inner.map(lambda t: f"-{t}"),
            inner.map(lambda t: f"sigmoid({t})"),
            inner.map(lambda t: f"({t})^2"),
        ),
        max_leaves=12,
    )


@given(formulas())
def test_what_is_written_parses_to_the_same_tree(text):
    tree = parse(text)
    assert parse(written(tree)) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x^2", -2.25),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
        ("-2*-3", 6.0),
        ("x**2", 2.25),
        ("۲×۳٫۵", 7.0),
        ("٢ − ١", 1.0),
        ("1.5e-3*2", 0.003),
        ("[1, 2] @ [3, 4]", 11.0),
        ("[[1, 2], [3, 4]][2, 1]", 3.0),
        ("sum([1, 2, 3])/size([1, 2, 3])", 2.0),
    ],
)
def test_values(text, value):
    assert evaluate(parse(text), NAMES) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("2w", 1, "a product is written with *, as 2*w"),
        ("a +", 3, "the formula ends here"),
        ("(a + b", 0, "never closed"),
        ("a)", 1, "expected an operation"),
        ("sigmod(a)", 0, "did you mean 'sigmoid'?"),
        ("mse(a)", 0, "mse(a, y) takes 2, and 1 are given"),
        ("y = 2", 2, "a formula is one side alone"),
        ("a² + 1", 1, "write x^2"),
        ("h[0]", 1, "from 1 on"),
        ("h[1.5]", 1, "from 1 on"),
        ("", 0, "expected a number"),
        ("sigmoid()", 8, "nothing between"),
        ("__import__('os').system('x')", 11, "no part of a formula"),
        ("a.real", 1, "no part of a formula"),
        ("lambda: 1", 6, "no part of a formula"),
        ("a; b", 1, "no part of a formula"),
        ("a\x00", 1, "U+0000"),
    ],
)
def test_what_is_no_formula_is_refused_in_its_place(text, at, says):
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert caught.value.at == at


@pytest.mark.parametrize(
    "text",
    ["(" * 60 + "1" + ")" * 60, "-" * 60 + "1", "2^" * 60 + "1", "+".join("1" * 300), "1" * 2000],
)
def test_length_and_depth_are_bounded(text):
    with pytest.raises(FormulaError, match=r"levels deep|in a row|characters"):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_an_error_with_a_column(text):
    try:
        tree = parse(text)
    except FormulaError as error:
        assert 0 <= error.at <= max(len(text), 1)
    else:
        assert parse(written(tree)) == tree


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1/(x - x)", "division by zero: 'x - x' is 0"),
        ("log(y)", "log of -0.25"),
        ("sqrt(y)", "sqrt of -0.25"),
        ("exp(1000*x)", "has no finite value"),
        ("0^-1", "no finite value"),
        ("A @ v", "'A' is 2 × 3 numbers, 'v' is a vector of 2"),
        ("v[3]", "there is no element [3]"),
        ("A + v", "shapes that do not fit"),
        ("q + x", "unknown name 'q'"),
        ("solve(A @ transpose(A), v)", "singular"),
        ("solve(v, v)", "shapes that do not fit"),
        ("solve(A, v)", "shapes that do not fit"),
        ("solve(transpose(A) @ A, A)", "shapes that do not fit"),
        ("softmax(x)", "'x' is a number"),
        ("log_softmax(x)", "'x' is a number"),
        ("rows(x)", "'x' is a number"),
        ("outer(A, v)", "'A' is 2 × 3 numbers"),
        ("convolve(A, transpose(A))", "shapes that do not fit"),
    ],
)
def test_faults_of_values_say_what_is_wrong(text, says):
    values = NAMES | {"A": np.ones((2, 3)), "v": np.ones(2)}
    with pytest.raises(FormulaError) as caught:
        checked(parse(text), values)
    assert says in str(caught.value)


def test_jax_gives_what_numpy_gives():
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    shapes = {"A": (3, 3), "kernel": (2, 2), "image": (4, 4), "like": (4,), "number": ()}
    with jax.enable_x64(True):
        for name, function in FUNCTIONS.items():
            arguments = [
                rng.uniform(0.1, 0.9, shapes.get(a, (3,))) if a != "number" else np.array(2.0)
                for a in function.arguments
            ]
            if name == "place":
                arguments[0] = np.array(0.3)
            if name == "fill":
                arguments = [np.array(0.3), arguments[1]]
            ours = function.apply(np, *arguments)
            other = function.apply(jnp, *map(jnp.asarray, arguments))
            np.testing.assert_allclose(other, ours, rtol=1e-13, err_msg=name)


@pytest.mark.parametrize("x", [-800.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 800.0])
def test_sigmoid_and_softplus_keep_their_digits(x):
    from scipy import special

    assert evaluate(parse("sigmoid(x)"), {"x": x}) == pytest.approx(special.expit(x), rel=1e-13)
    assert evaluate(parse("softplus(x)"), {"x": x}) == pytest.approx(np.logaddexp(0, x), rel=1e-13)


def test_names_are_told_with_their_columns():
    assert names_in(parse("w13*x1 + w13/exp(y)")) == {"w13": 0, "x1": 4, "y": 17}
