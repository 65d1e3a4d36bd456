"""Splits: disjoint, complete, seeded, stratified; and those that cannot be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descentlab.core.errors import DataError, SpecError
from descentlab.data.fields import Split
from descentlab.data.splits import describe, split_indices

from .conftest import load, parse

labels = st.lists(st.integers(0, 4), min_size=1, max_size=80).map(np.array)


@st.composite
def asked(draw):
    targets = draw(labels)
    test = draw(st.integers(0, len(targets)))
    validation = draw(st.integers(0, len(targets) - test))
    return targets, {"test": test, "validation": validation}


@given(asked(), st.integers(0, 2**63), st.booleans())
def test_parts_are_disjoint_complete_and_of_the_size_asked_for(case, seed, stratify):
    targets, counts = case
    parts = split_indices(targets, counts, seed, stratify)
    together = np.concatenate(list(parts.values()))
    assert sorted(together) == list(range(len(targets)))
    assert {name: len(parts[name]) for name in counts} == counts
    again = split_indices(targets, counts, seed, stratify)
    assert all(np.array_equal(parts[name], again[name]) for name in parts)


@given(labels, st.data(), st.integers(0, 1000))
def test_each_class_gives_its_share_to_within_one(targets, data, seed):
    count = data.draw(st.integers(0, len(targets)))
    part = split_indices(targets, {"test": count}, seed, stratify=True)["test"]
    for label in np.unique(targets):
        ideal = (targets == label).sum() * count / len(targets)
        assert abs((targets[part] == label).sum() - ideal) < 1 + 1e-9


def test_which_examples_depends_on_the_seed_alone():
    targets = np.arange(200) % 2
    parts = [split_indices(targets, {"test": 50}, seed, True)["test"] for seed in range(20)]
    assert len({tuple(part) for part in parts}) == 20
    often = np.bincount(np.concatenate(parts), minlength=200)
    assert often.max() <= 14, "some examples are drawn far too often (expected 5 of 20)"


def test_validation_comes_out_of_what_test_leaves():
    one = split_indices(np.arange(60) % 3, {"test": 12}, 7, True)
    two = split_indices(np.arange(60) % 3, {"test": 12, "validation": 6}, 7, True)
    assert np.array_equal(one["test"], two["test"])
    assert set(two["validation"]) < set(one["train"])


@pytest.mark.parametrize(
    ("split", "official", "words"),
    [
        ({}, None, "no split"),
        ({}, 10, "the official test part"),
        ({"test": 0.25, "seed": 3}, None, "test: 0.25 of the examples, stratified random split"),
        ({"test": 0.25, "seed": 3}, None, "seed 3"),
        ({"test": 5, "stratify": False}, None, "test: 5 examples, simple random split, seed 0"),
        ({"test": 5}, 10, "the official test part (10 examples) is left out"),
        ({"test": 0}, 10, "is left out"),
    ],
)
def test_words_say_what_was_done(split, official, words):
    assert words in describe(Split(**split), True, official)


@pytest.mark.parametrize("share", [1.0, 1.5, -1, -0.1, True, "0.2", [1]])
def test_a_share_that_could_mean_two_things_is_refused(share):
    with pytest.raises(SpecError, match=r"^run\.data\.split\.test: expected a share below 1"):
        parse("iris", split={"test": share})


def test_one_means_one_example():
    dataset = load("iris", split={"test": 1})
    assert dataset.test is not None
    assert len(dataset.test) == 1


@pytest.mark.parametrize(
    ("split", "says"),
    [
        ({"test": 150}, "150 for test of 150 examples and leaves none"),
        ({"test": 0.5, "validation": 0.5}, "75 for test and 75 for validation"),
        ({"test": 0.001}, "split.test = 0.001 of 150 examples is none; make it larger"),
        ({"test": 149}, "one class to train on; set less apart"),
    ],
)
def test_a_split_that_leaves_nothing_says_so(split, says):
    with pytest.raises(DataError) as caught:
        load("iris", split=split)
    assert says in str(caught.value)
    assert str(caught.value).startswith("iris: ")
