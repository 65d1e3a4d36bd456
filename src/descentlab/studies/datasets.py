"""The data sets of a study, each loaded once, and which of their parts a run uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from descentlab.data.specs import NoData
from descentlab.models.specs import Point
from descentlab.studies.spec import RunSpec

if TYPE_CHECKING:
    from descentlab.data.dataset import Dataset
    from descentlab.engine.training import Arrays, Training


class Datasets:
    """The data sets of a study, each loaded once, its arrays shared between cohorts."""

    def __init__(self) -> None:
        self._loaded: dict[str, Dataset] = {}
        self._inputs: dict[tuple[str, str], dict[str, Any]] = {}

    def load(self, run: RunSpec) -> Dataset:
        """Return the data set of a run."""
        key = _key(run)
        if key not in self._loaded:
            none = isinstance(run.data, NoData) and isinstance(run.model, Point)
            self._loaded[key] = run.data.load(run.model.variables) if none else run.data.load()
        return self._loaded[key]

    def arrays(self, run: RunSpec, training: Training) -> Arrays:
        """Return the data as programs take it; inputs are shared where precision is equal."""
        from descentlab.engine.training import Arrays

        arrays = Arrays.of(self.load(run), training.objective, training.precision)
        key = _key(run), run.precision
        inputs = self._inputs.setdefault(key, {name: x for name, (x, _) in arrays.parts.items()})
        used = used_parts(run, arrays.parts)
        return Arrays({name: (inputs[name], arrays.parts[name][1]) for name in used})

    def notes(self) -> list[dict[str, Any]]:
        """Return the facts about every data set that was loaded, for provenance."""
        return [{"name": d.name, **d.notes} for d in self._loaded.values()]


def _key(run: RunSpec) -> str:
    """Return what tells the data of runs apart; where there are none, that is a point's size."""
    key = run.data.model_dump_json()
    if isinstance(run.data, NoData) and isinstance(run.model, Point):
        key += f" {run.model.variables}"
    return key


def used_parts(run: RunSpec, parts: Iterable[str]) -> list[str]:
    """Return the parts of the data that a run trains on or evaluates."""
    chosen = run.record.parts
    return [part for part in parts if part == "train" or chosen is None or part in chosen]
