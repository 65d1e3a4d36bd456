"""Intervals of proportions, and exact tests on counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Num


def wilson(
    hits: Num[np.ndarray, "*any"] | float, n: Num[np.ndarray, "*any"] | float, level: float = 0.95
) -> tuple[Float[np.ndarray, "*any"], Float[np.ndarray, "*any"]]:
    r"""Return the ends of Wilson's score interval for a proportion hits / n.

    .. math:: \frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

    Always inside [0, 1], and of positive width even where all or none are hits. Its
    coverage is near ``level`` on average over proportions, down to n = 10. NaN where
    n is 0. ``n`` need not be whole.

    Source: Wilson, Probable inference, the law of succession, and statistical
    inference, JASA 22 (1927).
    """
    hits, n = np.asarray(hits, np.float64), np.asarray(n, np.float64)
    z2 = z_quantile(level) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = hits + z2 / 2
        half = np.sqrt(z2 * (hits * (n - hits) / n + z2 / 4))
        low, high = (middle - half) / (n + z2), (middle + half) / (n + z2)
    empty = n <= 0
    # At the ends rounding must not leave the interval beside the proportion itself.
    low = np.where(empty, np.nan, np.where(hits <= 0, 0.0, low.clip(0, 1)))
    high = np.where(empty, np.nan, np.where(hits >= n, 1.0, high.clip(0, 1)))
    return low, high


def f1_interval(
    hits: Num[np.ndarray, " classes"], errors: Num[np.ndarray, " classes"], level: float = 0.95
) -> tuple[Float[np.ndarray, " classes"], Float[np.ndarray, " classes"]]:
    r"""Return the ends of the posterior interval of each class's F1.

    With the prior of :func:`~descentlab.evaluation.resampling.posterior_interval` the
    share θ of hits among hits, misses and false alarms has a Beta posterior (sums of
    Dirichlet cells are Dirichlet), and F1 = 2θ / (1 + θ) grows with θ, so the interval
    has a closed form:

    .. math:: θ \sim \mathrm{Beta}(TP + 1/4,\; FN + FP + 1/2)

    Args:
        hits: TP of each class.
        errors: FN + FP of each class.
        level: the nominal coverage.

    Source: Caelen, A Bayesian interpretation of the confusion matrix, Annals of
    Mathematics and Artificial Intelligence 81 (2017).
    """
    from scipy.special import betaincinv

    a, b = np.asarray(hits, np.float64) + 1 / 4, np.asarray(errors, np.float64) + 1 / 2
    ends = [betaincinv(a, b, (1 + side * level) / 2) for side in (-1, 1)]
    low, high = (2 * end / (1 + end) for end in ends)
    nothing_wrong, nothing_right = np.asarray(errors) == 0, np.asarray(hits) == 0
    return np.where(nothing_right, 0.0, low), np.where(nothing_wrong, 1.0, high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p value that two classifiers are right equally often.

    Only examples on which exactly one of them is right count; under the hypothesis
    each side has them with probability ½ (a binomial test). 1 where there are none.

    Args:
        only_first: examples that only the first has right.
        only_second: examples that only the second has right.

    Source: McNemar, Note on the sampling error of the difference between correlated
    proportions or percentages, Psychometrika 12 (1947); the exact form.
    """
    from scipy.special import bdtr

    total = only_first + only_second
    if total == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), total, 0.5)))


def paired_difference(
    only_first: int, only_second: int, n: int, level: float = 0.95
) -> tuple[float, float, float]:
    """Return the difference of two accuracies on the same examples, with its interval.

    (b - c) / n, and Bonett and Price's adjusted Wald interval: one example is added to
    either side, which keeps the coverage with few disagreements. Within [-1, 1].

    Args:
        only_first: b, examples that only the first has right.
        only_second: c, examples that only the second has right.
        n: all examples.
        level: the nominal coverage.

    Source: Bonett and Price, Adjusted Wald confidence interval for a difference of
    binomial proportions based on paired data, J. Educ. Behav. Stat. 37 (2012).
    """
    b, c = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    half = z_quantile(level) * np.sqrt((b + c - (b - c) ** 2) / (n + 2))
    middle = b - c
    return (
        (only_first - only_second) / n,
        float(max(-1.0, middle - half)),
        float(min(1.0, middle + half)),
    )


@dataclass(frozen=True)
class PairedAccuracy:
    """Which of two classifiers is right more often on the same examples.

    Sentences and tables decide by this alone. The exact test is the stricter of the two
    (wherever it tells, the interval excludes 0, for every table of up to 60 examples at
    95 %), but both are asked for, so that no level can make them contradict each other.

    Attributes:
        difference: of the accuracies, first minus second.
        low, high: Bonett and Price's interval.
        p: McNemar's exact p value.
        level: the nominal coverage.
    """

    difference: float
    low: float
    high: float
    p: float
    level: float

    @classmethod
    def of(cls, only_first: int, only_second: int, n: int, level: float = 0.95) -> PairedAccuracy:
        """Compare by the examples that only one of them has right; see the functions here."""
        gap = paired_difference(only_first, only_second, n, level)
        return cls(*gap, mcnemar(only_first, only_second), level)

    @property
    def better(self) -> int:
        """1 where the first is better, 2 where the second is, 0 where it can't be told."""
        if not (self._excludes and self.p < 1 - self.level):
            return 0
        return 1 if self.difference > 0 else 2

    @property
    def short(self) -> bool:
        """Whether the interval excludes 0 although the exact test does not tell."""
        return self._excludes and not self.better

    @property
    def _excludes(self) -> bool:
        return not self.low <= 0 <= self.high


def z_quantile(level: float) -> float:
    """Return the (1 + level)/2 quantile of the normal distribution.

    Raises:
        ValueError: ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, such as 0.95; found {level}")
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
