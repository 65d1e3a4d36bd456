"""Figures over seeds and arms paired by seed, against scipy's t statistics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from descentlab.evaluation import evaluate
from descentlab.evaluation.results import Estimate
from descentlab.evaluation.seeds import over_seeds, paired_arms

UNDEFINED = Estimate.undefined("undefined (n = 0)")
values = st.lists(st.floats(0, 1), min_size=2, max_size=12)
levels = st.sampled_from([0.5, 0.9, 0.95, 0.99])


def estimates(found: list[float], half: float = 0.02) -> list[Estimate]:
    return [Estimate(value, value - half, value + half) for value in found]


@given(values, levels)
def test_the_mean_over_seeds_has_scipys_t_interval(found: list[float], level: float) -> None:
    over = over_seeds(estimates(found), level)
    assert over.interval.mean == pytest.approx(np.mean(found)) and over.interval.n == len(found)
    assert over.spread == pytest.approx(np.std(found, ddof=1))
    if np.ptp(found) > 1e-9:
        ends = stats.t.interval(level, len(found) - 1, np.mean(found), stats.sem(found))
        assert (over.interval.low, over.interval.high) == pytest.approx(ends, abs=1e-12)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12), levels)
def test_paired_arms_are_scipys_paired_t_test(pairs, level: float) -> None:
    first, second = np.array(pairs).T
    found = paired_arms(first, second, level)
    gap = first - second
    assert found.mean == pytest.approx(gap.mean(), abs=1e-15) and found.n == len(pairs)
    if np.ptp(gap) > 1e-9:
        expected = stats.ttest_rel(first, second)
        ends = expected.confidence_interval(level)
        assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-12)
        if abs(expected.pvalue - (1 - level)) > 1e-6:
            assert found.excludes(0) == (expected.pvalue < 1 - level)


def test_a_pair_tells_what_two_groups_cannot() -> None:
    luck = np.random.default_rng(0).normal(0.9, 0.02, 8)  # seeds differ more than the arms do
    first, second = luck + [0.004, 0.005, 0.006, 0.005] * 2, luck
    assert paired_arms(first, second).excludes(0)
    assert stats.ttest_ind(first, second).pvalue > 0.3


@given(values, st.randoms(use_true_random=False))
def test_swapping_flips_and_order_does_not_matter(found: list[float], random) -> None:
    other = [1 - value / 2 for value in found]
    there, back = paired_arms(found, other), paired_arms(other, found)
    assert back.mean == pytest.approx(-there.mean, abs=1e-15)
    assert there.low is not None and there.high is not None
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-12)
    order = random.sample(range(len(found)), len(found))
    again = paired_arms([found[i] for i in order], [other[i] for i in order])
    assert again == pytest.approx(there, abs=1e-12)


def test_one_seed_cannot_tell() -> None:
    over = over_seeds(estimates([0.9]))
    assert over.interval == (0.9, None, None, 1) and over.spread is None
    assert over.test_error == pytest.approx(0.02 / stats.norm.ppf(0.975))
    found = paired_arms([0.9], [0.7])
    assert found.mean == pytest.approx(0.2) and found.low is found.high is None
    assert not found.excludes(0)


def test_no_seed_has_no_figure() -> None:
    over = over_seeds([])
    assert np.isnan(over.interval.mean) and over.spread is over.test_error is None
    assert np.isnan(paired_arms([], []).mean)


def test_equal_seeds_have_no_spread() -> None:
    over = over_seeds(estimates([0.9] * 3))
    assert over.interval == (0.9, 0.9, 0.9, 3) and over.spread == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("bad", [Estimate(float("nan")), Estimate(float("inf")), UNDEFINED])
def test_a_seed_without_figure_is_never_dropped(bad: Estimate) -> None:
    over = over_seeds([*estimates([0.9, 0.8]), bad])
    assert np.isnan(over.interval.mean) and over.interval.low is over.interval.high is None
    assert over.interval.n == 3 and over.spread is None
    assert over.test_error == pytest.approx(0.02 / stats.norm.ppf(0.975))  # of those that have one


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_nor_is_one_of_an_arm(bad: float, place: int) -> None:
    arms = [[0.9, 0.8, 0.7], [0.8, 0.8, 0.8]]
    arms[place][1] = bad
    found = paired_arms(*arms)
    assert np.isnan(found.mean) and found.low is None and not found.excludes(0) and found.n == 3


def test_undefined_seeds_alone_have_no_test_error() -> None:
    assert over_seeds([UNDEFINED] * 2).test_error is None
    assert over_seeds([Estimate(0.5), Estimate(0.6)]).test_error is None


def test_the_error_of_the_test_set_is_the_standard_error_of_each_run() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 2000)
    runs = [np.where(random.random(2000) < 0.8, labels, 1 - labels) for _ in range(5)]
    for level in (0.8, 0.95):
        accuracies = [evaluate(labels, run, level=level).figures["accuracy"] for run in runs]
        over = over_seeds(accuracies, nominal=level)
        assert over.test_error == pytest.approx((0.8 * 0.2 / 2000) ** 0.5, rel=0.03)
    many = over_seeds(accuracies * 20, nominal=0.95)  # more seeds do not lower it
    assert many.test_error == pytest.approx(over.test_error)
    assert many.interval.half is not None and over.interval.half is not None
    assert many.interval.half < over.interval.half / 4


def test_unequal_widths_are_averaged_as_squares() -> None:
    over = over_seeds([Estimate(0.5, 0.4, 0.6), Estimate(0.5, 0.1, 0.9)], nominal=0.9)
    halves = np.array([0.1, 0.4])
    expected = np.sqrt(np.mean(halves**2)) / stats.norm.ppf(0.95)
    assert over.test_error == pytest.approx(expected)


@pytest.mark.parametrize("arms", [([0.9], [0.9, 0.8]), ([], [0.5])])
def test_arms_have_the_same_seeds(arms) -> None:
    with pytest.raises(ValueError, match=f"found {len(arms[0])} and {len(arms[1])}"):
        paired_arms(*arms)


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match="level between 0 and 1"):
        over_seeds(estimates([0.9, 0.8]), level)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        paired_arms([0.9, 0.8], [0.8, 0.8], level)
