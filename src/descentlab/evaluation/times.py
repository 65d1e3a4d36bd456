"""Times to a target: medians with runs that never got there, and performance profiles."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Median:
    """The median time to a target over runs.

    Attributes:
        value: the smallest time by which half of the runs are there; None if half never get there.
        low, high: the ends of its 95 % interval; None where the runs do not bound it.
        reached, runs: how many runs got there, of how many.
    """

    value: float | None
    low: float | None
    high: float | None
    reached: int
    runs: int


def median_time(
    times: Float[np.ndarray, " runs"], reached: Bool[np.ndarray, " runs"], level: float = 0.95
) -> Median:
    """Return the Kaplan–Meier median of times, those of runs that never got there censored.

    A censored run counts as one that may still get there later, so it is neither left out
    nor taken to be there at its end. A run that failed never will: it is given an infinite
    time, and so counts to the end among those that are not there. The interval inverts the
    log-log band of the curve (Brookmeyer and Crowley).

    Args:
        times: when each run got there, or when it was last looked at; infinite for one
            that failed.
        reached: which of the two.
        level: the nominal coverage.

    Source: Kaplan and Meier, Nonparametric estimation from incomplete observations,
    Journal of the American Statistical Association 53 (1958); Brookmeyer and Crowley, A
    confidence interval for the median survival time, Biometrics 38 (1982).
    """
    from scipy.stats import CensoredData, ecdf

    runs, there = len(times), int(reached.sum())
    if not there:
        return Median(None, None, None, 0, runs)
    end = np.max(times, where=np.isfinite(times), initial=0.0) + 1
    times = np.where(np.isinf(times), end, times)  # still there at the end
    curve = ecdf(CensoredData.right_censored(times, ~reached)).sf
    value = _first(curve.quantiles, curve.probabilities)
    if runs < 2:
        return Median(value, None, None, there, runs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the band has no ends at 0 and 1
        band = curve.confidence_interval(level, method="log-log")
    low = _first(curve.quantiles, band.low.probabilities)
    high = _first(curve.quantiles, band.high.probabilities)
    return Median(value, low, high, there, runs)


def _first(times: np.ndarray, survival: np.ndarray) -> float | None:
    below = np.flatnonzero(np.nan_to_num(survival, nan=1.0) <= 0.5)
    return float(times[below[0]]) if len(below) else None


def performance_profile(
    times: Float[np.ndarray, "problems methods"], ratios: Float[np.ndarray, " ratios"]
) -> Float[np.ndarray, "methods ratios"]:
    r"""Return the share of problems that each method solves within a ratio of the fastest.

    .. math:: \rho_s(\tau) = \frac1P \left|\left\{p :
              t_{p,s} \le \tau \min_{s'} t_{p,s'}\right\}\right|

    A method that does not solve a problem has an infinite time; a problem that none
    solves counts for none.

    Source: Dolan and Moré, Benchmarking optimization software with performance profiles,
    Mathematical Programming 91 (2002).
    """
    best = times.min(axis=1, keepdims=True)
    solved = np.isfinite(times)  # multiplied, not divided: a time may be zero
    return np.array([(solved & (times <= tau * best)).mean(axis=0) for tau in ratios]).T
