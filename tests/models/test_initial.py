"""Initial weights: distributions, bounds, PyTorch's own, and the same bits in any company."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from descentlab.core.errors import SpecError
from descentlab.core.spec import split_floats, with_floats
from descentlab.models.initial import CATALOGUE
from descentlab.models.specs import MultiLayerPerceptron

FAN_IN, FAN_OUT = 300, 200


def _normal(variance):
    return stats.norm(scale=np.sqrt(variance))


def _uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def _both(kind, variance):
    normal = {"kind": kind, "distribution": "normal"}
    return {
        f"{kind}-uniform": (kind, _uniform(np.sqrt(3 * variance))),
        f"{kind}-normal": (normal, _normal(variance)),
    }


DISTRIBUTIONS = {
    "normal": ("normal", _normal(0.01**2)),
    "normal-wide": ({"kind": "normal", "std": 2.0}, _normal(4.0)),
    "uniform": ("uniform", _uniform(0.05)),
    "uniform-wide": ({"kind": "uniform", "limit": 3.0}, _uniform(3.0)),
    **_both("glorot", 2 / (FAN_IN + FAN_OUT)),
    **_both("he", 2 / FAN_IN),
    **_both("lecun", 1 / FAN_IN),
    "torch": ("torch", _uniform(FAN_IN**-0.5)),
}


def weights(raw, seed=0, dtype=jnp.float32):
    found = CATALOGUE.validate(raw).weights(jax.random.key(seed), FAN_IN, FAN_OUT, dtype)
    assert found.shape == (FAN_IN, FAN_OUT)
    assert found.dtype == dtype
    return np.asarray(found, np.float64)


@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_weights_have_their_distribution(name, x64):
    """Kolmogorov-Smirnov on 60,000 draws; moments within five standard errors; bounds."""
    raw, expected = DISTRIBUTIONS[name]
    with jax.enable_x64(x64):
        found = weights(raw, seed=7, dtype=jnp.float64 if x64 else jnp.float32)
    n = found.size
    assert stats.kstest(found.ravel(), expected.cdf).pvalue > 1e-3
    std, kurtosis = expected.std(), float(expected.stats(moments="k"))
    assert abs(found.mean()) < 5 * std / np.sqrt(n)
    assert abs(found.var() / std**2 - 1) < 5 * np.sqrt((kurtosis + 2) / n)
    low, high = expected.support()
    assert low * (1 + 1e-6) <= found.min() < found.max() <= high * (1 + 1e-6)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_weights_are_unrelated(name):
    """Rows, columns and seeds: correlations are those of independent draws."""
    raw, _ = DISTRIBUTIONS[name]
    one, other = weights(raw, 1), weights(raw, 2)
    for a, b in ((one[1:], one[:-1]), (one[:, 1:], one[:, :-1]), (one, other)):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / np.sqrt(a.size)


def test_zeros_are_zero_and_biases_start_at_zero_except_under_torch():
    key = jax.random.key(0)
    assert not weights("zeros").any()
    for kind in CATALOGUE.kinds:
        biases = CATALOGUE.validate(kind).biases(key, 100, 5000, jnp.float32)
        assert biases.shape == (5000,)
        if kind == "torch":
            assert stats.kstest(biases, _uniform(0.1).cdf).pvalue > 1e-3
        else:
            assert not np.any(biases)


def test_torch_is_what_torch_does():
    """Two-sample Kolmogorov-Smirnov against fresh ``torch.nn.Linear`` layers."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layers = [torch.nn.Linear(FAN_IN, FAN_OUT) for _ in range(10)]
    spec = CATALOGUE.validate("torch")
    keys = jax.random.split(jax.random.key(0), 10)
    biases = [spec.biases(key, FAN_IN, FAN_OUT, jnp.float32) for key in keys]
    theirs = np.concatenate([layer.weight.detach().numpy().ravel() for layer in layers])
    ours = np.concatenate([weights("torch", seed).ravel() for seed in range(10)])
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3
    their_biases = np.concatenate([layer.bias.detach().numpy() for layer in layers])
    assert stats.ks_2samp(np.concatenate(biases), their_biases).pvalue > 1e-3
    assert abs(theirs).max() == pytest.approx(abs(ours).max(), rel=1e-4)


@pytest.mark.parametrize(("x64", "widths"), [(False, (1, 7, 64)), (True, (7,))])
def test_a_layer_starts_from_the_same_bits_in_any_company(x64, widths):
    """Alone or in a vectorised program of any width, with its floats as arguments."""
    names = ("normal-wide", "torch")
    specs = {name: CATALOGUE.validate(DISTRIBUTIONS[name][0]) for name in names}
    with jax.enable_x64(x64):
        dtype = jnp.float64 if x64 else jnp.float32

        def start(seed, floats):
            made = [with_floats(s, floats[n]) for n, s in specs.items()]
            return [s.weights(jax.random.key(seed), 13, 9, dtype) for s in made]

        floats = {n: {k: dtype(v) for k, v in split_floats(s)[1].items()} for n, s in specs.items()}
        seeds, alone = jnp.arange(64, dtype=jnp.uint32), jax.jit(start)
        for width in widths:
            wide = jax.jit(jax.vmap(start, in_axes=(0, None)))(seeds[:width], floats)
            for seed in {0, width // 2, width - 1}:
                for a, b in zip(alone(seeds[seed], floats), wide, strict=True):
                    np.testing.assert_array_equal(a, b[seed])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"kind": "normal", "std": 0}, r"m\.initial\.std: .*greater than 0"),
        ({"kind": "he", "distribution": "cauchy"}, r"m\.initial\.distribution"),
        ("glorrot", "unknown initial 'glorrot'; did you mean 'glorot'"),
    ],
)
def test_faults_name_their_path(raw, message):
    with pytest.raises(SpecError, match=message):
        MultiLayerPerceptron.parse({"initial": raw}, "m")
