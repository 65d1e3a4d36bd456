"""Every optimizer with every schedule goes on from saved arrays as if it had never stopped."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.schedule_specs import Clock
from descentlab.optimizers.specs import CATALOGUE

STEPS, CUT = 7, 3
NEEDED = {
    "step": {"every": 2},
    "exponential": {"decay_steps": 3},
    "cosine_restarts": {"period": 3},
    "warmup": {"warmup_steps": 2, "then": "cosine"},
    "inverse_sqrt": {"warmup_steps": 2},
    "warmup_stable_decay": {"warmup_steps": 2, "decay_steps": 2},
}
MORE = {
    "lookahead": {"inner": {"kind": "adam"}, "k": 2, "inner_state": "pull_back", "adaptive": True},
    "sgd": {"momentum": 0.9, "dampening": 0.5, "clip": "norm", "accumulate": 2},
}


def loss(theta, batch):
    x, y = theta["weight"], theta["bias"]
    return ((x @ batch) ** 2).sum() + (y**2).sum() + 0.1 * (x**4).sum() + (y * batch[:2]).sum()


def stepper(spec, schedules):
    """Return init and a compiled update; which of the schedules holds is an argument."""

    def optimizer(which):
        if len(schedules) == 1:
            return spec.build(schedules[0])
        return spec.build(lambda step: jax.lax.switch(which, schedules, step))

    @jax.jit
    def update(which, theta, state, batch):
        own = lambda t: loss(t, batch)  # noqa: E731
        value, gradients = jax.value_and_grad(own)(theta)
        hvp = lambda v: jax.jvp(jax.grad(own), (theta,), (v,))[1]  # noqa: E731
        made = optimizer(which)
        return made.update(gradients, state, theta, value=value, hvp=hvp, loss=own)

    return optimizer(0).init, update


def follow(update, which, theta, state, batches):
    for batch in batches:
        theta, state = update(which, theta, state, batch)
    return theta, state


def saved(tree):
    """Return the tree out of NumPy arrays alone, as a checkpoint keeps them."""
    leaves, structure = jax.tree.flatten(tree)
    kept = [np.array(leaf) for leaf in leaves]
    return jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in kept])


@pytest.mark.parametrize("scheduled", [True, False])
@pytest.mark.parametrize("kind", sorted(CATALOGUE.kinds))
def test_going_on_from_saved_arrays_changes_no_bit(kind, scheduled):
    spec = CATALOGUE.validate({"kind": kind, **MORE.get(kind, {})})
    clock = Clock(STEPS * spec.batches_per_update, STEPS, spec.batches_per_update)
    names = [name for name in SCHEDULES.kinds if name != "constant"] if scheduled else ["constant"]
    raws = [SCHEDULES.validate({"kind": name, **NEEDED.get(name, {})}) for name in names]
    init, update = stepper(spec, [raw.build(clock) for raw in raws])
    batches = np.random.default_rng(0).normal(size=(STEPS, 3)).astype(np.float32)
    theta = {"weight": jnp.asarray([[1.0, -0.5, 2.0], [0.3, 0.1, -1.0]]), "bias": jnp.ones(2)}
    ends = []
    for which in range(len(names)):
        whole = follow(update, which, theta, init(theta), batches)
        middle = saved(follow(update, which, theta, init(theta), batches[:CUT]))
        cut = follow(update, which, *middle, batches[CUT:])
        for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(cut), strict=True):
            np.testing.assert_array_equal(a, b)
        ends.append(np.asarray(whole[0]["weight"]))
    assert all(np.isfinite(end).all() for end in ends)
    assert len({end.tobytes() for end in ends}) > len(ends) // 2  # the schedules do differ
