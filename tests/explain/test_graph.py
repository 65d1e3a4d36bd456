"""From an exercise to its numbers, against a literal transcription in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from descentlab.explain.build import build
from descentlab.explain.exercise import load_exercise
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
