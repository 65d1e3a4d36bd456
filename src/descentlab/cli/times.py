"""Times to a target as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from descentlab.cli.text import print_json, print_table

if TYPE_CHECKING:
    from descentlab.evaluation.times import Median
    from descentlab.studies.times import Profile, Times


def print_times(found: Sequence[Times], machines: Sequence[str], as_json: bool) -> None:
    """Print the median time of every configuration, the fastest first."""
    if as_json:
        configurations = [each.to_json() for each in found]
        print_json({"configurations": configurations, "machines": list(machines)})
        return
    factors = list(dict.fromkeys(factor for each in found for factor in each.labels))
    rows = [
        [
            *(each.labels.get(factor, "–") for factor in factors),
            f"{each.steps.reached} of {each.steps.runs}",
            _median(each.epochs),
            _median(each.steps),
            "–" if each.seconds is None else _median(each.seconds),
        ]
        for each in found
    ]
    print_table([*factors, "reached", "epochs", "updates", "seconds of training"], rows)
    print(
        "Medians over seeds with 95\u00a0% intervals (Kaplan–Meier); runs that ended short of the "
        "target are censored there, those that diverged never reach it. '…': not bounded by these "
        "runs."
    )
    if machines:
        print(f"Seconds are those of the machine that trained: {'; '.join(machines)}.")


def print_profile(found: Profile, as_json: bool) -> None:
    """Print the share of studies that each method solves within a ratio of the fastest."""
    if as_json:
        shares = [
            dict(zip(map(str, found.ratios), row, strict=True)) for row in found.shares.tolist()
        ]
        print_json(
            {
                "factor": found.factor,
                "profiles": dict(zip(found.methods, shares, strict=True)),
                "updates": [
                    dict(zip(found.methods, row, strict=True)) for row in found.times.tolist()
                ],
            }
        )
        return
    print_table(
        [found.factor, *(f"≤ {ratio:g} ×" for ratio in found.ratios)],
        [
            [method, *(f"{100 * share:.0f}\u00a0%" for share in row)]
            for method, row in zip(found.methods, found.shares, strict=True)
        ],
    )
    studies = "study" if len(found.times) == 1 else "studies"
    print(
        f"Share of {len(found.times)} {studies} solved within so many times the updates of the "
        "fastest method."
    )


def _median(median: Median) -> str:
    from descentlab.report.numbers import value

    if median.value is None:
        return "not reached"
    if median.low is None and median.high is None:
        return value(median.value, 3)
    low, high = ("…" if end is None else value(end, 3) for end in (median.low, median.high))
    return f"{value(median.value, 3)} ({low} to {high})"
