"""`python -m local`: the unchanged program on one machine, without AWS, Docker or the Pulumi CLI."""

import contextlib
import json
import shlex
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from components.config import StackConfig
from components.errors import NOT_AS_EXPECTED, USAGE, ArgumentError
from components.lambda_package import PackageError
from components.stack_file import ROOT, region_of, stack_config
from local import results
from local.announcement import AlreadyRunningError, alone, announced
from local.cascade import messages, stack_of
from local.deployment import Deployment, DeploymentError
from local.emulator import CREDENTIALS, Emulator, EmulatorError, interrupt_when_terminated
from local.failures import FailureWatch
from local.journal import Journal
from local.masters import NoMastersError, find_masters
from local.program import preload
from local.run import run
from local.samples import write_samples
from local.summary import print_summary
from ops.connect import RUNNING, connect
from ops.nearest import did_you_mean

USAGE_ERRORS = (ArgumentError, NoMastersError, results.OutputFolderError)
FAILURES = (AlreadyRunningError, DeploymentError, EmulatorError, PackageError)
FOLLOW_S = 1.0
SAMPLE = "landscape.jpg"

stack_option = click.option(
    "--stack", default="local", show_default=True, help="The stack whose Pulumi.<stack>.yaml is used."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the pipeline on this machine."""
    # SIGTERM must stop the emulator too, as Ctrl-C does.
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
    """Send pictures through the pipeline, and write a report.

    PATHS are files, or folders with files; without them, sample pictures are sent.

    Exits 0 if every picture has its outputs and record or a rejection that says why, 1 if one is unaccounted for or the
    pipeline did not start, 2 on a usage error.
    """
    console = Console()
    with tempfile.TemporaryDirectory() as samples, ThreadPoolExecutor(1) as ahead:

        def find() -> dict[str, Path]:
            if not paths:
                write_samples(Path(samples))
            skipped: list[Path] = []
            masters = find_masters(paths or [Path(samples)], config.master_prefix, skipped)
            if skipped:
                console.print(f"Skipped: {len(skipped)} hidden, special or unnameable files", markup=False)
            return masters

        ahead.submit(preload)
        try:
            config = StackConfig.parse(stack_config(stack))
            summary = run(find, out, stack, console)
        except USAGE_ERRORS as error:
            _fail(str(error), USAGE)
        except FAILURES as error:
            _fail(str(error), NOT_AS_EXPECTED)
    print_summary(summary, out, console)
    sys.exit(NOT_AS_EXPECTED if summary["unaccounted"] else 0)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the emulator; a free one unless given.")
@stack_option
def up(port: int | None, stack: str) -> None:
    """Deploy the program and keep it running until Ctrl-C."""
    # Importing the page's server would delay `run`.
    from local.live import live_page  # noqa: PLC0415

    try:
        config = stack_config(stack)
        with alone(), Emulator(region_of(config), port) as emulator:
            deployment = Deployment(emulator)
            deployment.deploy(stack, config)
            groups = deployment.log_groups()
            with (
                announced(emulator, deployment.outputs, groups),
                live_page(stack_of(deployment), groups) as page,
                contextlib.suppress(KeyboardInterrupt),
            ):
                _describe(emulator, deployment.outputs, page)
                _watch(emulator, FailureWatch(logs=emulator.client("logs"), groups=groups))
    except USAGE_ERRORS as error:
        _fail(str(error), USAGE)
    except FAILURES as error:
        _fail(str(error), NOT_AS_EXPECTED)


@main.command(name="env")
def env_command() -> None:
    """Print the local stack's environment variables.

    They connect AWS CLI 2 and boto3 to it: eval "$(python -m local env)".
    """
    client = _running()["client"]
    click.echo(_exports(client["endpoint_url"], client["region_name"]))


@main.command(name="logs")
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Print new lines until Ctrl-C.")
def logs_command(function: str | None, *, follow: bool) -> None:
    """Print the functions' logs, or that of FUNCTION."""
    groups: dict[str, str] = _running()["logs"]
    if function and function not in groups:
        _fail(f"expected one of {', '.join(groups)}, got {function}{did_you_mean(function, groups)}", USAGE)
    chosen = {function: groups[function]} if function else groups
    journal = Journal(logs=connect(None, local=True).client("logs"), groups=chosen)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for name, line in journal.lines():
                click.echo(line if function else f"{name}: {line}")
            if not follow:
                return
            time.sleep(FOLLOW_S)


@main.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status_command(*, as_json: bool) -> None:
    """Print how many messages wait in each queue, and how many failed."""
    stack = connect(None, local=True)
    waiting = {name: messages(stack, [url]) for name, url in stack.queues.items()}
    failed = {name: messages(stack, [url]) for name, url in stack.dead_letter_queues.items()}
    if as_json:
        click.echo(json.dumps({"waiting": waiting, "failed": failed}))
        return
    for title, counts in (("waiting", waiting), ("failed", failed)):
        for name, count in counts.items():
            click.echo(f"{title:8} {count:6} {name}")


def _running() -> dict[str, Any]:
    """Return what the running local stack announced."""
    connect(None, local=True)  # Explains the error if none runs.
    found: dict[str, Any] = json.loads(RUNNING.read_text())
    return found


def _watch(emulator: Emulator, failures: FailureWatch) -> None:
    """Print failures as they happen, until Ctrl-C or the emulator's end.

    Raises: EmulatorError, if the emulator ends by itself.
    """
    while emulator.running:
        for failure in failures.news():
            click.echo(f"Failed: {failure}", err=True)
        time.sleep(FOLLOW_S)
    raise EmulatorError("MiniStack ended by itself: start again with `python -m local up`.")


def _describe(emulator: Emulator, outputs: dict[str, Any], page: str) -> None:
    """Print what a second terminal needs; every line works when it is pasted."""
    write_samples(emulator.folder / "samples")
    sample = emulator.folder / "samples" / SAMPLE
    bucket, prefix = outputs["bucket"], outputs["layout"]["master"]
    # Another terminal's `python` may lack the packages.
    python = shlex.quote(sys.executable)
    click.echo(
        f"{_exports(emulator.endpoint, emulator.region)}\n\n{json.dumps(outputs, indent=2)}\n\n"
        f"Ready. Open {page} to drop pictures and watch them, or paste into another terminal (with AWS CLI 2):\n\n"
        f"  cd {shlex.quote(str(ROOT))}\n"
        f'  eval "$({python} -m local env)"\n'
        f"  aws s3 cp '{sample}' s3://{bucket}/{prefix}\n"
        f"  {python} -m local status\n"
        f"  {python} -m ops audit --local --all\n\n"
        "Ctrl-C stops the emulator and deletes everything in it."
    )


def _exports(endpoint: str, region: str) -> str:
    return "\n".join(
        [
            f"export AWS_ENDPOINT_URL={endpoint}",
            f"export AWS_DEFAULT_REGION={region}",
            f"export AWS_ACCESS_KEY_ID={CREDENTIALS['aws_access_key_id']}",
            f"export AWS_SECRET_ACCESS_KEY={CREDENTIALS['aws_secret_access_key']}",
        ]
    )


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main(prog_name="python -m local")
