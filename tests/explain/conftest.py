"""What all tests of worked calculations share: programs that are compiled once."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def compiled_programs_are_kept() -> None:
    """Keep compiled programs, as the commands do."""
    from descentlab.engine.platform import enable_cache

    enable_cache()
