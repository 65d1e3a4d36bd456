"""L-BFGS against the two-loop recursion as the book has it, and as a minimiser."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.optimizers.rules.lbfgs import LBFGS
from tests.optimizers.descending import descend
from tests.optimizers.test_curvature import START, derivatives, rosenbrock


def two_loops(gradient, pairs):
    """Nocedal & Wright 2006, algorithm 7.4, with the scaling of eq. 7.20."""
    if not pairs:
        return gradient * min(1, 1 / np.linalg.norm(gradient))
    q, kept = gradient.copy(), []
    for s, y in reversed(pairs):
        a = (s @ q) / (y @ s)
        q = q - a * y
        kept.append(a)
    s, y = pairs[-1]
    r = (s @ y) / (y @ y) * q
    for (s, y), a in zip(pairs, reversed(kept), strict=True):
        r = r + s * (a - (y @ r) / (y @ s))
    return r


@pytest.mark.parametrize("memory", [1, 3, 10])
def test_the_direction_is_that_of_the_two_loop_recursion(memory):
    spec = {"kind": "lbfgs", "memory": memory, "line_search": "none", "learning_rate": 0.05}
    found = descend(spec, rosenbrock, START, 25)
    theta, pairs, points, last = START, [], [START], None
    for _ in range(25):
        g, _ = derivatives(rosenbrock, theta)
        if last is not None:
            pairs = [*pairs, (theta - last[0], g - last[1])][-memory:]
        last = theta, g
        theta = theta - 0.05 * two_loops(g, pairs)
        points.append(theta)
    np.testing.assert_allclose(found.points, points, rtol=1e-8)


def test_with_its_line_search_it_finds_the_minimum_that_scipy_finds():
    from scipy.optimize import minimize

    found = descend({"kind": "lbfgs"}, rosenbrock, START, 80)
    theirs = minimize(lambda p: float(rosenbrock(p)), START, method="L-BFGS-B")
    np.testing.assert_allclose(found.points[-1], np.ones(5), atol=1e-8)
    np.testing.assert_allclose(theirs.x, np.ones(5), atol=1e-3)
    values = [float(rosenbrock(p)) for p in found.points]
    assert all(b <= a + 1e-12 for a, b in pairwise(values))


@pytest.mark.parametrize("field", ["l2", "l1", "clip", "weight_decay", "accumulate"])
def test_a_line_search_needs_the_loss_that_the_gradients_are_of(field):
    value = {"clip": "norm", "accumulate": 2}.get(field, 0.1)
    with pytest.raises(SpecError, match=f"'{field}' changes the gradients"):
        LBFGS.parse({"kind": "lbfgs", field: value}, "run.optimizer")
    assert LBFGS.parse({"kind": "lbfgs", field: value, "line_search": "none"})
