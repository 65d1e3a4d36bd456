"""Looks at growing numbers of seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from descentlab.evaluation.sequential import look_levels, obrien_fleming_spent, planned_looks


def test_boundaries_are_those_of_the_tables() -> None:
    """Lan and DeMets' O'Brien–Fleming boundaries for five equal looks, α = 0.05 two-sided."""
    levels = look_levels([1, 2, 3, 4, 5], 5)
    z = stats.norm.isf(np.array(levels) / 2)
    assert z == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=0.002)


def test_one_look_is_an_ordinary_test_and_all_is_spent_at_the_end() -> None:
    assert look_levels([20], 20) == pytest.approx([0.05], abs=1e-6)
    assert obrien_fleming_spent(1.0) == pytest.approx(0.05)


@pytest.mark.parametrize("peeking", [False, True])
def test_false_verdicts_of_all_looks_together(peeking: bool) -> None:
    """With t tests of 4, 6, 9, 14 and 20 seeds; testing at 5 % each time errs far oftener."""
    looks = planned_looks(4, 20)
    levels = [0.05] * len(looks) if peeking else look_levels(looks, 20)
    values = np.random.default_rng(0).normal(size=(6000, 20))
    wrong = np.zeros(6000, bool)
    for look, level in zip(looks, levels, strict=True):
        wrong |= stats.ttest_1samp(values[:, :look], 0, axis=1).pvalue <= level
    rate = wrong.mean()
    assert rate > 0.10 if peeking else 0.04 < rate < 0.058


def test_looks_grow_to_the_most() -> None:
    assert planned_looks(3, 20) == [3, 4, 6, 9, 14, 20]
    assert planned_looks(5, 5) == planned_looks(9, 5) == [5]


@pytest.mark.parametrize(("most", "rate"), [(4, 0.056), (6, 0.055), (20, 0.052)])
def test_few_seeds_cost_what_is_said(most: int, rate: float) -> None:
    """Levels of a normal test carried over to t are a little too large for few seeds."""
    looks = planned_looks(3, most)
    values = np.random.default_rng(1).normal(size=(60_000, most))
    wrong = np.zeros(len(values), bool)
    for look, level in zip(looks, look_levels(looks, most), strict=True):
        part = values[:, :look]
        t = part.mean(axis=1) / part.std(axis=1, ddof=1) * look**0.5
        wrong |= 2 * stats.t.sf(np.abs(t), look - 1) <= level
    assert wrong.mean() == pytest.approx(rate, abs=0.003)
