"""The engine's small cohorts."""

from tests.engine.conftest import cohort, datasets

__all__ = ["cohort", "datasets"]
