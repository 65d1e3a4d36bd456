"""Intervals of proportions against SciPy and simulation; exact tests against SciPy's."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from descentlab.evaluation import proportions
from descentlab.evaluation.proportions import (
    f1_interval,
    mcnemar,
    paired_difference,
    wilson,
    z_quantile,
)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilsons_interval_is_scipys(level: float) -> None:
    cases = [(k, n) for n in (1, 2, 3, 10, 31) for k in range(n + 1)]
    cases += [(0, 10**7), (10**7, 10**7), (669, 1000), (1, 10**6)]
    low, high = wilson(*np.array(cases).T, level)
    for (k, n), a, b in zip(cases, low, high, strict=True):
        expected = stats.binomtest(k, n).proportion_ci(level, method="wilson")
        assert a == pytest.approx(expected.low, rel=1e-9, abs=1e-12)
        assert b == pytest.approx(expected.high, rel=1e-9, abs=1e-12)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_it_holds_the_proportion_inside_0_and_1(hits: int, n: int) -> None:
    hits = min(hits, n)
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert low < high
    mirrored = wilson(n - hits, n)
    assert 1 - high == pytest.approx(mirrored[0], abs=1e-12)


def test_without_examples_there_is_no_interval() -> None:
    low, high = wilson(np.array([0, 1]), np.array([0, 1]))
    assert np.isnan([low[0], high[0]]).all()
    assert np.isfinite([low[1], high[1]]).all()


def test_wilson_covers_95_percent_on_average_down_to_10_examples() -> None:
    for n in (10, 30, 100):
        low, high = wilson(np.arange(n + 1), n)
        rates = np.linspace(0.02, 0.98, 97)
        chance = stats.binom.pmf(np.arange(n + 1), n, rates[:, None])
        covered = (chance * ((low <= rates[:, None]) & (rates[:, None] <= high))).sum(axis=1)
        assert 0.94 < covered.mean() < 0.97, n  # exact, without simulation


def test_an_f1_interval_is_that_of_simulated_posterior_cells() -> None:
    random = np.random.default_rng(0)
    cases = [(8, 2, 5), (30, 0, 1), (3, 20, 4), (200, 40, 10)]
    hits, misses, alarms = np.array(cases).T
    low, high = f1_interval(hits, misses + alarms)
    for k, (tp, fn, fp) in enumerate(cases):
        # A prior of 1/4 on hits and, as many rows give them, 1/4 on misses and on alarms each.
        drawn = random.dirichlet([tp + 1 / 4, fn + 1 / 4, fp + 1 / 4, 500], 400_000)
        f1 = 2 * drawn[:, 0] / (2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2])
        np.testing.assert_allclose([low[k], high[k]], np.quantile(f1, [0.025, 0.975]), atol=3e-3)


def test_f1_intervals_reach_the_ends_where_all_or_nothing_is_right() -> None:
    low, high = f1_interval(np.array([0, 12, 0]), np.array([5, 0, 0]))
    assert low[0] == 0 and 0 < high[0] < 1
    assert 0 < low[1] < 1 and high[1] == 1
    assert (low[2], high[2]) == (0, 1)


@given(st.integers(0, 5000), st.integers(0, 5000), st.floats(0.5, 0.99))
def test_an_f1_interval_holds_f1(hits: int, errors: int, level: float) -> None:
    low, high = f1_interval(np.array([hits]), np.array([errors]), level)
    assert 0 <= low[0] <= high[0] <= 1
    if hits + errors:
        assert low[0] <= 2 * hits / (2 * hits + errors) <= high[0]


def test_mcnemar_is_the_exact_binomial_test() -> None:
    cases = [*itertools.product(range(8), range(8)), (40, 61), (61, 40), (1000, 1100), (0, 400)]
    for first, second in cases:
        expected = 1.0
        if first + second:
            expected = stats.binomtest(first, first + second, 0.5).pvalue
        assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9), (first, second)


@pytest.mark.parametrize(("b", "c", "n"), [(0, 0, 10), (5, 2, 30), (40, 10, 100), (0, 9, 9)])
def test_a_paired_difference_is_bonett_and_prices(b: int, c: int, n: int) -> None:
    value, low, high = paired_difference(b, c, n)
    p, q = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = stats.norm.ppf(0.975) * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    assert value == pytest.approx((b - c) / n)
    assert low == pytest.approx(max(-1, p - q - half))
    assert high == pytest.approx(min(1, p - q + half))
    mirrored = paired_difference(c, b, n)
    assert mirrored == pytest.approx((-value, -high, -low))


def test_a_paired_difference_covers_the_true_one() -> None:
    random = np.random.default_rng(1)
    for n, shares in ((25, [0.2, 0.1, 0.7]), (200, [0.06, 0.02, 0.92])):
        drawn = random.multinomial(n, shares, 3000)
        intervals = [paired_difference(int(b), int(c), n) for b, c, _ in drawn]
        true = shares[0] - shares[1]
        covered = np.mean([low <= true <= high for _, low, high in intervals])
        assert 0.935 < covered < 0.985, n


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, math.nan])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1, such as 0\.95"):
        z_quantile(level)
    with pytest.raises(ValueError, match="between 0 and 1"):
        proportions.wilson(1, 2, level)
