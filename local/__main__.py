"""`python -m local`: the unchanged program on one machine, without AWS, Docker or the Pulumi CLI."""

import contextlib
import itertools
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.config import ConfigError, StackConfig
from components.lambda_package import PackageError
from components.stack_file import region_of, stack_config
from local import results
from local.announcement import AlreadyRunningError, alone, announced
from local.deployment import Deployment, DeploymentError
from local.emulator import CREDENTIALS, Emulator, EmulatorError, interrupt_when_terminated
from local.masters import NoMastersError, find_masters
from local.run import run
from local.samples import write_samples

USAGE_ERRORS = (ConfigError, NoMastersError, results.OutputFolderError)
FAILURES = (AlreadyRunningError, DeploymentError, EmulatorError, PackageError)
UNACCOUNTED, USAGE = 1, 2

stack_option = click.option(
    "--stack", default="local", show_default=True, help="The stack whose Pulumi.<stack>.yaml is used."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the pipeline on this machine."""
    # A terminated run must stop what it started, as an interrupted one does.
    interrupt_when_terminated()


@main.command(name="run")
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
    """Send every file at or below PATHS through the pipeline; without PATHS, sample pictures.

    Exits 0 if every picture has its outputs and record or a rejection that says why, 1 if one is unaccounted for or the
    pipeline did not start, 2 on a usage error.
    """
    console = Console()
    with tempfile.TemporaryDirectory() as samples:
        try:
            if not paths:
                write_samples(Path(samples))
            config = StackConfig.parse(stack_config(stack))
            masters = find_masters(paths or [Path(samples)], config.master_prefix)
            summary = run(masters, out, stack, console)
        except USAGE_ERRORS as error:
            _fail(str(error), USAGE)
        except FAILURES as error:
            _fail(str(error), UNACCOUNTED)
    _print(summary, out, console)
    sys.exit(UNACCOUNTED if summary["unaccounted"] else 0)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the emulator; a free one unless given.")
@stack_option
def up(port: int | None, stack: str) -> None:
    """Deploy the program and keep it running until Ctrl-C."""
    try:
        config = stack_config(stack)
        with alone(), Emulator(region_of(config), port) as emulator:
            deployment = Deployment(emulator)
            deployment.deploy(stack, config)
            with announced(emulator, deployment.outputs), contextlib.suppress(KeyboardInterrupt):
                _describe(emulator, deployment.outputs)
                signal.pause()
    except USAGE_ERRORS as error:
        _fail(str(error), USAGE)
    except FAILURES as error:
        _fail(str(error), UNACCOUNTED)


def _describe(emulator: Emulator, outputs: dict[str, Any]) -> None:
    """Print what a second terminal needs."""
    click.echo(
        f"export AWS_ENDPOINT_URL={emulator.endpoint}\n"
        f"export AWS_DEFAULT_REGION={emulator.region}\n"
        f"export AWS_ACCESS_KEY_ID={CREDENTIALS['aws_access_key_id']}\n"
        f"export AWS_SECRET_ACCESS_KEY={CREDENTIALS['aws_secret_access_key']}\n"
        f"{outputs['uploadCommand']}\n\n{json.dumps(outputs, indent=2)}\n\n"
        "Paste the lines above into another terminal. Ctrl-C stops the emulator, and all that is in it is gone."
    )


def _print(summary: dict[str, Any], out: Path, console: Console) -> None:
    counts = Table(title=f"{summary['masters']} masters, {summary['images_per_second']} images per second")
    for heading in ("masters", "outputs", "records", "rejected", "unaccounted"):
        counts.add_column(heading, justify="right")
    counts.add_row(
        *(str(summary[key]) for key in ("masters", "outputs", "records", "rejected")), str(len(summary["unaccounted"]))
    )
    console.print(counts)

    calls = Table("function", title="Functions")
    for heading in ("invocations", "median ms", "longest ms", "total s"):
        calls.add_column(heading, justify="right")
    for name, found in summary["functions"].items():
        times = (f"{found['median_ms']:.0f}", f"{found['max_ms']:.0f}", f"{found['total_ms'] / 1000:.1f}")
        calls.add_row(name, str(found["invocations"]), *times)
    console.print(calls)

    if summary["rejections"]:
        reasons = Table("rejected", "by", "reason", title="Rejections")
        by_reason = itertools.groupby(summary["rejections"], lambda found: (found["key"], found["message"]))
        for (key, message), found in by_reason:
            reasons.add_row(escape(key), "\n".join(rejection["branch"] for rejection in found), escape(message))
        console.print(reasons)
    stages = ", ".join(f"{stage} {seconds} s" for stage, seconds in summary["seconds"].items())
    console.print(f"{stages}\nResults: {out}/report.html, {out}/summary.json", soft_wrap=True)
    for key in summary["unaccounted"]:
        console.print(f"Unaccounted for: {key}", style="red", markup=False, soft_wrap=True)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main(prog_name="python -m local")
