"""The real libraries on gradients recorded before: torch, Keras, Optax, and authors' packages.

Each function takes arrays by name and gives the parameters after every update, float64.
Keras runs in an interpreter of its own, as its backend and precision hold for a process:
``python libraries.py REQUEST ANSWER``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def torch_class(name: str):
    """``SGD`` of ``torch.optim``, or ``package:Class`` for an authors' package."""
    import torch

    package, _, own = name.rpartition(":")
    if not package:
        return getattr(torch.optim, name)
    return getattr(importlib.import_module(package), own)


def torch_path(name, settings, start, gradients, rate, factor):
    """Run one of PyTorch's form; the default dtype is float64 meanwhile.

    NAdam keeps the product of its momenta in the default dtype, whatever the parameters have.
    """
    import torch

    transposed = name == "Muon"  # matrices of outputs × inputs

    def tensor(value):
        return torch.tensor(np.array(value.T if transposed else value), dtype=torch.float64)

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        theta = {key: torch.nn.Parameter(tensor(value)) for key, value in start.items()}
        with contextlib.redirect_stdout(io.StringIO()):
            optimizer = torch_class(name)(list(theta.values()), lr=rate, **settings)
        if hasattr(optimizer, "train"):
            optimizer.train()
        path, evaluated = ({key: [] for key in start} for _ in range(2))
        for step in range(len(next(iter(gradients.values())))):
            optimizer.param_groups[0]["lr"] = rate * factor(step)
            for key, value in theta.items():
                value.grad = tensor(gradients[key][step])
            optimizer.step()
            _note(path, theta, transposed)
            if hasattr(optimizer, "eval"):
                optimizer.eval()
                _note(evaluated, theta, transposed)
                optimizer.train()
    finally:
        torch.set_default_dtype(before)
    found = [{key: np.array(p) for key, p in each.items()} for each in (path, evaluated)]
    return found[0], found[1] if evaluated[next(iter(start))] else found[0]


def _note(path, theta, transposed):
    for key, value in theta.items():
        array = value.detach().numpy().copy()
        path[key].append(array.T if transposed else array)


def optax_path(make, start, gradients, rate, factor, evaluate=None):
    """Run ``make(learning_rate=schedule)``; ``evaluate`` gives x of the state and y."""
    import jax
    import jax.numpy as jnp
    import optax

    steps = len(next(iter(gradients.values())))
    with jax.enable_x64(True):
        table = jnp.asarray([rate * factor(step) for step in range(steps + 2)])
        transformation = make(learning_rate=lambda count: table[count])
        theta = {key: jnp.asarray(value, jnp.float64) for key, value in start.items()}

        def body(carry, gradient):
            theta, state = carry
            updates, state = transformation.update(gradient, state, theta)
            theta = optax.apply_updates(theta, updates)
            shown = theta if evaluate is None else evaluate(state, theta)
            return (theta, state), (theta, shown)

        run = jax.jit(lambda theta, g: jax.lax.scan(body, (theta, transformation.init(theta)), g))
        _, (path, evaluated) = run(theta, {key: jnp.asarray(g) for key, g in gradients.items()})
        return tuple(
            {key: np.asarray(value) for key, value in found.items()} for found in (path, evaluated)
        )


def keras_paths(requests: dict) -> dict:
    """Run Keras's on its JAX backend; requests are (class, settings, start, gradients, rates).

    A request ``("defaults", class)`` asks for the signature's defaults.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "asked", Path(folder) / "answer"
        asked.write_bytes(pickle.dumps(requests))
        environment = os.environ | {
            "KERAS_BACKEND": "jax",
            "KERAS_HOME": folder,
            "JAX_ENABLE_X64": "1",
        }
        done = subprocess.run(
            [sys.executable, __file__, str(asked), str(answer)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return pickle.loads(answer.read_bytes())


def _keras_answer(request):
    import jax
    import jax.numpy as jnp
    import keras

    keras.config.set_floatx("float64")
    if request[0] == "defaults":
        return defaults(getattr(keras.optimizers, request[1]))
    name, settings, start, gradients, rates = request
    theta = [keras.Variable(value, dtype="float64") for value in start.values()]
    optimizer = getattr(keras.optimizers, name)(learning_rate=rates[0], **settings)
    optimizer.build(theta)
    place = next(i for i, v in enumerate(optimizer.variables) if v is optimizer._learning_rate)

    def body(carry, given):
        (theta, state), (gradient, rate) = carry, given
        state = [rate if number == place else each for number, each in enumerate(state)]
        theta, state = optimizer.stateless_apply(state, gradient, theta)
        return (theta, state), theta

    first = [v.value for v in theta], [v.value for v in optimizer.variables]
    given = [jnp.asarray(gradients[key]) for key in start], jnp.asarray(rates)
    _, path = jax.jit(lambda carry, given: jax.lax.scan(body, carry, given))(first, given)
    assert all(p.dtype == "float64" for p in path)
    return {key: np.asarray(p) for key, p in zip(start, path, strict=True)}


def defaults(function) -> dict:
    """Return the defaults in a signature."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are there."""
    from importlib import metadata

    found = {}
    for name in ("torch", "keras", "optax", "jax", "adabelief-pytorch", "schedulefree"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


if __name__ == "__main__":
    asked = pickle.loads(Path(sys.argv[1]).read_bytes())
    Path(sys.argv[2]).write_bytes(pickle.dumps({k: _keras_answer(v) for k, v in asked.items()}))
