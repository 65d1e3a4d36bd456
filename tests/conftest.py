"""What all tests share: a sealed-off environment, and a page in the system's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# A compilation may fall into any example, so no example has a deadline.
hypothesis.settings.register_profile(
    "descentlab", deadline=None, print_blob=True, derandomize="CI" in os.environ
)
hypothesis.settings.load_profile("descentlab")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the user's cache and settings out of the tests, and the tests out of them."""
    # Beside pytest's own cache, so that compiled programs are found again by the next session.
    cache = config.rootpath / ".pytest_cache" / "user-cache"
    cache.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(cache)
    os.environ["MPLBACKEND"] = "Agg"
    if path := os.environ.get("PYTHONPATH"):  # tests run commands in folders of their own
        parts = [os.path.abspath(part) for part in path.split(os.pathsep)]
        os.environ["PYTHONPATH"] = os.pathsep.join(parts)
    for name in ("JAX_ENABLE_X64", "XLA_FLAGS", "COLUMNS"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder with ``pyproject.toml``."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium under Playwright; without one the test skips, in CI it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "no Chromium on this machine (Debian: apt install chromium)"
        if os.environ.get("DESCENTLAB_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A new page that has no network; anything it logs as an error fails the test."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    yield opened
    context.close()
    assert not faults, f"the page logged errors: {faults}"
