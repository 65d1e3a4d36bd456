"""A playground that runs, for tests that speak to it and for tests that look at it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

COMMAND = (sys.executable, "-m", "descentlab", "play", "--no-browser", "--port", "0")


class Server:
    """A playground in a process of its own.

    Attributes:
        address: of its page, with a slash at its end.
        started: seconds until it said that.
    """

    def __init__(self) -> None:
        began = time.perf_counter()
        self.process = subprocess.Popen(
            COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        self.started = time.perf_counter() - began
        found = re.search(r"http://\S+", said)
        assert found, said
        self.address = found[0].replace("localhost", "127.0.0.1")

    def memory(self) -> int:
        """Return the bytes that it holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> str:
        """Interrupt it as Ctrl-C does; return what it said after its address."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.communicate(timeout=20)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One playground for all tests of a session."""
    found = Server()
    yield found
    with contextlib.suppress(ProcessLookupError):
        assert "Traceback" not in found.stop()


REFUSED = "the server responded with a status of 422"
"""What Chromium logs of every refusal, whatever the page makes of it."""


class Play:
    """The page in a browser, what it asked for, and what went wrong in it."""

    def __init__(self, context: Any, server: Server) -> None:
        self.page, self.server = context.new_page(), server
        self.requests: list[str] = []
        self.faults: list[str] = []
        self._open = 0
        self.page.set_default_timeout(20_000)
        self.page.on("request", self._asked)
        for kind in ("requestfinished", "requestfailed"):
            self.page.on(kind, self._answered)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._logged)

    def _asked(self, request: Any) -> None:
        self._open += 1
        self.requests.append(request.url)

    def _answered(self, request: Any) -> None:
        self._open -= 1

    def _logged(self, message: Any) -> None:
        if message.type == "error" and REFUSED not in message.text:
            self.faults.append(message.text)

    def open(self, link: str = "") -> None:
        """Open the page, or a link into it, and wait until all of it is drawn."""
        self.page.goto("about:blank")
        self.page.goto(self.server.address + link)
        self.page.wait_for_selector("body[data-ready]")

    def settled(self) -> None:
        """Wait until answers have been drawn and nothing is under way."""
        quiet = 0
        while quiet < 3:
            self.page.wait_for_timeout(30)
            quiet = 0 if self._open > 0 else quiet + 1

    def until(self, condition: str, argument: Any = None) -> None:
        """Wait until an expression is true; the page's policy allows no texts as programs."""
        self.page.wait_for_function(f"given => {condition}", arg=argument)

    def says(self, selector: str, part: str) -> None:
        """Wait until an element's text has a part."""
        self.until(
            "document.querySelector(given[0]).textContent.includes(given[1])", [selector, part]
        )

    def paths(self) -> list[str]:
        """Return the lines on the map, by method."""
        return self.page.eval_on_selector_all(
            "#overlay .path", "found => found.map(path => path.getAttribute('d'))"
        )

    def text(self, selector: str) -> str:
        """Return an element's text."""
        return self.page.inner_text(selector)

    def put(self, selector: str, value: str) -> None:
        """Type into a field and leave it."""
        self.page.fill(selector, value)
        self.page.press(selector, "Tab")

    def state(self) -> dict[str, Any]:
        """Return all that the page shows."""
        code = "import('/static/js/state.js').then(({ state }) => state)"
        return self.page.evaluate(code)

    def close(self) -> None:
        """Leave the page, having seen that it asked nobody else and logged no errors."""
        self.page.context.close()
        own = (self.server.address, "data:", "blob:", "about:")
        away = [url for url in self.requests if not url.startswith(own)]
        assert not away, f"the page asked elsewhere: {away}"
        assert not self.faults, f"the page logged errors: {self.faults}"


def handle(play: Play) -> tuple[float, float]:
    """Return the middle of the start's handle."""
    play.page.locator("#overlay").scroll_into_view_if_needed()
    box = play.page.locator("#handle").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


Opener = Callable[..., Play]


@pytest.fixture
def opener(browser: Any, server: Server) -> Iterator[Opener]:
    """Opens pages in contexts of their own, with settings such as a size or dark colours."""
    found: list[Play] = []

    def made(**settings: Any) -> Play:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **settings})
        found.append(Play(context, server))
        return found[-1]

    yield made
    for play in found:
        play.close()


@pytest.fixture
def play(opener: Opener) -> Play:
    """A page of the playground."""
    return opener()
