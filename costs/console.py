"""Where texts and tables are printed."""

from rich.console import Console

WIDTH = 160


def text_console(width: int | None = None) -> Console:
    """Return a console that prints texts as they are: in a path or a key, `[red]` and `:cat:` stay what they are."""
    return Console(markup=False, emoji=False, width=width)


def wide_console(width: int = WIDTH) -> Console:
    """Return a console as wide as its terminal or, where there is none, as tables need."""
    console = text_console()
    return console if console.is_terminal else text_console(width)
