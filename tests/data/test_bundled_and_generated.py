"""Data sets that scikit-learn ships, and those that are drawn."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LogisticRegression

from descentlab.core.errors import SpecError
from descentlab.data import bundled

from .conftest import load, parse


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "iris", "wine"])
@pytest.mark.parametrize("reader", ["file", "loader"])
def test_they_equal_what_scikit_learn_loads(name, reader, monkeypatch):
    if reader == "loader":  # as where a version of scikit-learn keeps its files elsewhere
        monkeypatch.setattr(bundled, "_read_file", lambda name: None)
    found = load(name, scale="none")
    expected = getattr(datasets, f"load_{name}")()
    np.testing.assert_array_equal(found.train.inputs.reshape(len(found.train), -1), expected.data)
    np.testing.assert_array_equal(found.train.targets, expected.target)
    assert found.classes == tuple(map(str, expected.target_names))
    assert "scikit-learn" in found.notes["files"][0]


@pytest.mark.parametrize("found", [None, SimpleNamespace(submodule_search_locations=["gone"])])
def test_without_the_files_scikit_learn_is_asked(found, monkeypatch):
    monkeypatch.setattr(bundled.importlib.util, "find_spec", lambda name: found)
    assert bundled._read_file("iris") is None
    assert len(load("iris").train) == 150


def test_digits_are_images_in_the_unit_interval():
    train = load("digits").train.inputs
    assert train.shape == (1797, 8, 8)
    assert (train.min(), train.max()) == (0, 1)


def test_nothing_slow_is_imported():
    code = (
        "import sys\nfrom descentlab.data.specs import CATALOGUE\n"
        "assert not {'numpy', 'jax'} & set(sys.modules)\n"
        "[CATALOGUE.validate(n).load() for n in ('digits', 'iris', 'blobs')]\n"
        "print({'sklearn', 'pyarrow', 'pandas', 'jax', 'urllib.request'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()", done.stdout


@pytest.mark.parametrize("kind", ["blobs", "moons", "circles", "spirals"])
def test_seeds_decide_what_is_drawn(kind):
    one, two, other = (load(kind, seed=seed).train for seed in (0, 0, 1))
    assert np.array_equal(one.inputs, two.inputs)
    assert not np.array_equal(one.inputs, other.inputs)
    assert one.inputs.shape == (400, 2)
    assert np.bincount(one.targets).tolist() == [200, 200]


def test_blobs_overlap_a_little_so_that_logistic_regression_is_not_degenerate():
    for seed in range(5):
        train = load("blobs", examples=400, classes=2, features=2, seed=seed).train
        fitted = LogisticRegression(C=1e6).fit(train.inputs, train.targets)
        assert 0.85 < fitted.score(train.inputs, train.targets) < 1
        assert np.abs(fitted.coef_).max() < 20


@pytest.mark.parametrize(("classes", "features"), [(2, 1), (3, 2), (7, 30), (1000, 5)])
def test_blobs_lie_two_apart_on_average(classes, features):
    train = load("blobs", examples=2000, classes=classes, features=features, noise=0).train
    centres = np.unique(train.inputs, axis=0)
    assert len(centres) == classes
    apart = [np.linalg.norm(centres[i + 1 :] - centres[i], axis=1) for i in range(classes - 1)]
    np.testing.assert_allclose(np.concatenate(apart).mean(), 2)


def test_without_noise_shapes_are_exact():
    circles = load("circles", noise=0).train
    radius = np.linalg.norm(circles.inputs, axis=1)
    np.testing.assert_allclose(radius, np.where(circles.targets == 0, 1, 0.5))
    moons = load("moons", noise=0).train
    upper, lower = (moons.inputs[moons.targets == label] for label in (0, 1))
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(lower - [1, 0.5], axis=1), 1)
    spirals = load("spirals", classes=3, noise=0).train
    way = np.linalg.norm(spirals.inputs, axis=1)
    angle = np.arctan2(spirals.inputs[:, 1], spirals.inputs[:, 0])
    arm = (angle - 1.5 * np.pi * way) / (2 * np.pi / 3)
    np.testing.assert_allclose((arm - spirals.targets + 1.5) % 3, 1.5, atol=1e-9)


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        ("blobs", {"examples": 3, "classes": 5}, "3 examples of 5 classes"),
        ("spirals", {"examples": 3, "classes": 5}, "each needs one at least"),
        ("blobs", {"examples": 10**7, "features": 1000}, "ask for fewer"),
        ("blobs", {"classes": 1}, r"run\.data\.classes"),
        ("moons", {"noise": -1}, r"run\.data\.noise"),
        ("moons", {"noise": float("nan")}, r"run\.data\.noise"),
        ("circles", {"exmples": 3}, "did you mean 'examples'"),
        ("iris", {"scale": "standardise"}, r"run\.data\.scale"),
        ("iris", {"seed": 1}, r"run\.data\.seed: unknown field"),
    ],
)
def test_faults_of_a_specification_name_the_field(kind, fields, says):
    with pytest.raises(SpecError, match=says):
        parse(kind, **fields)


def test_every_field_is_described():
    from descentlab.data.specs import CATALOGUE

    for name, spec in CATALOGUE.kinds.items():
        for field, info in spec.model_fields.items():
            inherited = [base.model_fields.get(field) for base in spec.__mro__[1:-2] if base]
            texts = [info.description, *(i.description for i in inherited if i)]
            assert field == "kind" or any(texts), f"{name}.{field} has no description"
