"""Tables on terminals of any width."""

import io

import pytest
from rich.console import Console

from costs.console import print_numbers

COLUMNS = ["MB", "how", *(f"p{number}" for number in range(50, 62)), "$ per million"]
ROWS = [
    [f"{size:,}", "measured", *(f"{size + number:,}.5" for number in range(12)), "1.58 (1.51 to 1.64)"]
    for size in (512, 10_240)
]


def printed(width: int, rows: list[list[str]] = ROWS) -> str:
    """Return a table as a console of some width shows it."""
    file = io.StringIO()
    print_numbers(Console(file=file, width=width, markup=False), COLUMNS, rows, title="resize")
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 300])
def test_no_cell_is_cut(width: int) -> None:
    """On a narrow terminal further columns follow below, each time after the first one; no line is too long."""
    lines = printed(width).splitlines()
    assert max(map(len, lines)) <= width
    for row in ROWS:
        shown = [cell for line in lines if row[0] in line for cell in line.strip("│ ").split(" │ ")]
        assert [cell.strip() for cell in shown if cell.strip() != row[0]] == row[1:]
    assert "…" not in printed(width)


def test_a_wide_terminal_gets_one_table() -> None:
    """The heading is printed once, at any width."""
    assert [printed(width).count("┏") for width in (300, 80)] == [1, 3]
    assert [printed(width).count("resize") for width in (300, 80)] == [1, 1]


def test_a_long_first_cell_is_wrapped() -> None:
    """It leaves half of the width to the other columns, and no letter of it is lost."""
    name = "x" * 90
    lines = printed(80, [[name, *ROWS[0][1:]]]).splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(lines).count("x") % 90 == 0


def test_a_cell_is_printed_as_it_is() -> None:
    """A picture may be called like a style of the console."""
    assert " [red].jpg " in printed(300, [["[red].jpg", *ROWS[0][1:]]])
