"""Least squares: what is said to be known of it, against NumPy's own solver."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.data.contract import DataContract
from descentlab.data.specs import LeastSquares


class TestContract(DataContract):
    spec = {"kind": "least_squares", "examples": 60, "features": 4, "condition": 30.0}


@pytest.mark.parametrize(
    ("examples", "features", "noise", "condition"),
    [(200, 10, 0.5, 1000.0), (50, 1, 2.0, 1.0), (7, 6, 1.0, 10.0), (30, 3, 0.0, 5.0)],
)
def test_solution_minimum_and_condition_are_what_is_asked_for(examples, features, noise, condition):
    data = LeastSquares(examples=examples, features=features, noise=noise, condition=condition)
    dataset = data.load()
    x, y = dataset.train.inputs, dataset.train.targets
    assert x.shape == (examples, features)
    assert y.shape == (examples, 1)
    assert not dataset.classes
    solution = np.linalg.lstsq(x, y, rcond=None)[0]
    np.testing.assert_allclose(solution[:, 0], dataset.notes["solution"], rtol=1e-9)
    residual = x @ solution - y
    minimum = float((residual**2).mean()) / 2
    assert minimum == pytest.approx(noise**2 / 2, rel=1e-12, abs=1e-24)
    assert dataset.notes["minimum"] == pytest.approx(minimum, rel=1e-12, abs=1e-24)
    eigenvalues = np.linalg.eigvalsh(x.T @ x / examples)
    np.testing.assert_allclose(eigenvalues, np.geomspace(1 / condition, 1, features), rtol=1e-9)


def test_residuals_are_orthogonal_to_the_columns():
    dataset = LeastSquares(examples=40, features=5, noise=3.0, condition=1e4).load()
    x, y = dataset.train.inputs, dataset.train.targets[:, 0]
    residual = y - x @ dataset.notes["solution"]
    assert np.abs(x.T @ residual).max() < 1e-12 * np.abs(x).sum()


@pytest.mark.parametrize("size", [1, 4])
def test_as_many_examples_as_features_are_met_exactly(size):
    dataset = LeastSquares(examples=size, features=size, noise=1.0).load()
    x, y = dataset.train.inputs, dataset.train.targets[:, 0]
    np.testing.assert_allclose(np.linalg.solve(x, y), dataset.notes["solution"], rtol=1e-9)
    assert dataset.notes["minimum"] == 0


def test_another_seed_is_another_problem():
    first, second = (LeastSquares(seed=seed).load().train.inputs for seed in (0, 1))
    assert not np.allclose(first, second)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"examples": 3, "features": 4}, "3 examples of 4 features"),
        ({"features": 1, "condition": 2.0}, "condition 2"),
        ({"condition": 0.5}, "condition"),
        ({"examples": 10_000_000, "features": 100}, "250,000,000"),
    ],
)
def test_what_cannot_be_made_is_an_error(fields, message):
    with pytest.raises(SpecError, match=message):
        LeastSquares.parse({"kind": "least_squares", **fields}, "run.data")
