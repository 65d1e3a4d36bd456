"""A study whose outcomes are set by hand: segments are written, nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from descentlab.core.yaml import write_yaml
from descentlab.store.folder import Folder
from descentlab.store.provenance import write_provenance
from descentlab.store.segments import write_segment
from descentlab.studies.result import StudyResult
from descentlab.studies.run import prepare
from descentlab.studies.spec import STUDY, Study

STUDY_FILE = {
    "name": "made",
    "run": {
        "data": {"kind": "iris", "split": {"test": 30}},
        "model": {"kind": "mlp", "hidden": [4]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "epochs": 1,
    },
    "vary": {
        "optimizer": ["sgd", "adam", "rmsprop"],
        "model.activation": ["relu", "tanh"],
    },
    "seeds": 6,
}

Outcome = Callable[[dict[str, str], int, np.random.Generator], dict[str, list[float]] | None]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., StudyResult]:
    """Return a function that makes a result: metrics by configuration and seed, None diverged."""

    def make(
        outcome: Outcome, claims: list[dict[str, Any]], *, examples: int = 0, **changes: Any
    ) -> StudyResult:
        study = Study.parse({**STUDY_FILE, "claims": claims, **changes})
        prepared = prepare(study)
        folder = Folder(tmp_path / "made")
        folder.write(STUDY, write_yaml(prepared.resolved).encode())
        data = [{"name": "iris", "examples": {"test": examples}}] if examples else []
        write_provenance(folder, {"sessions": [], "data": data})
        for configuration in prepared.configurations:
            for seed in study.seeds:
                random = np.random.default_rng([seed, int(configuration.id[1:])])
                curves = outcome(configuration.labels, seed, random)
                columns = _columns(configuration.id, seed, curves)
                name = f"k00-{configuration.id}-{seed}-00000000-00000009"
                write_segment(folder, name, columns, {})
        return StudyResult(folder)

    return make


def _columns(name: str, seed: int, curves: dict[str, list[float]] | None) -> dict[str, Any]:
    diverged = curves is None
    curves = {"test_loss": [2.0, np.nan]} if curves is None else curves
    n = len(next(iter(curves.values())))
    last = np.arange(n) == n - 1
    return {
        "run": [f"{name}-s{seed}"] * n, "configuration": [name] * n, "seed": [seed] * n,
        "step": np.arange(n), "epoch": np.arange(n, dtype=float), "diverged": last & diverged,
        "last": last, **curves,
    }  # fmt: skip
