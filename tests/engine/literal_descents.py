"""The four methods as every text has them, in NumPy and float64, and the landscapes' gradients."""

from __future__ import annotations

import numpy as np


def rosenbrock(p):
    x, y = p
    cost = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    return cost, np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


def himmelblau(p):
    x, y = p
    a, b = x * x + y - 11, x + y * y - 7
    return a * a + b * b, np.array([4 * x * a + 2 * b, 2 * a + 4 * y * b])


def ravine(p, condition=100.0):
    scale = np.array([1.0, condition])
    return (scale * p * p).sum() / 2, scale * p


def goldstein_price(p):
    x, y = p
    s, d = x + y + 1, 2 * x - 3 * y
    a = 19 - 14 * x + 3 * x * x - 14 * y + 6 * x * y + 3 * y * y
    b = 18 - 32 * x + 12 * x * x + 48 * y - 36 * x * y + 27 * y * y
    f, g = 1 + s * s * a, 30 + d * d * b
    fx = 2 * s * a + s * s * (-14 + 6 * x + 6 * y)
    fy = 2 * s * a + s * s * (-14 + 6 * x + 6 * y)
    gx = 4 * d * b + d * d * (-32 + 24 * x - 36 * y)
    gy = -6 * d * b + d * d * (48 - 36 * x + 54 * y)
    return f * g, np.array([fx * g + f * gx, fy * g + f * gy])


def descend(function, method, start, steps, rate, decay=0.0, beta=None, noise=None):
    """Return path and costs: gd, momentum (the rate inside), rmsprop, adam; t from 1."""
    p = np.array(start, float)
    v, m = np.zeros(2), np.zeros(2)
    path, cost = [p], [function(p)[0]]
    for t in range(1, steps + 1):
        with np.errstate(all="ignore"):
            g = function(p)[1]
            if noise is not None:
                g = g + noise[t - 1]
            lr = rate / (1 + decay * t)
            if method == "gd":
                p = p - lr * g
            elif method == "momentum":
                v = (0.9 if beta is None else beta) * v - lr * g
                p = p + v
            elif method == "rmsprop":
                v = 0.9 * v + (1 - 0.9) * g**2
                p = p - lr * g / (np.sqrt(v) + 1e-8)
            elif method == "adam":
                m = 0.9 * m + (1 - 0.9) * g
                v = 0.999 * v + (1 - 0.999) * g**2
                p = p - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            path.append(p)
            cost.append(function(p)[0])
    return np.array(path), np.array(cost)
