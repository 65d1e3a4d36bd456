"""The functions that formulas may call, on NumPy's arrays and on JAX's alike.

Each is written for an array namespace ``xp``, ``numpy`` or ``jax.numpy``, such that values are
accurate for huge and tiny numbers and JAX's derivative is the field's (relu'(0) = 0,
abs'(0) = 0). Vectors are ``[n]``, matrices ``[rows, columns]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

SELU = 1.0507009873554805, 1.6732632423543772
"""Scale and α of SELU (Klambauer et al. 2017)."""

HALF_ROOT = 0.7071067811865476


class Function(NamedTuple):
    """A function: the names of its arguments, what it computes, and a line about it.

    ``axes`` says of each argument how many axes it may have (0 a number, 1 a vector, 2 a
    matrix), where that is not anyone's choice: NumPy and JAX do not refuse the same.
    """

    arguments: tuple[str, ...]
    apply: Callable[..., Any]
    about: str
    axes: tuple[tuple[int, ...], ...] = ()

    def takes(self, arrays: Sequence[Any]) -> bool:
        """Return whether arrays have as many axes as the arguments should."""
        return not self.axes or all(
            array.ndim in allowed for array, allowed in zip(arrays, self.axes, strict=True)
        )


def _sigmoid(xp: Any, x: Any) -> Any:
    return xp.exp(-xp.logaddexp(0.0, -x))


def _log_softmax(xp: Any, z: Any) -> Any:
    shifted = z - xp.max(z, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def _convolution(xp: Any, image: Any, kernel: Any) -> Any:
    rows, columns = (image.shape[i] - kernel.shape[i] + 1 for i in range(2))
    if rows < 1 or columns < 1:
        raise ValueError("a kernel larger than its image")
    total: Any = 0.0
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            total = total + kernel[i, j] * image[i : i + rows, j : j + columns]
    return total


def _padded(xp: Any, image: Any, kernel: Any) -> Any:
    return xp.pad(image, [(n - 1, n - 1) for n in kernel.shape])


def _placed(xp: Any, value: Any, like: Any, number: Any) -> Any:
    hit = xp.arange(like.size).reshape(like.shape) == number - 1
    return xp.where(hit, value, 0.0)


def _times_log(xp: Any, y: Any, p: Any) -> Any:
    """Return y log p; where y is 0 that is 0, whatever p."""
    return y * xp.log(xp.where((y == 0) & (p <= 0), 1.0, p))


def _logistic_loss(xp: Any, a: Any, y: Any) -> Any:
    return -xp.mean(_times_log(xp, y, a) + _times_log(xp, 1 - y, 1 - a))


def _elu(xp: Any, x: Any, alpha: float = 1.0) -> Any:
    return xp.where(x > 0, x, alpha * xp.expm1(xp.where(x > 0, 0.0, x)))


def _normal_cdf(xp: Any, x: Any) -> Any:
    if xp.__name__ == "numpy":
        from scipy.special import erfc
    else:
        from jax.scipy.special import erfc
    return erfc(-x * HALF_ROOT) / 2


def _entropy(xp: Any, p: Any, y: Any) -> Any:
    return -xp.sum(_times_log(xp, y, p))


FUNCTIONS: dict[str, Function] = {
    "sigmoid": Function(("x",), _sigmoid, "1 / (1 + exp(-x))"),
    "tanh": Function(("x",), lambda xp, x: xp.tanh(x), "(exp(x) - exp(-x)) / (exp(x) + exp(-x))"),
    "relu": Function(("x",), lambda xp, x: xp.where(x > 0, x, 0.0), "max(x, 0)"),
    "leaky_relu": Function(
        ("x", "slope"), lambda xp, x, s: xp.where(x > 0, x, s * x), "x, and slope·x where x < 0"
    ),
    "step": Function(("x",), lambda xp, x: xp.where(x > 0, 1.0, 0.0 * x), "1 where x > 0, else 0"),
    "softplus": Function(("x",), lambda xp, x: xp.logaddexp(0.0, x), "log(1 + exp(x))"),
    "elu": Function(("x",), _elu, "x, and exp(x) - 1 where x < 0"),
    "selu": Function(
        ("x",),
        lambda xp, x: SELU[0] * _elu(xp, x, SELU[1]),
        "1.0507 x, and 1.7581 (exp(x) - 1) where x < 0",
    ),
    "normal_cdf": Function(("x",), _normal_cdf, "Φ(x), the normal distribution function"),
    "exp": Function(("x",), lambda xp, x: xp.exp(x), "eˣ"),
    "log": Function(("x",), lambda xp, x: xp.log(x), "the natural logarithm"),
    "sqrt": Function(("x",), lambda xp, x: xp.sqrt(x), "the square root"),
    "abs": Function(("x",), lambda xp, x: x * xp.sign(x), "|x|"),
    "sign": Function(("x",), lambda xp, x: xp.sign(x), "-1, 0 or 1"),
    "sin": Function(("x",), lambda xp, x: xp.sin(x), "the sine, in radians"),
    "cos": Function(("x",), lambda xp, x: xp.cos(x), "the cosine, in radians"),
    "max": Function(("a", "b"), lambda xp, a, b: xp.where(a >= b, a, b), "the larger, by element"),
    "min": Function(("a", "b"), lambda xp, a, b: xp.where(a <= b, a, b), "the smaller, by element"),
    "sum": Function(("x",), lambda xp, x: xp.sum(x), "the sum of all elements"),
    "mean": Function(("x",), lambda xp, x: xp.mean(x), "the mean of all elements"),
    "variance": Function(
        ("x",), lambda xp, x: xp.mean((x - xp.mean(x)) ** 2), "mean((x - mean(x))²), by n"
    ),
    "rows": Function(
        ("x",), lambda xp, x: xp.sum(x, axis=0), "the sum over rows, by column", ((1, 2),)
    ),
    "size": Function(("x",), lambda xp, x: float(_size(x)), "the number of elements"),
    "norm": Function(("x",), lambda xp, x: xp.sqrt(xp.sum(x * x)), "√ Σ x²"),
    "dot": Function(("a", "b"), lambda xp, a, b: xp.sum(a * b), "Σ a b"),
    "outer": Function(
        ("a", "b"), lambda xp, a, b: a[:, None] * b[None, :], "a bᵀ of vectors", ((1,), (1,))
    ),
    "transpose": Function(("A",), lambda xp, a: a.T, "the transpose of a matrix"),
    "solve": Function(
        ("A", "b"),
        lambda xp, a, b: xp.linalg.solve(a, b[..., None])[..., 0],
        "x of A x = b",
        ((2,), (1,)),
    ),
    "identity": Function(
        ("A",), lambda xp, a: xp.eye(a.shape[0]), "1 on the diagonal, as A", ((2,),)
    ),
    "softmax": Function(
        ("z",),
        lambda xp, z: xp.exp(_log_softmax(xp, z)),
        "exp(z) / Σ exp(z), row by row",
        ((1, 2),),
    ),
    "log_softmax": Function(("z",), _log_softmax, "z - log Σ exp(z), row by row", ((1, 2),)),
    "mse": Function(("a", "y"), lambda xp, a, y: xp.mean((a - y) ** 2), "the mean of (a - y)²"),
    "half_mse": Function(
        ("a", "y"), lambda xp, a, y: xp.mean((a - y) ** 2) / 2, "half the mean of (a - y)²"
    ),
    "cross_entropy": Function(
        ("p", "y"), _entropy, "-Σ y log p, of probabilities p and one-hot targets y"
    ),
    "binary_cross_entropy": Function(
        ("a", "y"), _logistic_loss, "-mean(y log a + (1 - y) log(1 - a))"
    ),
    "convolve": Function(
        ("image", "kernel"),
        _convolution,
        "Σ kernel[i, j] image[r+i, c+j], as networks mean it: unflipped, without padding",
        ((2,), (2,)),
    ),
    "padded": Function(
        ("image", "kernel"),
        _padded,
        "the image with zeros around it, where a kernel still hits it",
        ((2,), (2,)),
    ),
    "flip": Function(("kernel",), lambda xp, k: xp.flip(k), "all axes in the other direction"),
    "place": Function(
        ("x", "like", "number"), _placed, "x as the element of that number, zeros elsewhere"
    ),
    "fill": Function(("x", "like"), lambda xp, x, y: x + 0.0 * y, "x in the shape of another"),
}


def _size(x: Any) -> int:
    size = 1
    for length in getattr(x, "shape", ()):
        size *= length
    return size
