from __future__ import annotations

import io
import re
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from descentlab.report.terminal import show, summarise


def printed(result, width: int = 160, printer=show) -> str:
    sink = io.StringIO()
    printer(result, Console(file=sink, width=width, highlight=False))
    return sink.getvalue()


def test_the_answer_and_the_ranking(fakes: ModuleType, tmp_path: Path) -> None:
    text = printed(fakes.mnist_ten(tmp_path))
    assert "Sigmoid / CE / RMSProp has the highest mean final test accuracy" in text
    lines = [line for line in text.splitlines() if re.match(r"\s*\d+   ", line)]
    assert len(lines) == 10
    assert re.search(r" 1   Sigmoid / CE / RMSProp +0\.9\d+ ± 0\.\d+ +5 +0\.\d+", lines[0])
    assert "95 % t interval" in text


def test_decimal_points_stand_in_line(fakes: ModuleType, tmp_path: Path) -> None:
    text = printed(fakes.logistic_descent(tmp_path))
    table = text.split("Final train loss, GD + momentum")[1].split("Final")[0]
    rows = [line for line in table.splitlines() if "±" in line]
    assert len(rows) == 4
    assert len({line.index("±") for line in rows}) == 1
    assert table.count("◂") == 1


def test_tables_of_factors(fakes: ModuleType, tmp_path: Path) -> None:
    text = printed(fakes.with_divergence(tmp_path))
    assert "diverged 2/5 (others" in text
    assert "optimizer rmsprop" in text
    assert "7 diverged" in text


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_narrow_window_loses_metrics_and_not_digits(
    fakes: ModuleType, tmp_path: Path, width: int
) -> None:
    text = printed(fakes.mnist_ten(tmp_path), width)
    assert max(map(len, text.splitlines())) <= width
    if width >= 80:
        assert text.count(" ± 0.0") >= 10
        assert ("more metrics are in a wider window" in text) == (width < 120)


def test_a_long_ranking_is_cut(fakes: ModuleType, tmp_path: Path) -> None:
    text = printed(fakes.logistic_descent(tmp_path))
    assert "The best 12 of 56 configurations." in text


def test_what_is_missing_is_said(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.incomplete(tmp_path)
    assert "Incomplete: 33 of 45" in printed(result)
    result.runs = {}
    assert "no run is finished" in printed(result)


def test_markup_in_names_is_only_text(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.mnist_ten(tmp_path, seeds=1)
    result.study.name = "[red]name[/red]"
    result.configurations[8].labels["experiment"] = "[bold]x[/nothing]"
    text = printed(result)
    assert "[red]name[/red]" in text
    assert "[bold]x[/nothing]" in text
    assert "One seed: no intervals" in text
    assert "10 configurations × 1 seed, 10 runs" in text


def test_the_end_of_a_run_is_shorter(fakes: ModuleType, tmp_path: Path) -> None:
    text = printed(fakes.digits(tmp_path), printer=summarise)
    assert "has the highest mean" in text
    assert "Final test accuracy" not in text


def test_standard_output_by_default(fakes: ModuleType, tmp_path: Path, capsys) -> None:
    show(fakes.digits(tmp_path, seeds=2, epochs=2))
    assert "digits-optimizers" in capsys.readouterr().out
