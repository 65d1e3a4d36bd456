"""Curvature along a path, and the curvature that a method is stable below.

On a quadratic, gradient descent is stable along a direction of curvature λ while λ < 2/η, with
momentum while λ < 2(1+β)/η (Polyak's and Nesterov's analyses). Methods that divide by √v descend
a quadratic scaled by it, and are stable while the largest eigenvalue of P^-½ H P^-½, P = √v + ε,
is below that bound (Cohen et al. 2022 for Adam: 38/η with β₁ = 0.9).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from descentlab.engine.descents.method import Method
from descentlab.engine.descents.programs import PROGRAMS
from descentlab.engine.descents.run import CAPACITIES, Descent
from descentlab.objectives.landscape_catalogue import LandscapeInfo


class Bound(NamedTuple):
    """What a method's stability goes by: λ < factor / η."""

    factor: float
    formula: str
    """With the method's numbers left out, such as ``2(1+β)/η``."""
    scaled: bool
    """Whether λ is that of the Hessian scaled by 1/(√v + ε)."""


class Sharpness(NamedTuple):
    """Curvatures at the iterates of a descent, N + 1 rows; NaN where they are not finite."""

    largest: np.ndarray
    """The largest eigenvalue of the Hessian."""
    smallest: np.ndarray
    """The smallest, negative at a saddle."""
    scaled: np.ndarray
    """The largest eigenvalue that the method's stability goes by: ``largest``, or scaled."""
    limit: np.ndarray
    """What ``scaled`` must stay below, at the rate of the update made there; NaN if unknown."""
    bound: Bound | None


def bound(method: Method) -> Bound | None:
    """Return what a method's stability goes by; None where no such bound is known."""
    spec = method.optimizer
    beta = method.beta or 0.0
    if spec.kind == "sgd":
        return _bound_of_sgd(spec)
    if spec.kind in ("rmsprop", "adagrad") and getattr(spec, "momentum", None) is None:
        if getattr(spec, "centred", False):
            return None
        return Bound(2.0, "2/η", True)
    if spec.kind in ("adam", "adamw"):
        return Bound(2 * (1 + beta) / (1 - beta), "2(1+β₁)/((1-β₁)η)", True)
    return None


def _bound_of_sgd(spec: Any) -> Bound:
    if spec.momentum is None:
        return Bound(2.0, "2/η", False)
    beta = spec.momentum
    if spec.nesterov:
        return Bound(2 * (1 + beta) / (1 + 2 * beta), "2(1+β)/((1+2β)η)", False)
    if spec.dampening is not None:
        return Bound(2 * (1 + beta) / (1 - spec.dampening), "2(1+β)/((1-d)η)", False)
    return Bound(2 * (1 + beta), "2(1+β)/η", False)


def sharpness(descent: Descent) -> Sharpness:
    """Return the curvatures along a descent, and the bound on them."""
    a, b, d = _hessians(descent.landscape, descent.iterates)
    found = bound(descent.method)
    smallest, largest = _eigenvalues(a, b, d)
    scaled = largest
    if found is not None and found.scaled:
        p, q = _scales(descent).T
        with np.errstate(all="ignore"):
            scaled = _eigenvalues(a / p, b / np.sqrt(p * q), d / q)[1]
    limit = np.full(descent.steps + 1, np.nan)
    if found is not None:
        rate = np.append(descent.rate[1:], descent.rate[-1])  # the rate of the update made there
        with np.errstate(all="ignore"):
            limit = found.factor / rate
    return Sharpness(largest, smallest, scaled, limit, found)


def curvature(landscape: LandscapeInfo, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest eigenvalue of the Hessian at points ``[n, 2]``."""
    return _eigenvalues(*_hessians(landscape, points))


def _hessians(landscape: LandscapeInfo, points: np.ndarray) -> tuple[np.ndarray, ...]:
    capacity = next(size for size in CAPACITIES if size >= len(points))
    padded = np.zeros((capacity, 2))
    padded[: len(points)] = points
    settings = {name: np.float64(value) for name, value in landscape.settings.items()}
    key = ("hessians", landscape.key, capacity)
    found = PROGRAMS.call(key, _program(landscape), padded, settings)[: len(points)]
    return found[:, 0, 0], (found[:, 0, 1] + found[:, 1, 0]) / 2, found[:, 1, 1]


def _program(landscape: LandscapeInfo) -> Any:
    def program(points: Any, settings: Any) -> Any:
        import jax

        from descentlab.objectives.landscape_catalogue import function_of

        function = function_of(landscape)
        return jax.vmap(jax.hessian(lambda point: function(point, settings)))(points)

    return program


def _eigenvalues(a: np.ndarray, b: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(all="ignore"):
        middle, radius = (a + d) / 2, np.hypot((a - d) / 2, b)
        return middle - radius, middle + radius


def _scales(descent: Descent) -> np.ndarray:
    """Return √v + ε, corrected as Adam's, that the update made at each iterate divides by."""
    spec = descent.method.optimizer
    epsilon = getattr(spec, "epsilon", 0.0)
    inside = getattr(spec, "epsilon_at", "") == "inside"
    second = np.zeros(2)
    found = np.empty_like(descent.gradients)
    if spec.kind == "adagrad":
        second = second + spec.initial_accumulator
    with np.errstate(all="ignore"):
        for t, gradient in enumerate(descent.gradients):
            if spec.kind == "adagrad":
                second = second + gradient**2
                seen = second
            else:
                keep = spec.decay if spec.kind == "rmsprop" else spec.beta2
                second = keep * second + (1 - keep) * gradient**2
                seen = second if spec.kind == "rmsprop" else second / (1 - keep ** (t + 1))
            found[t] = np.sqrt(seen + epsilon) if inside else np.sqrt(seen) + epsilon
    return found
