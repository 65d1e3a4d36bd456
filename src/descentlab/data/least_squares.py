"""Least squares with a known solution, a known minimum and a known condition.

With X of shape ``[examples, features]`` the mean half squared error is

    f(w) = ‖X w - y‖² / 2n,    Hessian H = XᵀX / n,    f(w) - f(w*) = ½ (w - w*)ᵀ H (w - w*).

X = √n U √Λ Vᵀ has random orthonormal columns in U and V, so that Λ holds the eigenvalues of
H; y = X w* + r with Xᵀ r = 0 and ‖r‖² = n·noise², so that w* is the solution and noise²/2
the minimum, both up to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from descentlab.data.prepare import Raw

MOST_WRITTEN = 100  # features up to which the solution is written to the provenance


def least_squares(
    examples: int, features: int, noise: float, condition: float, seed: int
) -> Raw:  # fmt: skip
    """Draw a least-squares problem; the same settings give the same data.

    Args:
        examples: n, at least ``features``. With as many of both nothing is orthogonal to the
            columns of X, so the residual and the minimum are 0.
        features: of X. The eigenvalues of H are spaced evenly in the logarithm, the largest is 1.
        noise: √(‖r‖²/n), the standard deviation of the residuals.
        condition: the largest eigenvalue over the smallest; of a single feature there is one.
        seed: of NumPy's PCG64.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    left = np.linalg.qr(generator.normal(size=(examples, features)))[0]
    right = np.linalg.qr(generator.normal(size=(features, features)))[0]
    solution = generator.normal(size=features)
    eigenvalues = np.geomspace(1.0, 1.0 / condition, features)
    inputs = (left * np.sqrt(examples * eigenvalues)) @ right.T
    residual = _residual(generator, left, noise)
    targets = inputs @ solution + residual
    source: dict[str, Any] = {
        "files": [f"generated: least_squares, seed {seed}"],
        "rows": examples,
        "minimum": float(residual @ residual) / (2 * examples),
    }
    if features <= MOST_WRITTEN:
        source["solution"] = solution.tolist()
    return Raw("least_squares", inputs, targets[:, None], (), None, source)


def _residual(generator: Any, columns: np.ndarray, noise: float) -> np.ndarray:
    """Draw a residual orthogonal to orthonormal columns, with ``noise`` as its root mean square."""
    examples, features = columns.shape
    drawn = generator.normal(size=examples)
    if features == examples or noise == 0:
        return np.zeros(examples)
    for _ in range(2):  # once leaves rounding of the part that was taken away
        drawn -= columns @ (columns.T @ drawn)
    return drawn * (noise * np.sqrt(examples) / np.linalg.norm(drawn))
