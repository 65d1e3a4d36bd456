"""Tuning: with which rate, decay and β a method comes lowest, and with which it does so surely."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from descentlab.core.errors import SpecError, unknown
from descentlab.engine.descents.checks import (
    checked_count,
    checked_seed,
    checked_start,
    checked_steps,
)
from descentlab.engine.descents.method import Method
from descentlab.engine.descents.minima import find_minima, values
from descentlab.engine.descents.sweep import Ends, Progress, sweep
from descentlab.objectives.landscape_catalogue import LandscapeInfo

RATES = 1e-7, 10.0
"""The learning rates that are tried, evenly in the logarithm."""

DECAYS = (0.0, 0.001, 0.01, 0.1, 1.0)
BETAS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)

LEFT = 1e-5
"""Success: at most this share of the start's excess over the lowest minimum is left."""

NEARLY = 0.1
"""Where no setting succeeds, those do that end this share of the best's excess above the best."""

EQUAL = 0.01
"""Costs within this share of the tolerance of each other are equally low."""

MOVED, OFF = 0.02, 0.05
"""How far starts are moved in both coordinates, and rates are off, as a share."""

SURE = 0.9
"""A share of success below which a best setting is a fluke, if another is surer by far."""

VARIED = ("learning_rate", "decay", "beta")
FINALISTS = 64
MOST_STEPS = 2000


Columns = dict[str, np.ndarray]
Part = tuple[float, float]
"""What was done before, and the share of what is to do."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """A setting, what it came to, and how often it succeeds when things are a little off.

    Attributes:
        settings: ``learning_rate``; ``decay`` of the schedule η / (1 + decay·t), t from 1, and
            ``beta`` (momentum, β₁, ρ), where the method has them.
        method: the whole method.
        final_cost: after all updates, from the start itself.
        epochs: updates from which on the cost stayed low enough for a success; None for never.
        success: the share of 245 descents that end in success: starts moved by up to ±0.02
            in each coordinate (7 × 7 places, evenly), rates off by up to ±5 % (5, evenly).
    """

    settings: dict[str, float]
    method: Method
    final_cost: float
    epochs: int | None
    success: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "settings": self.settings,
            "final_cost": self.final_cost,
            "success": self.success,
            "epochs": self.epochs,
            "method": self.method.text(),
            "optimizer": self.method.optimizer.resolved(),
            "schedule": self.method.schedule.resolved(),
        }


@dataclasses.dataclass(frozen=True)
class Tuning:
    """What a search found.

    Attributes:
        landscape: what was descended.
        start: where each descent began.
        steps: updates of each.
        tried: number of settings.
        lowest: the lowest minimum's value.
        target: the lowest minimum's value if any setting came to it, else the lowest final
            cost found.
        tolerance: a success ends at most this much above the target.
        best: the lowest final cost; among equally low ones that of the fewest epochs.
        robust: the highest success; among equals the lowest final cost, then the fewest epochs.
    """

    landscape: LandscapeInfo
    start: tuple[float, float]
    steps: int
    tried: int
    lowest: float
    target: float
    tolerance: float
    best: Choice
    robust: Choice

    @property
    def edge(self) -> bool:
        """Whether the best rate lies at an end of those that were tried."""
        return self.best.settings["learning_rate"] in RATES

    @property
    def fluke(self) -> bool:
        """Whether the best rarely succeeds when things are a little off, and another does."""
        return self.best.success < SURE and self.robust.success >= self.best.success + 0.1

    def sentences(self) -> list[str]:
        """Return what to know about the result, in words."""
        best, robust = self.best, self.robust
        nudged = "starts moved by up to ±0.02 and rates off by up to ±5 %"
        said = []
        if self.fluke:
            said.append(
                f"The best setting is a fluke: with {nudged} it succeeds in {best.success:.0%} "
                f"of cases, the robust one in {robust.success:.0%}."
            )
        elif robust.success < SURE:
            said.append(f"No setting is sure: with {nudged} the surest succeeds in "
                        f"{robust.success:.0%} of cases.")  # fmt: skip
        else:
            said.append(f"The best setting is no fluke: with {nudged} it succeeds in "
                        f"{best.success:.0%} of cases.")  # fmt: skip
        if self.target > self.lowest:
            said.append(
                f"No setting came to the minimum of {self.lowest:.6g} within {self.steps} epochs; "
                f"success is judged by the lowest cost found, {self.target:.6g}."
            )
        if self.edge:
            said.append("The best rate lies at an end of what was tried.")
        return said

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as ``descentlab landscape tune --json`` prints them."""
        return {
            "landscape": self.landscape.name,
            "start": list(self.start),
            "steps": self.steps,
            "tried": self.tried,
            "lowest": self.lowest,
            "target": self.target,
            "tolerance": self.tolerance,
            "best": self.best.to_json(),
            "robust": self.robust.to_json(),
            "fluke": self.fluke,
            "edge": self.edge,
            "sentences": self.sentences(),
        }


def tune(
    landscape: LandscapeInfo,
    method: Any,
    start: Sequence[float],
    steps: int,
    *,
    vary: Sequence[str] = VARIED,
    settings: int = 10_000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuning:
    """Search the learning rate, its decay and β of a method, judged by success if a little off.

    Rates are tried from 10⁻⁷ to 10, evenly in the logarithm; with each of five decays
    (0, 0.001 … 1) if the method's schedule is none or 1 / (1 + d·t); and with each of six β
    (0 … 0.99) and its own if it has one. A descent **succeeds** if at most a 100,000th of the
    excess over the lowest minimum that the start has is left after N updates,
    J_N - J* ≤ 10⁻⁵ (J₀ - J*). Where no setting does, the lowest final cost found is the target,
    and who ends within a tenth of its own excess above it succeeds.

    Args:
        landscape: what is descended.
        method: whatever :meth:`Method.of` takes; what is not searched stays as it is there.
        start: w1 and w2.
        steps: updates, up to 2,000.
        vary: what is searched, of ``learning_rate``, ``decay`` and ``beta``; the rate always.
        settings: about how many are tried; of L-BFGS, whose updates cost fifty others', a tenth.
        seed: of the noise.
        progress: told the share that is done.

    Raises:
        SpecError: names the field at fault, or says that every setting diverged, or that the
            landscape has no minimum to come to.
    """
    made = Method.of(method)
    start, steps = checked_start(start), checked_steps(steps, MOST_STEPS)
    seed, settings = checked_seed(seed), checked_count("settings", settings, 100, 100_000)
    for name in vary:
        if name not in VARIED:
            raise SpecError(f"vary: {unknown('setting', str(name), VARIED)}")
    made.check(steps)
    lowest = min((m.value for m in find_minima(landscape)), default=None)
    if lowest is None:
        raise SpecError(
            f"landscape: {landscape.name} has no minimum on its map, so no setting comes to one; "
            "choose another landscape, or another domain"
        )
    first = float(values(landscape, np.asarray(start)))
    left = LEFT * max(first - lowest, 1e-4 * max(1.0, abs(lowest)))
    search = _Search(landscape, made, start, steps, seed, progress, vary)
    return search.run(settings // 10 if made.costly else settings, lowest, left)


class _Search:
    """One search: the grid, what counts as success, the finalists."""

    def __init__(
        self,
        landscape: LandscapeInfo,
        method: Method,
        start: tuple[float, float],
        steps: int,
        seed: int,
        progress: Progress | None,
        vary: Sequence[str],
    ) -> None:
        decays = "decay" in vary and method.schedule.kind in ("constant", "inverse_time")
        self.method = method.with_decay() if decays else method
        self.landscape, self.start = landscape, np.asarray(start)
        self.steps, self.seed, self.progress = steps, seed, progress
        self.paths = {"learning_rate": self.method.rate_path}
        if decays and self.method.decay_path is not None:
            self.paths["decay"] = self.method.decay_path
        if "beta" in vary and self.method.beta_path is not None:
            self.paths["beta"] = self.method.beta_path

    def run(self, settings: int, lowest: float, left: float) -> Tuning:
        """Search about so many settings for those that end at most ``left`` above ``lowest``."""
        tried = self.grid(settings)
        goal = _Goal(lowest, left)
        ends = self.ends(tried, self.start[None], np.ones(1), goal.below, 0.0, 0.3)
        cost = np.where(np.isfinite(ends.cost), ends.cost, np.inf)
        if not np.isfinite(cost).any():
            raise SpecError(
                f"optimizer: every one of {len(cost):,} settings diverged from "
                f"({self.start[0]:g}, {self.start[1]:g}); choose another start or optimizer"
            )
        if cost.min() > goal.below:
            goal = _Goal(float(cost.min()), NEARLY * (float(cost.min()) - lowest))
            ends = self.ends(tried, self.start[None], np.ones(1), goal.below, 0.3, 0.1)
        epochs = np.where(ends.reached < 0, self.steps + 1, ends.reached)
        return self.judged(tried, cost, epochs, goal, lowest)

    def judged(
        self, tried: Columns, cost: np.ndarray, epochs: np.ndarray, goal: _Goal, lowest: float
    ) -> Tuning:
        """Return the best and the robust best of what was tried."""
        equal = cost.min() + EQUAL * goal.tolerance
        low = np.flatnonzero(cost <= equal)
        best = int(low[np.lexsort((cost[low], epochs[low]))[0]])
        able = np.flatnonzero(cost <= goal.below)
        share = self.success(tried, able, goal, 3, 3, (0.4, 0.45))
        order = np.lexsort((epochs[able], cost[able], -share))[: FINALISTS - 1]
        finalists = np.unique(np.append(able[order], best))
        share = self.success(tried, finalists, goal, 7, 5, (0.85, 0.15))
        rounded = np.maximum(cost[finalists], equal)
        robust = int(finalists[np.lexsort((epochs[finalists], rounded, -share))[0]])

        def choice(number: int) -> Choice:
            settings = {name: float(column[number]) for name, column in tried.items()}
            return Choice(
                settings,
                self.method.with_values({self.paths[n]: v for n, v in settings.items()}),
                float(cost[number]),
                None if epochs[number] > self.steps else int(epochs[number]),
                float(share[finalists == number][0]),
            )

        start = float(self.start[0]), float(self.start[1])
        return Tuning(
            self.landscape, start, self.steps, len(cost), lowest, goal.target, goal.tolerance,
            choice(best), choice(robust),
        )  # fmt: skip

    def grid(self, settings: int) -> Columns:
        """Return the settings to try, a column each."""
        axes: list[np.ndarray] = []
        if "beta" in self.paths:
            axes.insert(0, np.unique([*BETAS, self.method.beta or 0.0]))
        if "decay" in self.paths:
            axes.insert(0, np.asarray(DECAYS))
        others = int(np.prod([len(axis) for axis in axes]))
        rates = np.geomspace(*RATES, max(2, round(settings / others)))
        rates[0], rates[-1] = RATES
        columns = np.meshgrid(rates, *axes, indexing="ij")
        return {name: column.ravel() for name, column in zip(self.paths, columns, strict=True)}

    def success(
        self, tried: Columns, chosen: np.ndarray, goal: _Goal, places: int, rates: int, part: Part
    ) -> np.ndarray:
        """Return the share of success of settings when starts and rates are a little off."""
        moves, factors = MOVED * _middles(places), 1 + OFF * _middles(rates)
        starts = self.start + np.stack(np.meshgrid(moves, moves), axis=-1).reshape(-1, 2)
        some = {name: column[chosen] for name, column in tried.items()}
        ends = self.ends(some, starts, factors, goal.below, *part)
        return (ends.cost <= goal.below).reshape(len(chosen), -1).mean(axis=1)

    def ends(
        self, tried: Columns, starts: np.ndarray, factors: np.ndarray, threshold: float,
        done: float, share: float,
    ) -> Ends:  # fmt: skip
        """Descend with each setting from each start with each factor on the rate, in that order."""
        count = len(starts) * len(factors)
        varied = {self.paths[n]: np.repeat(column, count) for n, column in tried.items()}
        settings = len(tried["learning_rate"])
        varied[self.paths["learning_rate"]] *= np.tile(np.repeat(factors, len(starts)), settings)
        progress = self.progress
        return sweep(
            self.landscape,
            self.method,
            np.tile(starts, (settings * len(factors), 1)),
            self.steps,
            varied=varied,
            threshold=threshold,
            seed=self.seed,
            progress=None if progress is None else lambda part: progress(done + share * part),
        )


class _Goal(NamedTuple):
    """What a final cost must come to, and how near."""

    target: float
    tolerance: float

    @property
    def below(self) -> float:
        """The highest final cost that is a success."""
        return self.target + self.tolerance


def _middles(count: int) -> np.ndarray:
    """Return the middles of equal parts of -1 … 1."""
    return (np.arange(count) + 0.5) / count * 2 - 1
