"""Time to target: in updates, epochs and seconds, run by run and study by study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError, unknown
from descentlab.evaluation.times import Median, median_time, performance_profile
from descentlab.store.segments import query, segment_names, segment_notes
from descentlab.studies.result import StudyResult

RATIOS = np.array([1.0, 1.25, 1.5, 2.0, 3.0, 4.0])


@dataclass(frozen=True)
class Times:
    """How long a configuration takes to a target.

    Attributes:
        configuration: its id.
        labels: what it is.
        epochs, steps, seconds: medians over its runs; seconds are of training alone, on
            the machine it ran on, and None if the folder does not say them.
    """

    configuration: str
    labels: dict[str, str]
    epochs: Median
    steps: Median
    seconds: Median | None

    def to_json(self) -> dict[str, Any]:
        """Return the times as JSON."""
        return asdict(self)


def times_to_target(result: StudyResult, metric: str, target: float) -> list[Times]:
    """Return the times of every configuration, the fastest first.

    A run is there at its first record at or beyond the target (a loss: at or below). One
    that is not there at its end, or has not ended, is censored at its last record. One
    that diverged before will never be there: its time is infinite.

    Raises:
        SpecError: the metric is not recorded, or the target is not finite.
    """
    if not math.isfinite(target):
        raise SpecError(f"--reach: expected a finite number, found {target:g}")
    if metric not in result.metrics:
        raise SpecError(unknown("metric", metric, result.metrics))
    sign = "<=" if metric.endswith("_loss") else ">="
    table = query(
        result.folder,
        f"""SELECT configuration, seed, max(step) AS last_step, max(epoch) AS last_epoch,
                   bool_or(diverged) AS diverged,
                   min(CASE WHEN "{metric}" {sign} {float(target)!r} THEN step END) AS step,
                   min(CASE WHEN "{metric}" {sign} {float(target)!r} THEN epoch END) AS epoch
            FROM segments WHERE NOT isnan("{metric}") OR diverged
            GROUP BY configuration, seed ORDER BY configuration, seed""",
        ["configuration", "seed", "step", "epoch", "diverged", metric],
    )
    pace = seconds_an_update(result)
    found = []
    for configuration in result.configurations:
        own = table[table["configuration"] == configuration.id]
        if len(own):
            found.append(_times(configuration, own, pace.get(configuration.id)))
    return sorted(
        found, key=lambda t: (np.inf if t.steps.value is None else t.steps.value, t.configuration)
    )


def _times(configuration: Any, own: Any, pace: float | None) -> Times:
    reached = own["step"].notna().to_numpy(bool)
    failed = own["diverged"].to_numpy(bool) & ~reached
    steps = np.where(failed, np.inf, own["step"].fillna(own["last_step"]).to_numpy(float))
    epochs = np.where(failed, np.inf, own["epoch"].fillna(own["last_epoch"]).to_numpy(float))
    seconds = None if pace is None else median_time(steps * pace, reached)
    return Times(
        configuration.id, configuration.labels, median_time(epochs, reached),
        median_time(steps, reached), seconds,
    )  # fmt: skip


def seconds_an_update(result: StudyResult) -> dict[str, float]:
    """Return each configuration's seconds of training an update and run, where they are noted."""
    spent: dict[str, list[float]] = {}
    for name in segment_names(result.folder):
        notes = segment_notes(result.folder, name)
        if "seconds" not in notes:
            continue
        total = spent.setdefault(notes["cohort"], [0.0, 0.0])
        total[0] += float(notes["seconds"])
        total[1] += float(notes["updates"])
    cohorts = {c: seconds / updates for c, (seconds, updates) in spent.items() if updates}
    table = query(result.folder, "SELECT DISTINCT configuration, cohort FROM segments",
                  ["configuration"], cohorts=True)  # fmt: skip
    pairs = zip(table["configuration"], table["cohort"], strict=True)
    return {str(c): cohorts[k] for c, k in pairs if k in cohorts}


def machines(results: Sequence[StudyResult]) -> list[str]:
    """Return what the runs were trained on, by which their seconds are to be read."""
    sessions = [s for result in results for s in result.provenance.get("sessions", [])]
    names = (
        ", ".join(str(s[key]) for key in ("processor", "device") if s.get(key)) for s in sessions
    )
    return list(dict.fromkeys(filter(None, names)))


@dataclass(frozen=True)
class Profile:
    """Methods against each other over several studies.

    Attributes:
        factor: what the methods are labels of.
        methods: the labels.
        ratios: of the time to the fastest method's.
        shares: of studies solved within the ratio, ``[methods, ratios]``.
        times: median updates, ``[studies, methods]``; infinite where the target is not reached.
    """

    factor: str
    methods: tuple[str, ...]
    ratios: np.ndarray
    shares: np.ndarray
    times: np.ndarray


def profile(results: Sequence[StudyResult], metric: str, target: float, factor: str) -> Profile:
    """Return the performance profile of a factor's labels over studies.

    A method's time in a study is that of its fastest configuration.
    """
    rows: list[dict[str, float]] = []
    for result in results:
        if factor not in result.factors:
            raise SpecError(f"{result.folder}: {unknown('factor', factor, result.factors)}")
        best: dict[str, float] = {}
        for each in times_to_target(result, metric, target):
            label = each.labels.get(factor)
            value = np.inf if each.steps.value is None else each.steps.value
            if label is not None:
                best[label] = min(best.get(label, np.inf), value)
        rows.append(best)
    methods = tuple(dict.fromkeys(label for row in rows for label in row))
    times = np.array([[row.get(method, np.inf) for method in methods] for row in rows])
    return Profile(factor, methods, RATIOS, performance_profile(times, RATIOS), times)
