"""From an exercise to its numbers, against a literal transcription in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.explain.build import build
from descentlab.explain.exercise import load_exercise, parse_exercise
from descentlab.explain.numbers import Numbers


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_backpropagation_against_formulas_written_out():
    values = Numbers(build(load_exercise("backprop-2-2-1"))).values
    x, y = np.array([0.35, 0.9]), 0.5
    w = np.array([[0.1, 0.4], [0.8, 0.6]])
    out = np.array([0.3, 0.9])
    hidden = sigmoid(x @ w)
    answer = sigmoid(hidden @ out)
    delta = (answer - y) * answer * (1 - answer)
    inner = delta * out * hidden * (1 - hidden)
    assert values["E"] == pytest.approx((answer - y) ** 2 / 2, rel=1e-14)
    assert values["d_w35"] == pytest.approx(delta * hidden[0], rel=1e-14)
    assert values["d_w24"] == pytest.approx(x[1] * inner[1], rel=1e-14)
    assert values["w13_new"] == pytest.approx(0.1 - x[0] * inner[0], rel=1e-14)


@pytest.mark.parametrize(
    ("loss", "optimizer", "says"),
    [
        # The Hessian is 0 at w = 0.
        ("w^3 + w", "{kind: newton}", "exercise, line 7, column 9: 'newton_1' = solve"),
        (
            "(w + 3)^6",
            "{kind: saddle_free, learning_rate: 500.0}",
            "exercise, line 5, column 17: 'L_",
        ),
    ],
)
def test_what_only_jax_knows_is_refused_where_it_is_not_finite(loss, optimizer, says):
    text = f"exercise: e\ntitle: t\ntext: t\ngiven: {{w: 0}}\nquantities: {{L: {loss}}}\nloss: L\n"
    text += f"update: {{optimizer: {optimizer}, parameters: [w], steps: 60}}\n"
    with pytest.raises(SpecError, match="no finite value") as caught:
        _ = Numbers(build(found := parse_exercise(text)), found.marked).values
    assert says in str(caught.value)
