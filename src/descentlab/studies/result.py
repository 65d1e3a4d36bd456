"""What a results folder holds: tables, curves, the best configuration, predictions."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from descentlab.evaluation.intervals import t_interval
from descentlab.studies.claims.verdicts import Verdict, judge
from descentlab.studies.configurations import Configuration
from descentlab.studies.records import Records
from descentlab.studies.search.summary import SearchSummary, summarise

if TYPE_CHECKING:
    import pandas as pd


class StudyResult(Records):
    """The results in a folder, finished or not.

    Args:
        folder: a results folder, as a path, a URL or a :class:`Folder`.

    Raises:
        StoreError: there is no study in the folder.
    """

    def __repr__(self) -> str:
        """Return the study's name and the folder."""
        return f"StudyResult({self.study.name!r}, {str(self.folder)!r})"

    @cached_property
    def search(self) -> SearchSummary | None:
        """What a search by epochs found so far; None for other studies."""
        search = self.study.search
        if search is None or "epochs" in search.space or not self.study.run.get("epochs"):
            return None
        return summarise(self) if self.metrics else None

    @property
    def planned(self) -> int:
        """Number of runs that are to be finished; a search eliminates the others."""
        if self.study.rungs and self.search is not None:
            last = sum(bracket.counts[-1] for bracket in self.study.rungs)
            done = len(self.frame())
            return done if self.search.over else max(done + 1, last * len(self.study.seeds))
        unasked = self.study.search.unasked if self.study.search is not None else 0
        return (len(self.configurations) + unasked) * len(self.study.seeds)

    @property
    def complete(self) -> bool:
        """Whether every run is done."""
        return len(self.frame()) == self.planned

    def claims(self) -> list[Verdict]:
        """Return a verdict on each of the study's claims, from the runs that are finished."""
        return judge(self) if self.metrics else []

    def summary(self) -> dict[str, Any]:
        """Return the study's results as ``descentlab show --json`` prints them."""
        frame = self.frame()
        groups = dict(iter(frame.groupby("configuration")))
        return {
            "study": self.study.name,
            "question": self.study.question,
            "complete": self.complete,
            "runs": {
                "planned": self.planned,
                "done": len(frame),
                "diverged": int(frame["diverged"].sum()),
            },
            "configurations": [
                self._configuration(c, groups.get(c.id)) for c in self.configurations
            ],
            **({"search": self.search.to_json()} if self.search is not None else {}),
            "claims": [verdict.to_json() for verdict in self.claims()],
        }

    def _configuration(
        self, configuration: Configuration, runs: pd.DataFrame | None
    ) -> dict[str, Any]:
        diverged = 0 if runs is None else int(runs["diverged"].sum())
        metrics: dict[str, Any] = {}
        if runs is not None:
            for name in self.metrics:
                interval = t_interval(runs[name].to_numpy(float))
                metrics[name] = {k: _finite(getattr(interval, k)) for k in ("mean", "low", "high")}
        return {
            "id": configuration.id,
            "values": configuration.values,
            "labels": configuration.labels,
            "seeds": 0 if runs is None else len(runs),
            "diverged": diverged,
            "metrics": metrics,
        }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
