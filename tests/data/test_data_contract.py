"""Every kind of data set that can be loaded keeps the contract."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from descentlab.data.contract import DataContract
from descentlab.data.specs import CATALOGUE

REAL = os.environ.get("DESCENTLAB_DATA", "")
BUILT_IN = ("digits", "breast_cancer", "iris", "wine", "blobs", "moons", "circles", "spirals")
ELSEWHERE = ("least_squares", "none")  # in a file of its own; nothing to hold a contract
PUBLIC = ("mnist", "fashion-mnist")
OWN = ("npz", "csv", "parquet")


class Own(DataContract):
    """Data in the test's own folder."""

    numeric = False
    suffix = ""

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        generator = np.random.default_rng(0)
        inputs = generator.normal(size=(60, 3)).round(6)
        labels = inputs @ [1, -2, 3] if self.numeric else np.array(["no", "yes"] * 30)
        path = tmp_path / f"own.{self.suffix}"
        self.write(path, inputs, labels)
        self.spec = {
            "kind": self.suffix,
            "path": str(path),
            "target": "numeric" if self.numeric else "classes",
        }

    def write(self, path: Path, inputs: np.ndarray, labels: np.ndarray) -> None:
        import pandas as pd

        frame = pd.DataFrame(inputs, columns=["a", "b", "c"]).assign(label=labels)
        frame.to_csv(path, index=False) if self.suffix == "csv" else frame.to_parquet(path)


@pytest.mark.parametrize("spec", BUILT_IN, scope="class")
class TestBuiltIn(DataContract):
    @pytest.fixture(autouse=True)
    def chosen(self, spec: str) -> None:
        self.spec = spec


class TestCsv(Own):
    suffix = "csv"


class TestCsvOfNumbers(Own):
    suffix = "csv"
    numeric = True


class TestParquet(Own):
    suffix = "parquet"


class TestNpz(Own):
    suffix = "npz"

    def write(self, path: Path, inputs: np.ndarray, labels: np.ndarray) -> None:
        np.savez(path, inputs=inputs, label=labels)


class TestNpzOfNumbers(TestNpz):
    numeric = True


class TestTinyImages(DataContract):
    """The contract on MNIST's kind, with tiny files in its format."""

    spec = "mnist"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path, tiny, monkeypatch):
        from descentlab.data import public

        data = tiny.data._replace(name="mnist")
        monkeypatch.setattr(public, "MNIST", data)
        tiny.write(tmp_path / "mnist")
        monkeypatch.setenv("DESCENTLAB_DATA", str(tmp_path))


@pytest.mark.parametrize("name", PUBLIC)
def test_the_real_files_are_as_published(name, monkeypatch):
    from .conftest import load

    if not any((Path(folder) / name).is_dir() for folder in REAL.split(os.pathsep) if folder):
        pytest.skip(f"needs {name} in a folder that DESCENTLAB_DATA names")
    monkeypatch.setenv("DESCENTLAB_DATA", REAL)
    dataset = load(name, split={"validation": 0.1})
    assert dataset.validation is not None
    assert dataset.test is not None
    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [54_000, 6_000, 10_000]
    for part in (dataset.train, dataset.validation, dataset.test):
        assert part.inputs.dtype == np.float32
        assert part.inputs.shape[1:] == (28, 28)
        assert (part.inputs.min(), part.inputs.max()) == (0, 1)
        assert np.unique(part.targets).tolist() == list(range(10))
    if name == "mnist":  # the mean and deviation that everybody normalises MNIST with
        whole = np.concatenate([dataset.train.inputs, dataset.validation.inputs])
        np.testing.assert_allclose(
            [whole.mean(dtype=float), whole.std(dtype=float)], [0.1307, 0.3081], atol=5e-5
        )
    assert dataset.classes[0] == ("0" if name == "mnist" else "T-shirt/top")


def test_the_real_rows_of_mnist_are_read_from_a_csv_without_header(monkeypatch, tmp_path):
    from .conftest import load

    folders = [Path(folder) for folder in REAL.split(os.pathsep) if folder]
    found = [p for f in folders if (p := f / "mnist-5k" / "mnist_5k.csv.gz").is_file()]
    if not found:
        pytest.skip("needs mnist-5k/mnist_5k.csv.gz in a folder that DESCENTLAB_DATA names")
    shutil.copy(found[0], tmp_path / "rows.csv.gz")
    dataset = load("csv", path="rows.csv.gz", header=False, label="f784", scale="unit")
    assert dataset.train.inputs.shape == (5000, 784)
    assert dataset.classes == tuple("0123456789")
    assert np.bincount(dataset.train.targets).tolist() == [500] * 10


def test_no_kind_is_forgotten():
    assert set(CATALOGUE.kinds) == {*BUILT_IN, *ELSEWHERE, *PUBLIC, *OWN}
