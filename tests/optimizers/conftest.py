"""The engine's small cohorts, and programs of earlier sessions."""

from tests.engine.conftest import _compiled_once, cohort, datasets

__all__ = ["_compiled_once", "cohort", "datasets"]
