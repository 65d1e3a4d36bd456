"""The mathematics of one descent, written for one point alone: losses, gradients, updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from descentlab.core.keys import named_key
from descentlab.core.spec import with_floats
from descentlab.engine.descents.method import Method
from descentlab.engine.descents.planar import planar
from descentlab.objectives.landscape_catalogue import LandscapeInfo, function_of
from descentlab.optimizers.protocol import Optimizer, readings_of
from descentlab.optimizers.schedule_specs import Clock

Point = Float[Array, "2"]
Floats = Mapping[str, Any]


class Problem:
    """A method on a landscape, as a program is traced of it; floats may be traced arrays.

    With noise, update t + 1 sees the loss f(θ) + σ ξₜ·θ with ξₜ standard normal, by the seed's
    key named ``noise``: its gradient is ∇f(θ) + σ ξₜ, whatever else is done with the loss.

    Args:
        landscape: what is descended.
        method: an optimizer and a schedule.
        floats: the method's, by path.
        settings: the landscape's, by name.
        seed: of the noise.
        steps: how many updates are made; a schedule may end with them.
    """

    def __init__(
        self,
        landscape: LandscapeInfo,
        method: Method,
        floats: Floats,
        settings: Floats,
        seed: Int[Array, ""],
        steps: Int[Array, ""],
    ) -> None:
        function = function_of(landscape)
        self.value = lambda point: function(point, settings)
        self.noisy = landscape.noisy
        self._deviation = jnp.sqrt(settings["variance"]) if self.noisy else None
        self._key: Key[Array, ""] | None = named_key(seed, "noise") if self.noisy else None
        made = with_floats(method, floats)
        clock: Any = Clock(steps, 1, method.optimizer.batches_per_update)  # type: ignore[arg-type]
        schedule = made.schedule.build(clock)
        own = planar(made.optimizer, schedule)
        self.optimizer: Optimizer = made.optimizer.build(schedule) if own is None else own
        self.base_rate = made.optimizer.base_rate

    def loss(self, step: Int[Array, ""]) -> Any:
        """Return the loss of update ``step``, counted from 0, as a function of the point."""
        if self._key is None or self._deviation is None:
            return self.value
        slope = jax.random.normal(jax.random.fold_in(self._key, step), (2,), jnp.float64)
        slope = self._deviation * slope
        return lambda point: self.value(point) + (slope * point).sum()

    def gradient(self, point: Point, step: Int[Array, ""]) -> tuple[Float[Array, ""], Point]:
        """Return the loss and the gradient that update ``step`` sees."""
        return jax.value_and_grad(self.loss(step))(point)

    def update(
        self, point: Point, state: Any, step: Int[Array, ""], value: Any, gradient: Point
    ) -> tuple[Point, Any]:
        """Return point and state after update ``step``."""
        loss = self.loss(step)

        def hvp(vector: Point) -> Point:
            return jax.jvp(jax.grad(loss), (point,), (vector,))[1]

        return self.optimizer.update(gradient, state, point, value=value, hvp=hvp, loss=loss)

    def evaluated(self, point: Point, state: Any) -> Point:
        """Return the point that the optimizer would hand over: an average, or slow weights."""
        return self.optimizer.evaluation_parameters(point, state)

    def rate(self, state: Any) -> Float[Array, ""]:
        """Return the learning rate that the update which led to ``state`` applied."""
        found = readings_of(self.optimizer, state).get("learning_rate", self.base_rate)
        return jnp.asarray(found, jnp.float64)
