"""Initial weights of dense layers. fan_in and fan_out are a layer's inputs and outputs.

===========  ==================================================  ======================
kind         weights                                             source
===========  ==================================================  ======================
``zeros``    0
``normal``   N(0, std²)
``uniform``  U(-limit, limit)
``glorot``   variance 2 / (fan_in + fan_out)                     Glorot & Bengio 2010
``he``       variance 2 / fan_in                                 He et al. 2015
``lecun``    variance 1 / fan_in                                 LeCun et al. 1998
``torch``    U(-1/√fan_in, 1/√fan_in), biases too                ``torch.nn.Linear``
===========  ==================================================  ======================

Biases start at zero except under ``torch``. Glorot, He and LeCun draw from a normal
or a uniform distribution of that variance (``distribution``; the normal one is not
truncated, where Keras truncates at two standard deviations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec

if TYPE_CHECKING:
    from jaxtyping import Array, Float, Key

Distribution = Literal["normal", "uniform"]


class Initial(Spec):
    """Base of the ways to draw initial weights."""

    def weights(
        self, key: Key[Array, ""], fan_in: int, fan_out: int, dtype: Any
    ) -> Float[Array, "fan_in fan_out"]:
        """Draw the weights of one dense layer."""
        raise NotImplementedError

    def biases(
        self, key: Key[Array, ""], fan_in: int, fan_out: int, dtype: Any
    ) -> Float[Array, " fan_out"]:
        """Draw the biases of one dense layer: zeros, unless a kind says otherwise."""
        import jax.numpy as jnp

        return jnp.zeros(fan_out, dtype)


class Zeros(Initial):
    """All weights zero; for models without hidden layers, whose symmetry needs no breaking."""

    kind: Literal["zeros"] = "zeros"

    def weights(self, key: Any, fan_in: int, fan_out: int, dtype: Any) -> Any:
        """Return zeros."""
        import jax.numpy as jnp

        return jnp.zeros((fan_in, fan_out), dtype)


class Normal(Initial):
    """Normal weights with standard deviation ``std``."""

    kind: Literal["normal"] = "normal"
    std: float = Field(default=0.01, gt=0)

    def weights(self, key: Any, fan_in: int, fan_out: int, dtype: Any) -> Any:
        """Draw from N(0, std²)."""
        import jax

        return self.std * jax.random.normal(key, (fan_in, fan_out), dtype)


class Uniform(Initial):
    """Uniform weights between ``-limit`` and ``limit``."""

    kind: Literal["uniform"] = "uniform"
    limit: float = Field(default=0.05, gt=0)

    def weights(self, key: Any, fan_in: int, fan_out: int, dtype: Any) -> Any:
        """Draw from U(-limit, limit)."""
        import jax

        return self.limit * jax.random.uniform(key, (fan_in, fan_out), dtype, -1.0, 1.0)


class _Scaled(Initial):
    """Weights of a variance that depends on the layer's size."""

    distribution: Distribution = "uniform"

    def variance(self, fan_in: int, fan_out: int) -> float:
        raise NotImplementedError

    def weights(self, key: Any, fan_in: int, fan_out: int, dtype: Any) -> Any:
        """Draw with the variance from the chosen distribution; U(±√(3·variance)) if uniform."""
        import jax

        std = self.variance(fan_in, fan_out) ** 0.5
        if self.distribution == "normal":
            return std * jax.random.normal(key, (fan_in, fan_out), dtype)
        limit = 3.0**0.5 * std
        return jax.random.uniform(key, (fan_in, fan_out), dtype, -limit, limit)


class Glorot(_Scaled):
    """Variance 2 / (fan_in + fan_out): keeps the scale of signals both ways for tanh-like units."""

    kind: Literal["glorot"] = "glorot"

    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return 2 / (fan_in + fan_out)."""
        return 2.0 / (fan_in + fan_out)


class He(_Scaled):
    """Variance 2 / fan_in: keeps the scale of signals forward for ReLU."""

    kind: Literal["he"] = "he"

    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return 2 / fan_in."""
        return 2.0 / fan_in


class LeCun(_Scaled):
    """Variance 1 / fan_in: keeps the scale of signals forward for linear-like units."""

    kind: Literal["lecun"] = "lecun"

    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return 1 / fan_in."""
        return 1.0 / fan_in


class Torch(Initial):
    """The default of ``torch.nn.Linear``: weights and biases from U(±1/√fan_in)."""

    kind: Literal["torch"] = "torch"

    def weights(self, key: Any, fan_in: int, fan_out: int, dtype: Any) -> Any:
        """Draw from U(±1/√fan_in)."""
        import jax

        limit = fan_in**-0.5
        return jax.random.uniform(key, (fan_in, fan_out), dtype, -limit, limit)

    def biases(self, key: Any, fan_in: int, fan_out: int, dtype: Any) -> Any:
        """Draw from U(±1/√fan_in)."""
        import jax

        limit = fan_in**-0.5
        return jax.random.uniform(key, (fan_out,), dtype, -limit, limit)


CATALOGUE = Catalogue(
    "initial",
    {
        "zeros": Zeros,
        "normal": Normal,
        "uniform": Uniform,
        "glorot": Glorot,
        "he": He,
        "lecun": LeCun,
        "torch": Torch,
    },
)
