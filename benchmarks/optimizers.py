"""What an update costs with each optimizer: a cohort over the learning rate, and the rivals.

    python benchmarks/optimizers.py          # all, about 6 minutes on two cores
    python benchmarks/optimizers.py adam     # one, beside plain SGD

A perceptron 64-128-10 (9,610 parameters) on the digits, batches of 64, 32 learning rates, 300
updates each. Ours is one cohort in the layout that the lab chooses; the rivals train the 32 one
after the other: ``torch.optim`` with ``foreach`` and with ``fused``, and Optax in a plain Python
loop over compiled steps. Every framework has a process of its own; they are asked in turn,
A B A B, and the table has medians in microseconds an update of one run. Needs the extra ``peers``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

REPEATS = int(os.environ.get("REPEATS", "5"))
RATES = [1e-5 * 10 ** (i / 8) for i in range(32)]
STEPS, BATCH = 300, 64

OURS: dict[str, Any] = {
    "sgd": "sgd",
    "momentum": {"kind": "sgd", "momentum": 0.9},
    "nesterov": {"kind": "sgd", "momentum": 0.9, "nesterov": True},
    "adagrad": "adagrad",
    "rmsprop": "rmsprop",
    "rmsprop, centred, momentum": {"kind": "rmsprop", "centred": True, "momentum": 0.9},
    "adam": "adam",
    "adam, keras": {"kind": "adam", "flavour": "keras"},
    "adamw": "adamw",
    "nadam": "nadam",
    "adabelief": {"kind": "adabelief", "flavour": "optax"},
    "adabelief, rectified": "adabelief",
    "lion": "lion",
    "schedule-free sgd": "schedule_free_sgd",
    "schedule-free adamw": "schedule_free_adamw",
    "lookahead(sgd)": {"kind": "lookahead", "inner": "sgd"},
    "lookahead(adam)": {"kind": "lookahead", "inner": "adam"},
    "adam, clipped": {"kind": "adam", "clip": "norm"},
    "sgd, cosine": "sgd",
    "muon": "muon",
}
TORCH: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop, centred, momentum": ("RMSprop", {"centered": True, "momentum": 0.9}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "nadam": ("NAdam", {}),
}
FUSED = ("sgd", "momentum", "nesterov", "adagrad", "adam", "adamw")


def optax_of(name: str, rate: float) -> Any:
    """Return Optax's own, None where it has none."""
    import optax

    made = {
        "sgd": lambda: optax.sgd(rate),
        "momentum": lambda: optax.sgd(rate, 0.9),
        "nesterov": lambda: optax.sgd(rate, 0.9, nesterov=True),
        "adagrad": lambda: optax.adagrad(rate),
        "rmsprop": lambda: optax.rmsprop(rate),
        "rmsprop, centred, momentum": lambda: optax.rmsprop(rate, centered=True, momentum=0.9),
        "adam": lambda: optax.adam(rate),
        "adamw": lambda: optax.adamw(rate),
        "nadam": lambda: optax.nadam(rate),
        "adabelief": lambda: optax.adabelief(rate),
        "lion": lambda: optax.lion(rate),
        "muon": lambda: optax.contrib.muon(rate),
        "sgd, cosine": lambda: optax.sgd(optax.cosine_decay_schedule(rate, STEPS)),
        "adam, clipped": lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate)),
    }
    return made[name]() if name in made else None


def digits() -> tuple[Any, Any]:
    """Return inputs in [0, 1] and classes."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.data / 16).astype("float32"), data.target


class Ours:
    """A cohort of the lab, compiled once an optimizer."""

    def __init__(self) -> None:
        self.plans: dict[str, Any] = {}

    def seconds(self, name: str) -> float | None:
        """Train the cohort and return the seconds."""
        from descentlab.engine.lanes import Job, train

        if name not in self.plans:
            self.plans[name] = self._plan(name)
        plan, program = self.plans[name]
        begun = time.perf_counter()
        for _ in train([Job(program, chunk) for chunk in plan.chunks], plan.strategy.lanes):
            pass
        return time.perf_counter() - begun

    def _plan(self, name: str) -> Any:
        from descentlab.engine.program import Program
        from descentlab.engine.strategy import Platform
        from descentlab.studies.configurations import configurations
        from descentlab.studies.plan import plan
        from descentlab.studies.spec import Study

        spec = OURS[name]
        nested = isinstance(spec, dict) and "inner" in spec
        path = "optimizer.inner.learning_rate" if nested else "optimizer.learning_rate"
        study = Study.parse({
            "name": "cost",
            "run": {
                "data": "digits",
                "model": {"kind": "mlp", "hidden": [128]},
                "optimizer": spec,
                "schedule": "cosine" if name.endswith("cosine") else "constant",
                "batches": {"kind": "shuffled", "size": BATCH, "last": "drop"},
                "steps": STEPS,
                "record": {"every": STEPS},
            },
            "vary": {path: RATES},
        })  # fmt: skip
        (found,) = plan(configurations(study), study.seeds, Platform.current())
        program = Program(found.cohort, found.strategy)
        program.stretch = STEPS  # as it is after the first second of a longer training
        return found, program


class Torch:
    """``torch.optim`` on the same network, one learning rate after the other."""

    def __init__(self, how: str) -> None:
        self.how = how

    def seconds(self, name: str) -> float | None:
        """Train the runs and return the seconds, None if PyTorch has no such optimizer."""
        import numpy as np
        import torch

        if name not in TORCH or (self.how == "fused" and name not in FUSED):
            return None
        kind, settings = TORCH[name]
        inputs, classes = (torch.from_numpy(np.asarray(a)) for a in digits())
        begun = time.perf_counter()
        for rate in RATES:
            model = torch.nn.Sequential(
                torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
            )
            optimizer = getattr(torch.optim, kind)(
                model.parameters(), lr=rate, **settings, **{self.how: True}
            )
            per_epoch = len(inputs) // BATCH
            for step in range(STEPS):
                if step % per_epoch == 0:
                    order = torch.randperm(len(inputs))
                chosen = order[step % per_epoch * BATCH :][:BATCH]
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(inputs[chosen]), classes[chosen])
                loss.backward()
                optimizer.step()
        return time.perf_counter() - begun


class Optax:
    """A compiled step, called in a Python loop, one learning rate after the other."""

    def __init__(self) -> None:
        self.steps: dict[str, Any] = {}

    def seconds(self, name: str) -> float | None:
        """Train the runs and return the seconds, None if Optax has no such optimizer."""
        import jax
        import numpy as np
        import optax

        if optax_of(name, 0.1) is None:
            return None
        inputs, classes = (jax.numpy.asarray(a) for a in digits())

        def loss(parameters: Any, x: Any, y: Any) -> Any:
            (w1, b1), (w2, b2) = parameters
            outputs = jax.nn.relu(x @ w1 + b1) @ w2 + b2
            return optax.softmax_cross_entropy_with_integer_labels(outputs, y).mean()

        if name not in self.steps:
            # the rate is in the state, so that one compilation serves all 32
            made = optax.inject_hyperparams(lambda rate: optax_of(name, rate))

            @jax.jit
            def step(parameters: Any, state: Any, chosen: Any) -> Any:
                gradients = jax.grad(loss)(parameters, inputs[chosen], classes[chosen])
                updates, state = made(0.0).update(gradients, state, parameters)
                return optax.apply_updates(parameters, updates), state

            self.steps[name] = made, step
        made, step = self.steps[name]
        random = np.random.default_rng(0)
        begun = time.perf_counter()
        for rate in RATES:
            parameters = [
                (random.normal(0, 0.1, (64, 128)).astype("f4"), np.zeros(128, "f4")),
                (random.normal(0, 0.1, (128, 10)).astype("f4"), np.zeros(10, "f4")),
            ]
            parameters = jax.tree.map(jax.numpy.asarray, parameters)
            state = made(rate).init(parameters)
            per_epoch = len(inputs) // BATCH
            for number in range(STEPS):
                if number % per_epoch == 0:
                    order = random.permutation(len(inputs))
                chosen = order[number % per_epoch * BATCH :][:BATCH]
                parameters, state = step(parameters, state, chosen)
        jax.block_until_ready(parameters)
        return time.perf_counter() - begun


FRAMEWORKS = {
    "ours": Ours,
    "torch foreach": lambda: Torch("foreach"),
    "torch fused": lambda: Torch("fused"),
    "Optax loop": Optax,
}


def serve(framework: str) -> None:
    """Answer names of optimizers with seconds."""
    made = FRAMEWORKS[framework]()
    for line in sys.stdin:
        print(json.dumps(made.seconds(json.loads(line))), flush=True)


class Process:
    """A framework in a process of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, optimizer: str) -> float | None:
        """Return the microseconds of one update of one run, None if it has no such optimizer."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(optimizer) + "\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        return None if found is None else found / len(RATES) / STEPS * 1e6


def main() -> None:
    """Ask all in turn and print the table."""
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
        return
    asked = [n for n in OURS if n == "sgd" or not sys.argv[1:] or n in sys.argv[1:]]
    processes = [Process(name) for name in FRAMEWORKS]
    took: dict[tuple[str, str], list[float]] = {}
    # plain SGD is asked again beside every optimizer: the ratio is of neighbours in time
    beside: dict[str, list[float]] = {name: [] for name in asked}
    for name in asked:
        for repeat in range(REPEATS + 1):
            plain = processes[0].ask("sgd")
            for process in processes:
                if (micros := process.ask(name)) is not None and repeat:  # the first compiles
                    took.setdefault((name, process.name), []).append(micros)
            if repeat:
                assert plain is not None
                beside[name].append(took[name, "ours"][-1] / plain)
    print(f"| optimizer | {' | '.join(f'{n}, µs' for n in FRAMEWORKS)} | ours to SGD |")
    print("| --- |" + " --- |" * (len(FRAMEWORKS) + 1))
    for name in asked:
        cells = [f"{median(took[name, p]):.1f}" if (name, p) in took else "–" for p in FRAMEWORKS]
        print(f"| {name} | {' | '.join(cells)} | {median(beside[name]):.2f} × |")


if __name__ == "__main__":
    main()
