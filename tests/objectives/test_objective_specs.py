"""Which loss goes with which data, what is recorded, and what is said where they do not fit."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import DataError, SpecError
from descentlab.data.dataset import Dataset, Examples
from descentlab.objectives.specs import CATALOGUE, LOSSES


def dataset(targets, classes=()) -> Dataset:
    targets = np.asarray(targets)
    train = Examples(np.zeros((len(targets), 2)), targets)
    return Dataset("tiny", train, None, None, tuple(classes), {})


TWO = dataset([0, 1, 1], "ab")
THREE = dataset([0, 1, 2, 1], "abc")
NUMBERS = dataset([0.5, 1.5])


def build(kind, loss, data):
    return CATALOGUE.validate(kind).build(loss, data)


@pytest.mark.parametrize(
    ("loss", "data", "outputs"),
    [
        ("binary_cross_entropy", TWO, 1),
        ("cross_entropy", TWO, 2),
        ("cross_entropy", THREE, 3),
        ("nll", THREE, 3),
        ("mse", THREE, 3),
        ("half_mse", TWO, 2),
    ],
)
def test_the_number_of_outputs_follows_from_loss_and_data(loss, data, outputs):
    objective = build("classification", loss, data)
    assert objective.outputs == outputs
    assert list(objective.metrics) == ["loss", "accuracy"]
    targets = objective.prepare(data.train.targets)
    assert targets.dtype == np.int32
    found = objective.loss(jnp.zeros((len(targets), outputs)), jnp.asarray(targets))
    assert found.shape == (len(targets),)
    np.testing.assert_array_equal(
        found, objective.metrics["loss"](jnp.zeros((len(targets), outputs)), jnp.asarray(targets))
    )


CLASSES, NUMERIC = "classification", "regression"


@pytest.mark.parametrize(
    ("kind", "loss", "data", "message"),
    [
        (CLASSES, "binary_cross_entropy", THREE, "two classes; 'tiny' has 3.*cross_entropy"),
        (CLASSES, "mse", NUMBERS, "numeric targets .use 'objective: regression'"),
        (CLASSES, "nll", dataset([0, 0], "a"), "at least two classes; 'tiny' has one class"),
        (NUMERIC, "cross_entropy", NUMBERS, "cross_entropy is for classes; .* mse or half_mse"),
        (NUMERIC, "binary_cross_entropy", TWO, "is for classes"),
        (NUMERIC, "mse", THREE, "needs numeric targets; 'tiny' has 3 classes.*'target: numeric'"),
        (NUMERIC, "hinge", NUMBERS, "unknown loss 'hinge'"),
        (CLASSES, "cross-entropy", TWO, "did you mean 'cross_entropy'"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(kind, loss, data, message):
    with pytest.raises(SpecError, match=message):
        build(kind, loss, data)


def test_accuracy_is_the_share_of_largest_outputs_the_first_among_equals():
    accuracy = build("classification", "cross_entropy", THREE).metrics["accuracy"]
    outputs = jnp.asarray([[2.0, 1, 0], [2, 1, 0], [1, 1, 0], [1, 1, 0]])
    found = accuracy(outputs, jnp.asarray([0, 1, 0, 1]))
    np.testing.assert_array_equal(found, [True, False, True, False])


def test_accuracy_of_one_logit_is_its_sign_and_zero_means_class_0():
    accuracy = build("classification", "binary_cross_entropy", TWO).metrics["accuracy"]
    found = accuracy(
        jnp.asarray([[0.1], [0.1], [-0.1], [0.0], [0.0]]), jnp.asarray([1, 0, 0, 0, 1])
    )
    np.testing.assert_array_equal(found, [True, False, True, True, False])


def test_mse_of_classes_compares_outputs_with_one_hot_targets():
    outputs = np.random.default_rng(0).normal(size=(4, 3))
    literal = ((outputs - np.eye(3)[THREE.train.targets]) ** 2).mean(axis=1)
    for loss, factor in (("mse", 1.0), ("half_mse", 0.5)):
        with jax.enable_x64(True):
            objective = build("classification", loss, THREE)
            targets = jnp.asarray(objective.prepare(THREE.train.targets))
            found = objective.loss(jnp.asarray(outputs), targets)
        np.testing.assert_allclose(found, factor * literal, rtol=1e-13)


@pytest.mark.parametrize("targets", [np.arange(6.0), np.arange(12.0).reshape(6, 2)])
@pytest.mark.parametrize("loss", ["mse", "half_mse"])
def test_regression_takes_one_or_many_outputs(targets, loss):
    objective = build("regression", loss, dataset(targets))
    matrix = targets.reshape(6, -1)
    assert objective.outputs == matrix.shape[1]
    assert list(objective.metrics) == ["loss"]
    prepared = objective.prepare(targets)
    assert prepared.shape == matrix.shape
    outputs = jnp.ones(matrix.shape, jnp.float32)
    found = objective.loss(outputs, jnp.asarray(prepared))
    factor = 0.5 if loss == "half_mse" else 1.0
    np.testing.assert_allclose(found, factor * ((1 - matrix) ** 2).mean(axis=1), rtol=1e-6)
    assert found.dtype == jnp.float32


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([0, 3, 1], "from 0 to 2, found 3 at example 1"),
        ([0, 1, -1], "found -1 at example 2"),
        ([0.0, 1.0], "whole number.*float64"),
        ([[0, 1]], "shape"),
    ],
)
def test_classes_that_are_none_are_refused(targets, message):
    objective = build("classification", "cross_entropy", THREE)
    with pytest.raises(DataError, match=message):
        objective.prepare(np.asarray(targets))


def test_numbers_that_are_none_are_refused():
    objective = build("regression", "mse", NUMBERS)
    with pytest.raises(DataError, match=r"finite, found \[nan\] at example 1"):
        objective.prepare(np.array([0.0, np.nan]))
    with pytest.raises(DataError, match="1 target values as in the training part, found 2"):
        objective.prepare(np.zeros((3, 2)))


def test_every_loss_of_a_study_file_is_known_here():
    from typing import get_args

    from descentlab.studies.spec import Loss

    assert set(get_args(Loss)) == set(LOSSES)
