"""`python -m local up`: keep the stack running."""

import contextlib
import shlex
import sys
import time
from typing import Any

import click
from rich.console import Console

from components.stack_file import ROOT, region_of, stack_config
from local.announcement import alone, announced
from local.cascade import stack_of
from local.commands import FOLLOW_S, stack_option
from local.deployment import Deployment
from local.emulator import Emulator, EmulatorError
from local.errors import reported
from local.journal import FailureWatch
from local.live import live_page
from local.samples import write_samples

SAMPLE = "landscape.jpg"


@click.command(name="up")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the emulator; a free one unless given.")
@stack_option
def up_command(port: int | None, stack: str) -> None:
    """Deploy the program and keep it running until Ctrl-C."""
    with reported():
        config = stack_config(stack)
        with alone(), Emulator(region_of(config), port) as emulator:
            deployment = Deployment(emulator)
            with Console(stderr=True).status("Deploying the program"):
                deployment.deploy(stack, config)
            groups = deployment.log_groups()
            with (
                announced(emulator, deployment.outputs, groups),
                live_page(stack_of(deployment), groups) as page,
                contextlib.suppress(KeyboardInterrupt),
            ):
                describe(emulator, deployment.outputs, page)
                _watch(emulator, FailureWatch(emulator, groups))


def describe(emulator: Emulator, outputs: dict[str, Any], page: str) -> None:
    """Print what to do in a second terminal; every line works when it is pasted."""
    write_samples(emulator.folder / "samples")
    sample = emulator.folder / "samples" / SAMPLE
    bucket, prefix = outputs["bucket"], outputs["layout"]["master"]
    # Another terminal's `python` may lack the packages.
    python = shlex.quote(sys.executable)
    click.echo(
        f"MiniStack listens on {emulator.endpoint}.\n\n"
        f"Ready. Open {page} to drop pictures and watch them, or paste into another terminal (with AWS CLI 2):\n\n"
        f"  cd {shlex.quote(str(ROOT))}\n"
        f'  eval "$({python} -m local env)"\n'
        f"  aws s3 cp '{sample}' s3://{bucket}/{prefix}\n"
        f"  {python} -m local status\n"
        f"  {python} -m local outputs\n"
        f"  {python} -m ops audit --local --all\n\n"
        "Ctrl-C stops the emulator and deletes everything in it."
    )


def _watch(emulator: Emulator, failures: FailureWatch) -> None:
    """Print failures as they happen, until Ctrl-C or the emulator's end.

    Raises: EmulatorError, if the emulator ends by itself.
    """
    while emulator.running:
        for failure in failures.news():
            click.echo(f"Failed: {failure}", err=True)
        time.sleep(FOLLOW_S)
    raise EmulatorError("MiniStack ended by itself: start again with `python -m local up`.")
