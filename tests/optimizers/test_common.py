"""What happens at some updates alone costs nothing at the others, side by side too."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.optimizers.common import common
from descentlab.optimizers.specs import CATALOGUE


def test_a_common_count_is_one_number_under_vmap():
    counts = jnp.full(5, 7)
    found = jax.vmap(lambda c: (common(c), c), out_axes=(None, 0))(counts)
    assert found[0].shape == () and int(found[0]) == 7 and found[1].shape == (5,)
    assert int(jax.jit(common)(jnp.asarray(3))) == 3


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "lookahead", "inner": "adam", "k": 3, "adaptive": True},
        {"kind": "muon", "accumulate": 4},
        {"kind": "lookahead", "inner": "sgd", "k": 2, "accumulate": 2},
    ],
)
def test_conditions_stay_branches_and_change_no_figure(spec):
    def follow(rate, steps):
        inner = "inner" in spec
        change = {"learning_rate": rate}
        made = CATALOGUE.validate(spec)
        change = {"inner": made.inner.model_copy(update=change)} if inner else change
        optimizer = made.model_copy(update=change).build(lambda step: 1.0)
        loss = lambda t: (t**2).sum() + (t**4).sum()  # noqa: E731

        def body(_, carry):
            theta, state = carry
            value, gradient = jax.value_and_grad(loss)(theta)
            return optimizer.update(gradient, state, theta, value=value, hvp=None, loss=loss)

        theta = jnp.ones((2, 3))
        theta, state = jax.lax.fori_loop(0, steps, body, (theta, optimizer.init(theta)))
        return optimizer.evaluation_parameters(theta, state)

    rates = jnp.asarray([0.01, 0.03, 0.1])
    together = jax.vmap(lambda rate: follow(rate, 24))
    assert "cond[" in str(jax.make_jaxpr(together)(rates))  # a select would compute both sides
    alone = jnp.stack([follow(rate, 24) for rate in rates])
    np.testing.assert_allclose(together(rates), alone, rtol=1e-5)
    assert np.ptp(np.asarray(alone), axis=0).min() > 0
