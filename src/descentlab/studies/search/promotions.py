"""Promotions: what of a search can be trained now, packed into chunks of one width.

Promotions are a pure function of what is on record, so a killed search goes on with the
same ones. A promoted run goes on from the state in which it was paused (parameters,
optimizer, running sums; keys and place in the data follow from its seed and step), in a
chunk of the same width and so in the same program: nothing is trained twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from descentlab.core.errors import StoreError
from descentlab.store.checkpoints import Checkpoint
from descentlab.store.folder import Folder
from descentlab.store.segments import query, segment_names
from descentlab.studies.configurations import Configuration
from descentlab.studies.plan import CohortPlan, RunName, Tally
from descentlab.studies.search.rungs import Standings, brackets_of, standings
from descentlab.studies.spec import Study
from descentlab.studies.standing import Standing, standing

Targets = Mapping[str, int]
"""The update up to which each run is to be trained."""


class Promotions:
    """Says what of a search can be trained: at first, and whenever runs have ended or paused.

    A bracket waits for nothing but its own rungs.
    """

    def __init__(
        self, study: Study, configurations: Sequence[Configuration], folder: Folder,
        plans: list[CohortPlan],
    ) -> None:  # fmt: skip
        self._study, self._configurations = study, configurations
        self._folder, self.plans = folder, plans
        self._per_epoch = {r.id: p.cohort.steps_per_epoch for p in plans for r in p.cohort.runs}
        self._asked: dict[str, int] = {}
        self._awaited: list[set[str]] = [set()]

    def __call__(self, ended: Sequence[str] = ()) -> list[CohortPlan]:
        """Return what to train next, now that these runs have ended or paused.

        Raises:
            StoreError: the state to go on from is not in the folder.
        """
        for runs in self._awaited:
            runs.difference_update(ended)
        if all(self._awaited):
            return []
        now = self._standings()
        self._awaited = [set(self._runs(rung.members)) for rung in now.rungs if not rung.values]
        new = {name: to for name, to in now.wanted.items() if self._asked.get(name) != to}
        self._asked |= new
        stands = standing(self._folder)
        for runs in self._awaited:
            runs.difference_update(run for run in list(runs) if self._there(run, stands))
        found = packed(self.plans, stands, new)
        going = {run.id for plan in found for run in plan.pending}
        going |= {run for plan in found for chunk in plan.open_chunks for run in chunk.runs}
        lost = set(self._runs(new)) - going
        if lost := sorted(run for run in lost if not self._there(run, stands)):
            raise StoreError(
                f"{self._folder}: the search wants {', '.join(lost)} trained on, but there is no "
                "state to go on from; delete the folder's segments and run the study again"
            )
        return found

    def check_over(self) -> None:
        """Make sure that nothing is wanted when nothing is left to train.

        Raises:
            StoreError: the search cannot go on.
        """
        if wanted := self._standings().wanted:
            raise StoreError(
                f"{self._folder}: the search still wants {', '.join(wanted)} trained, and nothing "
                "can be; delete the folder's segments and run the study again"
            )

    def tally(self) -> Tally:
        """Return what progress is counted against: every training of a run up to a rung."""
        seeds = len(self._study.seeds)
        stands = standing(self._folder)
        planned = sum(sum(bracket.counts) for bracket in self._study.rungs) * seeds
        epochs = sum(bracket.epochs for bracket in self._study.rungs)
        done = sum(len(rung.members) for rung in self._standings().rungs if rung.values) * seeds
        per_epoch = sum(self._per_epoch.values()) / len(self._per_epoch)
        left = round(epochs * seeds * per_epoch) - sum(stands.reached.values())
        return Tally(done, sum(stands.ended.values()), planned, max(1, left))

    def _standings(self) -> Standings:
        metric = self._study.searched_metric
        return search_standings(self._study, self._configurations, self._folder, metric)

    def _runs(self, names: Iterable[str]) -> list[str]:
        return [str(RunName(name, seed)) for name in names for seed in self._study.seeds]

    def _there(self, run: str, stands: Standing) -> bool:
        """Whether a run is as far as it is asked to go."""
        if run in stands.ended:
            return True
        until = self._asked.get(run.rsplit("-s", 1)[0], 0) * self._per_epoch[run]
        return stands.reached.get(run, 0) >= until


def search_standings(
    study: Study, configurations: Sequence[Configuration], folder: Folder, metric: str
) -> Standings:
    """Return where the search in a folder stands."""
    values = rung_values(study, folder, metric)
    return standings(study, configurations, values, lower_is_better=metric.endswith("_loss"))


def rung_values(study: Study, folder: Folder, metric: str) -> dict[tuple[str, int], float]:
    """Return each configuration's mean figure over seeds by epoch, at the rungs' epochs.

    NaN where a run of it has diverged by then; nothing while another is not there yet.
    """
    if not segment_names(folder):
        return {}
    total = int(study.run["epochs"])
    epochs = {epochs for bracket in brackets_of(study, 0) for epochs in bracket.budgets}
    table = query(
        folder,
        f"""SELECT configuration, epoch, diverged, avg("{metric}") AS value, count(*) AS runs
            FROM segments WHERE diverged OR epoch IN ({", ".join(map(str, epochs | {total}))})
            GROUP BY configuration, epoch, diverged""",
        ["configuration", "epoch", "diverged", metric],
    )
    rows = list(table.itertuples(index=False))
    gone: dict[str, list[tuple[float, int]]] = {}
    for row in rows:
        if row.diverged:
            gone.setdefault(row.configuration, []).append((row.epoch, row.runs))
    there = {(r.configuration, int(r.epoch)): r for r in rows if not r.diverged}
    found = {}
    for name, epoch in {*there, *((name, epoch) for name in gone for epoch in epochs)}:
        diverged = sum(runs for at, runs in gone.get(name, ()) if at <= epoch)
        sound = there[name, epoch].runs if (name, epoch) in there else 0
        if diverged + sound == len(study.seeds):
            found[name, epoch] = float("nan") if diverged else float(there[name, epoch].value)
    return found


def packed(
    plans: Sequence[CohortPlan], stands: Standing, wanted: Mapping[str, int]
) -> list[CohortPlan]:
    """Return the plans with what is wanted of them: new runs, and paused ones in full chunks."""
    found = []
    for plan in plans:
        per_epoch = plan.cohort.steps_per_epoch
        until = {
            run.id: wanted[name] * per_epoch
            for run in plan.cohort.runs
            if (name := run.id.rsplit("-s", 1)[0]) in wanted and run.id not in stands.ended
        }
        going = {run: step for run, step in until.items() if stands.reached.get(run, 0) < step}
        pending = tuple(r for r in plan.cohort.runs if r.id in going and r.id not in stands.reached)
        begun = {run for run in going if run in stands.reached}
        opened = tuple(_continued(plan, stands, going, begun))
        if pending or opened:
            found.append(
                dataclasses.replace(plan, pending=pending, open_chunks=opened, until=going)
            )
    return found


def _continued(
    plan: CohortPlan, stands: Standing, going: Targets, begun: set[str]
) -> Iterator[Checkpoint]:
    """Yield the checkpoints to go on from: whole ones as they are, survivors of others together."""
    own = {run.id for run in plan.cohort.runs}
    rows: dict[tuple[int, int], list[tuple[str, Checkpoint, int]]] = {}
    for checkpoint in stands.opened:
        here = [
            (index, run)
            for index, run in enumerate(checkpoint.runs)
            if run in begun and stands.reached[run] == checkpoint.step
        ]
        rest = [run for run in checkpoint.runs if run not in stands.ended]
        together = own.issuperset(checkpoint.runs) and len(here) == len(rest)
        together = together and len({going[run] for _, run in here}) == 1
        if together and all(stands.reached[run] == checkpoint.step for run in checkpoint.runs):
            yield checkpoint
            continue
        for index, run in here:
            key = checkpoint.step, going[run]
            rows.setdefault(key, []).append((run, checkpoint, index))
    order = {run.id: number for number, run in enumerate(plan.cohort.runs)}
    width = plan.strategy.width
    for (step, _), group in sorted(rows.items()):
        group.sort(key=lambda row: order[row[0]])
        for start in range(0, len(group), width):
            yield _gathered(group[start : start + width], step, width)


def _gathered(group: Sequence[tuple[str, Checkpoint, int]], step: int, width: int) -> Checkpoint:
    """Return a checkpoint of runs out of others, padded with idle copies of the first."""
    padded = [*group, *[group[0]] * (width - len(group))]

    def read() -> tuple[np.ndarray, ...]:
        rows = [[leaf[index] for leaf in checkpoint.leaves] for _, checkpoint, index in padded]
        return tuple(_stacked(leaf) for leaf in zip(*rows, strict=True))

    return Checkpoint(tuple(run for run, _, _ in group), step, read)


def _stacked(leaves: Sequence[np.ndarray]) -> np.ndarray:
    """Stack the leaves of several runs, in the corner of the largest where widths differ."""
    from descentlab.engine.program import fitted

    shape = tuple(map(max, zip(*(leaf.shape for leaf in leaves), strict=True)))
    return np.stack([fitted(leaf, shape) for leaf in leaves])
