from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from descentlab.evaluation import t_interval

numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))


@given(st.lists(numbers, min_size=2, max_size=30), st.floats(0.5, 0.999))
def test_the_interval_is_scipys(values: list[float], level: float) -> None:
    found = t_interval(values, level)
    spread = stats.sem(values)
    assert math.isclose(found.mean, float(np.mean(values)), rel_tol=1e-9, abs_tol=1e-9)
    assert found.n == len(values)
    if spread > 1e-9:
        low, high = stats.t.interval(level, len(values) - 1, np.mean(values), spread)
        assert found.low == pytest.approx(low, rel=1e-9, abs=1e-6)
        assert found.high == pytest.approx(high, rel=1e-9, abs=1e-6)


def test_it_covers_the_true_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    for seeds in (2, 3, 5, 20):
        intervals = [t_interval(sample) for sample in random.normal(0.95, 0.01, (4000, seeds))]
        covered = np.mean([not interval.excludes(0.95) for interval in intervals])
        assert 0.938 < covered < 0.962, seeds  # 95 % within three and a half standard errors


def test_one_value_cannot_tell() -> None:
    found = t_interval([0.95])
    assert found == (0.95, None, None, 1)
    assert found.half is None
    assert not found.excludes(0)


def test_no_value_has_no_mean() -> None:
    found = t_interval([])
    assert math.isnan(found.mean)
    assert (found.low, found.high, found.n) == (None, None, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_never_dropped(bad: float) -> None:
    found = t_interval([0.9, bad, 0.8])
    assert math.isnan(found.mean)
    assert (found.low, found.high, found.n) == (None, None, 3)


@given(numbers, st.integers(2, 20))
def test_equal_values_have_no_width_and_no_rounding_error(value: float, count: int) -> None:
    assert t_interval([value] * count) == (value, value, value, count)


@given(st.lists(numbers, min_size=2, max_size=12), st.randoms())
def test_order_does_not_matter(values: list[float], random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    one, other = t_interval(values), t_interval(shuffled)
    assert one.mean == pytest.approx(other.mean, rel=1e-12, abs=1e-9)
    assert one.half == pytest.approx(other.half, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, math.nan])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_interval([1.0, 2.0], level)


def test_values_are_one_a_run() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        t_interval(np.ones((2, 2)))
