"""Tiny data sets in the formats of the real ones."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from descentlab.core.spec import Spec
from descentlab.data import idx
from descentlab.data.dataset import Dataset
from descentlab.data.locate import PublicData, PublicFile
from descentlab.data.specs import CATALOGUE

NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Look for data and keep data in the test's own folder only, and never on the web."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DESCENTLAB_DATA", raising=False)
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tiny() -> Tiny:
    return Tiny.make("tiny")


def load(kind: str, **fields) -> Dataset:
    """Load data as a study file would name it; faults name the path below ``run.data``."""
    return parse(kind, **fields).load()  # type: ignore[attr-defined]


def parse(kind: str, **fields) -> Spec:
    return CATALOGUE.find(kind).parse({"kind": kind, **fields}, "run.data")


class Tiny:
    """Twelve images of 3 × 2 and four for testing, three classes, as four idx files."""

    def __init__(self, arrays: list[np.ndarray], data: PublicData) -> None:
        self.arrays, self.data = arrays, data
        self.contents = [idx.pack(array) for array in arrays]
        self.packed = [gzip.compress(content, mtime=0) for content in self.contents]

    @classmethod
    def make(cls, name: str, address: str = "http://127.0.0.1:9/", seed: int = 0) -> Tiny:
        generator = np.random.default_rng(seed)
        arrays = [
            generator.integers(0, 256, (12, 3, 2), dtype=np.uint8),
            generator.permutation(np.arange(12, dtype=np.uint8) % 3),
            generator.integers(0, 256, (4, 3, 2), dtype=np.uint8),
            np.roll(np.array([0, 1, 2, 1], np.uint8), seed),
        ]
        return cls(arrays, _published(name, address, arrays))

    def write(self, folder: Path, style: str = "{}", packed: bool = True) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, content, small in zip(NAMES, self.contents, self.packed, strict=True):
            plain = name.removesuffix(".gz")
            plain = plain.replace("-idx", ".idx") if style == "dotted" else plain
            paths.append(folder / (f"{plain}.gz" if packed else plain))
            paths[-1].write_bytes(small if packed else content)
        return paths


def _published(name: str, address: str, arrays: list[np.ndarray]) -> PublicData:
    files = []
    for file, array in zip(NAMES, arrays, strict=True):
        content = idx.pack(array)
        sums = [hashlib.md5(b).hexdigest() for b in (gzip.compress(content, mtime=0), content)]
        files.append(PublicFile(file, address, *sums))
    return PublicData(name, tuple(files))
