"""Budgets and promotions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descentlab.studies.search.brackets import hyperband, promoted, successive_halving


def test_hyperband_has_the_papers_table() -> None:
    """Table 1 of Li et al. (2018): R = 81, η = 3, by (settings, budget)."""
    found = [[*zip(b.counts, b.budgets, strict=True)] for b in hyperband(81, 3)]
    assert found == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ]


@pytest.mark.parametrize(("maximum", "factor"), [(243, 3), (125, 5), (1000, 10), (64, 2)])
def test_powers_lose_no_bracket(maximum: int, factor: int) -> None:
    """log(243)/log(3) is 4.999… in floating point."""
    brackets = hyperband(maximum, factor)
    assert factor ** (len(brackets) - 1) == maximum
    assert brackets[0].budgets[0] == 1


@given(st.integers(1, 2000), st.integers(2, 10))
def test_brackets_end_at_the_whole_budget_and_rise(maximum: int, factor: int) -> None:
    for bracket in hyperband(maximum, factor):
        assert bracket.budgets[-1] == maximum
        assert all(a <= b for a, b in zip(bracket.budgets, bracket.budgets[1:], strict=False))
        assert all(
            after == before // factor or after == bracket.counts[0] // factor**i
            for i, (before, after) in enumerate(
                zip(bracket.counts, bracket.counts[1:], strict=False), 1
            )
        )
        assert bracket.counts[-1] >= 1 and bracket.budgets[0] >= 1


def test_ten_epochs_are_one_three_and_ten() -> None:
    assert [b.budgets for b in hyperband(10, 3)] == [(1, 3, 10), (3, 10), (10,)]
    assert [b.counts for b in hyperband(10, 3)] == [(9, 3, 1), (5, 1), (3,)]


def test_successive_halving_ends_with_one_at_the_whole_budget() -> None:
    (bracket,) = successive_halving(20, 1, 10, 3)
    assert (bracket.counts, bracket.budgets) == ((20, 6, 2, 1), (1, 3, 9, 10))
    assert successive_halving(4, 5, 5, 2)[0].counts == (4,)


def test_the_best_go_on_ties_by_id_and_diverged_ones_never() -> None:
    values = {"c3": 0.5, "c1": 0.5, "c2": 0.9, "c0": math.nan, "c4": math.inf}
    assert promoted(values, 2, lower_is_better=False) == ["c2", "c1"]
    assert promoted(values, 2, lower_is_better=True) == ["c1", "c3"]
    assert promoted(values, 9, lower_is_better=True) == ["c1", "c3", "c2"]
    assert promoted({"a": math.nan}, 1, lower_is_better=True) == []
