"""`python -m local run`: send pictures through the pipeline."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from rich.console import Console

from components.config import StackConfig
from components.errors import NOT_AS_EXPECTED
from components.stack_file import region_of, stack_config
from local import garbage
from local.commands import stack_option
from local.emulator import starting
from local.errors import reported
from local.masters import find_masters
from local.samples import write_samples
from ops.text import counted


@click.command(name="run")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    default="out",
    show_default=True,
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Folder for the results.",
)
@stack_option
def run_command(paths: tuple[Path, ...], out: Path, stack: str) -> None:
    """Send pictures through the pipeline, and write a report.

    PATHS are files, or folders with files; without them, sample pictures are sent.

    Exits 0 if every picture has its outputs and record or a rejection that says why, 1 if one is unaccounted for or the
    pipeline did not start, 2 on a usage error.
    """
    console = Console()
    with reported(), tempfile.TemporaryDirectory() as samples, ThreadPoolExecutor(1) as ahead:
        config = stack_config(stack)
        prefix = StackConfig.parse(config).master_prefix
        with starting(region_of(config)) as emulator:
            masters = ahead.submit(_masters, paths, Path(samples), prefix, console)
            # Imported while the emulator starts and the samples are drawn, because it takes as long as those.
            with garbage.kept():
                from local import run, summary  # noqa: PLC0415

            found = run.run(emulator, masters.result, out, stack, config, console=console)
    summary.print_summary(found, out, console)
    sys.exit(NOT_AS_EXPECTED if found["unaccounted"] else 0)


def _masters(paths: tuple[Path, ...], samples: Path, prefix: str, console: Console) -> dict[str, Path]:
    """Return the files to send by key: those at `paths`, else samples, which are drawn into a folder."""
    if not paths:
        write_samples(samples)
    skipped: list[Path] = []
    masters = find_masters(paths or [samples], prefix, skipped)
    if skipped:
        why = "hidden, not a regular file, or with a name that is not printable text"
        console.print(f"Skipped {counted(len(skipped), 'file')}: {why}", markup=False, soft_wrap=True)
    return masters
