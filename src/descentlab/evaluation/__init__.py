"""Pure functions on arrays: figures of classifiers with intervals, comparisons; usable alone."""

from __future__ import annotations

from descentlab.evaluation.evaluate import evaluate
from descentlab.evaluation.intervals import Interval, t_interval
from descentlab.evaluation.results import Estimate, Evaluation

__all__ = ["Estimate", "Evaluation", "Interval", "evaluate", "t_interval"]
