"""Landscapes: functions of a point whose minima are known, to watch optimizers on.

Each takes points along the last axis. ``c`` of the quadratic is its curvatures.

===================  ==========================================  ==========================
saddle               5x² - y² + y⁴/4                             -1 at (0, ±√2)
hyperbolic_saddle    x² - y²                                     none
monkey_saddle        x³ - 3xy²                                   none
rosenbrock           Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)²             0 at (1, …, 1)
himmelblau           (x² + y - 11)² + (x + y² - 7)²              0 at four points
styblinski_tang      ½ Σ (xᵢ⁴ - 16xᵢ² + 5xᵢ) + 39.16617 d        about 0 at -2.9035 in each
goldstein_price      see :func:`goldstein_price`                 3 at (0, -1)
beale                Σ (cᵢ - x + x yⁱ)², see :func:`beale`       0 at (3, 0.5)
rastrigin            Σ xᵢ² - 10 cos 2πxᵢ + 10                    0 at 0, one near each integer
ackley               see :func:`ackley`                          0 at 0
cliff                5 σ(20 (x - 1)) + 0.05 (x² + y²)            about 0 near 0
quadratic            ½ Σ cᵢ xᵢ²                                  0 at 0
===================  ==========================================  ==========================

Sources: Molga and Smutnicki, Test functions for optimization needs (2005), whose Styblinski-Tang
function lacks the constant; Beale, On an iterative method for finding a local minimum (1958). The
pages that show them are written from :mod:`descentlab.objectives.landscape_catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

STYBLINSKI_TANG = 39.16617
"""Added to the Styblinski-Tang function for each variable, so that its minimum is about 0."""

Landscape = Callable[[Float[Array, "... d"]], Float[Array, "..."]]


def saddle(point: Float[Array, "... 2"]) -> Float[Array, "..."]:
    """Return 5x² - y² + y⁴/4: a saddle at the origin, minima of -1 at (0, ±√2)."""
    x, y = point[..., 0], point[..., 1]
    return 5 * x**2 - y**2 + y**4 / 4


def rosenbrock(point: Float[Array, "... d"]) -> Float[Array, "..."]:
    """Return Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)²: a curved valley to the minimum 0 at (1, …, 1)."""
    here, after = point[..., :-1], point[..., 1:]
    return (100 * (after - here**2) ** 2 + (1 - here) ** 2).sum(axis=-1)


def himmelblau(point: Float[Array, "... 2"]) -> Float[Array, "..."]:
    """Return (x² + y - 11)² + (x + y² - 7)²: four minima of 0, one at (3, 2)."""
    x, y = point[..., 0], point[..., 1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def styblinski_tang(point: Float[Array, "... d"]) -> Float[Array, "..."]:
    """Return ½ Σ (xᵢ⁴ - 16xᵢ² + 5xᵢ) + 39.16617 d: 2ᵈ minima, the lowest about 0."""
    terms = point**4 - 16 * point**2 + 5 * point
    return terms.sum(axis=-1) / 2 + STYBLINSKI_TANG * point.shape[-1]


def goldstein_price(point: Float[Array, "... 2"]) -> Float[Array, "..."]:
    """Return [1 + (x+y+1)² A][30 + (2x-3y)² B]: minimum 3 at (0, -1), steep around it.

    A = 19 - 14x + 3x² - 14y + 6xy + 3y², B = 18 - 32x + 12x² + 48y - 36xy + 27y².
    """
    x, y = point[..., 0], point[..., 1]
    a = 19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2
    b = 18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2
    return (1 + (x + y + 1) ** 2 * a) * (30 + (2 * x - 3 * y) ** 2 * b)


def quadratic(condition: float) -> Landscape:
    """Return ½ Σ cᵢ xᵢ², with curvatures from 1 to ``condition``, even in the logarithm.

    A single variable has curvature 1.
    """

    def bowl(point: Float[Array, "... d"]) -> Float[Array, "..."]:
        places = jnp.linspace(0, 1, point.shape[-1], dtype=point.dtype)
        return (condition**places * point**2).sum(axis=-1) / 2

    return bowl


def hyperbolic_saddle(point: Float[Array, "... 2"]) -> Float[Array, "..."]:
    """Return x² - y²: a saddle at the origin, and no minimum at all."""
    x, y = point[..., 0], point[..., 1]
    return x**2 - y**2


def monkey_saddle(point: Float[Array, "... 2"]) -> Float[Array, "..."]:
    """Return x³ - 3xy²: three ways down from the origin, where the Hessian is zero."""
    x, y = point[..., 0], point[..., 1]
    return x**3 - 3 * x * y**2


def beale(point: Float[Array, "... 2"]) -> Float[Array, "..."]:
    """Return (1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²: minimum 0 at (3, 0.5)."""
    x, y = point[..., 0], point[..., 1]
    terms = ((1.5, y), (2.25, y**2), (2.625, y**3))
    return sum(((c - x + x * power) ** 2 for c, power in terms), jnp.zeros_like(x))


def rastrigin(point: Float[Array, "... d"]) -> Float[Array, "..."]:
    """Return Σ xᵢ² - 10 cos 2πxᵢ + 10: the minimum 0 at 0, and a local one near each integer."""
    return (point**2 - 10 * jnp.cos(2 * jnp.pi * point) + 10).sum(axis=-1)


def ackley(point: Float[Array, "... d"]) -> Float[Array, "..."]:
    """Return 20 + e - 20 exp(-√(Σ xᵢ²/d) / 5) - exp(Σ cos 2πxᵢ / d): 0 at 0, which is a tip.

    The gradient at the tip itself, which has none, is 0.
    """
    square = (point**2).mean(axis=-1)
    root = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    waves = jnp.cos(2 * jnp.pi * point).mean(axis=-1)
    return 20 + jnp.e - 20 * jnp.exp(-root / 5) - jnp.exp(waves)


def cliff(point: Float[Array, "... 2"]) -> Float[Array, "..."]:
    """Return 5 σ(20 (x - 1)) + 0.05 (x² + y²): a plateau, a cliff at x = 1, a wide bowl below.

    On the plateau the slope is about 0.1 x, on the cliff up to 25: a step that suits the one
    throws off the other, as the cliffs of recurrent networks do (Pascanu, Mikolov & Bengio 2013).
    """
    x, y = point[..., 0], point[..., 1]
    return 5 * jax.nn.sigmoid(20 * (x - 1)) + 0.05 * (x**2 + y**2)
