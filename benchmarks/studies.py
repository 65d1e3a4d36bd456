"""Whole commands: start-up, the demo with a warm cache, what recording and storing cost, memory.

python benchmarks/studies.py           # about 3 minutes; the last two need MNIST
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from statistics import median

RUN = [sys.executable, "-m", "descentlab"]

STORED = """
import sys, time
from descentlab.studies.load import load_study
from descentlab.studies.run import execute, prepare
from descentlab.studies.execute import Execution
from descentlab.store.folder import Folder
study = load_study("mnist-ten", changes=["epochs=8"], seeds=1)
writing = 0.0
def timed(method):
    def call(*args):
        global writing
        begun = time.perf_counter()
        try:
            return method(*args)
        finally:
            writing += time.perf_counter() - begun
    return call
Execution._take = timed(Execution._take)
begun = time.perf_counter()
for event in execute(prepare(study), Folder(sys.argv[1])):
    pass
print(writing, time.perf_counter() - begun)
"""


def seconds(command: list[str], repeats: int) -> list[float]:
    """Run a command several times and return the wall-clock seconds of each."""
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found.append(time.perf_counter() - begun)
    return found


def row(what: str, values: list[float], aim: str, unit: str = "s") -> None:
    """Print one row of the table."""
    print(
        f"| {what} | {median(values):.3g} {unit} | {min(values):.3g} … {max(values):.3g} | {aim} |",
        flush=True,
    )


def main() -> None:
    """Measure and print a table."""
    print("| what | median | span | aim |\n| --- | --- | --- | --- |")
    seconds([*RUN, "--help"], 1)
    row("`descentlab --help`", seconds([*RUN, "--help"], 9), "< 0.3 s")
    demo = []
    for number in range(4):
        with tempfile.TemporaryDirectory() as folder:
            taken = seconds(
                [*RUN, "run", "digits-optimizers", "--out", f"{folder}/r", "--quiet"], 1
            )
            demo += taken if number else []  # the first fills the cache
    row("`digits-optimizers`, warm cache, report written", demo, "< 10 s")
    share = []
    for _ in range(1):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", STORED, f"{folder}/r"]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            writing, whole = map(float, answer.split())
            share.append(100 * writing / whole)
    row("recording and storing, share of mnist-ten (8 epochs, 1 seed)", share, "≤ 2 %", "%")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    row("peak memory of mnist-ten", [peak], "< 2 GB", "GB")


if __name__ == "__main__":
    with contextlib.suppress(KeyError):
        del os.environ["JAX_COMPILATION_CACHE_DIR"]
    main()
