"""What the runs in a results folder recorded: final figures, curves, predictions."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from descentlab.core.errors import SpecError, StoreError, unknown
from descentlab.core.yaml import read_yaml
from descentlab.store.folder import Folder
from descentlab.store.provenance import read_provenance
from descentlab.store.segments import (
    KEYS,
    READINGS,
    query,
    read_segment,
    reading_names,
    segment_names,
)
from descentlab.studies import configurations as expansion
from descentlab.studies.configurations import Configuration
from descentlab.studies.spec import STUDY, Study

if TYPE_CHECKING:
    import pandas as pd


class Records:
    """The records in a results folder, finished or not; nothing is judged here.

    Args:
        folder: a results folder, as a path, a URL or a :class:`Folder`.

    Raises:
        StoreError: there is no study in the folder.
    """

    def __init__(self, folder: Folder | str | os.PathLike[str]) -> None:
        self.folder = folder if isinstance(folder, Folder) else Folder(folder)
        if not self.folder.exists(STUDY):
            raise StoreError(
                f"{self.folder} is no results folder (it has no study.yaml); "
                "'descentlab run' prints the folder that it writes"
            )
        self.resolved = read_yaml(self.folder.read(STUDY), self.folder.at(STUDY))
        self.study = Study.parse(self.resolved, file=self.folder.at(STUDY))

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, devices and sessions; see :mod:`descentlab.store.provenance`."""
        return read_provenance(self.folder)

    @property
    def configurations(self) -> list[Configuration]:
        """The study's configurations, in the order of their ids."""
        return self._configurations

    @cached_property
    def _configurations(self) -> list[Configuration]:
        return expansion.configurations(self.study)

    @property
    def factors(self) -> list[str]:
        """Names of what varies."""
        return expansion.factors(self.study)

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that any run records, such as ``test_accuracy``."""
        return self._metrics

    @cached_property
    def _metrics(self) -> list[str]:
        return self._columns(segment_names(self.folder), "segments")

    @property
    def readings(self) -> list[str]:
        """Names of what was read at every update of some run, such as ``learning_rate``."""
        return self._readings

    @cached_property
    def _readings(self) -> list[str]:
        return self._columns(reading_names(self.folder), READINGS)

    def _columns(self, segments: list[str], table: str) -> list[str]:
        names: dict[str, None] = {}
        one_a_cohort = {name.rsplit("-", 3)[0]: name for name in segments}
        for name in one_a_cohort.values():
            columns = read_segment(self.folder, name, rows=False, table=table).column_names
            names |= dict.fromkeys(column for column in columns if column not in KEYS)
        return list(names)

    @property
    def primary(self) -> str:
        """The metric that configurations are ranked by: the study's, or the last recorded.

        Raises:
            StoreError: nothing has been recorded yet.
        """
        if self.study.report.metric or not self.metrics:
            return self._known(self.study.report.metric or "")
        searched = self.study.search.metric if self.study.search is not None else None
        wanted = (
            searched,
            "validation_accuracy",
            "test_accuracy",
            "validation_loss",
            "test_loss",
            "train_loss",
        )
        return next((m for m in wanted if m in self.metrics), self.metrics[0])

    @cached_property
    def _frame(self) -> pd.DataFrame:
        import pandas as pd

        if not segment_names(self.folder):
            return pd.DataFrame(
                columns=["configuration", "seed", "diverged", "diverged_step", "step", "epoch"]
            )
        metrics = ", ".join(f'"{name}"' for name in self.metrics)
        frame = query(
            self.folder,
            f"""SELECT configuration, seed, diverged,
                       CASE WHEN diverged THEN step END AS diverged_step, step, epoch, {metrics}
                FROM segments WHERE last ORDER BY configuration, seed""",
        )
        if not self.readings:
            return frame
        last = self.readings_at(self.readings, "last")
        found = frame.merge(last, "left", ["configuration", "seed"])
        found.loc[found["diverged"], self.readings] = float("nan")
        return found

    def readings_at(self, names: Sequence[str], end: str) -> pd.DataFrame:
        """Return readings of each run at its ``first`` or ``last`` update, by their names."""
        return self._of_readings(names, "arg_min" if end == "first" else "arg_max", ", step")

    def _of_readings(self, names: Sequence[str], function: str, more: str = "") -> pd.DataFrame:
        """Return one row a run with a figure of all that was read of each name."""
        columns = ", ".join(f'{function}("{name}"{more}) AS "{name}"' for name in names)
        return query(
            self.folder,
            f"SELECT configuration, seed, {columns} FROM readings GROUP BY configuration, seed",
            table=READINGS,
        )

    def frame(self) -> pd.DataFrame:
        """Return one row a finished run, with each metric at its last record.

        Columns: ``configuration``, ``seed``, ``diverged``, ``diverged_step``, ``step``,
        ``epoch``, the metrics, and the readings at the last update; a diverged run's are NaN.
        """
        return self._frame.copy()

    def curves(self, metric: str, configurations: Sequence[str] | None = None) -> pd.DataFrame:
        """Return ``configuration, seed, step, epoch, value`` of a metric, a row a record.

        A reading has a row at every update; its ``step`` counts that update.

        Args:
            metric: a recorded metric, or a reading.
            configurations: ids of the configurations to return; all by default.
        """
        name = self._known(metric)
        wanted = ""
        if configurations is not None:
            known = {c.id for c in self.configurations}
            chosen = ", ".join(f"'{c}'" for c in configurations if c in known)
            wanted = f"AND configuration IN ({chosen or 'NULL'})"
        if name not in self.metrics:
            return self._reading(name, wanted)
        return query(
            self.folder,
            f"""SELECT configuration, seed, step, epoch, "{name}" AS value FROM segments
                WHERE NOT diverged AND "{name}" IS NOT NULL AND NOT isnan("{name}")
                {wanted} ORDER BY configuration, seed, step""",
            ["configuration", "seed", "step", "epoch", "diverged", name],
        )

    def _reading(self, name: str, wanted: str) -> pd.DataFrame:
        found = query(
            self.folder,
            f"""SELECT configuration, seed, step, "{name}" AS value FROM readings
                WHERE "{name}" IS NOT NULL {wanted} ORDER BY configuration, seed, step""",
            table=READINGS,
        )
        lengths = query(
            self.folder,
            """SELECT configuration, max(epoch / step) AS share FROM segments WHERE step > 0
               GROUP BY configuration""",
        )
        epoch = found["step"] * found["configuration"].map(lengths.set_index("configuration").share)
        found.insert(3, "epoch", epoch)
        return found

    def best_records(self, metric: str) -> pd.DataFrame:
        """Return one row a finished run with the best record of its curve."""
        name = self._known(metric)
        best = "min" if name.endswith("_loss") else "max"
        if name not in self.metrics:
            runs = self.frame()[["configuration", "seed", "diverged"]]
            return runs.merge(self._of_readings([name], best), "left", ["configuration", "seed"])
        return query(
            self.folder,
            f"""SELECT configuration, seed, bool_or(diverged) AS diverged,
                       {best}("{name}") FILTER (NOT isnan("{name}")) AS "{name}"
                FROM segments GROUP BY configuration, seed HAVING bool_or(last)
                ORDER BY configuration, seed""",
            ["configuration", "seed", "diverged", "last", name],
        )

    def same_curves(self, one: str, other: str, seeds: Sequence[int]) -> bool:
        """Return whether two configurations' records of these seeds are equal to the bit."""
        names = ", ".join(f'"{name}"' for name in self.metrics)
        chosen = ", ".join(map(str, seeds)) or "NULL"
        rows = f"SELECT seed, step, diverged, {names} FROM segments WHERE seed IN ({chosen})"
        first, second = (f"{rows} AND configuration = '{name}'" for name in (one, other))
        found = query(
            self.folder,
            f"""SELECT count(*) FROM (
                ({first} EXCEPT ALL {second}) UNION ALL ({second} EXCEPT ALL {first}))""",
        )
        return int(found.iloc[0, 0]) == 0

    def examples(self, metric: str) -> int | None:
        """Return how many examples an accuracy is measured on; None for other metrics."""
        part, _, what = metric.partition("_")
        counts = [d.get("examples", {}).get(part) for d in self.provenance.get("data", [])]
        return min(filter(None, counts), default=None) if what == "accuracy" else None

    def best(self, metric: str | None = None) -> Configuration:
        """Return the configuration with the best mean; one with diverged runs ranks behind.

        Losses are better when lower, everything else when higher. With one seed, or
        when intervals overlap, the best may differ from the second by chance alone.
        """
        name = self._known(metric or self.primary)
        frame = self.frame()
        if frame.empty:
            raise StoreError(f"{self.folder} has no finished run yet")
        sign = 1 if name.endswith("_loss") else -1
        groups = frame.groupby("configuration")
        ranking = sorted(
            (int(group["diverged"].sum()), sign * float(group[name].mean()), str(key))
            for key, group in groups
        )
        found = {c.id: c for c in self.configurations}
        return found[ranking[0][2]]

    def predictions(self, configuration: str, seed: int) -> pd.DataFrame | None:
        """Return a run's test predictions, or None if the study did not keep them."""
        import pyarrow.parquet as pq

        name = f"predictions/{configuration}-s{seed}.parquet"
        if not self.folder.exists(name):
            return None
        return pq.read_table(io.BytesIO(self.folder.read(name))).to_pandas()

    def _known(self, metric: str) -> str:
        known = [*self.metrics, *self.readings]
        if self.metrics and metric not in known:
            raise SpecError(unknown("metric", metric, known))
        if not self.metrics:
            raise StoreError(f"{self.folder} has no results yet; run the study first")
        return metric
