"""Losses against literal NumPy, against PyTorch, at extremes, and their gradients."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.objectives import losses

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (40, 5))
CLASSES = RNG.integers(0, 5, 40)
LOGIT = RNG.normal(0, 3, (40, 1))
BITS = RNG.integers(0, 2, 40)
VALUES = RNG.normal(0, 3, (40, 5))


def _softmax_loss(z, y):
    return np.array([np.log(np.exp(row).sum()) - row[k] for row, k in zip(z, y, strict=True)])


def _sigmoid_loss(z, y):
    p = 1 / (1 + np.exp(-z[:, 0]))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


LITERAL = {
    "cross_entropy": (LOGITS, CLASSES, _softmax_loss),
    "nll": (LOGITS, CLASSES, _softmax_loss),
    "binary_cross_entropy": (LOGIT, BITS, _sigmoid_loss),
    "mse": (LOGITS, VALUES, lambda z, t: ((z - t) ** 2).sum(axis=1) / 5),
    "half_mse": (LOGITS, VALUES, lambda z, t: ((z - t) ** 2).sum(axis=1) / 10),
}


def _torch_losses(torch):
    f = torch.nn.functional
    return {
        "cross_entropy": lambda z, y: f.cross_entropy(z, y, reduction="none"),
        "nll": lambda z, y: torch.nn.NLLLoss(reduction="none")(torch.nn.LogSoftmax(1)(z), y),
        "binary_cross_entropy": lambda z, y: f.binary_cross_entropy_with_logits(
            z[:, 0], y.to(z.dtype), reduction="none"
        ),
        "mse": lambda z, t: torch.nn.MSELoss(reduction="none")(z, t).mean(1),
        "half_mse": lambda z, t: 0.5 * torch.nn.MSELoss(reduction="none")(z, t).mean(1),
    }


@pytest.mark.parametrize("name", LITERAL)
def test_against_a_literal_transcription(name):
    outputs, targets, literal = LITERAL[name]
    with jax.enable_x64(True):
        found = getattr(losses, name)(jnp.asarray(outputs), jnp.asarray(targets))
    assert found.shape == (40,)
    np.testing.assert_allclose(found, literal(outputs, targets), rtol=1e-12)


@pytest.mark.parametrize("name", LITERAL)
def test_values_and_gradients_against_torch(name):
    torch = pytest.importorskip("torch")
    outputs, targets, _ = LITERAL[name]
    z = torch.tensor(outputs, requires_grad=True)
    expected = _torch_losses(torch)[name](z, torch.tensor(targets))
    expected.mean().backward()
    with jax.enable_x64(True):
        x, y, loss = jnp.asarray(outputs), jnp.asarray(targets), getattr(losses, name)
        # PyTorch's form for one logit loses digits of small losses, hence the absolute part.
        np.testing.assert_allclose(loss(x, y), expected.detach().numpy(), rtol=1e-12, atol=2e-15)
        gradient = jax.grad(lambda x: loss(x, y).mean())(x)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-11, atol=1e-16)


@pytest.mark.parametrize("name", LITERAL)
def test_gradients_by_finite_differences(name):
    outputs, targets, _ = LITERAL[name]
    with jax.enable_x64(True):
        loss, y, h = getattr(losses, name), jnp.asarray(targets), 1e-6
        gradient = jax.grad(lambda x: loss(x, y).sum())(jnp.asarray(outputs))
        for column in range(outputs.shape[1]):
            step = np.zeros(outputs.shape[1])
            step[column] = h
            slope = (loss(outputs + step, y) - loss(outputs - step, y)) / (2 * h)
            np.testing.assert_allclose(gradient[:, column], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.nll])
@pytest.mark.parametrize("huge", [1e4, 1e30])
def test_huge_logits_are_exact_and_finite(loss, huge):
    outputs = jnp.asarray([[huge, 0, -huge], [huge, 0, -huge], [huge, huge, huge]], jnp.float32)
    targets = jnp.asarray([0, 2, 1])
    expected = np.array([0, 2 * np.float32(huge), np.log(3)], np.float32)
    np.testing.assert_allclose(loss(outputs, targets), expected, rtol=1e-6)
    gradient = jax.grad(lambda x: loss(x, targets).sum())(outputs)
    third = [1 / 3, -2 / 3, 1 / 3]
    np.testing.assert_allclose(gradient, [[0, 0, 0], [1, 0, -1], third], atol=1e-6)


def test_a_small_loss_at_large_logits_keeps_its_digits():
    outputs = jnp.asarray([[1000.0, 990.0]], jnp.float32)
    found = losses.cross_entropy(outputs, jnp.asarray([0]))[0]
    assert float(found) == pytest.approx(np.log1p(np.exp(-10)), rel=2e-3)  # a log-sum-exp gives 0


@pytest.mark.parametrize("z", [0.0, 1.0, 20.0, 60.0, 80.0, 1e4, 1e30])
@pytest.mark.parametrize("y", [0, 1])
def test_one_logit_keeps_its_digits_in_both_tails(z, y):
    """The loss of a right and sure answer is e⁻ᶻ, down to the smallest float32."""
    signed = z if y else -z
    found = losses.binary_cross_entropy(jnp.full((1, 1), signed, jnp.float32), jnp.asarray([y]))
    assert float(found[0]) == pytest.approx(np.log1p(np.exp(-z)), rel=2e-6, abs=1e-37)
    wrong = losses.binary_cross_entropy(jnp.full((1, 1), -signed, jnp.float32), jnp.asarray([y]))
    assert float(wrong[0]) == pytest.approx(z + np.log1p(np.exp(-z)), rel=2e-6)
    gradient = jax.grad(lambda x: losses.binary_cross_entropy(x, jnp.asarray([y]))[0])
    expected = -1 / (1 + np.exp(min(z, 700.0)))
    slope = float(gradient(jnp.full((1, 1), signed, jnp.float32))[0, 0])
    assert slope == pytest.approx(expected if y else -expected, rel=2e-6, abs=1e-37)


def test_the_two_names_are_one_function_to_the_bit():
    x, y = jnp.asarray(LOGITS, jnp.float32), jnp.asarray(CLASSES)
    np.testing.assert_array_equal(losses.cross_entropy(x, y), losses.nll(x, y))


def test_a_class_that_cannot_be_is_no_fault_of_the_others():
    """A logit of -∞ (a masked class) leaves loss and gradient of the others finite."""
    x, y = jnp.asarray([[0.0, -jnp.inf, 1.0]]), jnp.asarray([2])
    value, gradient = jax.value_and_grad(lambda x: losses.cross_entropy(x, y)[0])(x)
    assert float(value) == pytest.approx(np.log1p(np.exp(-1)), rel=1e-6)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", LITERAL)
@pytest.mark.parametrize("x64", [False, True])
def test_precision_is_the_outputs(name, x64):
    outputs, targets, _ = LITERAL[name]
    dtype = jnp.float64 if x64 else jnp.float32
    with jax.enable_x64(x64):
        x = jnp.asarray(outputs, dtype)
        whole = np.issubdtype(targets.dtype, np.integer)
        found = getattr(losses, name)(x, jnp.asarray(targets, jnp.int32 if whole else dtype))
    assert found.dtype == dtype


@pytest.mark.parametrize("name", LITERAL)
def test_examples_do_not_feel_each_other(name):
    outputs, targets, _ = LITERAL[name]
    order = RNG.permutation(40)
    x, loss = jnp.asarray(outputs, jnp.float32), getattr(losses, name)
    found = loss(x, jnp.asarray(targets))
    np.testing.assert_array_equal(loss(x[order], jnp.asarray(targets[order])), found[order])
