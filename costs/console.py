"""Where texts and tables are printed."""

from collections.abc import Collection, Sequence

from rich.console import Console
from rich.table import Table

WIDTH = 160
EDGE_WIDTH, GAP_WIDTH = 4, 3
"""Characters that lines and padding take: around a single column, and more for each further one."""


def text_console(width: int | None = None) -> Console:
    """Return a console that prints texts as they are: in a path or a key, `[red]` and `:cat:` stay what they are."""
    return Console(markup=False, emoji=False, width=width)


def wide_console(width: int = WIDTH) -> Console:
    """Return a console as wide as its terminal or, where there is none, as tables need."""
    console = text_console()
    return console if console.is_terminal else text_console(width)


def print_texts(console: Console, table: Table) -> None:
    """Print a table of texts; words that are too long for a narrow terminal continue in the next line."""
    for column in table.columns:
        column.overflow = "fold"
    console.print(table)


def print_numbers(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str | None = None,
    bad: Collection[int] = (),
) -> None:
    """Print a table of numbers, with names in its first column; the rows whose numbers are in `bad` are red.

    One that is too wide continues below with further columns, after the first one again.
    """
    widths = [max(map(len, [*name.split(), *(row[at] for row in rows)]), default=0) for at, name in enumerate(columns)]
    for part, shown in enumerate(_parts(widths, console.width)):
        table = Table(title=None if part else title, title_justify="left")
        for at in shown:
            table.add_column(columns[at], justify="right" if at else "left", min_width=widths[at] if at else None)
        for number, row in enumerate(rows):
            table.add_row(*(row[at] for at in shown), style="red" if number in bad else None)
        print_texts(console, table)


def _parts(widths: Sequence[int], most: int) -> list[list[int]]:
    """Split the columns into tables of at most `most` characters; each begins with the first column."""
    first = min(widths[0], most // 2) + EDGE_WIDTH
    parts, used = [[0]], first
    for at, width in enumerate(widths[1:], start=1):
        if used + width + GAP_WIDTH > most and len(parts[-1]) > 1:
            parts, used = [*parts, [0]], first
        parts[-1].append(at)
        used += width + GAP_WIDTH
    return parts
