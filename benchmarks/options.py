"""Options that several benchmarks have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from components.config import ConfigError, StackConfig
from components.stack_file import stack_config
from costs.number import Number
from ops.output_file import OutputFile

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE = OutputFile(dir_okay=False, writable=True, path_type=Path)


def number(least: float, most: float, unit: str) -> Number:
    """Return the type of an option that takes a number within inclusive bounds."""
    return Number(unit, least, most, f"{least:,g} to {most:,g} {unit}")


def _page(context: click.Context, option: click.Parameter, file: Path | None) -> Path | None:
    """Return the page's file, which must not be its plot's; that must be writable, too.

    Raises: click.BadParameter.
    """
    if file and file.suffix == ".png":
        raise click.BadParameter(f"expected a page such as {file.stem}.html, got {str(file)!r}, where the plot goes")
    if file:
        FILE.convert(file.with_suffix(".png"), option, context)
    return file


images_option = click.option("--images", type=FOLDER, help="Folder of pictures; generated ones if not given.")
json_option = click.option("--json", "json_file", type=FILE, help="Also write all results to this file, as JSON.")
html_option = click.option(
    "--html",
    "html_file",
    type=FILE,
    callback=_page,
    help="Also write a page to this file, and its plot beside it, as PNG.",
)
delay_option = click.option(
    "--delay",
    "delay_ms",
    default=30.0,
    type=number(0, 10_000, "milliseconds"),
    help="Milliseconds until S3 answers a call.",
)


def runs_option(default: int) -> Callable[[Any], Any]:
    """Return the option for the number of runs."""
    return click.option("--runs", default=default, type=click.IntRange(1), help="Measured runs; one more warms up.")


def _config_of(_context: click.Context, _option: click.Parameter, stack: str | None) -> StackConfig:
    """Return a stack's settings, or the defaults.

    Raises: click.BadParameter.
    """
    try:
        return StackConfig.parse(stack_config(stack)) if stack else StackConfig()
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error


def stack_option(help_text: str) -> Callable[[Any], Any]:
    """Return the option for a stack, whose settings the command gets as `config`."""
    return click.option("--stack", "config", callback=_config_of, help=help_text)
