"""Small cohorts of real runs, made from the same specifications that study files use."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.core.spec import split_floats
from descentlab.engine.lanes import Job, train
from descentlab.engine.program import Program
from descentlab.engine.strategy import Strategy
from descentlab.engine.training import Cohort, Run
from descentlab.studies.datasets import Datasets
from descentlab.studies.plan import make_training
from descentlab.studies.spec import RunSpec

SMALL = {
    "data": "iris",
    "model": {"kind": "mlp", "hidden": [8], "activation": "tanh"},
    "optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    "batches": {"kind": "shuffled", "size": 32},
    "epochs": 4,
}


@pytest.fixture(scope="session", autouse=True)
def _compiled_once():
    """Find programs of earlier sessions again; the folder is the tests' own."""
    from descentlab.engine.platform import enable_cache

    enable_cache()


@pytest.fixture(scope="session")
def datasets():
    """Data sets, loaded once."""
    return Datasets()


@pytest.fixture
def cohort(datasets):
    """Make a cohort of ``SMALL`` with changes: one run per (learning rate, seed)."""

    def make(rates=(0.1,), seeds=(0,), **changes) -> Cohort:
        spec = RunSpec.parse({**SMALL, **changes}, "run")
        training = make_training(spec, datasets.load(spec))
        floats = split_floats(spec)[1]
        runs = tuple(
            Run(f"c{number}-s{seed}", seed, {**floats, "optimizer.learning_rate": float(rate)})
            for number, rate in enumerate(rates)
            for seed in seeds
        )
        return Cohort("k00", training, datasets.arrays(spec, training), runs)

    return make


def curves(
    cohort: Cohort, strategy: Strategy, runs=None, chunks=None, program=None
) -> dict[str, np.ndarray]:
    """Train a cohort's runs and return each one's records, all metrics, by run."""
    runs = runs or cohort.runs
    program = program or Program(cohort, strategy)
    width = strategy.width
    chunks = chunks or [runs[i : i + width] for i in range(0, len(runs), width)]
    found: dict[str, list[np.ndarray]] = {}
    for stretch in train([Job(program, tuple(chunk)) for chunk in chunks], strategy.lanes):
        for run, rows in zip(stretch.job.runs, stretch.rows, strict=True):
            found.setdefault(run.id, []).append(rows)
    return {name: np.concatenate(rows) for name, rows in found.items()}
