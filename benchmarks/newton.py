"""What an update costs with the curvature, by the number of variables: seconds and memory.

    python benchmarks/newton.py                 # all, about 5 minutes on two cores
    LIMIT=20 python benchmarks/newton.py        # leave out what takes longer than 20 s a variant

Rosenbrock's function of d variables in float64, in the lab's own engine, one run on one lane.
The rates are 1e-9, so that the point, and with it the work of an update, stays the same;
conjugate gradients have a tolerance of 0 and so take all of their 50 iterations, but for a
residual of exactly 0. Each method and d has a process of its own, which is asked seven times (two
times where an update takes seconds); the least counts, as other work only ever adds. Its memory is
the peak above what it held before the first compilation. A method is not taken further once a
variant fails or lasts longer than ``LIMIT``.

Exponents are slopes of ln(figure) against ln(d) from the three largest d that a method reached.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import resource
import subprocess
import sys
import time
from typing import Any

LIMIT = float(os.environ.get("LIMIT", "60"))
REPEATS, ENOUGH = 7, 0.3
MOST_UPDATES = 2_000  # fewer than the readings of a call that the engine keeps
SIZES = [2, 10, 30, 100, 300, 1_000, 3_000, 6_000]
METHODS: dict[str, dict[str, Any]] = {
    "gradient descent": {"kind": "sgd"},
    "newton, dense": {"kind": "newton"},
    "newton, cg (50)": {"kind": "newton", "method": "cg", "iterations": 50, "tolerance": 0.0},
    "saddle-free, dense": {"kind": "saddle_free"},
    "saddle-free, lanczos (20)": {"kind": "saddle_free", "method": "lanczos", "rank": 20},
}


def program(method: str, variables: int) -> tuple[Any, tuple[Any, ...]]:
    """Return a program of one run, and that run in a tuple."""
    import equinox as eqx
    import jax

    from descentlab.core.spec import split_floats
    from descentlab.engine.program import Program
    from descentlab.engine.strategy import Strategy
    from descentlab.engine.training import Arrays, Cohort, Run
    from descentlab.studies.plan import make_training
    from descentlab.studies.spec import RunSpec

    class Point(eqx.Module):
        """The kind ``point`` begins at floats of the file, each one an argument: too many here."""

        value: Any

        def __call__(self, x: Any, *, key: Any = None) -> Any:
            return jax.numpy.broadcast_to(self.value, (len(x), *self.value.shape))

    raw = {
        "objective": {"kind": "landscape", "function": "rosenbrock"}, "data": "none",
        "model": {"kind": "point", "start": [0.0, 0.0]}, "batches": "full",
        "optimizer": METHODS[method] | {"learning_rate": 1e-9}, "precision": "float64",
        "steps": 1_000_000, "record": {"every": 1_000_000, "train": "evaluated"},
    }  # fmt: skip
    spec = RunSpec.parse(raw, "run")
    dataset = spec.data.load(variables)
    training = dataclasses.replace(
        make_training(spec, dataset),
        build=lambda floats, key: Point(jax.random.normal(key, (variables,), "float64")),
    )
    arrays = Arrays.of(dataset, training.objective, "float64")
    run = Run("c0-s0", 0, split_floats(spec)[1])
    return Program(Cohort("k0", training, arrays, (run,)), Strategy.parse("map:1x1")), (run,)


def held() -> float:
    """Return the peak of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def measure(method: str, variables: int) -> dict[str, float]:
    """Return seconds an update, seconds of the first call, and MB."""
    import jax

    made, runs = program(method, variables)
    data = made.cohort.arrays.parts
    seeds, floats = made.inputs(runs)
    jax.block_until_ready(jax.numpy.zeros(2) + 1)
    before = held()

    def updates(count: int) -> float:
        state = jax.block_until_ready(made.begin(runs))
        begun = time.perf_counter()
        jax.block_until_ready(made.advance(state, seeds, floats, data, 1, 1 + count))
        return time.perf_counter() - begun

    first = updates(1)
    once = updates(1)
    count = max(1, min(MOST_UPDATES, math.ceil(ENOUGH / once)))
    repeats = REPEATS if once < 2 else 2
    seconds = min(updates(count) / count for _ in range(repeats))
    return {"seconds": seconds, "first": first, "mb": held() - before}


def ask(method: str, variables: int) -> dict[str, float] | None:
    """Measure in a process of its own; None where it failed or took too long."""
    command = [sys.executable, __file__, "--measure", method, str(variables)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        print(f"{method}, d = {variables:,}: more than {LIMIT:g} s", file=sys.stderr)
        return None
    if done.returncode:
        print(f"{method}, d = {variables:,}: {done.stderr[-500:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def exponent(found: dict[int, dict[str, float]], key: str) -> float:
    """Return the slope of ln(figure) against ln(d) over the three largest d."""
    import numpy as np

    sizes = sorted(found)[-3:]
    values = [max(found[d][key], 1e-9) for d in sizes]
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main() -> None:
    """Measure everything and print a table of seconds and one of memory."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
        return
    results: dict[str, dict[int, dict[str, float]]] = {}
    for method in METHODS:
        for variables in SIZES:
            found = ask(method, variables)
            if found is None:
                break
            results.setdefault(method, {})[variables] = found
    for title, key, factor in (("ms an update", "seconds", 1e3), ("peak MB added", "mb", 1.0)):
        print(f"\n| {title} | {' | '.join(f'd = {d:,}' for d in SIZES)} | exponent |")
        print(f"| --- {'| --- ' * (len(SIZES) + 1)}|")
        for method, found in results.items():
            cells = [f"{found[d][key] * factor:.3g}" if d in found else "" for d in SIZES]
            print(f"| {method} | {' | '.join(cells)} | {exponent(found, key):.1f} |", flush=True)


if __name__ == "__main__":
    main()
