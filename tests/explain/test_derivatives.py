"""Derivatives as formulas: each is JAX's at random points, alone and inside other formulas."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descentlab.core.formulas import Name, evaluate, names_in, parse, written
from descentlab.core.formulas.functions import FUNCTIONS
from descentlab.explain.derivatives import BY_FUNCTION, CONSTANT, NoFormula, adjoints

ENTROPY = parse("cross_entropy(p, y)")

SHAPES = {
    "s": (), "t": (), "p": (), "v": (3,), "u": (3,), "w": (2,), "M": (2, 3), "N": (2, 3),
    "R": (3, 4), "S": (3, 3), "k": (2, 2), "image": (4, 5),
}  # fmt: skip
"""Names by shape, for formulas to be made of."""


def points(seed, low=0.2, high=0.9):
    """Every name's value: inside every function's domain, and nowhere on an edge."""
    source = np.random.default_rng(seed)
    values = {name: source.uniform(low, high, shape) for name, shape in SHAPES.items()}
    values["S"] = values["S"] + 3 * np.eye(3)
    return values


def check(text, seed=0, values=None):
    """Compare every name's share of ∂loss/∂name with JAX's, for a random ∂loss/∂out."""
    tree = parse(text)
    values = points(seed) if values is None else values
    names = list(names_in(tree))
    with jax.enable_x64(True):
        out, pull = jax.vjp(
            lambda own: jnp.asarray(evaluate(tree, {**values, **own}, jnp)),
            {name: jnp.asarray(values[name]) for name in names},
        )
        adjoint = np.random.default_rng(seed + 1).normal(size=out.shape)
        expected = jax.device_get(pull(jnp.asarray(adjoint))[0])
        out = np.asarray(out)
    shares = adjoints("out", tree, Name("d_out"), {**values, "out": out})
    assert set(shares) == set(names)
    for name, share in shares.items():
        found = evaluate(share, {**values, "out": out, "d_out": adjoint})
        shown = f"∂{text}/∂{name} as {written(share)}"
        assert np.shape(found) == np.shape(values[name]), shown
        np.testing.assert_allclose(found, expected[name], rtol=1e-9, atol=1e-12, err_msg=shown)
    return shares


BY_ELEMENT = [
    "sigmoid", "tanh", "relu", "softplus", "elu", "selu", "normal_cdf", "exp", "log", "sqrt",
    "abs", "sin", "cos",
]  # fmt: skip

CALLS = [
    *(f"{function}({name})" for function in BY_ELEMENT for name in ("s", "v", "M")),
    *(f"{function}({name} - 0.5)" for function in BY_ELEMENT for name in ("s", "v", "M")
      if function not in ("log", "sqrt")),
    *(f"leaky_relu({a}, {b})" for a, b in ("sp", "vs", "Ms", "vu", "Mv")),
    *(f"leaky_relu({a} - 0.5, {b})" for a, b in ("st", "vs", "Mv")),
    *(f"{function}({a}, {b})" for function in ("max", "min", "fill", "dot", "mse", "half_mse",
      "cross_entropy", "binary_cross_entropy")
      for a, b in ("st", "vu", "MN", "sv", "vs", "sM", "Ms", "vM", "Mv")
      if function != "fill" or SHAPES[a] != (2, 3) or b in "MN"
      if function != "fill" or a == "s" or b in "uM"),
    *(f"{function}({name})" for function in ("sum", "mean", "variance", "norm")
      for name in ("s", "v", "M")),
    *(f"{function}({name})" for function in ("softmax", "log_softmax") for name in ("v", "M")),
    "rows(v)", "rows(M)", "transpose(M)", "transpose(v)", "flip(v)", "flip(M)",
    "outer(v, w)", "outer(v, v)", "solve(S, v)", "solve(S, S @ v)",
    "convolve(image, k)", "convolve(image, image[1, 1]*k)", "convolve(image, flip(k))",
]  # fmt: skip


def test_every_function_is_among_the_cases():
    called = {text.partition("(")[0] for text in CALLS}
    assert set(BY_FUNCTION) == called
    without = {"place", "padded"}  # shown by JAX's value alone
    assert set(FUNCTIONS) - set(BY_FUNCTION) - CONSTANT == without


@pytest.mark.parametrize("text", CALLS)
def test_a_call_alone(text):
    check(text, 3)


@pytest.mark.parametrize("text", [
    "sum(tanh(M @ v)^2)",
    "W1[2]*s + W1[1]/t",
    "softmax(M @ v)[2]*s",
    "-log(sigmoid(dot(v, u)*s - t))",
    "mean(softmax(M)*N)",
    "cross_entropy(softmax(R @ [s, t, p, 1]), u)",
    "norm(v - s*u)/norm(v)",
    "exp(-norm(v - u)^2/(2*s^2))",
    "variance(s*v + t)",
    "half_mse(sigmoid(v @ S), u)",
    "outer(v, u) @ w[1]*s",
    "sum(relu(convolve(image, k) - s))",
    "sum(log_softmax(outer(v, u)))*log_softmax(v)[1]",
    "dot(transpose(M) @ w, v)",
    "max(min(v, s), t)*u",
    "solve(S + s*identity(S), v)[2]",
])  # fmt: skip
def test_calls_inside_formulas(text):
    values = points(5) | {"W1": np.array([0.3, 0.7])}
    if "@ w[1]" in text:
        text = text.replace("@ w[1]*s", "@ (w[1]*v)*s")
    check(text, 5, values)


@pytest.mark.parametrize("text", [
    "s*v", "v*s", "s + v", "v - s", "s/v", "v/s", "M + v", "v + M", "M*v", "v*M", "M/v", "v/M",
    "v - M", "s*M", "M^s", "s^v", "v^s", "v^M", "M^v", "s*v + t*v", "sum((s + v)*t)",
    "sum(s*(t*v))", "mean(s*t + v)", "sum((v + M)*u)", "s - s*s/s", "(s/v)*v", "v*(s/v)",
])  # fmt: skip
def test_broadcasting(text):
    check(text, 7)


@pytest.mark.parametrize("text", [
    "s^2", "s^1", "s^-1", "s^0.5", "v^3", "2^s", "s^t", "v^u", "s^s", "v^v", "(s*t)^(s + t)",
    "(1 - 1/s)^2", "(s^2)^t", "M^2 + N^-2", "s^(t^p)", "v^(size(v) - 1)",
])  # fmt: skip
def test_powers(text):
    check(text, 11)


def test_powers_of_nothing_and_of_negatives():
    check("v^2 + v^1 + v^3", 1, {"v": np.array([0.0, -1.5, 2.0])})
    check("v^0", 1, {"v": np.array([0.0, -1.5, 2.0])})
    check("(s - 1)^2*(s - 1)^4", 1, {"s": np.array(1.0)})


@pytest.mark.parametrize("text", [
    "v[2]", "v[1]*v[3]", "M[2, 3]", "M[1, 1]*M", "(M @ v)[2]", "[s, t]", "[s, t]*w", "[s*t, s + t]",
    "[[s, t], [p, 1]]", "[[s, 2], [t, s]] @ w", "[v[1], v[2]*s]", "sum([s, t, p]*v)",
    "v + [s, t, 0]", "[1, 2, 3]*s", "dot([s, t, p], s)", "mean([[s, t, p], [1, 2, 3]] @ v)",
])  # fmt: skip
def test_elements_and_vectors(text):
    check(text, 13)


@pytest.mark.parametrize("text", ["[v, u]", "place(s, v, 2)", "sum(padded(image, k))"])
def test_what_has_no_formula_says_so(text):
    with pytest.raises(NoFormula):
        check(text)


@pytest.mark.parametrize("text", [
    "v @ u", "M @ v", "w @ M", "M @ R", "v @ S @ u", "M @ transpose(N)", "w @ M @ v",
    "(M @ R) @ [s, t, p, 1]",
    "[[1, 2], [3, 4]] @ w", "w @ [[1, s], [3, 4]]", "M @ [1, 2, 3]", "S @ S", "v @ v",
])  # fmt: skip
def test_matrix_products(text):
    check(text, 17)


@pytest.mark.parametrize("text", [
    "step(v - 0.5)*u", "sign(v - 0.5) + v", "s*size(v)", "size(v)", "step(s)", "v/(size(v) - 1)",
    "identity(S) @ v",
])  # fmt: skip
def test_functions_without_slope(text):
    check(text, 19)


def test_on_edges_the_derivative_is_the_one_that_jax_takes():
    at = {"v": np.array([0.0, 0.0, 1.0]), "u": np.array([0.0, 1.0, 1.0]), "s": np.array(0.25)}
    for text in ("relu(v)", "leaky_relu(v, s)", "abs(v)", "max(v, u)", "min(v, u)", "elu(v)"):
        check(text, 2, at)


def test_targets_of_exactly_0_and_1_have_gradients_too():
    at = {"a": np.array([0.2, 0.7, 0.1]), "y": np.array([0.0, 1.0, 0.0])}
    for text in ("cross_entropy(a, y)", "binary_cross_entropy(a, y)"):
        check(text, 2, at)
        shares = adjoints("out", parse(text), parse("1"), {**at, "out": np.array(1.0)})
        shown = evaluate(shares["y"], {**at, "out": 1.0})
        a = at["a"]
        by_hand = -np.log(a) if text.startswith("cross") else (np.log(1 - a) - np.log(a)) / 3
        np.testing.assert_allclose(shown, by_hand, rtol=1e-12)


def test_a_target_of_0_does_not_care_for_a_probability_of_0():
    for p in (0.0, -0.1):
        at = {"p": np.array([0.5, p]), "y": np.array([1.0, 0.0])}
        assert evaluate(parse("cross_entropy(p, y)"), at) == pytest.approx(np.log(2))
        assert evaluate(parse("2*binary_cross_entropy(p, y)"), at) == pytest.approx(
            np.log(2) - np.log(1 - p)
        )
        with jax.enable_x64(True):
            loss = lambda p, y=at["y"]: evaluate(ENTROPY, {"p": p, "y": y}, jnp)  # noqa: E731
            np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(at["p"])), [-2, 0])


SMOOTH = ["sigmoid", "tanh", "softplus", "sin", "cos", "normal_cdf"]
"""Functions that any number may be given to, without blowing up."""


def formulas(shape, depth):
    """Formulas of a shape, as text, by their last operation."""
    names = [name for name, own in SHAPES.items() if own == shape and name not in ("S", "k")]
    plain = st.sampled_from([*names, *([] if shape else ["0.5", "2", "1"])])
    if depth == 0:
        return plain
    same, scalar = formulas(shape, depth - 1), formulas((), depth - 1)
    found = [
        plain,
        st.tuples(same, st.sampled_from("+-*"), same).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
        st.tuples(same, st.sampled_from("+-*"), scalar).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
        st.tuples(scalar, st.sampled_from("+-*"), same).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
        st.tuples(same, same).map(lambda x: f"({x[0]}/(({x[1]})^2 + 1))"),
        st.tuples(st.sampled_from(SMOOTH), same).map(lambda x: f"{x[0]}({x[1]})"),
        st.tuples(same, st.sampled_from(["2", "3"])).map(lambda x: f"({x[0]})^{x[1]}"),
        st.tuples(scalar, same).map(lambda x: f"(({x[0]})^2 + 1)^tanh({x[1]})"),
        same.map(lambda x: f"-{x}"),
    ]
    if shape == ():
        vector = formulas((3,), depth - 1)
        found += [
            st.tuples(st.sampled_from(["sum", "mean", "variance"]), vector).map(
                lambda x: f"{x[0]}({x[1]})"
            ),
            st.tuples(vector, vector).map(lambda x: f"({x[0]} @ {x[1]})"),
            st.tuples(vector, scalar).map(lambda x: f"mse({x[0]}, {x[1]})"),
            vector.map(lambda x: f"({x})[2]"),
        ]
    elif shape == (3,):
        matrix = formulas((2, 3), depth - 1)
        found += [
            matrix.map(lambda x: f"rows({x})"),
            matrix.map(lambda x: f"(w @ {x})"),
            same.map(lambda x: f"softmax({x})"),
            st.tuples(scalar, scalar, scalar).map(lambda x: f"[{x[0]}, {x[1]}, {x[2]}]"),
        ]
    else:
        vector = formulas((3,), depth - 1)
        found += [
            st.tuples(same, vector).map(lambda x: f"({x[0]} + {x[1]})"),
            vector.map(lambda x: f"outer(w, {x})"),
            same.map(lambda x: f"log_softmax({x})"),
        ]
    return st.one_of(found)


@settings(max_examples=60)
@given(st.sampled_from([(), (3,), (2, 3)]).flatmap(lambda s: formulas(s, 2)), st.integers(0, 99))
def test_random_formulas(text, seed):
    if names_in(parse(text)):
        check(text, seed)
