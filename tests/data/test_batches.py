"""Batch orders: permutations, uniform draws, partial batches, sizes."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

from descentlab.core.errors import SpecError
from descentlab.data.batches import CATALOGUE, Full, Replacement, Shuffled, Single

KEYS = [jax.random.key(seed, impl="threefry2x32") for seed in range(3)]


@pytest.mark.parametrize(("examples", "size"), [(10, 3), (12, 4), (7, 7), (5, 1)])
def test_shuffled_sees_every_example_once_an_epoch_and_pads_with_no_example(examples, size):
    batches = Shuffled(size=size)
    order = np.asarray(batches.order(KEYS[0], examples))
    assert len(order) == batches.steps_per_epoch(examples) * size
    assert sorted(order[:examples]) == list(range(examples))
    assert (order[examples:] == examples).all()


@pytest.mark.parametrize(("examples", "size"), [(10, 3), (12, 4), (100, 64)])
def test_dropping_the_last_partial_batch_leaves_whole_batches_without_repeats(examples, size):
    batches = Shuffled(size=size, last="drop")
    order = np.asarray(batches.order(KEYS[0], examples))
    assert len(order) == examples // size * size == batches.steps_per_epoch(examples) * size
    assert len(set(order.tolist())) == len(order) and order.max() < examples


def test_orders_differ_between_keys_and_are_the_same_for_one():
    a, b = (np.asarray(Shuffled(size=5).order(key, 100)) for key in KEYS[:2])
    assert (a != b).any()
    np.testing.assert_array_equal(a, Shuffled(size=5).order(KEYS[0], 100))


@pytest.mark.parametrize(
    ("batches", "steps", "size"), [(Replacement(size=8), 13, 8), (Single(), 100, 1)]
)
def test_draws_with_replacement_are_uniform(batches, steps, size):
    assert batches.steps_per_epoch(100) == steps and batches.batch_size(100) == size
    keys = jax.random.split(KEYS[0], 200)
    draws = np.concatenate([np.asarray(batches.order(key, 100)) for key in keys])
    assert draws.min() >= 0 and draws.max() < 100
    assert stats.chisquare(np.bincount(draws, minlength=100)).pvalue > 1e-3


def test_full_batches_are_one_update_an_epoch():
    assert Full().steps_per_epoch(17) == 1 and Full().batch_size(17) == 17


def test_a_batch_larger_than_the_data_is_refused_with_advice():
    with pytest.raises(SpecError, match=r"run\.batches\.size: .* larger .*5 examples.*full"):
        Shuffled(size=6).check(5)
    assert set(CATALOGUE.kinds) == {"full", "shuffled", "replacement", "single"}
