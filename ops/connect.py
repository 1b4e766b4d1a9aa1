"""Finding a deployed stack: on AWS by its Pulumi outputs, or the one that `python -m local up` keeps running."""

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import boto3
import click

from ops.stack import Stack

# Where `python -m local up` says where it is, for as long as it runs.
RUNNING = Path(__file__).parent.parent / ".cache" / "local.json"


def connect(stack: str | None, *, local: bool) -> Stack:
    """Return the stack that the command's words name.

    Raises: click.UsageError, where they name none, two, or one that is not there.
    """
    if local == bool(stack):
        raise click.UsageError("Name one stack: --stack NAME for one on AWS, or --local for the one that runs here.")
    if local:
        return _local()
    return Stack.from_outputs(_pulumi_outputs(str(stack)), functools.cache(_aws_client))


def _local() -> Stack:
    if not RUNNING.is_file():
        raise click.UsageError("No local stack is running; start one in another terminal with `python -m local up`.")
    running: dict[str, Any] = json.loads(RUNNING.read_text())

    @functools.cache
    def client(service: str) -> Any:
        return boto3.client(service, **running["client"])  # type: ignore[call-overload]

    return Stack.from_outputs(running["outputs"], client)


def _aws_client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def _pulumi_outputs(stack: str) -> dict[str, Any]:
    """Return a stack's outputs from the Pulumi CLI, and take its region where the environment names none."""
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise click.UsageError("--stack needs the Pulumi CLI on the PATH, which knows the stack's outputs.") from error
    if done.returncode:
        raise click.UsageError(f"Pulumi does not know the outputs of {stack!r}:\n{done.stderr.strip()}")
    outputs: dict[str, Any] = json.loads(done.stdout)
    os.environ.setdefault("AWS_DEFAULT_REGION", outputs["topic"].split(":")[3])
    return outputs
