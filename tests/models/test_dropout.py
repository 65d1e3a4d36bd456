"""Dropout's masks are as good as independent coins, and its scale is right."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from descentlab.core.keys import named_key
from descentlab.models.dropout import dropout

BATCH, UNITS, STEPS = 64, 128, 160
N = BATCH * UNITS
RATE = 0.3


@pytest.fixture(scope="module")
def masks() -> np.ndarray:
    """``[seeds, steps, layers, batch, units]``: 1 where an element is kept; keys as in training."""

    def mask(seed, step, layer):
        key = jax.random.fold_in(named_key(seed, "dropout"), step)
        return dropout(jnp.ones((BATCH, UNITS)), jnp.asarray(RATE), key, layer) > 0

    def layers(seed, step):
        return jnp.stack([mask(seed, step, layer) for layer in (0, 1, 2)])

    every = jax.jit(jax.vmap(jax.vmap(layers, (None, 0)), (0, None)))
    return np.asarray(every(jnp.arange(3, dtype=jnp.uint32), jnp.arange(STEPS)))


def unrelated(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays of masks are uncorrelated, within five standard errors."""
    a, b = a.astype(np.float64) - (1 - RATE), b.astype(np.float64) - (1 - RATE)
    return abs((a * b).mean()) < 5 * RATE * (1 - RATE) / np.sqrt(a.size)


def test_the_share_kept_is_right_over_everything(masks):
    z = (masks.mean() - (1 - RATE)) / np.sqrt(RATE * (1 - RATE) / masks.size)
    assert abs(z) < 4


@pytest.mark.parametrize("axes", [(2, 3, 4), (1, 3, 4), (1, 2, 4), (1, 2, 3), (0, 1, 2)])
def test_the_share_kept_varies_as_binomially_along_every_axis(masks, axes):
    """Chi-square over the rest: neither too uneven nor too even."""
    kept = masks.sum(axis=axes)
    n = masks.size / kept.size
    statistic = ((kept - n * (1 - RATE)) ** 2).sum() / (n * RATE * (1 - RATE))
    p = stats.chi2(kept.size).cdf(statistic)
    assert 1e-4 < p < 1 - 1e-4


def test_neighbours_steps_layers_and_seeds_are_independent(masks):
    for lag in (1, 2, 3, 4, 8, 16, 32, 64):
        assert unrelated(masks[..., lag:], masks[..., :-lag]), f"units {lag} apart"
    for lag in (1, 2, 4, 8, 32):
        assert unrelated(masks[..., lag:, :], masks[..., :-lag, :]), f"examples {lag} apart"
    for lag in (1, 2, 3, 10):
        assert unrelated(masks[:, lag:], masks[:, :-lag]), f"steps {lag} apart"
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert unrelated(masks[:, :, a], masks[:, :, b]), f"layers {a} and {b}"
        assert unrelated(masks[a], masks[b]), f"seeds {a} and {b}"


@pytest.mark.parametrize("along", ["units", "examples", "steps"])
def test_patterns_of_eight_come_as_often_as_they_should(masks, along):
    """Chi-square over the 256 patterns of eight elements in a row: dependence of any order."""
    axis = {"units": 4, "examples": 3, "steps": 1}[along]
    bits = np.moveaxis(masks, axis, -1).reshape(-1, 8).astype(int)
    counts = np.bincount(bits @ (1 << np.arange(8)), minlength=256)
    ones = np.array([bin(k).count("1") for k in range(256)])
    expected = len(bits) * (1 - RATE) ** ones * RATE ** (8 - ones)
    assert 1e-4 < stats.chisquare(counts, expected).pvalue < 1 - 1e-4


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("x64", [False, True])
def test_what_is_kept_is_scaled_so_that_the_mean_stays(rate, x64):
    with jax.enable_x64(x64):
        dtype = jnp.float64 if x64 else jnp.float32
        x = jnp.linspace(-1, 1, 200_000, dtype=dtype).reshape(400, 500)
        found = np.asarray(dropout(x, jnp.asarray(rate, dtype), jax.random.key(5), 0))
    assert found.dtype == dtype
    kept = found != 0
    np.testing.assert_allclose(found[kept], (np.asarray(x) / (1 - rate))[kept], rtol=1e-6)
    share = (found == 0).mean()
    assert abs(share - rate) < 5 * np.sqrt(rate * (1 - rate) / x.size) + 1e-5


def test_rate_zero_is_the_identity_to_the_bit():
    x = jax.random.normal(jax.random.key(0), (50, 70))
    np.testing.assert_array_equal(dropout(x, jnp.asarray(0.0), jax.random.key(1), 0), x)


def test_the_rate_is_traced_and_a_higher_rate_drops_more_of_the_same():
    """Same seed, same luck: what a low rate drops a higher one drops too."""
    x = jnp.ones((64, 64))
    many = jax.jit(jax.vmap(lambda rate: dropout(x, rate, jax.random.key(2), 0)))
    found = np.asarray(many(jnp.asarray([0.1, 0.5, 0.9]))) > 0
    assert (found[1] <= found[0]).all()
    assert (found[2] <= found[1]).all()


def test_a_run_drops_the_same_in_any_company_and_precision():
    x, rate = jnp.ones((32, 48)), jnp.asarray(0.4)
    keys = jax.vmap(jax.random.key)(jnp.arange(7))
    wide = jax.jit(jax.vmap(lambda key: dropout(x, rate, key, 1)))(keys)
    for key, own in zip(keys, wide, strict=True):
        np.testing.assert_array_equal(jax.jit(dropout, static_argnums=3)(x, rate, key, 1), own)
    with jax.enable_x64(True):
        precise = dropout(jnp.ones((32, 48), jnp.float64), jnp.asarray(0.4), keys[0], 1)
    np.testing.assert_array_equal(np.asarray(precise) > 0, np.asarray(wide[0]) > 0)


def test_the_gradient_flows_through_what_is_kept():
    key, rate = jax.random.key(3), jnp.asarray(0.25)
    x = jax.random.normal(key, (20, 30))
    gradient = jax.grad(lambda x: dropout(x, rate, key, 0).sum())(x)
    expected = np.where(np.asarray(dropout(x, rate, key, 0)) != 0, 1 / 0.75, 0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)
