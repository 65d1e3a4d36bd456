"""Clipping by name: what is done to gradients that are too large, before anything else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from descentlab.core.catalogue import Catalogue
from descentlab.core.spec import Spec

Bound = Annotated[float, Field(gt=0)]


class Clip(Spec):
    """Base of the ways to clip."""

    def build(self) -> Any:
        """Return the Optax transformation; floats may be traced."""
        raise NotImplementedError


class ByValue(Clip):
    """Each coordinate of the gradient is brought into [-at, at]."""

    kind: Literal["value"] = "value"
    at: Bound = 1.0

    def build(self) -> Any:
        """Return ``optax.clip``."""
        import optax

        return optax.clip(self.at)


class ByNorm(Clip):
    """The whole gradient is scaled down to the Euclidean norm ``at`` where it is longer.

    g ← g · min(1, at / ‖g‖) over all parameters together. Source: Pascanu, Mikolov & Bengio
    2013, algorithm 1. (PyTorch's ``clip_grad_norm_`` divides by ‖g‖ + 1e-6.)
    """

    kind: Literal["norm"] = "norm"
    at: Bound = 1.0

    def build(self) -> Any:
        """Return ``optax.clip_by_global_norm``."""
        import optax

        return optax.clip_by_global_norm(self.at)


class Adaptive(Clip):
    """Each unit's gradient is scaled down to ``at`` times the norm of the unit's weights.

    g_i ← g_i · min(1, at · max(‖w_i‖, 1e-3) / ‖g_i‖). Source: Brock et al. 2021, eq. 3.
    """

    kind: Literal["adaptive"] = "adaptive"
    at: Bound = 0.01

    def build(self) -> Any:
        """Return ``optax.adaptive_grad_clip``."""
        import optax

        return optax.adaptive_grad_clip(self.at)


CATALOGUE = Catalogue(
    "clipping", {"value": ByValue, "norm": ByNorm, "adaptive": Adaptive}, default="norm"
)
ClipField = Annotated[Any, PlainValidator(CATALOGUE.validate)]
