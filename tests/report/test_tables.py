from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from descentlab.report.answers import answers
from descentlab.report.tables import answer_table, pivots


def test_one_table_a_method_with_the_rate_down_and_the_momentum_across(
    fakes: ModuleType, tmp_path: Path
) -> None:
    result = fakes.logistic_descent(tmp_path)
    found = pivots(answers(result), result.study.report)
    assert [table.title for table in found.tables] == [
        "GD",
        "SGD",
        "GD + momentum",
        "GD + Nesterov",
        "SGD + momentum",
        "SGD + Nesterov",
    ]
    heavy = found.tables[4]
    assert heavy.row_labels == ("0.01", "0.1", "0.5", "1")
    assert heavy.column_labels == ("0.7", "0.8", "0.9")
    ids = {tuple(c.labels.values()): c.id for c in result.configurations}
    for label, cells in zip(heavy.row_labels, heavy.cells, strict=True):
        for momentum, cell in zip(heavy.column_labels, cells, strict=True):
            ident = ids["SGD + momentum", label, momentum]
            values = [result.runs[ident, seed]["train_loss"][-1] for seed in range(20)]
            assert cell.interval.mean == pytest.approx(np.mean(values))
    assert found.tables[0].column_labels == ("–",)


def test_one_cell_a_table_is_its_best_and_one_of_all(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.logistic_descent(tmp_path)
    found = answers(result)
    tables = pivots(found, result.study.report).tables
    for table in tables:
        cells = [cell for line in table.cells for cell in line]
        assert sum(cell.best_here for cell in cells) == 1
        marked = next(cell for cell in cells if cell.best_here)
        assert marked.interval.mean == min(cell.interval.mean for cell in cells)
    assert sum(cell.best for table in tables for line in table.cells for cell in line) == 1


def test_shades_run_from_the_worst_to_the_best(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.digits(tmp_path)
    table = pivots(answers(result), result.study.report).tables[0]
    cells = [cell for line in table.cells for cell in line]
    order = sorted(cells, key=lambda cell: cell.interval.mean)
    assert [cell.shade for cell in order] == sorted(cell.shade for cell in cells)
    assert (order[0].shade, order[-1].shade) == (0, 1)


def test_diverged_cells_say_so(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.with_divergence(tmp_path)
    (table,) = pivots(answers(result), result.study.report).tables
    assert str(table.cells[0][0]).startswith("diverged 2/5 (others 0.9")
    assert str(table.cells[1][1]) == "diverged 5/5"
    assert not table.cells[0][0].best_here


def test_cells_that_have_not_run_say_so(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.incomplete(tmp_path)
    (table,) = pivots(answers(result), result.study.report).tables
    assert str(table.cells[2][1]) == "not run yet"


def test_a_cell_of_several_configurations_shows_the_best(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.logistic_descent(tmp_path)
    spec = SimpleNamespace(by=(), rows="method", columns="optimizer.learning_rate")
    (table,) = pivots(answers(result), spec).tables
    assert table.picked
    cell = table.cells[table.row_labels.index("SGD + momentum")][0]
    assert cell.others == 2
    assert cell.row.labels["optimizer.momentum"] in {"0.7", "0.8", "0.9"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ((), "model.activation", "optimizer")),
        ({"columns": "optimizer"}, ((), "optimizer", None)),
        ({"by": ("optimizer",)}, (("optimizer",), "model.activation", None)),
    ],
)
def test_a_layout_that_says_little_is_completed(
    fakes: ModuleType, tmp_path: Path, spec: dict, expected: tuple
) -> None:
    found = pivots(answers(fakes.digits(tmp_path)), SimpleNamespace(**spec))
    assert (found.layout.by, found.layout.rows, found.layout.columns) == expected


def test_one_factor_needs_no_table_of_factors(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.mnist_ten(tmp_path)
    assert pivots(answers(result), result.study.report).tables == ()


def test_a_large_study_is_cut_and_says_so(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.large(tmp_path, configurations=2500, seeds=1)
    found = answers(result)
    table = answer_table(found, most=50)
    assert (len(table.head), len(table.tail), table.omitted) == (40, 10, 2450)
    assert table.head[0] is found.rows[0]
    assert table.tail[-1] is found.rows[-1]
    (pivot,) = pivots(found, result.study.report).tables
    assert (len(pivot.row_labels), len(pivot.column_labels)) == (40, 12)
    assert pivot.left_out.endswith("10 rows and 38 columns are left out.")
    assert any(cell.best for line in pivot.cells for cell in line)
    rates = [float(label) for label in pivot.row_labels]
    assert rates == sorted(rates)
