"""Many descents of one method at once: other starts, other floats, one compiled program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from descentlab.engine.descents.method import Method
from descentlab.engine.descents.programs import PROGRAMS, in_lanes
from descentlab.engine.strategy import Platform
from descentlab.objectives.landscape_catalogue import LandscapeInfo

WIDTH = 4096
"""Descents of one call on a CPU: their numbers stay in a core's cache."""

NARROW = 256
"""The same for methods with line searches, of which all wait for the longest."""

WIDE = 1 << 18
"""Descents of one call on other devices."""

REST = 1e-12
"""Share of the start's slope at which a descent by L-BFGS rests."""

Progress = Callable[[float], None]


class Ends(NamedTuple):
    """How descents ended; arrays with one entry a descent."""

    point: Any
    """What the optimizer hands over, ``[n, 2]``."""
    cost: Any
    slope: Any
    """The norm of the gradient there."""
    reached: Any
    """Updates from which on the cost stayed at most ``threshold``; -1 if it ended higher."""
    turns: Any
    """Updates of the second half that went against the one before; 0 unless watched."""


def sweep(
    landscape: LandscapeInfo,
    method: Method,
    starts: np.ndarray,
    steps: int,
    *,
    varied: Mapping[str, np.ndarray] | None = None,
    threshold: float = -np.inf,
    watched: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Ends:
    """Descend from many starts, with floats that may vary, in as many threads as there are cores.

    Args:
        landscape: what is descended.
        method: its floats hold where nothing varies.
        starts: ``[n, 2]``.
        steps: updates of each.
        varied: floats of the method by path, ``[n]`` each.
        threshold: see :class:`Ends`.
        watched: look at every update for ``reached`` and ``turns``; without, only the ends count.
        seed: of the noise.
        progress: told the share that is done.
    """
    varied = dict(varied or {})
    count = len(starts)
    width = NARROW if method.costly else WIDTH
    width = width if Platform.current().kind == "cpu" else WIDE
    names = tuple(sorted(varied))
    key = ("sweep", landscape.key, landscape.noisy, method.key, names, width, watched)
    program = _program(landscape, method, watched)
    shared = {name: np.float64(v) for name, v in method.floats.items() if name not in varied}
    rest = (
        {name: np.float64(value) for name, value in landscape.settings.items()},
        np.uint32(seed),
        np.int32(steps),
        np.float64(threshold),
    )

    def chunk(first: int) -> Ends:
        there = np.minimum(np.arange(first, first + width), count - 1)
        own = {name: np.asarray(varied[name], np.float64)[there] for name in names}
        return PROGRAMS.call(key, program, np.asarray(starts)[there], own, shared, *rest)

    parts = in_lanes(chunk, range(0, count, width), progress)
    return Ends(*(np.concatenate(column)[:count] for column in zip(*parts, strict=True)))


def _program(landscape: LandscapeInfo, method: Method, watched: bool) -> Any:
    def program(
        starts: Any, varied: Any, shared: Any, settings: Any, seed: Any, steps: Any, threshold: Any
    ) -> Any:
        import jax
        import jax.numpy as jnp

        from descentlab.engine.descents.problem import Problem

        def problem(own: Any) -> Problem:
            return Problem(landscape, method, {**shared, **own}, settings, seed, steps)

        def begin(start: Any, own: Any) -> Any:
            return problem(own).optimizer.init(start)

        def update(point: Any, state: Any, own: Any, step: Any, seen: Any) -> Any:
            one = problem(own)
            value, gradient = one.gradient(point, step)
            handed = one.evaluated(point, state)
            new, state = one.update(point, state, step, value, gradient)
            if not watched:
                return new, state, seen
            cost = value if handed is point and not one.noisy else one.value(handed)
            return new, state, _seen(seen, cost, new - point, step, steps, threshold)

        def end(point: Any, state: Any, own: Any, seen: Any) -> Ends:
            one = problem(own)
            handed = one.evaluated(point, state)
            cost, slope = jax.value_and_grad(one.value)(handed)
            first = _since(seen[0], cost <= threshold, steps)
            return Ends(handed, cost, jnp.hypot(slope[0], slope[1]), first, seen[2])

        states = jax.vmap(begin)(starts, varied)
        seen = (jnp.full(len(starts), -1, jnp.int32), jnp.zeros_like(starts),
                jnp.zeros(len(starts), jnp.int32))  # fmt: skip
        carry, axes = (starts, states, seen), 0
        if method.optimizer.kind == "lbfgs" and not landscape.noisy:
            value = problem({name: column[0] for name, column in varied.items()}).value
            carry = _until_rest(jax.grad(value), update, carry, varied, steps)
        else:
            carry, axes = _all_steps(update, carry, varied, steps)
        return jax.vmap(end, in_axes=(0, axes, 0, 0))(carry[0], carry[1], varied, carry[2])

    return program


def _all_steps(update: Any, carry: Any, varied: Any, steps: Any) -> tuple[Any, Any]:
    """Make every update of every descent; return where they are, and the states' axes."""
    import jax

    starts, states, seen = carry
    states, axes = _axes(update, starts, states, varied, seen)
    together = jax.vmap(update, in_axes=(0, axes, 0, None, 0), out_axes=(0, axes, 0))
    carry = jax.lax.fori_loop(
        0, steps, lambda t, c: together(c[0], c[1], varied, t, c[2]), (starts, states, seen)
    )
    return carry, axes


def _until_rest(
    slope: Any, update: Any, carry: Any, varied: Any, steps: Any
) -> tuple[Any, Any, Any]:
    """Update until every descent rests, each for itself: where hardly any slope is left.

    L-BFGS keeps no velocity, so what has no slope does not move; its searches would go on to cost
    as much as before.
    """
    import jax
    import jax.numpy as jnp

    norm = jax.vmap(lambda point: jnp.hypot(*slope(point)))
    limit = REST * norm(carry[0])

    def one(done: Any, point: Any, state: Any, own: Any, step: Any, seen: Any) -> Any:
        moved, after, (first, way, turns) = update(point, state, own, step, seen)
        kept = (point, state, (first, *seen[1:]))
        return jax.tree.map(
            lambda old, new: jnp.where(done, old, new), kept, (moved, after, (first, way, turns))
        )

    together: Any = jax.vmap(one, in_axes=(0, 0, 0, 0, None, 0))

    def go(loop: Any) -> Any:
        step, done, carry = loop
        carry = together(done, *carry[:2], varied, step, carry[2])
        return step + 1, ~(norm(carry[0]) > limit), carry  # what is no number rests too

    begun = (jnp.int32(0), jnp.zeros(len(carry[0]), bool), carry)
    loop = jax.lax.while_loop(lambda loop: (loop[0] < steps) & ~loop[1].all(), go, begun)
    return loop[2]


def _seen(seen: Any, cost: Any, moved: Any, step: Any, steps: Any, threshold: Any) -> Any:
    """Return the arrival, the last displacement and the turns, after one more update."""
    first, before, turns = seen
    first = _since(first, cost <= threshold, step)
    turned = ((moved * before).sum() < 0) & (2 * step >= steps)
    return first, moved, turns + turned.astype(turns.dtype)


def _since(first: Any, low: Any, step: Any) -> Any:
    """Return since when a cost has been low, -1 for not now."""
    import jax.numpy as jnp

    return jnp.where(low, jnp.where(first < 0, step, first), -1)


def _axes(update: Any, starts: Any, states: Any, varied: Any, seen: Any) -> tuple[Any, Any]:
    """Return the states with what all descents share as one number, and the axes that say so.

    Counts are equal in all of them. As one number they cost one power or condition for all,
    where powers of a count a descent take most of Adam's time.
    """
    import jax
    import jax.numpy as jnp

    whole = jax.tree.map(lambda x: x.ndim == 1 and jnp.issubdtype(x.dtype, jnp.integer), states)
    axes = jax.tree.map(lambda one: None if one else 0, whole)
    # Axes of None are no leaves to JAX, so they are laid out as a flat list again.
    leaves, structure = jax.tree.flatten(states)
    flags = jax.tree.leaves(whole)
    shared = [leaf[0] if flag else leaf for leaf, flag in zip(leaves, flags, strict=True)]
    tried = jax.tree.unflatten(structure, shared)
    together = jax.vmap(update, in_axes=(0, axes, 0, None, 0), out_axes=(0, axes, 0))
    try:
        jax.eval_shape(together, starts, tried, varied, jnp.int32(0), seen)
    except ValueError:  # an integer that differs from descent to descent
        return states, 0
    return tried, axes
