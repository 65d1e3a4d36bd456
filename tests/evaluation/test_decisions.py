"""Decisions over seeds: Holm's rule, intervals that agree with it, and how often they are wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from descentlab.evaluation.decisions import Advantage, Statement, decide, holm_shares

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def holm(p_values: list[float], alpha: float) -> list[bool]:
    """The procedure as it is written in Holm (1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    rejected = [False] * len(p_values)
    for rank, index in enumerate(order):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


@given(P_VALUES, st.floats(0.001, 0.5))
def test_shares_reject_what_holm_rejects(p_values: list[float], alpha: float) -> None:
    shares = holm_shares(p_values, alpha)
    found = [p <= share for p, share in zip(p_values, shares, strict=True)]
    assert found == holm(p_values, alpha)


@pytest.mark.parametrize("seed", range(5))
def test_intervals_and_p_values_are_students(seed: int) -> None:
    values = np.random.default_rng(seed).normal(0.3, 1, 3 + 4 * seed)
    advantage = Advantage(values)
    test = stats.ttest_1samp(values, 0.1)
    assert advantage.p_value(0.1) == pytest.approx(test.pvalue, rel=1e-9)
    low, high = test.confidence_interval(0.9)
    assert advantage.interval(0.9)[:3] == pytest.approx((values.mean(), low, high), rel=1e-9)


@given(
    st.lists(
        st.lists(st.floats(-1, 1), min_size=4, max_size=4), min_size=1, max_size=4
    ),
    st.floats(0.01, 0.3),
)  # fmt: skip
def test_a_statement_is_decided_exactly_where_its_p_value_is_within_its_share(rows, alpha) -> None:
    statements = [Statement([Advantage(np.array(row))]) for row in rows]
    shares = holm_shares([each.p_value for each in statements], alpha)
    for each, share, decided in zip(statements, shares, decide(statements, alpha), strict=True):
        if abs(each.p_value - share) > 1e-9:
            assert (decided.decision != "undecided") == (each.p_value < share)


def test_bounds_are_read_off_the_interval() -> None:
    steady = Advantage(np.array([0.9, 1.0, 1.1]))  # 0.75 to 1.25
    words = {
        (0.0, math.inf): "supported", (1.0, math.inf): "undecided", (1.5, math.inf): "refuted",
        (-2.0, 2.0): "supported", (-0.5, 0.5): "refuted", (-1.0, 1.1): "undecided",
    }  # fmt: skip
    for (above, below), word in words.items():
        assert decide([Statement([steady], above, below)])[0].decision == word, (above, below)


def test_all_comparisons_must_hold_and_one_refutes() -> None:
    good, bad = Advantage(np.array([0.9, 1.0, 1.1])), Advantage(np.array([-1.1, -1.0, -0.9]))
    wide = Advantage(np.array([-3.0, 1.0, 4.0]))
    assert decide([Statement([good, good])])[0].decision == "supported"
    assert decide([Statement([good, wide])])[0].decision == "undecided"
    assert decide([Statement([good, bad])])[0].decision == "refuted"


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan]])
def test_without_two_seeds_nothing_is_decided(values: list[float]) -> None:
    decided = decide([Statement([Advantage(np.array(values))])])[0]
    assert decided.decision == "undecided"
    assert all(i.low is None for i in decided.intervals)


def test_equal_differences_of_a_coarse_metric_are_no_certainty() -> None:
    """One example of thirty in each of two seeds: a t interval of width zero would be a lie."""
    values = np.array([1 / 30, 1 / 30])
    assert decide([Statement([Advantage(values)])])[0].decision == "supported"
    coarse = Advantage(values, resolution=math.sqrt(2 / 12) / 30)
    assert decide([Statement([coarse])])[0].decision == "undecided"
    assert decide([Statement([Advantage(np.full(9, 1 / 30), 0.0136)])])[0].decision == "supported"


def test_false_verdicts_are_rarer_than_alpha() -> None:
    """Three null claims over five seeds: any false verdict in at most 5 % of studies."""
    random = np.random.default_rng(0)
    wrong = 0
    for _ in range(2000):
        statements = [Statement([Advantage(random.normal(size=5))]) for _ in range(3)]
        wrong += any(each.decision != "undecided" for each in decide(statements))
    assert wrong / 2000 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)
    assert wrong / 2000 > 0.03  # and the test is not idle
