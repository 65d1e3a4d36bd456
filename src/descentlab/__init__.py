"""DescentLab: a laboratory for training neural networks.

The public names are imported when first used, so that ``import descentlab`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descentlab import evaluation
    from descentlab.core.errors import DataError, DescentLabError, SpecError, StoreError
    from descentlab.engine.direct import train
    from descentlab.studies.load import load_study
    from descentlab.studies.result import StudyResult
    from descentlab.studies.run import run

_HOMES = {
    "DataError": "descentlab.core.errors",
    "DescentLabError": "descentlab.core.errors",
    "SpecError": "descentlab.core.errors",
    "StoreError": "descentlab.core.errors",
    "StudyResult": "descentlab.studies.result",
    "load_study": "descentlab.studies.load",
    "run": "descentlab.studies.run",
    "train": "descentlab.engine.direct",
}

__all__ = [
    "DataError",
    "DescentLabError",
    "SpecError",
    "StoreError",
    "StudyResult",
    "evaluation",
    "load_study",
    "run",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first asked for."""
    if name == "evaluation":
        return import_module("descentlab.evaluation")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'descentlab' has no attribute '{name}'")
