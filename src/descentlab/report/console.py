"""What all text for the terminal shares: the console, the width of prose, plain tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 160  # columns where standard output is no terminal
PROSE_WIDTH = 100


def standard_output(piped_width: int = PIPED_WIDTH) -> Console:
    """Return a console on standard output, wide where that is no terminal.

    A file or another program has no window; at the usual 80 columns tables would be cut.
    """
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=piped_width)


def prose_width(console: Console) -> int:
    """Return the columns in which sentences are easy to read."""
    return min(console.width, PROSE_WIDTH)


def fits(console: Console, table: Table) -> bool:
    """Whether no cell of a table need be wrapped or cut."""
    from rich.measure import Measurement

    wide = console.options.update(max_width=10_000)
    return Measurement.get(console, wide, table).maximum <= console.width


def make_table(
    heads: Sequence[str | tuple[str, str]],
    rows: Iterable[Iterable[Any]],
    styles: Sequence[str] = (),
    **look: Any,
) -> Table:
    """Return a table with a rule below its bold headings and no other line.

    Args:
        heads: a heading each, or a heading and its side ('left' or 'right').
        rows: texts, or Rich's texts where a cell has its own style; brackets in a name are
            no markup.
        styles: of the rows; none by default.
        look: what Rich's table is told instead, such as ``box=None`` for no rule.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    own: dict[str, Any] = {"box": box.SIMPLE_HEAD, "pad_edge": False, "show_edge": False}
    table = Table(header_style="bold", **(own | look))
    for head in heads:
        name, side = (head, "left") if isinstance(head, str) else head
        table.add_column(Text(name), justify=side)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    for row, style in zip(table.rows, styles, strict=bool(styles)):
        row.style = style
    return table
