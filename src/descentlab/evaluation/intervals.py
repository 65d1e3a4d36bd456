"""Student's t interval for a mean over independent runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Interval(NamedTuple):
    """A mean with the ends of its confidence interval.

    ``low`` and ``high`` are None where the values cannot tell: fewer than two of
    them, or one that is not finite.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def half(self) -> float | None:
        """Half the interval's width, or None where there is no interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def excludes(self, value: float) -> bool:
        """Return whether there is an interval and ``value`` lies outside it."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high


def t_interval(
    values: Sequence[float] | Float[np.ndarray, " runs"], level: float = 0.95
) -> Interval:
    r"""Return the mean of independent values with Student's t interval.

    .. math:: \bar x \pm t_{(1 + level)/2,\, n-1} \; s / \sqrt{n}, \qquad
              s^2 = \tfrac{1}{n-1} \sum_i (x_i - \bar x)^2

    It covers the true mean with probability ``level`` if the values are independent
    draws of a normal distribution, and nearly so for the few seeds and mild skew of
    training results, where the percentile bootstrap does not (83 % instead of 95 %
    with five seeds). Paired runs are compared by the interval of their differences,
    seed by seed. Values that are all the same, as a run without any randomness gives
    them, have an interval of width zero.

    What a run that failed should count for is the caller's to decide and to say: a
    NaN or an infinity among the values is not dropped, it makes the mean NaN and
    leaves no interval.

    Args:
        values: one value a seed (a run), in any unit.
        level: the nominal coverage, between 0 and 1.

    Returns:
        The interval, in the unit of the values. With one value ``low`` and ``high``
        are None, because one run cannot tell how much runs differ; with none the
        mean is NaN too.

    Raises:
        ValueError: ``level`` is not between 0 and 1, or ``values`` is not one-dimensional.

    Source: Student (W. S. Gosset), The probable error of a mean, Biometrika 6 (1908).

    >>> t_interval([0.951, 0.949, 0.953]).n
    3
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, such as 0.95; found {level}")
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"expected one value a run; found an array of shape {array.shape}")
    count = len(array)
    if count == 0 or not np.isfinite(array).all():
        return Interval(float("nan"), None, None, count)
    if (array == array[0]).all():  # summing and dividing again would leave a rounding error
        mean, half = float(array[0]), 0.0
    else:
        mean = float(array.mean())
        half = t_quantile(count, level) * float(array.std(ddof=1)) / count**0.5
    return (
        Interval(mean, None, None, 1)
        if count == 1
        else Interval(mean, mean - half, mean + half, count)
    )


@cache
def t_quantile(count: int, level: float = 0.95) -> float:
    """Return the factor of the standard error: the (1 + level)/2 quantile of t with count - 1."""
    from scipy.special import stdtrit  # scipy.stats takes half a second to import

    return float(stdtrit(count - 1, (1 + level) / 2))
