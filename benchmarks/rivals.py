"""What users of other tools write for the same work: NumPy loops, PyTorch loops.

Plain code as in tutorials, and the best arrangements we know of, so that the
comparison is with what people use and not with a straw man.
"""

from __future__ import annotations

import numpy as np

RATES = (0.01, 0.1, 0.5, 1.0)
BETAS = (0.7, 0.8, 0.9)


def methods() -> list[tuple[bool, float, float, bool]]:
    """The 56 settings: (single example?, learning rate, momentum, Nesterov?)."""
    found = []
    for single in (False, True):
        for rate in RATES:
            found.append((single, rate, 0.0, False))
            found.extend(
                (single, rate, beta, nesterov) for beta in BETAS for nesterov in (False, True)
            )
    return found


def blobs(examples: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping Gaussian classes in two features."""
    generator = np.random.default_rng(0)
    y = np.arange(examples) % 2
    x = generator.normal(size=(examples, 2)) + np.where(y[:, None] == 1, 1.2, -1.2)
    return x, y.astype(float)


def numpy_loop(x: np.ndarray, y: np.ndarray, settings: list, iterations: int) -> np.ndarray:
    """One configuration after the other, each a plain NumPy loop; loss of the batch recorded."""
    generator = np.random.default_rng(0)
    curves = np.empty((len(settings), iterations))
    for number, (single, rate, beta, nesterov) in enumerate(settings):
        w, b = np.zeros(2), 0.0
        vw, vb = np.zeros(2), 0.0
        for t in range(iterations):
            if single:
                i = generator.integers(len(x))
                xs, ys = x[i : i + 1], y[i : i + 1]
            else:
                xs, ys = x, y
            z = xs @ w + b
            p = 1 / (1 + np.exp(-z))
            curves[number, t] = np.mean(np.logaddexp(0, z) - ys * z)
            d = (p - ys) / len(xs)
            gw, gb = xs.T @ d, d.sum()
            vw, vb = beta * vw + gw, beta * vb + gb
            w = w - rate * (gw + beta * vw if nesterov else vw)
            b = b - rate * (gb + beta * vb if nesterov else vb)
    return curves


def numpy_vectorised(
    x: np.ndarray, y: np.ndarray, rates: np.ndarray, betas: np.ndarray, iterations: int
) -> np.ndarray:
    """All configurations at once: arrays with a configuration axis (full batch, momentum)."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    rates, betas = rates.astype(np.float32)[:, None], betas.astype(np.float32)[:, None]
    features = np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1)
    w = np.zeros((len(rates), 3), np.float32)
    v = np.zeros_like(w)
    curves = np.empty((len(rates), iterations), np.float32)
    for t in range(iterations):
        z = w @ features.T
        curves[:, t] = np.mean(np.logaddexp(0, z) - y * z, axis=1)
        gradient = ((1 / (1 + np.exp(-z)) - y) / len(x)) @ features
        v = betas * v + gradient
        w = w - rates * v
    return curves


def torch_eager(x: np.ndarray, y: np.ndarray, settings: list, iterations: int) -> np.ndarray:
    """One configuration after the other with torch.optim.SGD, as a tutorial writes it."""
    import torch

    xs, ys = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)[:, None]
    loss_function = torch.nn.BCEWithLogitsLoss()
    curves = np.empty((len(settings), iterations))
    for number, (single, rate, beta, nesterov) in enumerate(settings):
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=beta, nesterov=nesterov)
        for t in range(iterations):
            if single:
                i = int(torch.randint(len(xs), ()))
                xb, yb = xs[i : i + 1], ys[i : i + 1]
            else:
                xb, yb = xs, ys
            optimizer.zero_grad()
            loss = loss_function(model(xb), yb)
            loss.backward()
            optimizer.step()
            curves[number, t] = loss.item()
    return curves


def torch_mlp(optimizer_name: str, threads: int | None = None):
    """The network of ``mnist-ten`` in torch with its optimizer."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    nn = torch.nn
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 10),
    )
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}
    return model, kinds[optimizer_name](model.parameters(), lr=0.01)


def torch_epoch_loader(x: np.ndarray, y: np.ndarray, optimizer_name: str, epochs: int) -> None:
    """Train with a DataLoader, as in the tutorials; running loss and accuracy kept."""
    import torch

    data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y).long())
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    model, optimizer = torch_mlp(optimizer_name)
    loss_function = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        total, correct = 0.0, 0
        for xb, yb in loader:
            optimizer.zero_grad()
            outputs = model(xb)
            loss = loss_function(outputs, yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
            correct += int((outputs.argmax(1) == yb).sum())


def torch_epoch_indexed(
    x: np.ndarray, y: np.ndarray, optimizer_name: str, epochs: int, threads: int | None = None
) -> None:
    """Train by indexing a permuted tensor: no DataLoader, sums kept as tensors."""
    import torch

    xs, ys = torch.from_numpy(x), torch.from_numpy(y).long()
    model, optimizer = torch_mlp(optimizer_name, threads)
    if optimizer_name == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    loss_function = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        total, correct = torch.zeros(()), torch.zeros((), dtype=torch.long)
        for chosen in torch.randperm(len(xs)).split(64):
            xb, yb = xs[chosen], ys[chosen]
            optimizer.zero_grad()
            outputs = model(xb)
            loss = loss_function(outputs, yb)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(xb)
            correct += (outputs.argmax(1) == yb).sum()
