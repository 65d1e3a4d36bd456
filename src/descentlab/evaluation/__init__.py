"""Pure functions on arrays: intervals, metrics and comparisons, usable on their own."""

from __future__ import annotations

from descentlab.evaluation.intervals import Interval, t_interval

__all__ = ["Interval", "t_interval"]
