"""What may be looked at now: all seeds, or in a folder with a plan those of its last look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from descentlab.evaluation.sequential import look_levels

if TYPE_CHECKING:
    from descentlab.studies.records import Records

ALPHA = 0.05
SEQUENTIAL = "sequential"
"""Where a folder's provenance keeps the plan of looks at growing numbers of seeds."""


@dataclass(frozen=True)
class Moment:
    """The seeds that verdicts may be read off, and the level at which.

    Attributes:
        seeds: those that count now.
        alpha: the probability of any false verdict that this moment may use up.
        looks: the planned numbers of seeds; none in a folder without a plan.
    """

    seeds: tuple[int, ...]
    alpha: float = ALPHA
    looks: tuple[int, ...] = ()

    @property
    def following(self) -> int | None:
        """The number of seeds at the next look, if one is planned."""
        return next((look for look in self.looks if look > len(self.seeds)), None)


def moment(result: Records, alpha: float = ALPHA) -> Moment:
    """Return what a folder's verdicts may be read off.

    Between two looks of a plan nothing new may be seen: a seed that has come since, or
    half of one, would be a look that the levels do not pay for.
    """
    plan = result.provenance.get(SEQUENTIAL)
    seeds = result.study.seeds
    if not plan:
        return Moment(seeds, alpha)
    looks = tuple(plan["looks"])
    done = finished_seeds(result)
    been = [look for look in looks if look <= done]
    if not been:
        return Moment((), 0.0, looks)
    return Moment(seeds[: been[-1]], look_levels(been, plan["most"], alpha)[-1], looks)


def finished_seeds(result: Records) -> int:
    """Return how many seeds, from the first on, have all of their runs finished."""
    frame = result.frame()
    runs = frame.groupby("seed").size().to_dict() if len(frame) else {}
    wanted, count = len(result.configurations), 0
    for seed in result.study.seeds:
        if runs.get(seed, 0) < wanted:
            break
        count += 1
    return count
