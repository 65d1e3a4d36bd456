"""Activation functions by their standard names.

==============  =====================================================================
name            formula
==============  =====================================================================
``identity``    x
``sigmoid``     1 / (1 + e⁻ˣ)
``tanh``        tanh x
``relu``        max(0, x); its gradient at 0 is 0
``leaky_relu``  x if x > 0, else 0.01 x; its gradient at 0 is 0.01, as PyTorch's
``elu``         x if x > 0, else eˣ - 1
``selu``        1.0507 (x if x > 0, else 1.6733 (eˣ - 1))
``gelu``        x Φ(x), exact (PyTorch's default; not the tanh approximation)
``silu``        x / (1 + e⁻ˣ)
``softplus``    ln(1 + eˣ)
==============  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jaxtyping import Array

ActivationName = Literal[
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"
]


def activation(name: ActivationName) -> Callable[[Array], Array]:
    """Return the function of a name, elementwise on arrays of any shape.

    A name always gives the same object: it is part of a module's structure, and
    modules built at different times must fit together.
    """
    import jax

    own = {"identity": identity, "gelu": gelu, "leaky_relu": leaky_relu}
    return own[name] if name in own else getattr(jax.nn, name)


def identity(x: Array) -> Array:
    """Return ``x``."""
    return x


def leaky_relu(x: Array) -> Array:
    """Return x where it is positive, else 0.01 x (Maas et al. 2013).

    ``jax.nn.leaky_relu`` has slope 1 at 0; PyTorch's is 0.01, which shows where units start
    at exactly 0.
    """
    import jax.numpy as jnp

    return jnp.where(x > 0, x, 0.01 * x)


def gelu(x: Array) -> Array:
    """Return x Φ(x) with the normal distribution function Φ itself (Hendrycks & Gimpel 2016)."""
    import jax

    return jax.nn.gelu(x, approximate=False)
