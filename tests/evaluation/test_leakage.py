"""Leakage against brute force, with planted copies and with data that hold none."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits

from descentlab.evaluation import neighbours as search
from descentlab.evaluation.leakage import (
    default_threshold,
    exact_duplicates,
    near_duplicates,
    shared_groups,
)
from descentlab.evaluation.neighbours import dimension_of, neighbours


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def digits():
    """Train and test of scikit-learn's digits, as images."""
    images = load_digits().images[rng().permutation(1797)]
    return images[300:], images[:300]


def few_values(rows):
    return arrays(
        np.float64, st.tuples(rows, st.just(2)), elements=st.sampled_from([-1, -0.0, 0, 2])
    )


# Exact duplicates


@given(few_values(st.integers(1, 12)), few_values(st.integers(1, 12)))
def test_exact_duplicates_are_those_of_brute_force(train, test):
    found = exact_duplicates(train, test)
    first = [
        (i, next(j for j, y in enumerate(train) if (x == y).all()))
        for i, x in enumerate(test)
        if any((x == y).all() for y in train)
    ]
    assert found.pairs.tolist() == [list(pair) for pair in first]
    assert found.examples == len(first) and found.n == len(test)
    for rows, repeated in ((train, found.within_train), (test, found.within_test)):
        assert repeated == len(rows) - len({tuple(row + 0.0) for row in rows})


def test_labels_that_disagree_are_counted():
    train, test = np.arange(6.0).reshape(3, 2), np.array([[4.0, 5], [0, 1], [9, 9], [2, 3]])
    found = exact_duplicates(train, test, [0, 1, 2], [2, 1, 0, 1])
    assert found.pairs.tolist() == [[0, 2], [1, 0], [3, 1]]
    assert found.different_labels == 1
    column = np.array([["a"], ["b"], ["c"]])
    assert exact_duplicates(train, test[:2], column, ["x", "a"]).different_labels == 1
    assert exact_duplicates(train, test).different_labels is None
    with pytest.raises(ValueError, match="one label an example, 3 in train and 4 in test"):
        exact_duplicates(train, test, [0, 1], [2, 1, 0, 1])


@pytest.mark.parametrize(
    "kinds",
    list(itertools.product([np.uint8, np.int64, np.float32, np.float64, np.float16], repeat=2)),
)
def test_types_are_mixed_by_value(kinds):
    train = rng().integers(0, 200, (30, 4, 4, 3))
    test = np.concatenate([train[[7, 3]], 255 - train[:2]])
    found = exact_duplicates(train.astype(kinds[0]), test.astype(kinds[1]))
    assert found.pairs.tolist() == [[0, 7], [1, 3]]


def test_values_that_differ_in_the_last_bit_are_not_exact():
    train = rng().normal(size=(50, 3))
    assert exact_duplicates(train, np.nextafter(train, np.inf)).examples == 0
    assert exact_duplicates(train.astype(np.float32), train).examples == 0
    assert exact_duplicates(train, train.copy(order="F")).examples == 50


def test_blocks_change_nothing(monkeypatch, digits):
    train, test = digits
    test = np.concatenate([test, train[5:9]])
    whole = exact_duplicates(train, test), near_duplicates(train, test, 0.4)
    monkeypatch.setattr(search, "VALUES", 1000)
    monkeypatch.setattr("descentlab.evaluation.leakage.VALUES", 100)
    monkeypatch.setattr(search, "TEST_ROWS", 7)
    monkeypatch.setattr(search, "TRAIN_ROWS", 100)
    parts = exact_duplicates(train, test), near_duplicates(train, test, 0.4)
    assert whole[0].examples == 4 and whole[1].examples > 0
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one.pairs, other.pairs)
    np.testing.assert_allclose(whole[1].ratios, parts[1].ratios, rtol=1e-5)


# Nearest neighbours


@pytest.mark.parametrize(("n", "features"), [(2, 3), (9, 3), (40, 5), (8000, 3), (5000, 40)])
def test_neighbours_are_those_of_brute_force(n, features):
    train = rng(n).normal(size=(n, features)).astype(np.float32)
    test = rng(n + 1).normal(size=(20, features)).astype(np.float32)
    index, distance = neighbours(train, test)
    every = np.linalg.norm(test[:, None].astype(np.float64) - train[None], axis=2)
    count = min(10, n - 1)
    np.testing.assert_allclose(distance, np.sort(every, axis=1)[:, :count], rtol=1e-12)
    np.testing.assert_array_equal(index, np.argsort(every, axis=1)[:, :count])


def test_the_largest_are_found_wherever_they_are():
    values = rng().normal(size=(5, 64 * 70 + 13)).astype(np.float32)
    values[0, -13:] = 9  # all in the part that no set of columns covers
    values[1, :16] = 9
    values[2, ::70][:16] = 9  # all in one set
    columns = search._largest(values, 16)
    for row, found in zip(values, columns, strict=True):
        assert len(set(found)) == 16
        np.testing.assert_array_equal(np.sort(row[found]), np.sort(row)[-16:])


@pytest.mark.parametrize("dimension", [1, 2, 5, 12])
def test_the_dimension_of_evenly_spread_points_is_found(dimension):
    # On a sphere's surface there is no edge; the circle has dimension 1.
    points = rng(3).normal(size=(20_000, dimension + 1)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    _, distance = neighbours(points[1500:], points[:1500])
    assert dimension_of(distance) == pytest.approx(dimension, rel=0.1)


def test_copies_of_some_examples_hardly_change_the_dimension():
    points = rng(4).normal(size=(5000, 6)).astype(np.float32)
    train, test = points[300:], points[:300]
    clean = dimension_of(neighbours(train, test)[1])
    copies = np.concatenate([train, test[:60] + np.float32(1e-3)])
    assert dimension_of(neighbours(copies, test)[1]) == pytest.approx(clean, rel=0.1)


def test_the_threshold_keeps_chance_below_a_twentieth():
    # Evenly spread points, many times: the share of checks that raise a false alarm.
    alarms = 0
    for seed in range(200):
        points = rng(seed).uniform(size=(400, 2))
        alarms += near_duplicates(points[100:], points[:100]).examples > 0
    assert alarms <= 0.12 * 200  # 5 % expected, edges and the error of the estimate aside
    assert default_threshold(2, 100) == pytest.approx((0.05 / 900) ** 0.5)
    assert default_threshold(50, 100) == 0.3
    assert default_threshold(float("inf"), 100) == 0.3


# Near duplicates


def shifted(images):
    return np.concatenate([images[:, :, :1], images[:, :, :-1]], axis=2)


@pytest.mark.parametrize(
    ("name", "change", "least"),
    [
        ("noise", lambda x: (x + rng(9).normal(0, 0.3, x.shape)).clip(0, 16), 0.97),
        ("brightness", lambda x: (x + 1).clip(0, 16), 0.9),
        ("contrast", lambda x: x * 0.6 + 2, 1.0),
        ("wrapped", lambda x: np.roll(x, 1, axis=2), 1.0),
        ("moved", shifted, 0.85),
        ("bytes", lambda x: np.round(x * 255 / 16), 1.0),
    ],
)
def test_changed_copies_of_images_are_found(digits, name, change, least):
    train, test = digits
    which = rng(1).permutation(len(train))[:100]
    found = near_duplicates(train, np.concatenate([test, change(train[which])]))
    pairs = dict(found.pairs.tolist())
    hits = sum(pairs.get(len(test) + i) == j for i, j in enumerate(which))
    assert hits >= least * 100, name
    assert not [i for i in pairs if i < len(test)]  # and no false alarm


def test_clean_data_raise_no_alarm(digits):
    assert near_duplicates(*digits).examples == 0
    train, test = (side.reshape(len(side), -1) for side in digits)
    assert near_duplicates(train, test).examples == 0
    clean = rng(2).normal(size=(1000, 4))
    assert near_duplicates(clean[200:], clean[:200]).examples == 0


@given(st.integers(1, 6), st.integers(0, 5))
def test_noisy_rows_of_a_table_are_found_in_any_unit(power, seed):
    table = rng(seed).normal(size=(400, 8)) * 10.0 ** (power * np.arange(-4, 4)) + 7
    train, test = table[100:], table[:100].copy()
    test[3] = train[11] + 1e-3 * train.std(axis=0)
    test[5] = train[0]  # exact, which is not near
    found = near_duplicates(train, test)
    assert [3, 11] in found.pairs.tolist()
    assert 5 not in found.pairs[:, 0]
    assert found.ratios[found.pairs[:, 0] == 3] < 0.01


def test_labels_channels_first_and_the_order_of_rows(digits):
    color = np.stack([digits[0], digits[0] ** 2 / 16, 16 - digits[0]], axis=1)
    last = np.moveaxis(color, 1, 3)
    labels = np.arange(len(color))
    test = last[[40, 8]] * 0.9
    one = near_duplicates(last, test, 0.2, train_labels=labels, test_labels=[40, 0])
    assert {tuple(pair) for pair in one.pairs.tolist()} == {(0, 40), (1, 8)}
    assert one.different_labels == 1
    first = near_duplicates(color, color[[40, 8]] * 0.9, 0.2)
    np.testing.assert_allclose(np.sort(first.ratios), np.sort(one.ratios), atol=1e-6)


def reference(train, test, axes):
    """The nearest and the ratio of images, by whole transforms and every distance, in float64."""
    views = [[], []]
    for images in (train, test):
        found = np.fft.fft2(images, axes=axes)
        for axis in axes:
            n = images.shape[axis]
            found = np.compress(abs(np.fft.fftfreq(n, 1 / n)) <= 7, found, axis)
        found[np.ix_(*(range(n) if i not in axes else [0] for i, n in enumerate(found.shape)))] = 0
        found = found.reshape(len(images), -1)
        found = found / np.linalg.norm(found, axis=1, keepdims=True)
        for view, rows in zip(views, (found, abs(found)), strict=True):
            view.append(rows)
    best = []
    for known, asked in views:
        distance = np.stack([np.linalg.norm(known - row, axis=1) for row in asked])
        ratio = distance.min(axis=1) / np.sort(distance, axis=1)[:, 9]
        best.append(list(zip(ratio, distance.argmin(axis=1), strict=True)))
    return [min(each) for each in zip(*best, strict=True)]


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((8, 8), (1, 2)), ((20, 17), (1, 2)), ((6, 30, 3), (1, 2)), ((3, 18, 20), (2, 3))],
)
def test_pairs_and_ratios_of_images_are_those_of_brute_force(shape, axes):
    train, test = rng(1).uniform(size=(80, *shape)), rng(2).uniform(size=(30, *shape))
    test[:10] = np.roll(train[:10], 2, axis=axes[1]) + rng(3).normal(size=test[:10].shape) / 5
    test[10:20] = train[10:20] + rng(4).normal(size=test[:10].shape) / 5
    expected = reference(train, test, axes)
    found = near_duplicates(train, test, 0.999)
    assert found.examples == 30
    for (i, j), ratio in zip(found.pairs.tolist(), found.ratios, strict=True):
        assert (ratio, j) == (pytest.approx(expected[i][0], abs=1e-5), expected[i][1])
    assert found.ratios.tolist() == sorted(found.ratios)


def test_permuting_rows_permutes_what_is_found(digits):
    train, test = digits[0][:500], np.concatenate([digits[1][:50], digits[0][:20] * 0.8])
    rows, others = rng(5).permutation(len(train)), rng(6).permutation(len(test))
    for check in (exact_duplicates, near_duplicates):
        plain, mixed = check(train, test), check(train[rows], test[others])
        back = {(int(others[i]), int(rows[j])) for i, j in mixed.pairs}
        assert back == {tuple(pair) for pair in plain.pairs.tolist()}
    assert near_duplicates(train, test).examples == 20


def test_plain_images_and_equal_rows_are_no_trouble():
    train = np.concatenate([np.zeros((20, 8, 8)), rng().uniform(size=(30, 8, 8))])
    assert near_duplicates(train, np.full((2, 8, 8), 3.0)).examples == 0  # none stands out
    table = np.ones((30, 2))
    assert near_duplicates(table, table * 2).examples == 0


def test_progress_rises_to_the_end(digits):
    seen: list[float] = []
    near_duplicates(*digits, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1


def test_far_outliers_do_not_make_neighbours_of_all():
    train = np.concatenate([rng().normal(size=(300, 2)), [[1e6, 1e6]]])
    assert near_duplicates(train, rng(1).normal(size=(50, 2))).examples <= 1


# Groups


@given(
    st.lists(st.sampled_from(["a", "b", "c", "", None, float("nan")]), min_size=1, max_size=20),
    st.lists(st.sampled_from(["b", "c", "d", "", None, float("nan")]), min_size=1, max_size=20),
)
def test_groups_are_those_of_brute_force(train, test):
    found = shared_groups(np.array(train, object), np.array(test, object))
    known = [i for i in train if isinstance(i, str) and i]
    assert found.examples == sum(isinstance(i, str) and i in known for i in test)
    assert {g.group for g in found.shared} == set("bc") & set(known) & {i for i in test if i == i}
    assert found.missing == sum(i != i or not i for i in [*train, *test])
    for one in found.shared:
        assert (one.train, one.test) == (train.count(one.group), test.count(one.group))
        assert one.test <= found.largest.test
    assert shared_groups(train, test) == found  # lists are as good


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (np.array([1, 2, 3]), np.array([3.0, np.nan, 4.0]), {3}),
        (np.array([[1], [2]]), np.array([2, 2], np.uint8), {2}),
        (np.array([b"x", b"y"]), np.array(["y", "z"]), {"y"}),
        (np.array(["1999", "NaT"], "M8[Y]"), np.array(["NaT", "1999"], "M8[Y]"), {"1999"}),
        ([None, None], [None, "a"], set()),
    ],
)  # fmt: skip
def test_ids_of_any_kind(train, test, expected):
    assert {one.group for one in shared_groups(train, test).shared} == expected


# Bad input


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (np.zeros((0, 3)), np.zeros((2, 3)), r"examples in train; found .*\(0, 3\)"),
        (np.zeros((4, 3)), np.zeros((2, 4)), r"shape \(3,\), as in train; found \(4,\)"),
        (np.zeros((4, 2, 3)), np.zeros((2, 6)), r"shape \(2, 3\), as in train; found \(6,\)"),
        (np.zeros((4, 3)), np.full((2, 3), np.nan), "NaN or an infinity in test"),
        (np.array([["a"]]), np.array([["a"]]), "expected numbers"),
    ],
)
@pytest.mark.parametrize("check", [exact_duplicates, near_duplicates])
def test_bad_arrays_are_named(check, train, test, message):
    with pytest.raises(ValueError, match=message):
        check(train, test)


def test_other_bad_input_is_named():
    x = rng().normal(size=(20, 3))
    for threshold in (0, 1, -1, float("nan")):
        with pytest.raises(ValueError, match="threshold between 0 and 1"):
            near_duplicates(x, x, threshold)
    with pytest.raises(ValueError, match="at least 3 training examples; found 2"):
        near_duplicates(x[:2], x)
    with pytest.raises(ValueError, match="expected images of shape"):
        near_duplicates(x, x, images=True)
    with pytest.raises(ValueError, match="texts on one side and numbers on the other"):
        shared_groups(["1", "2"], [1, 2])
    with pytest.raises(ValueError, match="one group id an example in test"):
        shared_groups([1], [])
