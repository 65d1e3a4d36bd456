"""The playground: answers, the drag in a browser, searches, start.

``python benchmarks/playground.py``. Medians of one run, against what the page aims at. Needs
Chromium; times are of this machine, with the server and the browser in processes of their own.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
COMMAND = (sys.executable, "-m", "descentlab", "play", "--no-browser", "--port", "0")
LANDSCAPE = {"landscape": "rosenbrock", "start": (-1.54, -0.64), "steps": 150}
METHODS = ("gd lr=0.001", "momentum lr=0.0002", "rmsprop lr=0.01", "adam lr=0.05")

# From a pointer's move until the line has changed and the frame with it has been painted.
DRAG = """async (count) => {
  const handle = document.getElementById("handle"), box = handle.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2, found = [];
  const event = (kind, moved) => new PointerEvent(kind, { pointerId: 1, bubbles: true,
    clientX: x + moved, clientY: y - moved, button: 0, buttons: 1, isPrimary: true });
  handle.setPointerCapture = () => {};
  handle.dispatchEvent(event("pointerdown", 0));
  const line = () => document.querySelector("#overlay .path").getAttribute("d");
  const frame = () => new Promise(requestAnimationFrame);
  const task = () => new Promise((done) => { const { port1, port2 } = new MessageChannel();
    port1.onmessage = done; port2.postMessage(0); });
  const painted = async () => { await frame(); await task(); };
  for (let i = 1; i <= count; i++) {
    const before = line(), began = performance.now();
    handle.dispatchEvent(event("pointermove", 2 * i));
    while (line() === before) await frame();
    await painted();
    found.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 150));
  }
  handle.dispatchEvent(event("pointerup", 0));
  return found;
}"""


def started() -> tuple[subprocess.Popen[str], str, float]:
    """Return a new server, its address, and the seconds until it answers."""
    began = time.perf_counter()
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None
    address = found[0].replace("localhost", "127.0.0.1")
    httpx.get(address, timeout=30)
    return process, address, time.perf_counter() - began


def median(work: Callable[[int], Any], repeats: int) -> float:
    """Return the median of milliseconds, after a first time that does not count."""
    work(-1)
    times = []
    for number in range(repeats):
        began = time.perf_counter()
        work(number)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def answers(address: str) -> dict[str, float]:
    """Return what the server's answers take."""
    client = httpx.Client(base_url=address, timeout=120)

    def ask(path: str, body: dict[str, Any]) -> None:
        client.post(f"/api/{path}", json=body).raise_for_status()

    def run(number: int) -> None:
        ask("run", {**LANDSCAPE, "methods": METHODS, "start": (-1.5 + number / 200, -0.6)})

    one = {**LANDSCAPE, "method": "adam lr=0.05"}
    return {
        "4 optimizers × 150 updates, warm": median(run, 100),
        "one update worked out": median(lambda n: ask("moment", {**ask_one(one), "at": 150}), 20),
        "basins, 262,144 starts × 150": median(lambda n: ask("basins", one), 7),
        "rate × momentum, 16,384 settings × 150": median(lambda n: ask("stability", one), 7),
        "tune, some 10,000 settings × 150": median(lambda n: ask("tune", one), 7),
    }


def ask_one(body: dict[str, Any]) -> dict[str, Any]:
    """Return a question without its number of updates."""
    return {key: value for key, value in body.items() if key != "steps"}


def opened(page: Page, address: str) -> float:
    """Return the milliseconds until map, curves and tables of a first page are there."""
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("body[data-ready]", state="attached")
    return 1000 * (time.perf_counter() - began)


def in_browser(address: str) -> dict[str, float]:
    """Return what a visitor waits for."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        return {}
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        pages = []
        for _ in range(7):
            page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
            pages.append(opened(page, address))
            page.context.close()
        page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        opened(page, address)
        page.wait_for_timeout(500)
        drags = page.evaluate(DRAG, 60)
        browser.close()
    return {
        "first page ready": statistics.median(pages),
        "drag to repaint": statistics.median(drags),
    }


AIMS = {
    "server start": 3000,
    "4 optimizers × 150 updates, warm": 20,
    "basins, 262,144 starts × 150": 2000,
    "tune, some 10,000 settings × 150": 1000,
    "first page ready": 1500,
    "drag to repaint": 70,
}


def main() -> None:
    starts, found = [], {}
    for _ in range(3):
        process, address, seconds = started()
        starts.append(1000 * seconds)
        if len(starts) == 3:
            time.sleep(3)  # it compiles what the first page asks for
            found = {**answers(address), **in_browser(address)}
        process.terminate()
        process.wait()
    print("| what | median | aim |\n| --- | --- | --- |")
    for name, value in {"server start": statistics.median(starts), **found}.items():
        aim = f"≤ {AIMS[name]:,} ms" if name in AIMS else "–"
        print(f"| {name} | {value:,.1f} ms | {aim} |")


if __name__ == "__main__":
    main()
