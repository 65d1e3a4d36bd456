"""Descents on landscapes: single runs, tuning and basins, against loops of NumPy and torch.

Run ``python benchmarks/landscapes.py``. Rivals take turns, A B A B; medians are shown, and checked
to be of the same work: final costs agree.

- run: four methods, 150 updates, one start. NumPy and torch loop over updates.
- sweep: 250,000 starts, 150 updates of gradient descent and of Adam. NumPy and torch do all starts
  at once, update by update.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine import literal_descents as literal  # noqa: E402

from descentlab.engine.descents.basins import basins  # noqa: E402
from descentlab.engine.descents.method import Method  # noqa: E402
from descentlab.engine.descents.minima import grid  # noqa: E402
from descentlab.engine.descents.run import run  # noqa: E402
from descentlab.engine.descents.stability import stability  # noqa: E402
from descentlab.engine.descents.sweep import sweep  # noqa: E402
from descentlab.engine.descents.tune import tune  # noqa: E402
from descentlab.engine.platform import enable_cache  # noqa: E402
from descentlab.objectives.landscape_catalogue import find_landscape  # noqa: E402

ROSENBROCK, VALLEY = find_landscape("rosenbrock"), (-1.54, -0.64)
HIMMELBLAU = find_landscape("himmelblau")
FOUR = {"gd": 0.001, "momentum": 0.0003, "rmsprop": 0.01, "adam": 0.01}
STEPS, SIDE = 150, 512


def main() -> None:
    enable_cache()
    print("| work | lab, s | NumPy, s | torch, s | NumPy / lab | torch / lab |")
    print("| --- | --- | --- | --- | --- | --- |")
    compare("4 methods × 150 updates", lab_run, numpy_run, torch_run, repeats=15)
    for name, rate in (("gd", 0.01), ("adam", 0.1)):
        starts = grid(HIMMELBLAU, SIDE, SIDE).reshape(-1, 2)
        method = Method.of(f"{name} lr={rate}")
        compare(
            f"{len(starts):,} starts × 150 of {name}",
            lambda m=method, s=starts: sweep(HIMMELBLAU, m, s, STEPS, watched=False).cost,
            lambda n=name, r=rate, s=starts: many(np, n, s, STEPS, r),
            lambda n=name, r=rate, s=starts: torch_many(n, s, STEPS, r),
            repeats=3,
        )
    print("\n| work | first, s | warm, s |\n| --- | --- | --- |")
    goldstein, start = find_landscape("goldstein_price"), (-0.67, 0.46)
    for name in FOUR:
        alone(f"tune {name}, 10,000 settings", lambda n=name: tune(goldstein, n, start, STEPS))
    for text in ("gd lr=0.01", "momentum lr=0.003", "rmsprop lr=0.1", "adam lr=0.1", "newton"):
        alone(f"basins of 262,144 starts, {text}", lambda t=text: basins(HIMMELBLAU, t, STEPS))
    alone("basins of 262,144 starts, lbfgs", lambda: basins(HIMMELBLAU, "lbfgs", STEPS), repeats=1)
    ravine = find_landscape("ravine")
    alone("stability, 128 × 128", lambda: stability(ravine, "momentum", (-4.5, 2.0), STEPS))


def compare(what: str, *rivals: Callable[[], Any], repeats: int) -> None:
    """Time rivals in turns, after a first call each, whose answers must agree."""
    answers = [np.sort(np.ravel(rival())) for rival in rivals]
    for other in answers[1:]:
        np.testing.assert_allclose(answers[0], other, rtol=1e-6, atol=1e-9)
    seconds: list[list[float]] = [[] for _ in rivals]
    for _ in range(repeats):
        for rival, own in zip(rivals, seconds, strict=True):
            begun = time.perf_counter()
            rival()
            own.append(time.perf_counter() - begun)
    lab, *others = (statistics.median(own) for own in seconds)
    shown = " | ".join(f"{s:.4f}" for s in (lab, *others))
    ratios = " | ".join(f"{s / lab:.0f}" for s in others)
    print(f"| {what} | {shown} | {ratios} |", flush=True)


def alone(what: str, work: Callable[[], Any], repeats: int = 5) -> None:
    """Time a first call, and the median of more."""
    seconds = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    print(f"| {what} | {seconds[0]:.2f} | {statistics.median(seconds[1:]):.3f} |", flush=True)


def lab_run() -> list[float]:
    methods = [f"{name} lr={rate}" for name, rate in FOUR.items()]
    return [descent.final_cost for descent in run(ROSENBROCK, methods, VALLEY, STEPS)]


def numpy_run() -> list[float]:
    return [
        literal.descend(literal.rosenbrock, name, VALLEY, STEPS, rate)[1][-1]
        for name, rate in FOUR.items()
    ]


def torch_run() -> list[float]:
    import torch

    torch.set_default_dtype(torch.float64)
    made = {
        "gd": lambda p, lr: torch.optim.SGD(p, lr),
        "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
        "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr, alpha=0.9),
        "adam": lambda p, lr: torch.optim.Adam(p, lr),
    }
    found = []
    for name, rate in FOUR.items():
        point = torch.tensor(VALLEY, requires_grad=True)
        optimizer = made[name]([point], rate)
        for _ in range(STEPS + 1):
            optimizer.zero_grad()
            x, y = point
            cost = (1 - x) ** 2 + 100 * (y - x * x) ** 2
            cost.backward()
            found_cost = cost.item()
            optimizer.step()
        found.append(found_cost)
    return found


def torch_many(name: str, starts: np.ndarray, steps: int, rate: float) -> Any:
    import torch

    return many(torch, name, torch.as_tensor(starts), steps, rate).numpy()


def many(xp: Any, name: str, starts: Any, steps: int, rate: float) -> Any:
    """Descend Himmelblau's function from all starts at once; ``xp`` is numpy or torch."""
    x, y = starts[:, 0], starts[:, 1]
    moments = [0.0 * x for _ in range(4)]
    for t in range(1, steps + 1):
        a, b = x * x + y - 11, x + y * y - 7
        slopes = 4 * x * a + 2 * b, 2 * a + 4 * y * b
        if name == "gd":
            x, y = x - rate * slopes[0], y - rate * slopes[1]
            continue
        ways = []
        for i, g in enumerate(slopes):
            moments[i] = 0.9 * moments[i] + 0.1 * g
            moments[2 + i] = 0.999 * moments[2 + i] + 0.001 * g * g
            root = xp.sqrt(moments[2 + i] / (1 - 0.999**t)) + 1e-8
            ways.append(rate * moments[i] / (1 - 0.9**t) / root)
        x, y = x - ways[0], y - ways[1]
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


if __name__ == "__main__":
    main()
