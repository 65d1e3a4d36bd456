"""Input scaling against scikit-learn's, and its corners."""

import numpy as np
import pytest
from sklearn import preprocessing

from descentlab.core.errors import DataError
from descentlab.data.scaling import scale_inputs

GENERATOR = np.random.default_rng(0)
TRAIN = GENERATOR.normal(3, 5, (50, 4))
TEST = GENERATOR.normal(3, 5, (20, 4))


@pytest.mark.parametrize(
    ("scale", "reference"),
    [
        ("standardize", preprocessing.StandardScaler()),
        ("minmax", preprocessing.MinMaxScaler()),
    ],
)
def test_it_agrees_with_scikit_learn(scale, reference):
    found, _ = scale_inputs({"train": TRAIN, "test": TEST}, scale, "it")
    reference.fit(TRAIN)
    np.testing.assert_allclose(found["train"], reference.transform(TRAIN), atol=1e-12)
    np.testing.assert_allclose(found["test"], reference.transform(TEST), atol=1e-12)


@pytest.mark.parametrize("scale", ["none", "unit", "standardize", "minmax"])
def test_what_is_not_train_does_not_matter(scale):
    one, _ = scale_inputs({"train": TRAIN, "test": TEST}, scale, "it")
    two, _ = scale_inputs({"train": TRAIN, "test": TEST * 1e6}, scale, "it")
    assert np.array_equal(one["train"], two["train"])


def test_bytes_are_divided_by_255_whatever_train_holds():
    images = np.array([[[0, 51], [102, 204]]], np.uint8)
    found, words = scale_inputs({"train": images, "test": images + 51}, "unit", "it")
    assert found["train"].dtype == np.float32
    np.testing.assert_array_equal(found["test"], np.float32([[[0.2, 0.4], [0.6, 1.0]]]))
    assert words == "inputs divided by 255"


@pytest.mark.parametrize(("scale", "rest"), [("standardize", 4.9), ("minmax", 4.9)])
def test_a_constant_feature_is_not_blown_up(scale, rest):
    # 0.1 summed and divided is not 0.1: the deviation is rounding, and no scale.
    train = np.stack([np.full(1000, 0.1), np.arange(1000.0)], axis=1)
    test = np.array([[5.0, 3.0]])
    found, _ = scale_inputs({"train": train, "test": test}, scale, "it")
    assert np.abs(found["train"][:, 0]).max() < 1e-12
    np.testing.assert_allclose(found["test"][0, 0], rest)


def test_more_rows_than_one_block_are_one_population():
    many = np.random.default_rng(1).integers(0, 256, (10_000, 3), dtype=np.uint8)
    found, _ = scale_inputs({"train": many}, "standardize", "it")
    expected = (many - many.mean(axis=0)) / many.std(axis=0)
    np.testing.assert_allclose(found["train"], expected, rtol=1e-5, atol=1e-6)


def test_an_offset_does_not_cost_precision():
    train = (1e6 + TRAIN).astype(np.float32)
    found, _ = scale_inputs({"train": train}, "standardize", "it")
    exact = train.astype(np.float64)
    np.testing.assert_allclose(
        found["train"], (exact - exact.mean(0)) / exact.std(0), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("scale", ["standardize", "minmax"])
def test_an_overflow_is_an_error(scale):
    with pytest.raises(DataError, match=r"own\.csv: inputs as large as 1\.7e\+308 overflow"):
        scale_inputs({"train": np.array([[1.7e308], [-1.7e308]])}, scale, "own.csv")


def test_zeros_alone_stay_zeros():
    for scale in ("none", "unit", "standardize", "minmax"):
        found, _ = scale_inputs({"train": np.zeros((3, 2))}, scale, "it")
        assert not found["train"].any()
