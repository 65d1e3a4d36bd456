"""What a descent did and why, in numbers and in sentences."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from descentlab.engine.descents.basins import reach
from descentlab.engine.descents.minima import find_minima
from descentlab.engine.descents.outcome import (
    CONVERGES,
    CRAWLS,
    DIVERGES,
    OSCILLATES,
    OUTCOMES,
    Seen,
    outcomes,
)
from descentlab.engine.descents.run import Descent
from descentlab.engine.descents.sharpness import Sharpness, sharpness


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What became of a descent, and the curvature on its way.

    Attributes:
        outcome: one of ``OUTCOMES``.
        minimum: the number of the minimum where it ended, of those :func:`find_minima` gives.
        arrived_at: updates after which it stayed at that minimum.
        turned: share of the second half's updates that went against the one before.
        curvature: the largest eigenvalue of the Hessian on the way; where it diverged, until
            it first was more than a diagonal from the middle of the map.
        curvature_at: after how many updates.
        end_curvature: the smallest and the largest eigenvalue at the last finite iterate.
        sharpness: what stability goes by, where it is largest against its limit on that way: the
            curvature, or that of the Hessian scaled by 1/(√v + ε).
        limit: what it should have stayed below there, such as 2/η; None if no bound is known.
        limit_formula: that bound's formula.
        above: share of the iterates at which it was above.
        first_above: the first such iterate; None if there is none.
        stable_rate: a learning rate below which that sharpness is stable; None if unknown.
        sentences: all of it in words.
    """

    outcome: str
    minimum: int | None
    arrived_at: int | None
    turned: float
    curvature: float
    curvature_at: int
    end_curvature: tuple[float, float]
    sharpness: float
    limit: float | None
    limit_formula: str | None
    above: float | None
    first_above: int | None
    stable_rate: float | None
    sentences: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        found = dataclasses.asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
        }


def diagnose(descent: Descent) -> Diagnosis:
    """Say what a descent did, and why: its largest curvature against what its rate allows."""
    along = sharpness(descent)
    turned = _turns(np.diff(descent.iterates, axis=0))
    number, minimum, arrived = _judged(descent, turned)
    last = _last(descent) if number == DIVERGES else descent.steps
    met = along.largest[: last + 1]
    top = int(np.nanargmax(met)) if np.isfinite(met).any() else 0
    worst, above, first = _against(along, last)
    bound = along.bound
    found = Diagnosis(
        outcome=OUTCOMES[number],
        minimum=minimum,
        arrived_at=arrived,
        turned=turned / max(1, descent.steps - (descent.steps + 1) // 2),
        curvature=float(met[top]),
        curvature_at=top,
        end_curvature=(float(along.smallest[last]), float(along.largest[last])),
        sharpness=float(along.scaled[worst]),
        limit=None if bound is None else float(along.limit[worst]),
        limit_formula=None if bound is None else bound.formula,
        above=above,
        first_above=first,
        stable_rate=_stable_rate(along, worst),
        sentences=(),
    )
    return dataclasses.replace(found, sentences=tuple(_sentences(found, descent, along, last)))


def _last(descent: Descent) -> int:
    """Return the last iterate before the first that is far from the map."""
    centre = np.asarray([(low + high) / 2 for low, high in descent.landscape.domain])
    with np.errstate(all="ignore"):
        near = np.hypot(*(descent.iterates - centre).T) <= descent.landscape.diagonal
    return descent.steps if near.all() else max(0, int(np.argmin(near)) - 1)


def _turns(ways: np.ndarray) -> int:
    """Return how many updates of the second half went against the one before."""
    with np.errstate(all="ignore"):
        against = (ways[1:] * ways[:-1]).sum(axis=1) < 0
    steps = np.arange(1, len(ways))
    return int((against & (2 * steps >= len(ways))).sum())


def _judged(descent: Descent, turned: int) -> tuple[int, int | None, int | None]:
    """Return the outcome's number, the minimum where it ended, and since when."""
    minima = find_minima(descent.landscape)
    radius = reach(descent.landscape, minima)
    seen = Seen(
        descent.path[-1:], descent.cost[-1:], descent.gradient_norm[-1:], np.asarray([turned])
    )
    number = outcomes(
        descent.landscape, seen, descent.steps, float(descent.cost[0]),
        float(descent.gradient_norm[0]), minima, radius,
    )[0]  # fmt: skip
    if descent.diverged_at is not None:  # though it may have come back to numbers since
        return DIVERGES, None, None
    if number != CONVERGES:
        return int(number), None, None
    for place, minimum in enumerate(minima):
        away = np.hypot(*(descent.path - np.asarray(minimum.point)).T)
        if away[-1] <= radius:
            outside = np.flatnonzero(~(away <= radius))
            return int(number), place, int(outside[-1]) + 1 if len(outside) else 0
    return int(number), None, None


def _against(along: Sharpness, last: int) -> tuple[int, float | None, int | None]:
    """Return where sharpness is largest against its limit, how often above, and when first."""
    with np.errstate(all="ignore"):
        ratio = along.scaled[: last + 1] / along.limit[: last + 1]
    if along.bound is None or not np.isfinite(ratio).any():
        met = along.scaled[: last + 1]
        return (int(np.nanargmax(met)) if np.isfinite(met).any() else 0), None, None
    over = np.flatnonzero(ratio > 1)
    first = int(over[0]) if len(over) else None
    return int(np.nanargmax(ratio)), len(over) / len(ratio), first


def _stable_rate(along: Sharpness, worst: int) -> float | None:
    if along.bound is None or along.bound.scaled or not along.scaled[worst] > 0:
        return None
    return along.bound.factor / float(along.scaled[worst])


def _sentences(found: Diagnosis, descent: Descent, along: Sharpness, last: int) -> list[str]:
    number = OUTCOMES.index(found.outcome)
    said = [_outcome(found, descent)]
    if number in (DIVERGES, OSCILLATES):
        said += _why(found, along)
    elif number == CRAWLS:
        said += _slowness(found, descent, along, last)
    elif found.limit is not None and found.above == 0:
        said.append(
            f"{_sharpest(along)} stays below {found.limit_formula} all the way: it is at most "
            f"{_say(found.sharpness / found.limit)} of it."
        )
    return said


def _outcome(found: Diagnosis, descent: Descent) -> str:
    updates = f"{descent.steps:,} updates"
    if found.outcome == "diverges":
        if descent.diverged_at == 0:
            return "It cannot begin: at the start the cost is no finite number."
        if descent.diverged_at is not None:
            count = f"{descent.diverged_at:,} update" + ("" if descent.diverged_at == 1 else "s")
            return f"It diverges: after {count} cost or point is not finite."
        if descent.final_cost > descent.cost[0]:
            return (
                f"It diverges: after {updates} the cost is {_say(descent.final_cost)}, more than "
                f"the {_say(float(descent.cost[0]))} at the start."
            )
        return f"It diverges: after {updates} it is far off the map, and falls on."
    if found.outcome == "converges" and found.minimum is not None:
        minimum = find_minima(descent.landscape)[found.minimum]
        at = ", ".join(_say(x) for x in minimum.point)
        return f"It converges: from update {found.arrived_at:,} on it stays at the minimum ({at})."
    if found.outcome == "converges":
        low, high = found.end_curvature
        kind = "a saddle" if low < 0 < high else "a maximum" if high < 0 else "a flat place"
        return f"It comes to rest where the slope is 0, at {kind} and no minimum."
    if found.outcome == "oscillates":
        return (
            f"It oscillates: {found.turned:.0%} of the updates of the second half go against the "
            f"one before; after {updates} the cost is {_say(descent.final_cost)}."
        )
    return (
        f"It crawls: after {updates} the cost is {_say(descent.final_cost)}, and the last update "
        f"went {_say(math.dist(*descent.path[-2:]))}."
    )


def _why(found: Diagnosis, along: Sharpness) -> list[str]:
    if found.limit is None or along.bound is None:
        return [
            f"The largest curvature on the way is {_say(found.curvature)}, after "
            f"{found.curvature_at:,} updates; no bound on it is known for this method."
        ]
    if _share_of_limit(found) is None:
        return ["The curvature there, or what the rate allows, is not finite: nothing follows."]
    low, high = found.end_curvature
    if found.outcome == "diverges" and found.first_above is None and low < 0:
        return [
            f"Curvatures where it is are {_say(low)} and {_say(high)}: along the negative one the "
            "cost falls without end, and no learning rate brings it to rest."
        ]
    if found.first_above is None and found.sharpness > found.limit / 2:
        return [
            f"{_sharpest(along)} comes to {_say(found.sharpness / found.limit)} of "
            f"{found.limit_formula}: it is stable, but along that direction each update goes past "
            "the bottom and comes to rest hardly nearer to it."
        ]
    if found.first_above is None:
        return [
            f"{_sharpest(along)} is at most {_say(found.sharpness / found.limit)} of "
            f"{found.limit_formula}, so on a quadratic it would be stable; velocity gathered "
            "before, noise, or what is not quadratic carries it to and fro."
        ]
    at = int(np.nanargmax(along.scaled[found.first_above :] > 0)) + found.first_above
    said = [
        f"{_sharpest(along)} is {_say(float(along.scaled[at]))} after {at:,} updates, above "
        f"{found.limit_formula} = {_say(float(along.limit[at]))}: along that direction each update "
        "overshoots the bottom by more than it was away."
    ]
    if found.stable_rate is not None:
        said.append(
            f"At the largest curvature met on the map, {_say(found.sharpness)}, a learning rate "
            f"below {_say(found.stable_rate)} is stable."
        )
    return said


def _slowness(found: Diagnosis, descent: Descent, along: Sharpness, last: int) -> list[str]:
    said = []
    low, high = found.end_curvature
    if along.bound is not None and not along.bound.scaled and low > 0:
        gain = 1 / (1 - (descent.method.beta or 0.0))
        part = float(descent.rate[-1]) * low * gain
        said.append(
            f"Curvatures where it is are {_say(low)} and {_say(high)}. Along the flatter direction "
            f"an update takes about {_say(part)} of the way that is left, so halving that takes "
            f"some {_say(math.log(2) / max(part, 1e-300))} updates."
        )
    share = _share_of_limit(found)
    if share is not None and found.above == 0:
        said.append(
            f"{_sharpest(along)} is at most {_say(share)} of "
            f"{found.limit_formula}: a larger learning rate would be stable."
        )
    elif share is not None and found.limit is not None and found.stable_rate is not None:
        said.append(
            f"The largest curvature on the way, {_say(found.sharpness)}, is above "
            f"{found.limit_formula} = {_say(found.limit)}: a larger rate does not help there."
        )
    return said


def _share_of_limit(found: Diagnosis) -> float | None:
    """Return the sharpness as a share of its limit; None where that is no finite number."""
    if found.limit is None:
        return None
    with np.errstate(all="ignore"):
        share = float(np.divide(found.sharpness, found.limit))
    return share if math.isfinite(share) else None


def _sharpest(along: Sharpness) -> str:
    scaled = along.bound is not None and along.bound.scaled
    return "The curvature scaled by 1/(√v + ε)" if scaled else "The curvature λ_max"


def _say(value: float) -> str:
    return f"{value:.3g}"
