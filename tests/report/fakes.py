"""Studies' results without any training: what ``StudyResult`` has, filled with made-up curves."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from descentlab.store.folder import Folder

Curve = Callable[[dict[str, Any], int, np.random.Generator], dict[str, np.ndarray]]


@dataclasses.dataclass
class FakeConfiguration:
    id: str
    values: dict[str, Any]
    labels: dict[str, str]


class FakeResult:
    """A result made of arrays: ``runs[configuration, seed] = {metric: values by record}``."""

    def __init__(
        self,
        folder: Path,
        configurations: list[FakeConfiguration],
        runs: dict[tuple[str, int], dict[str, np.ndarray]],
        *,
        name: str = "fake",
        question: str = "Which is best?",
        seeds: int = 5,
        report: Mapping[str, Any] | None = None,
        run: Mapping[str, Any] | None = None,
        per_epoch: int | None = None,
        diverged: Mapping[tuple[str, int], int] | None = None,
    ) -> None:
        spec = {"metric": None, "by": (), "rows": None, "columns": None, **(report or {})}
        self.folder = Folder(folder)
        self.configurations = configurations
        self.runs, self.diverged, self.per_epoch = runs, dict(diverged or {}), per_epoch
        run = dict(run or {"epochs": 15, "model": {"kind": "mlp"}, "loss": "cross_entropy"})
        self.study = SimpleNamespace(
            name=name,
            question=question,
            seeds=tuple(range(seeds)),
            report=SimpleNamespace(**spec),
            run=run,
        )
        self.readings: list[str] = []
        self.factors = list(dict.fromkeys(f for c in configurations for f in c.labels))
        vary = {
            f: list(dict.fromkeys(c.labels.get(f) for c in configurations)) for f in self.factors
        }
        self.resolved = {
            "name": name,
            "question": question,
            "run": run,
            "vary": [vary],
            "seeds": seeds,
        }
        self.provenance = provenance()

    @property
    def metrics(self) -> list[str]:
        return list(next(iter(self.runs.values()), {}))

    @property
    def primary(self) -> str:
        return self.study.report.metric or self.metrics[-1]

    @property
    def planned(self) -> int:
        return len(self.configurations) * len(self.study.seeds)

    @property
    def complete(self) -> bool:
        return len(self.frame()) == self.planned

    def claims(self) -> list[Any]:
        return []

    def frame(self) -> pd.DataFrame:
        columns = [
            "configuration",
            "seed",
            "diverged",
            "diverged_step",
            "step",
            "epoch",
            *self.metrics,
        ]
        rows = []
        for (configuration, seed), curves in self.runs.items():
            bad = self.diverged.get((configuration, seed))
            records = len(next(iter(curves.values())))
            step = self._steps(records)[-1] if bad is None else bad
            values = [c[-1] if bad is None else math.nan for c in curves.values()]
            rows.append(
                [configuration, seed, bad is not None, bad, step, self._epoch(step), *values]
            )
        return pd.DataFrame(rows, columns=columns)

    def curves(self, metric: str, configurations: list[str] | None = None) -> pd.DataFrame:
        parts = []
        for (configuration, seed), curves in self.runs.items():
            if configurations is not None and configuration not in configurations:
                continue
            values = curves[metric]
            steps = np.asarray(self._steps(len(values)))
            bad = self.diverged.get((configuration, seed))
            keep = np.isfinite(values) & (steps < bad if bad is not None else True)
            parts.append(
                pd.DataFrame(
                    {
                        "configuration": configuration,
                        "seed": seed,
                        "step": steps[keep],
                        "epoch": self._epoch(steps[keep]),
                        "value": values[keep],
                    }
                )
            )
        return (
            pd.concat(parts)
            if parts
            else pd.DataFrame(columns=["configuration", "seed", "step", "epoch", "value"])
        )

    def _steps(self, records: int) -> list[int]:
        return [i * (self.per_epoch or 1) for i in range(records)]

    def _epoch(self, step: Any) -> Any:
        return step / (self.per_epoch or 1)


def provenance() -> dict[str, Any]:
    session = {
        "started": "2026-03-01T09:30:00+00:00",
        "device": "cpu (2 cores)",
        "processor": "An imaginary processor",
        "system": "Linux-6.1-x86_64",
        "python": "3.11.9",
        "versions": {"descentlab": "0.1.0", "jax": "0.10.2", "numpy": "2.4.6"},
        "source": "3f" * 32,
        "reproducible": False,
        "strategies": {"classification-1": "vmap:64x2"},
        "seconds": 41.7,
        "compilations": 6,
        "compile_seconds": 3.2,
    }
    notes = {
        "name": "digits",
        "files": ["scikit-learn 1.9.1, load_digits"],
        "examples": {"train": 1438, "test": 359},
        "split": "test: 0.2 of the examples, stratified random split, seed 0",
    }
    return {"sessions": [session], "data": [notes]}


def grid(factors: Mapping[str, Iterable[Any]], start: int = 0) -> list[FakeConfiguration]:
    found = []
    for number, values in enumerate(itertools.product(*factors.values())):
        values = dict(zip(factors, values, strict=True))
        labels = {f: f"{v:g}" if isinstance(v, float) else str(v) for f, v in values.items()}
        found.append(FakeConfiguration(f"c{start + number:02d}", values, labels))
    return found


def train(configurations: list[FakeConfiguration], seeds: int, curve: Curve) -> dict:
    runs = {}
    for configuration in configurations:
        for seed in range(seeds):
            key = np.random.default_rng([seed, sum(map(ord, configuration.id))])
            runs[configuration.id, seed] = curve(configuration.values, seed, key)
    return runs


def logistic_descent(folder: Path, seeds: int = 20, records: int = 101) -> FakeResult:
    """56 configurations: two methods without momentum, four with, four rates, three momenta."""
    rates = [0.01, 0.1, 0.5, 1.0]
    plain = grid({"method": ["GD", "SGD"], "optimizer.learning_rate": rates})
    methods = ["GD + momentum", "GD + Nesterov", "SGD + momentum", "SGD + Nesterov"]
    heavy = grid(
        {
            "method": methods,
            "optimizer.learning_rate": rates,
            "optimizer.momentum": [0.7, 0.8, 0.9],
        },
        len(plain),
    )

    def curve(
        values: dict[str, Any], seed: int, random: np.random.Generator
    ) -> dict[str, np.ndarray]:
        step = np.arange(records)
        speed = values["optimizer.learning_rate"] / (1 - values.get("optimizer.momentum", 0.0))
        loss = 0.693 / (1 + speed * step / 4) + 0.0001
        if values["method"].startswith("SGD"):
            walk = np.cumsum(random.normal(0, 0.06, records)) * (step > 0) / (1 + 0.02 * step)
            loss = loss * np.exp(walk) + 0.02 * speed * random.random() * (step > 0)
        return {"train_loss": loss, "train_accuracy": 1 - np.minimum(0.5, loss / 1.4)}

    configurations = plain + heavy
    return FakeResult(
        folder,
        configurations,
        train(configurations, seeds, curve),
        name="logistic-descent",
        question="On logistic regression with two features, what do momentum, Nesterov's "
        "momentum and the learning rate change, and what does one example per update cost "
        "against the full batch?",
        seeds=seeds,
        report={
            "metric": "train_loss",
            "by": ("method",),
            "rows": "optimizer.learning_rate",
            "columns": "optimizer.momentum",
        },
        run={
            "data": {"kind": "blobs", "examples": 400},
            "model": {"kind": "logistic"},
            "loss": "binary_cross_entropy",
            "steps": 100,
            "record": {"every": 1, "train": "evaluated"},
        },
    )


TEN = {
    "ReLU / NLL / SGD": 0.9507, "ReLU / NLL / RMSProp": 0.9493, "ReLU / CE / Adam": 0.9505,
    "ReLU / CE / SGD": 0.9496, "Tanh / CE / SGD": 0.9116, "Tanh / NLL / SGD": 0.9279,
    "Tanh / NLL / RMSProp": 0.9118, "Sigmoid / CE / Adam": 0.9645, "Sigmoid / CE / RMSProp": 0.9698,
    "Sigmoid / NLL / SGD": 0.7355,
}  # fmt: skip


def mnist_ten(folder: Path, seeds: int = 5, epochs: int = 15, spread: float = 0.0008) -> FakeResult:
    """Ten labelled configurations, losses and accuracies of train and test by epoch."""
    configurations = [
        FakeConfiguration(f"c{i:02d}", {"loss": "nll"}, {"experiment": label})
        for i, label in enumerate(TEN)
    ]
    final = dict(zip((c.id for c in configurations), TEN.values(), strict=True))

    def curves(ident: str, seed: int) -> dict[str, np.ndarray]:
        random = np.random.default_rng([seed, int(ident[1:])])
        epoch = np.arange(epochs + 1)
        own = final[ident] + random.normal(0, spread)
        accuracy = own - (own - 0.1) * np.exp(-epoch / (1.2 + 6 * (1 - own)))
        accuracy = np.minimum(0.999, accuracy + random.normal(0, spread, epochs + 1))
        train = accuracy - 0.01
        loss, train_loss = (1 - accuracy) * 3.2 + 0.02, (1 - train) * 3.1 + 0.03
        train[0] = train_loss[0] = np.nan
        return {
            "train_loss": train_loss,
            "train_accuracy": train,
            "test_loss": loss,
            "test_accuracy": accuracy,
        }

    runs = {(c.id, seed): curves(c.id, seed) for c in configurations for seed in range(seeds)}
    return FakeResult(
        folder,
        configurations,
        runs,
        name="mnist-ten",
        question="On MNIST, how do ten combinations of activation, loss and optimizer compare at "
        "one learning rate, once each is trained with five seeds?",
        seeds=seeds,
        report={"metric": "test_accuracy"},
        run={
            "data": {"kind": "mnist", "scale": "unit"},
            "model": {"kind": "mlp", "hidden": [512, 128], "dropout": 0.2},
            "loss": "cross_entropy",
            "epochs": epochs,
            "record": {"every": "epoch", "train": "running", "predictions": True},
            "evaluate_dropout": False,
        },
        per_epoch=938,
    )


def digits(folder: Path, seeds: int = 5, epochs: int = 30) -> FakeResult:
    """Three activations × three optimizers."""
    configurations = grid(
        {"model.activation": ["relu", "tanh", "sigmoid"], "optimizer": ["sgd", "rmsprop", "adam"]}
    )
    speed = {"relu": 3.0, "tanh": 4.0, "sigmoid": 9.0, "sgd": 1.0, "rmsprop": 0.9, "adam": 0.8}

    def curve(
        values: dict[str, Any], seed: int, random: np.random.Generator
    ) -> dict[str, np.ndarray]:
        epoch = np.arange(epochs + 1)
        time = speed[values["model.activation"]] * speed[values["optimizer"]]
        top = 0.975 - 0.002 * time + random.normal(0, 0.003)
        accuracy = top - (top - 0.1) * np.exp(-epoch / time) + random.normal(0, 0.002, epochs + 1)
        loss = (
            2.3 * np.exp(-epoch / time)
            + 0.1 * (1 + 0.01 * epoch)
            + random.normal(0, 0.003, epochs + 1)
        )
        train_loss = 2.3 * np.exp(-1.5 * epoch / time) + 0.004
        train_accuracy = np.minimum(1.0, accuracy + 0.02)
        train_loss[0] = train_accuracy[0] = np.nan
        return {
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "test_loss": loss,
            "test_accuracy": accuracy,
        }

    return FakeResult(
        folder,
        configurations,
        train(configurations, seeds, curve),
        name="digits-optimizers",
        question="Which optimizer trains a small network on handwritten digits best, and does "
        "the answer depend on the activation function?",
        seeds=seeds,
        report={"metric": "test_accuracy", "rows": "model.activation", "columns": "optimizer"},
        run={
            "data": {"kind": "digits"},
            "model": {"kind": "mlp", "hidden": [64, 32], "dropout": None},
            "loss": "cross_entropy",
            "epochs": epochs,
            "record": {"every": "epoch", "train": "running"},
            "evaluate_dropout": False,
        },
        per_epoch=45,
    )


def with_divergence(folder: Path) -> FakeResult:
    """The digits, with two of five runs of one configuration and all of another diverged."""
    result = digits(folder)
    result.diverged = {("c00", 1): 400, ("c00", 3): 700, **{("c04", seed): 90 for seed in range(5)}}
    result.study.name = "with-divergence"
    return result


def incomplete(folder: Path) -> FakeResult:
    """The digits, with the last two configurations missing and one only begun."""
    result = digits(folder)
    gone = (
        {("c07", s) for s in range(5)} | {("c08", s) for s in range(5)} | {("c06", 3), ("c06", 4)}
    )
    result.runs = {key: run for key, run in result.runs.items() if key not in gone}
    result.study.name = "incomplete"
    return result


def large(folder: Path, configurations: int = 10_000, seeds: int = 2) -> FakeResult:
    """A grid of a hundred rates by a hundred momenta, few records."""
    side = round(configurations**0.5)
    found = grid(
        {
            "optimizer.learning_rate": [float(x) for x in np.logspace(-4, 0, side)],
            "optimizer.momentum": [float(x) for x in np.linspace(0, 0.99, side)],
        }
    )
    ids = {c.id: f"c{i:05d}" for i, c in enumerate(found)}
    for configuration in found:
        configuration.id = ids[configuration.id]

    def curve(
        values: dict[str, Any], seed: int, random: np.random.Generator
    ) -> dict[str, np.ndarray]:
        speed = values["optimizer.learning_rate"] / (1 - values["optimizer.momentum"])
        return {"train_loss": 0.7 / (1 + speed * np.arange(5)) * (1 + 0.01 * random.random())}

    return FakeResult(
        folder,
        found,
        train(found, seeds, curve),
        name="large",
        seeds=seeds,
        report={
            "metric": "train_loss",
            "rows": "optimizer.learning_rate",
            "columns": "optimizer.momentum",
        },
        run={"steps": 4, "model": {"kind": "logistic"}, "loss": "binary_cross_entropy"},
    )
