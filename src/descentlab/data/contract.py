"""What every data set must do, as tests that third parties can inherit.

Example:
    >>> class TestMine(DataContract):  # in a file that pytest collects
    ...     spec = {"kind": "package.module:MyData", "path": "mine.bin"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from descentlab.core.spec import split_floats
from descentlab.data.dataset import Dataset, Examples
from descentlab.data.specs import CATALOGUE, Data


class DataContract:
    """Tests of a data set; a subclass says which.

    Attributes:
        spec: the data set as a study file names it.
    """

    spec: str | Mapping[str, Any] = ""

    def load(self, **fields: Any) -> Dataset:
        """Load the data set, with other fields if given."""
        return self._data(**fields).load()

    def test_its_specification_survives_a_file(self) -> None:
        """What is written with every default reads as the same; floats are structure."""
        data = self._data()
        assert CATALOGUE.validate(json.loads(json.dumps(data.resolved()))) == data
        assert split_floats(data)[1] == {}

    def test_its_parts_are_well_formed(self) -> None:
        """Floats in, class numbers or numbers out, one of each an example, all finite."""
        dataset = self.load()
        for part in _parts(dataset):
            assert isinstance(part, Examples)
            assert len(part) == len(part.inputs) == len(part.targets) > 0
            assert part.inputs.dtype in (np.float32, np.float64)
            assert part.inputs.ndim >= 2
            assert part.inputs.shape[1:] == dataset.train.inputs.shape[1:]
            assert np.isfinite(part.inputs).all()
            self._check_targets(dataset, part.targets)
        if dataset.classes:
            assert len(np.unique(dataset.train.targets)) >= 2
            assert len(set(dataset.classes)) == len(dataset.classes)

    def test_it_is_the_same_every_time(self) -> None:
        """Loading twice gives the same numbers to the last bit."""
        for one, two in zip(_parts(self.load()), _parts(self.load()), strict=True):
            np.testing.assert_array_equal(one.inputs, two.inputs)
            np.testing.assert_array_equal(one.targets, two.targets)

    def test_a_split_is_seeded_and_complete(self) -> None:
        """Parts have the sizes asked for, add up to the whole, and depend on the seed."""
        whole = self.load(split={"test": 0, "validation": 0}, scale="none").train
        split = {"test": 0.25, "validation": 0.2, "seed": 1}
        first = self.load(split=split, scale="none")
        assert first.test is not None
        assert first.validation is not None
        assert len(first.test) == round(0.25 * len(whole))
        assert len(first.validation) == round(0.2 * len(whole))
        together = np.concatenate([part.inputs for part in _parts(first)])
        assert np.array_equal(_sorted(together), _sorted(whole.inputs))
        other = self.load(split={**split, "seed": 2}, scale="none")
        assert not np.array_equal(first.train.inputs, other.train.inputs)

    def test_scaling_is_of_train(self) -> None:
        """Standardised features of train have mean 0 and deviation 1, or 0 where constant."""
        split = {"test": 0.25, "seed": 1}
        train = self.load(split=split, scale="standardize").train.inputs.astype(np.float64)
        np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-4)
        deviation = train.std(axis=0)
        np.testing.assert_allclose(deviation, (deviation > 0.5).astype(float), atol=1e-4)

    def test_its_notes_are_facts_in_words(self) -> None:
        """Provenance can be written as JSON, and says how the data was split and scaled."""
        notes = self.load().notes
        assert json.loads(json.dumps(notes))
        assert isinstance(notes["split"], str)
        assert isinstance(notes["scaling"], str)
        assert notes["examples"]["train"] == len(self.load().train)

    def _data(self, **fields: Any) -> Data:
        raw = {"kind": self.spec} if isinstance(self.spec, str) else dict(self.spec)
        data = CATALOGUE.validate({**raw, **fields})
        assert isinstance(data, Data), "a data set's specification is a subclass of Data"
        return data

    def _check_targets(self, dataset: Dataset, targets: np.ndarray) -> None:
        if dataset.classes:
            assert targets.dtype == np.int32
            assert targets.ndim == 1
            assert 0 <= targets.min() <= targets.max() < len(dataset.classes)
        else:
            assert targets.dtype in (np.float32, np.float64)
            assert targets.ndim == 2
            assert np.isfinite(targets).all()


def _parts(dataset: Dataset) -> list[Examples]:
    parts = [dataset.train, dataset.validation, dataset.test]
    return [part for part in parts if part is not None]


def _sorted(inputs: np.ndarray) -> np.ndarray:
    """Order examples by their numbers, so that the same examples compare equal."""
    rows = np.ascontiguousarray(inputs.reshape(len(inputs), -1))
    return np.sort(rows.view([("", rows.dtype)] * rows.shape[1]).ravel())
