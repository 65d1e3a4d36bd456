"""Times to a target with censored runs, and performance profiles."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.evaluation.times import median_time, performance_profile


def test_without_censoring_the_median_is_the_middle_run() -> None:
    found = median_time(np.array([5.0, 1, 4, 2, 3]), np.ones(5, bool))
    assert (found.value, found.reached, found.runs) == (3.0, 5, 5)
    assert found.low is not None and found.low <= 3


def test_runs_that_never_got_there_move_the_median_back() -> None:
    times, reached = np.array([1.0, 2, 3, 10, 10]), np.array([True, True, True, False, False])
    assert median_time(times, reached).value == 3
    assert median_time(times, np.array([True, True, False, False, False])).value is None
    nothing = median_time(times, np.zeros(5, bool))
    assert (nothing.value, nothing.reached) == (None, 0)


def test_the_curve_is_kaplan_and_meiers() -> None:
    """Censored at 2: S = 1 - 1/6 at 1, then × (1 - 1/4) at 3, × (1 - 1/3) at 4, …"""
    times = np.array([1.0, 2, 3, 4, 5, 6])
    reached = np.array([True, False, True, True, True, True])
    survival = np.cumprod([5 / 6, 3 / 4, 2 / 3, 1 / 2])
    expected = [1, 3, 4, 5][int(np.flatnonzero(survival <= 0.5)[0])]
    assert median_time(times, reached).value == expected


def test_a_run_that_failed_never_gets_there() -> None:
    """Nine that diverged and one that got there: half never do, however early the nine ended."""
    there = np.array([False] * 9 + [True])
    assert median_time(np.array([np.inf] * 9 + [100.0]), there).value is None
    assert median_time(np.array([5.0] * 9 + [100.0]), there).value == 100  # had they gone on
    times = np.array([np.inf, np.inf, 1, 2, 3])
    assert median_time(times, np.isfinite(times)).value == np.median(times) == 3
    one_more = np.append(times, [np.inf] * 2)
    assert median_time(one_more, np.isfinite(one_more)).value is None


def test_the_interval_covers_the_median() -> None:
    random, covered = np.random.default_rng(0), 0
    for _ in range(400):
        true, ends = random.exponential(1, 40), random.uniform(0.5, 3, 40)
        found = median_time(np.minimum(true, ends), true <= ends)
        low, high = found.low or 0, np.inf if found.high is None else found.high
        covered += low <= np.log(2) <= high
    assert 0.92 < covered / 400 < 0.98


def test_a_profile_by_hand() -> None:
    times = np.array([[1.0, 2, np.inf], [4, 2, 3], [np.inf, np.inf, np.inf], [5, 5, 20]])
    found = performance_profile(times, np.array([1.0, 2.0, 4.0]))
    assert found == pytest.approx(np.array([[0.5, 0.75, 0.75], [0.5, 0.75, 0.75], [0, 0.25, 0.5]]))


def test_a_target_met_at_the_start_is_met_by_all_who_meet_it() -> None:
    found = performance_profile(np.array([[0.0, 0.0, 3.0, np.inf]]), np.array([1.0, 4.0]))
    assert found.tolist() == [[1, 1], [1, 1], [0, 0], [0, 0]]
