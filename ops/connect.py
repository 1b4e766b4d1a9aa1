"""Connect to a deployed stack: on AWS by its Pulumi outputs, or the one that `python -m local up` keeps running."""

import json
import subprocess
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.config import Config

from ops import loopback
from ops.endpoint import listens
from ops.stack import DeployedStack

# `python -m local up` writes its address here while it runs.
RUNNING = Path(__file__).parent.parent / ".cache" / "local.json"


def connect(stack: str | None, *, local: bool) -> DeployedStack:
    """Return the stack that the command's options name.

    Raises: click.UsageError, if they name no stack, two, or one that does not exist.
    """
    if local == bool(stack):
        raise click.UsageError(
            "expected --stack NAME, for a stack on AWS, or --local, for the one that runs here, "
            f"got {'both' if local else 'neither'}: name one stack"
        )
    if local:
        return _local()
    outputs = _pulumi_outputs(str(stack))
    try:
        # The environment may name another region.
        region = outputs["topic"].split(":")[3]
        return DeployedStack.from_outputs(
            outputs,
            lambda name: boto3.client(name, region_name=region, config=_config(name)),  # type: ignore[call-overload]
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise click.UsageError(
            f"expected this project's outputs, got stack {stack!r} without a valid {error}: run `pulumi up` first."
        ) from error


def running() -> dict[str, Any]:
    """Return what `python -m local up` announces: the clients' options, the stack's outputs, the functions' log groups.

    Raises: click.UsageError, if none runs, or its file cannot be read.
    """
    if not RUNNING.is_file():
        raise _not_running()
    try:
        found: dict[str, Any] = json.loads(RUNNING.read_text())
        DeployedStack.from_outputs(found["outputs"], found["client"].get)
        endpoint: str = found["client"]["endpoint_url"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.UsageError(
            f"expected a file that `python -m local up` writes, got {RUNNING}: remove it and start the stack again"
        ) from error
    if not listens(endpoint):  # A process that is killed leaves its file behind.
        raise _not_running(f" at {endpoint}")
    return found


def _not_running(where: str = "") -> click.UsageError:
    return click.UsageError(
        f"expected a running local stack, got none{where}: start one in another terminal with `python -m local up`"
    )


def _local() -> DeployedStack:
    found, session = running(), loopback.session()
    proxies = Config(proxies=loopback.NO_PROXIES)

    def client(name: str) -> Any:
        return session.client(name, config=proxies.merge(_config(name)), **found["client"])  # type: ignore[call-overload]

    return DeployedStack.from_outputs(found["outputs"], client)


def _config(service: str) -> Config:
    """Return a client's settings: S3 signs forms and links for the bucket's own host name, which never redirects."""
    return Config(signature_version="s3v4", s3={"addressing_style": "virtual"}) if service == "s3" else Config()


def _pulumi_outputs(stack: str) -> dict[str, Any]:
    """Return a stack's outputs from the Pulumi CLI."""
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise click.UsageError(
            "--stack: expected the Pulumi CLI on the PATH, to read the stack's outputs, got none: install it"
        ) from error
    if done.returncode:
        raise click.UsageError(f"Pulumi cannot read the outputs of {stack!r}:\n{done.stderr.strip()}")
    try:
        outputs: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise click.UsageError(f"expected JSON from Pulumi, got {done.stdout[:200]!r}") from error
    return outputs
