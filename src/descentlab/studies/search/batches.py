"""A search by batches: what a sampler asks for next, once all that it asked before is trained.

The study file in the results folder holds what was asked, and is written before a batch
is trained, so that a stopped search goes on with the same settings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from descentlab.core.yaml import read_yaml, write_yaml
from descentlab.store.folder import Folder
from descentlab.store.segments import query, segment_names
from descentlab.studies.plan import CohortPlan, Tally
from descentlab.studies.prepare import Prepared, expand
from descentlab.studies.search.asking import longer
from descentlab.studies.search.spec import Optuna
from descentlab.studies.spec import STUDY, Study
from descentlab.studies.standing import standing

if TYPE_CHECKING:
    from descentlab.studies.configurations import Configuration


class Batches:
    """Says what of a search can be trained: a batch at a time.

    Args:
        prepared: the study, with what was asked so far.
        folder: its results folder.
        replan: returns the plans of a longer study, without what is trained already.
    """

    def __init__(
        self, prepared: Prepared, folder: Folder, replan: Callable[[Prepared], list[CohortPlan]]
    ) -> None:
        self._prepared, self._folder, self._replan = prepared, folder, replan
        self._awaited: set[str] = set()
        self.plans = replan(prepared)

    def __call__(self, ended: Sequence[str] = ()) -> list[CohortPlan]:
        """Return what to train next, now that these runs have ended."""
        self._awaited.difference_update(ended)
        if self._awaited:
            return []
        plans = self.plans if not ended else self._replan(self._prepared)
        while not (pending := [p for p in plans if p.pending or p.open_chunks]):
            search = self._prepared.study.search
            assert isinstance(search, Optuna)
            if len(search.asked) >= search.trials:
                return []
            self._prepared = self._longer()
            plans = self._replan(self._prepared)
        for plan in pending:
            self._awaited |= {run.id for run in plan.pending}
            self._awaited |= {run for chunk in plan.open_chunks for run in chunk.runs}
        return pending

    def tally(self) -> Tally:
        """Return what progress is counted against."""
        study, stands = self._prepared.study, standing(self._folder)
        assert isinstance(study.search, Optuna)
        runs = study.search.trials * len(study.seeds)
        steps = max(plan.cohort.training.steps for plan in self.plans)
        left = max(1, runs * steps - sum(stands.reached.values()))
        return Tally(len(stands.finished), len(stands.diverged), runs, left)

    def _longer(self) -> Prepared:
        study = self._prepared.study
        values = final_values(study, self._prepared.configurations, self._folder)
        prepared = expand(longer(study, values))
        self._folder.write(STUDY, write_yaml(prepared.resolved).encode())
        return prepared


def continued(prepared: Prepared, folder: Folder) -> Prepared:
    """Return a study with what its folder says was asked before."""
    search = prepared.study.search
    if not isinstance(search, Optuna) or not folder.exists(STUDY):
        return prepared
    there = Study.parse(read_yaml(folder.read(STUDY), folder.at(STUDY)), file=folder.at(STUDY))
    if there.search is None or len(there.search.asked) <= len(search.asked):
        return prepared
    more = search.model_copy(update={"asked": there.search.asked})
    return expand(prepared.study.model_copy(update={"search": more}))


def final_values(
    study: Study, configurations: Sequence[Configuration], folder: Folder
) -> list[float]:
    """Return each setting's final figure, a mean over seeds; NaN if a run diverged."""
    metric = study.searched_metric
    if not segment_names(folder):
        return [math.nan] * len(configurations)
    table = query(
        folder,
        f"""SELECT configuration, bool_or(diverged) AS diverged, avg("{metric}") AS value
            FROM segments WHERE last GROUP BY configuration""",
        ["configuration", "diverged", "last", metric],
    )
    rows = table.itertuples(index=False)
    found = {row.configuration: float(row.value) for row in rows if not row.diverged}
    return [found.get(configuration.id, math.nan) for configuration in configurations]
