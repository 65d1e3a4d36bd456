"""Newton's method and the saddle-free one against linear algebra written out in NumPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.optimizers.specs import CATALOGUE
from tests.optimizers.descending import descend


def saddle(p):
    return 5 * p[0] ** 2 - p[1] ** 2 + p[1] ** 4 / 4


def rosenbrock(p):
    return (100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2).sum()


def derivatives(loss, point):
    with jax.enable_x64(True):
        point = jnp.asarray(point)
        return np.asarray(jax.grad(loss)(point)), np.asarray(jax.hessian(loss)(point))


def literal(loss, start, steps, step_of, rate=1.0):
    points = [np.asarray(start, float)]
    for _ in range(steps):
        points.append(points[-1] - rate * step_of(*derivatives(loss, points[-1])))
    return np.array(points)


def inverse_of_absolute(damping):
    def step(gradient, matrix):
        values, vectors = np.linalg.eigh(matrix)
        return vectors @ np.diag(1 / (np.abs(values) + damping)) @ vectors.T @ gradient

    return step


START = np.array([-1.2, 1.0, 0.7, -0.4, 1.3])


@pytest.mark.parametrize("damping", [0.0, 3.0])
def test_newton_is_the_solution_of_the_linear_system(damping):
    found = descend(
        {"kind": "newton", "damping": damping, "learning_rate": 0.7}, rosenbrock, START, 8
    )
    expected = literal(
        rosenbrock, START, 8, lambda g, H: np.linalg.solve(H + damping * np.eye(5), g), 0.7
    )
    np.testing.assert_allclose(found.points, expected, rtol=1e-9)


@pytest.mark.parametrize("damping", [0.0, 3.0])
def test_conjugate_gradients_give_newtons_step(damping):
    dense = descend({"kind": "newton", "damping": damping}, rosenbrock, START, 6)
    by_products = {"kind": "newton", "method": "cg", "damping": damping, "tolerance": 1e-14}
    np.testing.assert_allclose(
        descend(by_products, rosenbrock, START, 6).points, dense.points, rtol=1e-7
    )


def test_conjugate_gradients_stop_after_their_iterations():
    """One iteration is the steepest descent with the exact length gᵀg / gᵀHg."""
    found = descend({"kind": "newton", "method": "cg", "iterations": 1}, rosenbrock, START, 3)
    expected = literal(rosenbrock, START, 3, lambda g, H: (g @ g) / (g @ H @ g) * g)
    np.testing.assert_allclose(found.points, expected, rtol=1e-10)


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_saddle_free_is_the_inverse_of_the_absolute_hessian(damping):
    spec = {"kind": "saddle_free", "damping": damping}
    found = descend(spec, rosenbrock, START, 8)
    expected = literal(rosenbrock, START, 8, inverse_of_absolute(damping))
    np.testing.assert_allclose(found.points, expected, rtol=1e-8)


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_lanczos_of_full_rank_is_the_dense_step(damping):
    dense = descend({"kind": "saddle_free", "damping": damping}, rosenbrock, START, 5)
    krylov = {"kind": "saddle_free", "method": "lanczos", "rank": 5, "damping": damping}
    found = descend(krylov, rosenbrock, START, 5)
    np.testing.assert_allclose(found.points, dense.points, rtol=1e-7)
    np.testing.assert_allclose(
        found.readings["smallest_eigenvalue"], dense.readings["smallest_eigenvalue"], rtol=1e-7
    )


def test_lanczos_of_lower_rank_is_the_step_within_the_krylov_space():
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(12, 12)))[0]
    matrix = basis @ np.diag(np.linspace(-3, 8, 12)) @ basis.T
    start = random.normal(size=12)

    def quadratic(p):
        return p @ jnp.asarray(matrix) @ p / 2

    def in_krylov_space(gradient, H):
        vectors = [gradient, H @ gradient, H @ H @ gradient, H @ H @ H @ gradient]
        V = np.linalg.qr(np.array(vectors).T)[0]
        values, inner = np.linalg.eigh(V.T @ H @ V)
        return V @ inner @ np.diag(1 / np.abs(values)) @ inner.T @ V.T @ gradient

    spec = {"kind": "saddle_free", "method": "lanczos", "rank": 4}
    found = descend(spec, quadratic, start, 3)
    np.testing.assert_allclose(
        found.points, literal(quadratic, start, 3, in_krylov_space), rtol=1e-7
    )
    assert (found.readings["smallest_eigenvalue"] >= -3 - 1e-9).all()


@pytest.mark.parametrize("rank", [2, 3, 20])
def test_a_krylov_space_that_ends_early_leaves_no_holes(rank):
    """The gradient lies in an invariant plane: a third direction would be rounding."""

    def loss(p):
        return 2 * p[0] ** 2 - p[1] ** 2 + 7 * p[2] ** 2 + 3 * p[3] ** 2

    spec = {"kind": "saddle_free", "method": "lanczos", "rank": rank}
    found = descend(spec, loss, [1.0, 0.5, 0.0, 0.0], 1)
    np.testing.assert_allclose(found.points[1], [0.0, 1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.readings["smallest_eigenvalue"], [-2.0])


def test_newton_walks_to_the_saddle_and_says_so():
    """From (1, 0.001): Newton ends at the saddle, f = 0; saddle-free finds a minimum, f = -1."""
    newton = descend({"kind": "newton"}, saddle, [1.0, 0.001], 12)
    free = descend({"kind": "saddle_free"}, saddle, [1.0, 0.001], 14)
    values = np.array([saddle(p) for p in free.points])
    assert abs(saddle(newton.points[-1])) < 1e-12
    assert (newton.readings["indefinite"] == 1).all()
    assert values[10] == pytest.approx(-0.99, abs=0.01) and values[12] == pytest.approx(
        -1, abs=1e-6
    )
    assert free.readings["indefinite"][0] == 1 and free.readings["indefinite"][-1] == 0
    assert free.readings["smallest_eigenvalue"][0] == pytest.approx(-2, abs=1e-5)
    assert free.readings["smallest_eigenvalue"][-1] == pytest.approx(4, abs=1e-3)


@pytest.mark.parametrize("start", [[0.3, 2.0], [-2.0, 1.3]])
def test_indefinite_is_what_the_eigenvalues_say(start):
    specs = {"dense": {"kind": "newton"}, "cg": {"kind": "newton", "method": "cg", "iterations": 4}}
    for name, spec in specs.items():
        found = descend(spec, saddle, start, 5)
        smallest = [np.linalg.eigvalsh(derivatives(saddle, p)[1]).min() for p in found.points[:-1]]
        seen, expected = found.readings["indefinite"], np.array(smallest) <= 0
        assert (seen == expected).all() if name == "dense" else (seen <= expected).all()


def test_the_rate_of_a_schedule_is_read():
    path = descend({"kind": "newton", "learning_rate": 0.5}, saddle, [1.0, 2.0], 4,
                   {"kind": "step", "every": 2, "factor": 0.1})  # fmt: skip
    np.testing.assert_allclose(path.readings["learning_rate"], [0.5, 0.5, 0.05, 0.05])


@pytest.mark.parametrize(
    ("field", "value"),
    [("learning_rate", -1.0), ("damping", -0.1), ("iterations", 0), ("method", "lu")],
)
def test_bad_settings_are_named(field, value):
    from descentlab.optimizers.rules.newton import Newton

    with pytest.raises(SpecError, match=f"run.optimizer.{field}"):
        Newton.parse({"kind": "newton", field: value}, "run.optimizer")


def test_newton_learns_parameters_of_any_shape():
    from descentlab.optimizers.contract import OptimizerContract

    class Contract(OptimizerContract):
        learning_rates = (0.5, 1.0)

        def __init__(self, spec):
            self.spec = spec

        def make(self, learning_rate):
            spec = CATALOGUE.validate(self.spec)
            return spec.model_copy(update={"learning_rate": learning_rate}).build(lambda step: 1.0)

    for spec in ("newton", {"kind": "newton", "method": "cg"}, "saddle_free",
                 {"kind": "saddle_free", "method": "lanczos", "rank": 3}):  # fmt: skip
        contract = Contract(spec)
        for name in dir(contract):
            if name.startswith("test_"):
                getattr(contract, name)()
