"""Where tables are printed."""

from rich.console import Console

WIDTH = 160


def wide_console(width: int = WIDTH) -> Console:
    """Return a console as wide as its terminal or, where there is none, as tables need."""
    console = Console()
    return console if console.is_terminal else Console(width=width)
