"""Figures over seeds: what training leaves to chance, and what the test set does, apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from descentlab.evaluation.intervals import Interval, t_interval
from descentlab.evaluation.proportions import z_quantile
from descentlab.evaluation.results import Estimate


@dataclass(frozen=True)
class OverSeeds:
    """A figure over runs that differ by their seed alone, all on one test set.

    Attributes:
        interval: the mean over seeds with Student's t interval: what another training
            would give on this test set.
        spread: the standard deviation between seeds; None with one seed.
        test_error: the standard error that the test set's size leaves in each run's
            figure, the root mean square over runs: more seeds do not lower it.
    """

    interval: Interval
    spread: float | None
    test_error: float | None


def over_seeds(
    estimates: Sequence[Estimate], level: float = 0.95, nominal: float = 0.95
) -> OverSeeds:
    r"""Return a figure's mean, its spread between seeds, and its test-set error.

    .. math:: e = \sqrt{\tfrac1s \sum_i \left(\frac{high_i - low_i}{2 z}\right)^2}

    Both are needed: a mean over many seeds can be sharp while the test set is small, and
    then it is known well how the model does on these examples, not on others.

    Args:
        estimates: the figure of each run, with its interval over test examples.
        level: nominal coverage of the interval over seeds.
        nominal: that of the estimates.
    """
    values = np.array([np.nan if e.value is None else e.value for e in estimates])
    widths = [e.high - e.low for e in estimates if e.high is not None and e.low is not None]
    error = (
        float(np.sqrt(np.mean(np.square(widths)))) / (2 * z_quantile(nominal)) if widths else None
    )
    spread = float(values.std(ddof=1)) if len(values) > 1 and np.isfinite(values).all() else None
    return OverSeeds(t_interval(values, level), spread, error)


def paired_arms(first: Sequence[float], second: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean difference of two arms with the seed as the unit: first minus second.

    Runs of both arms with the same seed share initial weights, data order and masks, so
    they are compared in pairs; tests on the examples of single runs would take the
    examples for repetitions of the training, which they are not.

    Args:
        first: the figure of one arm by seed.
        second: that of the other, seeds in the same order.
        level: the nominal coverage.

    Raises:
        ValueError: the arms have different numbers of seeds.
    """
    if len(first) != len(second):
        raise ValueError(
            f"expected the same seeds in both arms; found {len(first)} and {len(second)}"
        )
    return t_interval(np.asarray(first, float) - np.asarray(second, float), level)
