"""Objectives as they are built for data: which there are, their gradients, their targets."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.objectives import losses
from descentlab.objectives.specs import CATALOGUE, LOSSES

from .test_objective_specs import dataset

DATA = {
    "one class": dataset([0, 0, 0], "a"),
    "two classes": dataset([0, 1, 1], "ab"),
    "three classes": dataset([0, 2, 1], "abc"),
    "numbers": dataset([0.5, 1.5, -1.0]),
    "pairs of numbers": dataset([[0.5, 1.5], [1.0, 2.0], [0.0, -3.0]]),
}
SQUARES = ("mse", "half_mse")


def expected(kind: str, loss: str, data: str) -> int | str:
    """Return the number of outputs, or what the refusal must say."""
    if kind == "regression":
        columns = {"pairs of numbers": 2}.get(data, 1)
        return columns if loss in SQUARES else r"run\.loss: .*regression takes mse or half_mse"
    if "numbers" in data:
        return r"run\.objective: .*use 'objective: regression'"
    if data == "one class":
        return r"run\.objective: .*at least two classes"
    if loss == "binary_cross_entropy":
        return 1 if data == "two classes" else r"run\.loss: .*3 \(use cross_entropy\)"
    return 2 if data == "two classes" else 3


PAIRS = [(kind, loss, data) for kind in CATALOGUE.kinds for loss in LOSSES for data in DATA]
POSSIBLE = [pair for pair in PAIRS if isinstance(expected(*pair), int)]


def build(kind, loss, data):
    return CATALOGUE.validate(kind).build(loss, DATA[data])  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "loss", "data"), PAIRS)
def test_every_loss_with_all_data_is_built_or_refused_with_advice(kind, loss, data):
    answer = expected(kind, loss, data)
    if isinstance(answer, int):
        assert build(kind, loss, data).outputs == answer
    else:
        with pytest.raises(SpecError, match=answer):
            build(kind, loss, data)


@pytest.mark.parametrize(("kind", "loss", "data"), POSSIBLE)
def test_gradients_of_the_mean_by_central_differences(kind, loss, data):
    objective = build(kind, loss, data)
    outputs = np.random.default_rng(3).normal(size=(3, objective.outputs))
    with jax.enable_x64(True):
        targets = jnp.asarray(objective.prepare(DATA[data].train.targets))
        mean = jax.jit(lambda z: objective.loss(z, targets).mean())
        gradient = np.asarray(jax.grad(mean)(jnp.asarray(outputs)))
        for index in np.ndindex(outputs.shape):
            step = np.zeros_like(outputs)
            step[index] = 1e-5
            slope = (mean(outputs + step) - mean(outputs - step)) / 2e-5
            assert gradient[index] == pytest.approx(float(slope), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("kind", "loss", "data"), POSSIBLE)
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_huge_outputs_give_torchs_finite_losses_and_gradients(kind, loss, data, size):
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    objective = build(kind, loss, data)
    prepared = objective.prepare(DATA[data].train.targets)
    outputs = np.full((3, objective.outputs), -size, np.float32)
    outputs[:, 0] = size
    z, y = torch.tensor(outputs, requires_grad=True), torch.tensor(prepared)
    if loss in SQUARES:
        hot = f.one_hot(y.long(), objective.outputs) if kind == "classification" else y
        theirs = f.mse_loss(z, hot.float()) * (0.5 if loss == "half_mse" else 1)
    elif loss == "binary_cross_entropy":
        theirs = f.binary_cross_entropy_with_logits(z[:, 0], y.float())
    else:
        theirs = f.cross_entropy(z, y.long())
    theirs.backward()
    value, gradient = jax.value_and_grad(lambda z: objective.loss(z, prepared).mean())(outputs)
    assert np.isfinite(value)
    assert float(value) == pytest.approx(theirs.item(), rel=1e-6)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-6, atol=1e-7)


def test_one_logit_is_the_difference_of_two():
    """Binary cross-entropy of z is cross-entropy of (0, z), and both say the same class."""
    z = np.append(np.random.default_rng(4).normal(0, 5, 60), [0.0, 0.0, 40.0, -40.0])
    y = np.arange(len(z)) % 2
    one, two = build("classification", LOSSES[2], "two classes"), np.stack([0 * z, z], axis=1)
    with jax.enable_x64(True):
        found = one.loss(jnp.asarray(z[:, None]), jnp.asarray(y))
        np.testing.assert_allclose(found, losses.cross_entropy(two, jnp.asarray(y)), rtol=1e-10)
    accuracy = build("classification", "nll", "two classes").metrics["accuracy"]
    np.testing.assert_array_equal(
        one.metrics["accuracy"](z[:, None], y), accuracy(jnp.asarray(two), y)
    )


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.nll])
def test_what_is_added_to_all_logits_does_not_matter(loss):
    z, y = np.random.default_rng(5).normal(size=(9, 4)), np.arange(9) % 4
    with jax.enable_x64(True):
        shifted = loss(jnp.asarray(z + 1e6), jnp.asarray(y))
        np.testing.assert_allclose(shifted, loss(jnp.asarray(z), jnp.asarray(y)), atol=1e-9)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2)])
def test_numbers_become_a_matrix_of_float64(dtype, shape):
    data = "pairs of numbers" if shape == (3, 2) else "numbers"
    targets = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    kept, objective = targets.copy(), build("regression", "mse", data)
    prepared = objective.prepare(targets)
    assert prepared.dtype == np.float64
    np.testing.assert_array_equal(prepared, kept.reshape(3, -1))
    np.testing.assert_array_equal(objective.prepare(prepared), prepared)
    np.testing.assert_array_equal(targets, kept)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_classes_become_int32(dtype):
    objective = build("classification", "nll", "three classes")
    prepared = objective.prepare(np.array([0, 2, 1], dtype))
    assert prepared.dtype == np.int32
    np.testing.assert_array_equal(objective.prepare(prepared), [0, 2, 1])


def test_a_column_of_targets_is_not_broadcast_against_the_outputs():
    """[n] against [n, 1] would compare all with all: the classic silent fault."""
    objective = build("regression", "mse", "numbers")
    targets = objective.prepare(DATA["numbers"].train.targets)
    np.testing.assert_array_equal(objective.loss(jnp.asarray(targets, jnp.float32), targets), 0)
