"""Hyperband on Fashion-MNIST: against Keras Tuner's, and against Optuna's with a PyTorch loop.

    python benchmarks/search.py                    # all, in turn; about ten minutes on two cores
    PEERS=/path/to/python python benchmarks/search.py   # rivals in an environment of their own

The space is that of ``fashion-hyperband``: a hidden layer of 16 … 512 units, six learning
rates, Adam, batches of 128, at most 10 epochs, factor 3. Every tool runs in a process of
its own with its own schedule (Keras Tuner's rungs start at 2 epochs); compared are whole
seconds, epochs trained, and seconds an epoch, which is the time to the same number of
epochs. An epoch of a wider network takes longer, in proportion to its units: the last ratio
is at equal units. Rivals need ``keras``, ``keras-tuner``, ``jax``, ``tensorflow``, ``optuna`` and
``torch``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

REPEATS = int(os.environ.get("REPEATS", "2"))
PEERS = os.environ.get("PEERS", sys.executable)
RATES = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 1e-4]


def fashion():
    """Return training and validation parts as float32 in [0, 1] and labels."""
    import gzip

    import numpy as np

    for folder in os.environ["DESCENTLAB_DATA"].split(os.pathsep):
        place = Path(folder) / "fashion-mnist"
        if place.is_dir():
            break
    images = gzip.decompress((place / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((place / "train-labels-idx1-ubyte.gz").read_bytes())
    x = np.frombuffer(images, np.uint8, offset=16).reshape(60_000, 784).astype(np.float32) / 255
    y = np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)
    order = np.random.default_rng(0).permutation(60_000)
    train, validation = order[:48_000], order[48_000:]
    return (x[train], y[train]), (x[validation], y[validation])


def descentlab(cold: bool) -> dict:
    """Run the study of the library, without its audit; with an empty compilation cache if cold."""
    if cold:
        os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
    begun = time.time()
    from descentlab.studies.load import load_study
    from descentlab.studies.run import run

    study = load_study("fashion-hyperband", changes=["search.audit=0"])
    with tempfile.TemporaryDirectory() as folder:
        result = run(study, folder)
        found = result.search
        assert found is not None
        sizes = [(t.epochs, t.configuration.values["model.hidden.0"]) for t in found.trials]
        return {"seconds": time.time() - begun, "epochs": found.trained,
                "width": sum(e * w for e, w in sizes) / found.trained,
                "best": found.trials[0].value, "trials": len(found.trials)}  # fmt: skip


def keras_tuner(backend: str) -> dict:
    """Keras Tuner's Hyperband, Keras on a backend."""
    os.environ["KERAS_BACKEND"] = backend
    begun = time.time()
    import keras
    import keras_tuner

    train, validation = fashion()
    widths = []

    class Counter(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            widths.append(self.model.layers[0].units)

    def build(hp):
        model = keras.Sequential([
            keras.layers.Input((784,)),
            keras.layers.Dense(hp.Int("units", 16, 512, step=16), activation="relu"),
            keras.layers.Dense(10),
        ])  # fmt: skip
        rate = hp.Choice("learning_rate", RATES)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        return model

    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.Hyperband(
            build, "val_accuracy", max_epochs=10, factor=3, seed=0, directory=folder
        )
        tuner.search(
            *train, validation_data=validation, batch_size=128, verbose=0, callbacks=[Counter()]
        )
        best = tuner.oracle.get_best_trials(1)[0].score
        trials = len(tuner.oracle.trials)
    return {"seconds": time.time() - begun, "epochs": len(widths), "best": best, "trials": trials,
            "width": sum(widths) / len(widths)}  # fmt: skip


def optuna_torch() -> dict:
    """Optuna's Hyperband pruner with a PyTorch loop, batches by index, 17 trials."""
    begun = time.time()
    import optuna
    import torch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    (x, y), (xv, yv) = ((torch.from_numpy(a), torch.from_numpy(b)) for a, b in fashion())
    widths = []

    def objective(trial):
        units = trial.suggest_int("units", 16, 512, step=16)
        model = torch.nn.Sequential(
            torch.nn.Linear(784, units), torch.nn.ReLU(), torch.nn.Linear(units, 10)
        )
        rate = trial.suggest_categorical("learning_rate", RATES)
        optimizer = torch.optim.Adam(model.parameters(), rate)
        accuracy = 0.0
        for epoch in range(10):
            widths.append(units)
            for batch in torch.randperm(len(x)).split(128):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
                optimizer.step()
            with torch.no_grad():
                accuracy = (model(xv).argmax(1) == yv).float().mean().item()
            trial.report(accuracy, epoch + 1)
            if trial.should_prune():
                raise optuna.TrialPruned
        return accuracy

    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=10, reduction_factor=3)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    study.optimize(objective, n_trials=17)
    return {"seconds": time.time() - begun, "epochs": len(widths), "best": study.best_value,
            "trials": 17, "width": sum(widths) / len(widths)}  # fmt: skip


VARIANTS = {
    "DescentLab, empty cache": lambda: descentlab(cold=True),
    "DescentLab, warm cache": lambda: descentlab(cold=False),
    "Keras Tuner (Keras on JAX)": lambda: keras_tuner("jax"),
    "Keras Tuner (Keras on TensorFlow)": lambda: keras_tuner("tensorflow"),
    "Keras Tuner (Keras on PyTorch)": lambda: keras_tuner("torch"),
    "Optuna + PyTorch": optuna_torch,
}


def main() -> None:
    """Call every variant in turn, each in a process of its own."""
    if "--one" in sys.argv:
        print("RESULT " + json.dumps(VARIANTS[sys.argv[-1]]()))
        return
    found: dict[str, list[dict]] = {name: [] for name in VARIANTS}
    for _ in range(REPEATS):
        for name in VARIANTS:
            python = sys.executable if name.startswith("DescentLab") else PEERS
            done = subprocess.run([python, __file__, "--one", name], capture_output=True, text=True,
                                  check=False)  # fmt: skip
            lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
            if not lines:
                print(f"{name}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
                continue
            found[name].append(json.loads(lines[0][7:]))
    print(
        "| tool | seconds | trials | epochs | mean units | s an epoch | ratio to the first "
        "| ratio at equal units | best validation accuracy |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    base = None
    for name, rows in found.items():
        if not rows:
            continue
        seconds, epochs, width = (
            median(row[key] for row in rows) for key in ("seconds", "epochs", "width")
        )
        each = seconds / epochs
        base = base or (each, width)
        best = ", ".join(f"{row['best']:.4f}" for row in rows)
        print(f"| {name} | {seconds:.1f} | {rows[0]['trials']} | {epochs:.0f} | {width:.0f} | "
              f"{each:.3f} | {each / base[0]:.2f} | {each / width / base[0] * base[1]:.2f} | "
              f"{best} |")  # fmt: skip


if __name__ == "__main__":
    main()
