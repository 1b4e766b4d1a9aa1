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
from costs.console import text_console
from local import garbage
from local.commands import stack_option
from local.emulator import Emulator
from local.errors import reported
from local.masters import find_masters
from local.output_folder import cleared
from local.samples import write_samples
from ops import interrupts
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
    console = text_console()
    with reported(), tempfile.TemporaryDirectory() as drawn, ThreadPoolExecutor(1) as ahead:
        config = stack_config(stack)
        region, prefix = region_of(config), StackConfig.parse(config).master_prefix
        # Files and folder are checked before the emulator starts, which takes seconds.
        given = _masters(paths, prefix, console) if paths else {}
        with cleared(out, given.values() or [Path(drawn)]), Emulator(region, ready=False) as emulator:
            masters = ahead.submit(lambda: given or _samples(Path(drawn), prefix))
            # Imported while the emulator starts and the samples are drawn, because it takes as long as those.
            with garbage.kept(), interrupts.deferred():
                from local import run, summary  # noqa: PLC0415

            found = run.run(emulator, masters.result, out, stack, config, console=console)
    summary.print_summary(found, out, console)
    sys.exit(NOT_AS_EXPECTED if found["unaccounted"] else 0)


def _samples(folder: Path, prefix: str) -> dict[str, Path]:
    """Draw sample pictures into a folder and return them by key."""
    write_samples(folder)
    return find_masters([folder], prefix)


def _masters(paths: tuple[Path, ...], prefix: str, console: Console) -> dict[str, Path]:
    """Return the files at `paths` by key; print how many are skipped."""
    skipped: list[Path] = []
    masters = find_masters(paths, prefix, skipped)
    if skipped:
        why = (
            "hidden, not a regular file, or with a name that is not UTF-8, has control characters or is too long for S3"
        )
        console.print(f"Skipped {counted(len(skipped), 'file')}: {why}", soft_wrap=True)
    return masters
