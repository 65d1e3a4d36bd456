"""Every rule as a plain NumPy float64 loop, straight from its paper or documentation.

Nothing here knows of the code under test. A rule is made with its conventions and gives a
function ``step(theta, gradient, rate)`` that returns the parameters after the update and
keeps its buffers to itself; :func:`descend` does to gradients what is done before a rule.
"""

from __future__ import annotations

import numpy as np


def sgd(momentum=0.0, nesterov=False, dampening=0.0, first_undamped=False, inside=False):
    """Polyak 1964, eq. 9; ``torch.optim.SGD``'s documentation (its first buffer is g itself);
    ``keras.optimizers.SGD``'s documentation for the velocity that holds the rate (``inside``).
    """
    b = None

    def step(theta, g, rate):
        nonlocal b
        if inside:
            b = momentum * (0 if b is None else b) - rate * g
            return theta + (momentum * b - rate * g if nesterov else b)
        if b is None:
            b = g if first_undamped else (1 - dampening) * g
        else:
            b = momentum * b + (1 - dampening) * g
        return theta - rate * (g + momentum * b if nesterov else b)

    return step


def adagrad(initial=0.0, epsilon=1e-10, root_of_all=False):
    """Duchi et al. 2011, figure 1; ``torch.optim.Adagrad`` and ``keras.optimizers.Adagrad``."""
    total = initial

    def step(theta, g, rate):
        nonlocal total
        total = total + g * g
        below = np.sqrt(total + epsilon) if root_of_all else np.sqrt(total) + epsilon
        return theta - rate * g / below

    return step


def rmsprop(decay=0.99, epsilon=1e-8, root_of_all=False, centred=False, momentum=0.0, inside=False):
    """Hinton 2012, lecture 6e; Graves 2013, eqs. 38-45; ``torch.optim.RMSprop``."""
    n = m = b = 0.0

    def step(theta, g, rate):
        nonlocal n, m, b
        n = decay * n + (1 - decay) * g**2
        m = decay * m + (1 - decay) * g
        spread = n - m**2 if centred else n
        scaled = g / (np.sqrt(spread + epsilon) if root_of_all else np.sqrt(spread) + epsilon)
        b = momentum * b + (rate * scaled if inside else scaled)
        return theta - (b if inside else rate * b)

    return step


def adam(beta1=0.9, beta2=0.999, epsilon=1e-8, epsilon_hat=False, nesterov=False):
    """Kingma & Ba 2015, algorithm 1, and the end of its section 2 for ``epsilon_hat``.

    ``nesterov``: Dozat 2016 without a schedule of momentum, as ``optax.nadam``.
    """
    m = v = 0.0
    t = 0

    def step(theta, g, rate):
        nonlocal m, v, t
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        if epsilon_hat:
            alpha = rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
            return theta - alpha * m / (np.sqrt(v) + epsilon)
        mean = m / (1 - beta1**t)
        if nesterov:
            mean = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
        return theta - rate * mean / (np.sqrt(v / (1 - beta2**t)) + epsilon)

    return step


def nadam(beta=0.9, nu=0.999, epsilon=1e-8, psi=0.004, by_schedule=False, times_nu=False):
    """Dozat 2016, algorithm 2; ``torch.optim.NAdam``'s documentation averages m by β₁."""
    m = n = 0.0
    t, product = 0, 1.0

    def mu(t):
        return beta * (1 - 0.5 * 0.96 ** (t * psi))

    def step(theta, g, rate):
        nonlocal m, n, t, product
        t += 1
        product *= mu(t)
        average = mu(t) if by_schedule else beta
        m = average * m + (1 - average) * g
        n = nu * n + (1 - nu) * g**2
        ahead = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        n_hat = (nu * n if times_nu else n) / (1 - nu**t)
        return theta - rate * ahead / (np.sqrt(n_hat) + epsilon)

    return step


def adabelief(beta1=0.9, beta2=0.999, epsilon=1e-16, rectify=False):
    """Zhuang et al. 2020, algorithm 2; with ``rectify`` as ``adabelief_pytorch`` 0.2.1 does.

    The length ρ and the rectification are those of Liu et al. 2020, algorithm 2.
    """
    m = s = 0.0
    t = 0

    def step(theta, g, rate):
        nonlocal m, s, t
        t += 1
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * (g - m) ** 2 + epsilon
        m_hat = m / (1 - beta1**t)
        if not rectify:
            return theta - rate * m_hat / (np.sqrt(s / (1 - beta2**t)) + epsilon)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        if length < 5:
            return theta - rate * m_hat
        r = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        return theta - rate * np.sqrt(1 - beta2**t) * np.sqrt(r) * m_hat / (np.sqrt(s) + epsilon)

    return step


def lion(beta1=0.9, beta2=0.99):
    """Chen et al. 2023, algorithm 2."""
    m = 0.0

    def step(theta, g, rate):
        nonlocal m
        c = beta1 * m + (1 - beta1) * g
        m = beta2 * m + (1 - beta2) * g
        return theta - rate * np.sign(c)

    return step


def newton_schulz(matrix, epsilon, steps=5, largest=False):
    """Jordan et al. 2024; PyTorch divides by the larger of norm and ε (``largest``)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    norm = np.linalg.norm(matrix)
    x = matrix / (max(norm, epsilon) if largest else norm + epsilon)
    if matrix.shape[0] > matrix.shape[1]:
        x = x.T
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def muon(
    momentum=0.95, nesterov=True, buffer="sum", epsilon=1e-7, largest=False, rms=None, ratio=1.0,
    rest=None,
):  # fmt: skip
    """Jordan et al. 2024 for matrices of inputs × outputs, ``adam(**rest)`` for the rest.

    ``buffer`` is ``sum`` (as there and in ``keras.optimizers.Muon``), ``average``
    (``torch.optim.Muon``) or ``corrected`` (``optax.contrib.muon``); ``rms`` scales as Liu et
    al. 2025, eq. 4, do. ``ratio`` is the Adam rate over Muon's.
    """
    b, t = 0.0, 0
    others = adam(**(rest or {}))

    def step(theta, g, rate):
        nonlocal b, t
        if theta.ndim != 2:
            return others(theta, g, rate * ratio)
        t += 1
        share = 1 if buffer == "sum" else 1 - momentum
        b = momentum * b + share * g
        u = share * g + momentum * b if nesterov else b
        if buffer == "corrected":
            now, then = 1 - momentum**t, 1 - momentum ** (t + 1)
            u = share * g / now + momentum * b / then if nesterov else b / now
        inputs, outputs = theta.shape
        scale = np.sqrt(max(1, outputs / inputs))
        if rms is not None:
            scale = rms * np.sqrt(max(inputs, outputs))
        return theta - rate * scale * newton_schulz(u, epsilon, largest=largest)

    return step


def schedule_free(beta=0.9, weight="largest", adam=None, decay=0.0, next_rate=None):
    """Defazio et al. 2024: y = (1-β) z + β x, x the average of z with weights of rates squared.

    ``adam`` is (β₂, ε, corrected): algorithm 1 has √(1-β₂ᵗ) in the rate (``rate``), the
    package ``schedulefree`` divides v by 1-β₂ᵗ (``root``). ``weight``: the package squares
    the largest rate so far, Optax the largest with the next update's, the paper the rate.
    The function's attribute ``average`` is x.
    """
    x = z = None
    t, v, total, most = 0, 0.0, 0.0, 0.0

    def step(y, g, rate):
        nonlocal x, z, t, v, total, most
        x, z = (y, y) if x is None else (x, z)
        t += 1
        if adam is not None:
            beta2, epsilon, corrected = adam
            v = beta2 * v + (1 - beta2) * g * g
            rate = rate * np.sqrt(1 - beta2**t) if corrected == "rate" else rate
            g = g / (np.sqrt(v if corrected == "rate" else v / (1 - beta2**t)) + epsilon)
        z = z - rate * (g + decay * y)
        most = max(most, next_rate(t) if weight == "largest_next" else rate)
        w = (rate if weight == "applied" else most) ** 2
        total += w
        x = (1 - w / total) * x + w / total * z
        step.average = x
        return (1 - beta) * z + beta * x

    return step


def clipped(gradients, theta, how, at):
    """Clip by value; by norm (Pascanu et al. 2013, algorithm 1); per unit (Brock et al. 2021).

    A unit of an adaptively clipped array is a column, all of it where there are none.
    """
    if how == "value":
        return {name: np.minimum(np.maximum(g, -at), at) for name, g in gradients.items()}
    if how == "norm":
        norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
        return {name: g * at / norm if norm > at else g for name, g in gradients.items()}
    found = {}
    for name, g in gradients.items():
        axis = 0 if g.ndim > 1 else None
        size = np.sqrt((g**2).sum(axis=axis, keepdims=True))
        most = at * np.maximum(np.sqrt((theta[name] ** 2).sum(axis=axis, keepdims=True)), 1e-3)
        found[name] = np.where(size > most, g * most / np.maximum(size, 1e-300), g)
    return found


def descend(
    make, start, gradients, rate, factor, *, clip=None, accumulate=1, l2=0.0, l1=0.0, decay=0.0,
    decay_by="rate",
):  # fmt: skip
    """Return the parameters after every batch, and what is evaluated.

    Args:
        make: gives a rule's step; one for each array.
        start: arrays by name.
        gradients: as many of each as there are batches.
        rate: the learning rate.
        factor: of the rate, by the number of updates before.
        clip: (how, at), or None.
        accumulate: batches of one update.
        l2: λ of the gradient λ θ.
        l1: λ of the gradient λ sign(θ).
        decay: λ of Loshchilov & Hutter 2019, algorithm 2, line 12.
        decay_by: ``rate`` times it as the libraries do, ``schedule`` as that paper does.
    """
    theta = {name: np.array(value, float) for name, value in start.items()}
    steps = {name: make() for name in start}
    total, updates = dict.fromkeys(start, 0.0), 0
    path = {name: [] for name in start}
    evaluated = {name: [] for name in start}
    for number in range(len(next(iter(gradients.values())))):
        total = {name: total[name] + gradients[name][number] for name in start}
        if (number + 1) % accumulate == 0:
            g = {name: total[name] / accumulate for name in start}
            g = clipped(g, theta, *clip) if clip else g
            now, shrink = rate * factor(updates), factor(updates) * decay
            shrink *= rate if decay_by == "rate" else 1
            for name, value in theta.items():
                penalised = g[name] + l2 * value + l1 * np.sign(value)
                theta[name] = steps[name](value, penalised, now) - shrink * value
            total, updates = dict.fromkeys(start, 0.0), updates + 1
        for name in start:
            path[name].append(theta[name])
            evaluated[name].append(getattr(steps[name], "average", theta[name]))
    return tuple({name: np.array(p) for name, p in found.items()} for found in (path, evaluated))
