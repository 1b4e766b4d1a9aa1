"""Options that several benchmarks have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

images_option = click.option("--images", type=_FOLDER, help="Folder of pictures; drawn ones if not given.")
json_option = click.option("--json", "json_file", type=FILE, help="Also write everything here, as JSON.")
html_option = click.option("--html", "html_file", type=FILE, help="Also write a page here, and its plot beside it.")


def runs_option(default: int) -> Callable[[Any], Any]:
    """Return the option for the number of runs."""
    return click.option("--runs", default=default, show_default=True, help="Runs that count; one more warms up.")
