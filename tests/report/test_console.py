"""The console and the plain tables that all text for the terminal shares."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from descentlab.report.console import fits, make_table, prose_width, standard_output


def printed(table) -> list[str]:
    sink = io.StringIO()
    Console(file=sink, width=80).print(table)
    return [line.rstrip() for line in sink.getvalue().splitlines()]


def test_a_rule_below_the_headings_and_none_where_none_is_wanted() -> None:
    heads, rows = ["name", ("n", "right")], [["a", "10"], ["b", "7"]]
    assert printed(make_table(heads, rows)) == ["name    n", "─────────", "a      10", "b       7"]
    assert printed(make_table(heads, rows, box=None)) == ["name   n", "a     10", "b      7"]


def test_brackets_in_names_are_no_markup() -> None:
    lines = printed(make_table(["[bold]"], [["[red]x[/red]"], [Text("[dim]")]], box=None))
    assert lines == ["[bold]", "[red]x[/red]", "[dim]"]


def test_every_row_has_its_style_or_none_has() -> None:
    table = make_table(["a"], [["1"], ["2"]], ["bold", ""])
    assert [row.style for row in table.rows] == ["bold", ""]
    with pytest.raises(ValueError, match="shorter"):
        make_table(["a"], [["1"], ["2"]], ["bold"])


def test_a_table_fits_if_nothing_is_cut() -> None:
    table = make_table(["a", "b"], [["x" * 20, "y" * 20]])
    assert fits(Console(width=43), table) and not fits(Console(width=42), table)


def test_piped_text_has_room_and_prose_stays_narrow(monkeypatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert (standard_output().width, standard_output(140).width) == (160, 140)
    assert (prose_width(Console(width=160)), prose_width(Console(width=60))) == (100, 60)
