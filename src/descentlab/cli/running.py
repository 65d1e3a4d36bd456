"""``descentlab run`` for a person: the plan in words, live progress, the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from descentlab.cli import Stopped
from descentlab.cli.text import PIPED_WIDTH, download_progress, late_progress, print_json, say

if TYPE_CHECKING:
    from descentlab.studies.execute import Progress
    from descentlab.studies.plan import CohortPlan
    from descentlab.studies.run import Options, Prepared


def run(
    prepared: Prepared, out: str, options: Options, *, quiet: bool, report: bool,
    most_seeds: int | None = None,
) -> None:  # fmt: skip
    """Train with live progress, then write the report and print the answer table.

    With ``most_seeds`` seeds are added, up to that many, until all claims are decided.
    """
    from descentlab.store.folder import Folder
    from descentlab.studies.claims.until import looks
    from descentlab.studies.result import StudyResult
    from descentlab.studies.run import prepare

    if most_seeds is None:
        _train(prepared, out, options, quiet=quiet)
    else:
        for study in looks(prepared.study, Folder(out), most_seeds):
            if not quiet:
                say(f"look at {len(study.seeds)} seeds")
            growing = options._replace(more_seeds=True)
            _train(prepare(study, options), out, growing, quiet=quiet)
    result = StudyResult(out)
    if report:
        from descentlab.report.html import write_report

        shown = late_progress("evaluating test predictions")
        with contextlib.nullcontext() if quiet else shown as share:
            path = write_report(result, progress=share)
        if not quiet:
            from descentlab.report.terminal import summarise

            summarise(result)
            say(f"report: {path}")


def _train(prepared: Prepared, out: str, options: Options, *, quiet: bool) -> None:
    from descentlab.store.folder import Folder
    from descentlab.studies.run import execute

    try:
        if not quiet:
            _fetch(prepared)
        with contextlib.closing(execute(prepared, Folder(out), options)) as progress:
            if quiet:
                for _ in progress:
                    pass
            else:
                _follow(prepared, progress)
    except KeyboardInterrupt:
        raise Stopped from None  # the framework would exit by way of threads that still compute


def explain(prepared: Prepared, out: str, options: Options, as_json: bool) -> None:
    """Print the cohorts that would be trained: layout, compilations, memory, expected time."""
    from descentlab.engine.cost import COMPILE_SECONDS
    from descentlab.store.folder import Folder
    from descentlab.studies.run import explain_plan

    _fetch(prepared)
    plans, tally = explain_plan(prepared, Folder(out), options)
    rows = [_plan_row(plan) for plan in plans]
    asked = sum(sum(plan.updates) for plan in plans)
    seconds = sum(row["seconds"] for row in rows)
    total = {
        "runs": sum(row["runs"] + row["resumed"] for row in rows),
        "compilations": sum(row["compilations"] for row in rows),
        "seconds": seconds,
        "later_seconds": seconds * max(0, tally.steps - asked) / max(1, asked),
        "compile_seconds": sum(row["compilations"] for row in rows) * COMPILE_SECONDS,
    }
    if as_json:
        print_json({"cohorts": rows, "total": total})
    else:
        _print_plan(rows, total)


def _fetch(prepared: Prepared) -> None:
    """Fetch public data that is not here, with a progress bar; otherwise loading would wait."""
    from descentlab.data.listing import fetch_missing

    for name in dict.fromkeys(c.run.data.kind for c in prepared.configurations):
        with download_progress(name) as progress:
            fetch_missing(name, progress)


def _seconds(plan: CohortPlan) -> float:
    """Expected seconds of new runs, and of what interrupted ones have left."""
    from descentlab.engine.cost import seconds

    opened = sum(len(c.runs) for c in plan.open_chunks)
    total = 0.0
    for runs, updates in zip((len(plan.pending), opened), plan.updates, strict=True):
        if runs:
            share = updates / (runs * plan.cohort.training.steps)
            total += share * seconds(plan.cost, plan.cohort, plan.strategy, runs)
    return total


def _plan_row(plan: CohortPlan) -> dict[str, Any]:
    spec = plan.spec
    widths = {c.leaves[0].shape[0] for c in plan.open_chunks} | (
        {plan.strategy.width} if plan.pending else set()
    )
    starts = len({structure for structure, _ in plan.cohort.narrower.values()}) or 1
    minimised = spec.objective.minimised(spec.loss)
    return {
        "cohort": plan.cohort.name,
        "what": f"{spec.model.kind} · {minimised} · {spec.optimizer.kind} · {spec.batches.kind}",
        "runs": len(plan.pending),
        "resumed": sum(len(c.runs) for c in plan.open_chunks),
        "parameters": plan.cost.parameters,
        "updates": max((*plan.until.values(), 0)) or plan.cohort.training.steps,
        "strategy": str(plan.strategy),
        "chunks": len(plan.chunks) + len(plan.open_chunks),
        "compilations": starts + len(widths) * (2 if spec.record.predictions else 1),
        "bytes": plan.cost.run_bytes
        * plan.strategy.width
        * min(plan.strategy.lanes, max(1, len(plan.chunks))),
        "seconds": _seconds(plan),
    }


PLAN_HEADS = (
    "cohort", "what", ("runs", "right"), ("parameters", "right"), ("updates", "right"), "layout",
    ("chunks", "right"), ("programs", "right"), ("MB", "right"), ("s", "right"),
)  # fmt: skip


def _print_plan(rows: list[dict[str, Any]], total: dict[str, Any]) -> None:
    from descentlab.report.console import make_table, standard_output

    console = standard_output(PIPED_WIDTH)
    table = make_table(PLAN_HEADS, map(_plan_cells, rows), box=None, pad_edge=True)
    for index, column in enumerate(table.columns):
        column.no_wrap = index != PLAN_HEADS.index("what")
    console.print(table)
    later = (
        f" Then the search goes on, for about {total['later_seconds']:.0f} s."
        if total["later_seconds"]
        else ""
    )
    console.print(
        f"{total['runs']} runs in {len(rows)} cohorts; about {total['seconds']:.0f} s of training "
        f"(within a factor of two) and at most {total['compilations']} compilations "
        f"(about {total['compile_seconds']:.0f} s, less where they are in the cache). "
        f"Layout: FORM:WIDTHxLANES.{later}"
    )


def _plan_cells(row: dict[str, Any]) -> list[str]:
    return [
        row["cohort"].split("-")[0],
        row["what"],
        f"{row['runs']}" + (f" + {row['resumed']} resumed" if row["resumed"] else ""),
        f"{row['parameters']:,}",
        f"{row['updates']:,}",
        row["strategy"],
        str(row["chunks"]),
        str(row["compilations"]),
        f"{row['bytes'] / 1e6:.1f}",
        f"{row['seconds']:.1f}",
    ]


def _follow(prepared: Prepared, progress: Iterator[Progress]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    names = {c.id: ", ".join(c.labels.values()) or "the run" for c in prepared.configurations}
    study = prepared.study
    metric = study.report.metric if study.search is None else study.searched_metric
    best = _Best(metric)
    what = "trainings to a rung" if study.rungs else "runs"
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[now]}"),
    ]
    with Bars(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as bars:
        task = bars.add_task("preparing", total=1.0, left="", now="")
        for event in progress:
            best.see(event, _name(names, event))
            bars.update(
                task,
                completed=event.share,
                description=f"{event.runs_done}/{event.runs_planned} {what}"
                + (f", {event.diverged} diverged" if event.diverged else ""),
                left="" if event.remaining is None else f"{_time(event.remaining)} left",
                now=f"{_name(names, event)} · epoch {event.epoch:.3g}{best.text()}",
            )


def _name(names: dict[str, str], event: Progress) -> str:
    """Return a configuration's name; a search finds new ones on its way."""
    return names.get(event.configuration, event.configuration)


class _Best:
    """The best latest figure seen so far, by the primary metric; for the progress line alone."""

    def __init__(self, metric: str | None) -> None:
        self.metric = metric
        self.value: float | None = None
        self.name = ""

    def see(self, event: Progress, name: str) -> None:
        if not event.metrics:
            return
        self.metric = self.metric or next(reversed(event.metrics))
        value = event.metrics.get(self.metric)
        if value is None or value != value:
            return
        sign = -1 if self.metric.endswith("_loss") else 1
        if self.value is None or sign * value > sign * self.value:
            self.value, self.name = value, name

    def text(self) -> str:
        if self.value is None:
            return ""
        return f" · best so far: {self.metric} {self.value:.4g} ({self.name})"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
