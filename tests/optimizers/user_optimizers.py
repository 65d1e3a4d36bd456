"""Optimizers of one's own, as a study file names them: one sound, two that are not."""

from __future__ import annotations

import jax

from descentlab.core.spec import Spec
from descentlab.optimizers.base import OptimizerSpec


class Plain:
    """Gradient descent by the protocol alone."""

    def init(self, parameters):
        return ()

    def update(self, gradients, state, parameters, *, value, hvp, loss):
        return jax.tree.map(lambda p, g: p - 0.1 * g, parameters, gradients), state

    def evaluation_parameters(self, parameters, state):
        return parameters


class WithoutLoss(Plain):
    def update(self, gradients, state, parameters, *, value, hvp):
        return parameters, state


class PlainSpec(OptimizerSpec):
    kind: str

    def build(self, schedule):
        return Plain()


class WithoutLossSpec(PlainSpec):
    def build(self, schedule):
        return WithoutLoss()


class NoOptimizerSpec(Spec):
    kind: str
