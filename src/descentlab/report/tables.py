"""The answer table of a study, and tables of one factor against another, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers
from descentlab.report.answers import Answers, Row, lower_is_better
from descentlab.report.names import ABSENT, configuration_name, metric_name

MOST_TABLES = 24
MOST_ROWS = 40
MOST_COLUMNS = 12


@dataclass(frozen=True)
class Layout:
    """Which factors part the tables, and which one runs down and across each."""

    by: tuple[str, ...]
    rows: str
    columns: str | None


@dataclass(frozen=True)
class Cell:
    """One place in a table.

    Attributes:
        row: the best configuration of those that belong here, or None.
        interval: its primary metric.
        others: how many more configurations belong here (they differ in other factors).
        best: whether it is the best of the whole study.
        best_here: whether it is the best of its table.
        shade: 0 for the study's worst figure to 1 for its best, None without a figure.
    """

    row: Row | None
    interval: Interval | None = None
    others: int = 0
    best: bool = False
    best_here: bool = False
    shade: float | None = None

    @property
    def diverged(self) -> str:
        """How many runs diverged, such as 'diverged 2/5', or ''."""
        return (
            f"diverged {self.row.diverged}/{self.row.done}"
            if self.row and self.row.diverged
            else ""
        )

    @property
    def estimate(self) -> numbers.Estimate | None:
        """The mean and half the interval's width, as text."""
        if self.interval is None or not math.isfinite(self.interval.mean):
            return None
        return numbers.estimate(self.interval.mean, self.interval.half)

    def __str__(self) -> str:
        """Return the cell on one line, such as ``0.951 ± 0.004``."""
        if self.row is None:
            return ABSENT
        if not self.row.done:
            return "not run yet"
        if self.diverged:
            return self.diverged + (f" (others {self.estimate})" if self.estimate else "")
        return str(self.estimate or ABSENT)


@dataclass(frozen=True)
class Pivot:
    """One table: a metric for each value of one factor (down) and of another (across)."""

    key: tuple[tuple[str, str], ...]
    title: str
    metric: str
    row_factor: str
    column_factor: str
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    left_out: str = ""

    @property
    def picked(self) -> bool:
        """Whether a cell stands for several configurations."""
        return any(cell.others for line in self.cells for cell in line)


@dataclass(frozen=True)
class Pivots:
    """The tables of a study, and what was left out to keep them readable."""

    layout: Layout | None
    tables: tuple[Pivot, ...] = ()
    left_out: str = ""


@dataclass(frozen=True)
class AnswerTable:
    """The ranking of the configurations, its middle left out if it is long."""

    factors: tuple[str, ...]
    metrics: tuple[str, ...]
    head: tuple[Row, ...]
    tail: tuple[Row, ...] = ()
    omitted: int = 0

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row that is shown."""
        return self.head + self.tail


def answer_table(found: Answers, most: int = 200) -> AnswerTable:
    """Return the ranking, cut in the middle if it has more than ``most`` rows.

    The primary metric comes first.
    """
    factors = tuple(f for f in found.factors if any(f in row.labels for row in found.rows))
    metrics = tuple(sorted(found.metrics, key=lambda name: name != found.primary))
    rows = found.rows
    if len(rows) <= most:
        return AnswerTable(factors, metrics, rows)
    tail = min(10, most // 5)
    head = most - tail
    return AnswerTable(factors, metrics, rows[:head], rows[len(rows) - tail :], len(rows) - most)


def layout(found: Answers, spec: Any) -> Layout | None:
    """Return how tables are laid out: as the study says, or by its two or three factors."""
    factors = list(found.factors)
    by = tuple(getattr(spec, "by", ()) or ())
    rows, columns = getattr(spec, "rows", None), getattr(spec, "columns", None)
    if not by and not rows and not columns:
        if len(factors) not in (2, 3):
            return None
        return Layout(tuple(factors[:-2]), factors[-2], factors[-1])
    if rows is None and columns is not None:
        rows, columns = columns, None
    rest = [f for f in factors if f not in (*by, rows, columns)]
    if rows is None:
        if not rest:
            return None
        rows = rest.pop(0)
    return Layout(by, rows, columns)


def pivots(found: Answers, spec: Any) -> Pivots:
    """Return one table for each combination of the layout's ``by``, rows × columns.

    Where the study varies more factors than a table shows, a cell holds the best of
    the configurations that belong in it.
    """
    laid = layout(found, spec)
    if laid is None or not found.primary:
        return Pivots(None)
    order = _label_order(found)
    groups: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for row in found.rows:
        groups.setdefault(tuple((f, row.labels.get(f, ABSENT)) for f in laid.by), []).append(row)
    keys = sorted(groups, key=lambda key: [order[f].get(label, -1) for f, label in key])
    shades = _shades(found)
    tables = tuple(
        _pivot(found, laid, key, groups[key], order, shades) for key in keys[:MOST_TABLES]
    )
    missing = len(keys) - len(tables)
    return Pivots(laid, tables, f"{missing:,} more tables are left out." if missing > 0 else "")


def _label_order(found: Answers) -> dict[str, dict[str, int]]:
    """Return each factor's labels in the order of the study file (that of the ids)."""
    order: dict[str, dict[str, int]] = {factor: {} for factor in found.factors}
    for row in sorted(found.rows, key=lambda row: row.id):
        for factor, label in row.labels.items():
            order.setdefault(factor, {}).setdefault(label, len(order[factor]))
    return order


def _pivot(
    found: Answers,
    laid: Layout,
    key: tuple[tuple[str, str], ...],
    rows: Sequence[Row],
    order: Mapping[str, Mapping[str, int]],
    shades: Mapping[str, float],
) -> Pivot:
    assert found.primary
    places: dict[tuple[str, str], list[Row]] = {}
    for row in rows:  # best first, and so is every place's list
        across = row.labels.get(laid.columns, ABSENT) if laid.columns else ""
        places.setdefault((row.labels.get(laid.rows, ABSENT), across), []).append(row)
    down, rows_out = _kept((a for a, _ in places), order.get(laid.rows, {}), MOST_ROWS)
    across, columns_out = _kept(
        (b for _, b in places), order.get(laid.columns or "", {}), MOST_COLUMNS
    )
    top = rows[0].id if rows and rows[0].used and not rows[0].diverged else None
    cells = tuple(
        tuple(_cell(found, places.get((a, b), ()), top, shades) for b in across) for a in down
    )
    left_out = " and ".join(
        f"{number:,} {what}"
        for number, what in ((rows_out, "rows"), (columns_out, "columns"))
        if number
    )
    return Pivot(
        key,
        configuration_name(dict(key), found.factors) if key else "",
        found.primary,
        laid.rows,
        laid.columns or "",
        tuple(down),
        tuple(across),
        cells,
        f"Shown are the rows and columns with the best figures; {left_out} are left out."
        if left_out
        else "",
    )


def _kept(labels: Iterable[str], order: Mapping[str, int], most: int) -> tuple[list[str], int]:
    """Keep the labels that come first (rows are ranked, so the best), in the file's order."""
    distinct = list(dict.fromkeys(labels))
    kept = sorted(distinct[:most], key=lambda label: order.get(label, -1))
    return kept, len(distinct) - len(kept)


def _cell(
    found: Answers, rows: Sequence[Row], top: str | None, shades: Mapping[str, float]
) -> Cell:
    if not rows:
        return Cell(None)
    row = rows[0]
    interval = row.metrics.get(found.primary or "") if row.used else None
    best = found.best
    is_best = best is not None and row.id == best.id
    return Cell(row, interval, len(rows) - 1, is_best, row.id == top, shades.get(row.id))


def _shades(found: Answers) -> dict[str, float]:
    """Place each mean between the study's worst (0) and best (1); losses by their logarithm."""
    assert found.primary
    means = {
        row.id: row.metrics[found.primary].mean
        for row in found.rows
        if found.primary in row.metrics and not row.diverged and row.used
    }
    means = {key: mean for key, mean in means.items() if math.isfinite(mean)}
    if lower_is_better(found.primary) and all(mean > 0 for mean in means.values()):
        means = {key: -math.log(mean) for key, mean in means.items()}
    elif lower_is_better(found.primary):
        means = {key: -mean for key, mean in means.items()}
    if not means or max(means.values()) == min(means.values()):
        return {}
    low, high = min(means.values()), max(means.values())
    return {key: (mean - low) / (high - low) for key, mean in means.items()}


def column_names(table: AnswerTable, found: Answers) -> list[str]:
    """Return the headings of an answer table's factors and metrics."""
    return [found.factors[f] for f in table.factors] + [metric_name(m) for m in table.metrics]
