"""Speed of the engine against NumPy and PyTorch, in one run, A B A B, medians and ratios.

    python benchmarks/engine.py            # everything, about 8 minutes on two cores
    python benchmarks/engine.py logistic   # only the small programs
    python benchmarks/engine.py mnist      # only the network of mnist-ten (needs the data)

Each variant runs in a process of its own that is started, warmed up and then asked in
turn; figures are seconds for the same work. Needs the extra ``peers``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import median

REPEATS = int(os.environ.get("REPEATS", "5"))


class Variant:
    """A warmed-up process that does its work when told to and answers with the seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.ask()  # the first answer: compilation and caches

    def ask(self) -> float:
        """Do the work once and return its seconds."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def compare(title: str, names: list[str], per: float = 1.0, repeats: int = REPEATS) -> dict:
    """Ask the variants in turn and print medians, spans and ratios to the first."""
    variants = [Variant(name) for name in names]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        for variant in variants:
            seconds[variant.name].append(variant.ask() / per)
    for variant in variants:
        variant.close()
    print(f"\n### {title}\n\n| variant | median s | least | most | ratio |")
    print("| --- | --- | --- | --- | --- |")
    base = median(seconds[names[0]])
    for name, values in seconds.items():
        ratios = [v / b for v, b in zip(values, seconds[names[0]], strict=True)]
        figures = (median(values), min(values), max(values))
        text = " | ".join(f"{figure:.4g}" for figure in figures)
        print(f"| {name} | {text} | {median(ratios):.2f} |", flush=True)
    return {"base": base, **{name: median(values) for name, values in seconds.items()}}


def logistic_cohorts(settings: list) -> list:
    """The 56 settings as the engine's cohorts: by batches, momentum and Nesterov."""
    import numpy as np
    import rivals

    from descentlab.core.spec import split_floats
    from descentlab.data.dataset import Dataset, Examples
    from descentlab.engine.training import Arrays, Cohort, Run
    from descentlab.studies.plan import make_training
    from descentlab.studies.spec import RunSpec

    x, y = rivals.blobs()
    dataset = Dataset(
        "blobs", Examples(x.astype(np.float32), y.astype(np.int32)), None, None, ("0", "1"), {}
    )
    groups: dict[str, list] = {}
    for single, rate, beta, nesterov in settings:
        optimizer = {"kind": "sgd", "learning_rate": rate}
        if beta:
            optimizer |= {"momentum": beta, "nesterov": nesterov}
        raw = {
            "data": "blobs", "model": "logistic", "loss": "binary_cross_entropy",
            "optimizer": optimizer, "batches": "single" if single else "full", "steps": 100,
            "record": {"every": 1},
        }  # fmt: skip
        spec = RunSpec.parse(raw, "run")
        structure, floats = split_floats(spec)
        groups.setdefault(structure, []).append((spec, floats))
    cohorts = []
    arrays = None
    for number, members in enumerate(groups.values()):
        training = make_training(members[0][0], dataset)
        arrays = arrays or Arrays.of(dataset, training.objective, "float32")
        runs = tuple(Run(f"c{i}-s0", 0, floats) for i, (_, floats) in enumerate(members))
        cohorts.append(Cohort(f"k{number}", training, arrays, runs))
    return cohorts


def engine_jobs(cohorts: list, strategy: str | None = None) -> tuple[list, int]:
    """Programs and jobs for cohorts, laid out as a study would lay them."""
    from descentlab.engine.cost import estimate
    from descentlab.engine.lanes import Job
    from descentlab.engine.program import Program
    from descentlab.engine.strategy import Platform, Strategy, choose

    jobs, lanes = [], 1
    for cohort in cohorts:
        layout = (
            Strategy.parse(strategy)
            if strategy
            else choose(
                estimate(cohort).run_bytes, len(cohort.runs), len(cohorts), Platform.current()
            )
        )
        program = Program(cohort, layout)
        chunks = [
            cohort.runs[i : i + layout.width] for i in range(0, len(cohort.runs), layout.width)
        ]
        jobs += [Job(program, chunk) for chunk in chunks]
        lanes = layout.lanes
    return jobs, min(lanes, len(jobs))


def engine_56():
    """Train the 56 configurations with the engine."""
    import rivals

    from descentlab.engine.lanes import train

    jobs, lanes = engine_jobs(logistic_cohorts(rivals.methods()))
    return lambda: [None for _ in train(jobs, lanes)]


def numpy_56():
    """Train the 56 configurations in a NumPy loop."""
    import rivals

    x, y = rivals.blobs()
    return lambda: rivals.numpy_loop(x, y, rivals.methods(), 100)


def torch_56():
    """Train the 56 configurations in eager PyTorch."""
    import rivals

    x, y = rivals.blobs()
    return lambda: rivals.torch_eager(x, y, rivals.methods(), 100)


def random_settings(count: int = 10_000):
    """Random learning rates and momenta."""
    import numpy as np

    generator = np.random.default_rng(0)
    return 10 ** generator.uniform(-2, 0, count), generator.uniform(0.5, 0.95, count)


def engine_10000():
    """Train 10,000 configurations with the engine."""
    from descentlab.engine.lanes import train

    rates, betas = random_settings()
    settings = [(False, float(r), float(b), False) for r, b in zip(rates, betas, strict=True)]
    jobs, lanes = engine_jobs(logistic_cohorts(settings))
    return lambda: [None for _ in train(jobs, lanes)]


def numpy_10000():
    """Train 10,000 configurations in vectorised NumPy."""
    import rivals

    x, y = rivals.blobs()
    rates, betas = random_settings()
    return lambda: rivals.numpy_vectorised(x, y, rates, betas, 100)


def mnist():
    """MNIST's training part, flattened, in [0, 1]."""
    from descentlab.data.specs import CATALOGUE

    part = CATALOGUE.validate("mnist").load().train  # type: ignore[attr-defined]
    return part.inputs.reshape(len(part), -1), part.targets


def engine_mlp(optimizer: str, runs: int, strategy: str | None = None):
    """One epoch of ``runs`` networks of mnist-ten with the engine, training metrics recorded."""
    import dataclasses

    from descentlab.core.spec import split_floats
    from descentlab.engine.lanes import train
    from descentlab.engine.training import Cohort, Run
    from descentlab.studies.plan import Datasets, make_training
    from descentlab.studies.spec import RunSpec

    raw = {
        "data": "mnist", "model": {"kind": "mlp", "hidden": [512, 128], "dropout": 0.2},
        "optimizer": {"kind": optimizer, "learning_rate": 0.01}, "epochs": 1,
    }  # fmt: skip
    spec = RunSpec.parse(raw, "run")
    datasets = Datasets()
    training = make_training(spec, datasets.load(spec))
    arrays = datasets.arrays(spec, training)
    arrays = dataclasses.replace(arrays, parts={"train": arrays.parts["train"]})
    floats = split_floats(spec)[1]
    cohort = Cohort("k", training, arrays, tuple(Run(f"c-s{i}", i, floats) for i in range(runs)))
    jobs, lanes = engine_jobs([cohort], strategy)
    return lambda: [None for _ in train(jobs, lanes)]


def torch_two_processes(optimizer: str):
    """Two networks, each in a process with one thread, at the same time."""

    def work() -> None:
        command = [sys.executable, __file__, "--child", optimizer]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        children = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
            for _ in range(2)
        ]
        for child in children:
            assert child.stdout
            child.stdout.readline()  # imported, data read, one step done
        begun = time.perf_counter()
        for child in children:
            assert child.stdin
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            assert child.stdout
            child.stdout.readline()
        work.seconds = time.perf_counter() - begun  # type: ignore[attr-defined]
        for child in children:
            child.kill()

    return work


def torch_child(optimizer: str) -> None:
    """One of two processes: warm up, wait for the word, train one epoch."""
    import rivals

    x, y = mnist()
    rivals.torch_epoch_indexed(x[:640], y[:640], optimizer, 1, threads=1)
    print("ready", flush=True)
    sys.stdin.readline()
    rivals.torch_epoch_indexed(x, y, optimizer, 1, threads=1)
    print("done", flush=True)


def torch_one(optimizer: str, loader: bool):
    """One epoch of one network in PyTorch on all cores."""
    import rivals

    x, y = mnist()
    train = rivals.torch_epoch_loader if loader else rivals.torch_epoch_indexed
    return lambda: train(x, y, optimizer, 1)


def gemm():
    """Float32 matrix products on all cores, 40 × 2·1024³ operations."""
    import torch

    a = torch.rand(1024, 1024)

    def work() -> None:
        for _ in range(40):
            a @ a

    return work


VARIANTS = {
    "descentlab, 56 configurations": engine_56,
    "NumPy loop, 56 configurations": numpy_56,
    "torch eager, 56 configurations": torch_56,
    "descentlab, 10,000 configurations": engine_10000,
    "NumPy vectorised, 10,000 configurations": numpy_10000,
    "GEMM 1024, 40 times": gemm,
    **{
        name: make
        for kind in ("sgd", "adam")
        for name, make in {
            f"descentlab, {kind}": lambda kind=kind: engine_mlp(kind, 4),
            f"torch DataLoader, {kind}": lambda kind=kind: torch_one(kind, True),
            f"torch by index, {kind}": lambda kind=kind: torch_one(kind, False),
            f"torch two processes, {kind}": lambda kind=kind: torch_two_processes(kind),
        }.items()
    },
}
MODELS = {
    "descentlab, sgd": 4,
    "descentlab, adam": 4,
    "torch two processes, sgd": 2,
    "torch two processes, adam": 2,
}


def serve(name: str) -> None:
    """Answer each line on standard input with the seconds that the work took, per model."""
    work = VARIANTS[name]()
    for _ in sys.stdin:
        begun = time.perf_counter()
        work()
        seconds = getattr(work, "seconds", time.perf_counter() - begun)
        print(json.dumps(seconds / MODELS.get(name, 1)), flush=True)


def main() -> None:
    """Run the comparisons that the command line names, or all."""
    wanted = sys.argv[1:] or ["logistic", "mnist"]
    if "logistic" in wanted:
        compare("56 configurations × 100 iterations", [n for n in VARIANTS if ", 56 " in n])
        compare("10,000 configurations × 100 iterations", [n for n in VARIANTS if "10,000" in n])
    if "mnist" in wanted:
        operations = 938 * 64 * 2 * (784 * 512 * 2 + 512 * 128 * 3 + 128 * 10 * 3)
        for kind in ("sgd", "adam"):
            names = [n for n in VARIANTS if n.endswith(f", {kind}")] + ["GEMM 1024, 40 times"]
            found = compare(f"784-512-128-10, batch 64, {kind}: seconds per model and epoch", names)
            peak = 40 * 2 * 1024**3 / found["GEMM 1024, 40 times"]
            rate = operations / found["base"]
            share = 100 * rate / peak
            print(f"\n{rate / 1e9:.0f} of {peak / 1e9:.0f} GFLOP/s: {share:.0f} % of the peak")


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve(sys.argv[2])
    elif "--child" in sys.argv:
        torch_child(sys.argv[2])
    else:
        main()
