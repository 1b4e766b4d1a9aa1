"""`python -m local env`, `outputs`, `logs` and `status`: what a running local stack is, and what it does."""

import contextlib
import json
import os
import re
import time

import click

from local.commands import FOLLOW_S
from local.emulator import HOST
from local.errors import LocalUsageError, reported
from local.journal import Journal
from ops.connect import connect, running
from ops.queues import messages
from ops.text import did_you_mean

STRONGER = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
"""Variables of a terminal set up for AWS that would override, or contradict, those of the local stack."""
OF_ONE_SERVICE = re.compile(r"AWS_ENDPOINT_URL_\w+", re.ASCII)
"""Variables that would override `AWS_ENDPOINT_URL`, such as `AWS_ENDPOINT_URL_S3`."""


@click.command(name="env")
def env_command() -> None:
    """Print the local stack's environment variables.

    They connect AWS CLI 2 and boto3 to it: eval "$(python -m local env)".
    """
    client = running()["client"]
    click.echo(f"unset {' '.join([*STRONGER, *filter(OF_ONE_SERVICE.fullmatch, os.environ)])}")
    click.echo(f"export AWS_ENDPOINT_URL={client['endpoint_url']}")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # The first is the AWS CLI's, the second boto3's.
        click.echo(f"export {name}={client['region_name']}")
    for name in ("NO_PROXY", "no_proxy"):
        click.echo(f'export {name}="{HOST}${{{name}:+,${name}}}"')
    for name in ("aws_access_key_id", "aws_secret_access_key"):
        click.echo(f"export {name.upper()}={client[name]}")


@click.command(name="outputs")
def outputs_command() -> None:
    """Print the local stack's outputs, as JSON."""
    click.echo(json.dumps(running()["outputs"], indent=2))


@click.command(name="logs")
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Print new lines until Ctrl-C.")
def logs_command(function: str | None, *, follow: bool) -> None:
    """Print the logs of all functions, or of FUNCTION."""
    groups: dict[str, str] = running()["logs"]
    with reported():
        if function and function not in groups:
            known = ", ".join(groups)
            raise LocalUsageError(f"expected one of {known}, got {function}{did_you_mean(function, groups)}")
    chosen = {function: groups[function]} if function else groups
    journal = Journal(logs=connect(None, local=True).client("logs"), groups=chosen)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for name, line in journal.lines():
                click.echo(line if function else f"{name}: {line}")
            if not follow:
                return
            time.sleep(FOLLOW_S)


@click.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status_command(*, as_json: bool) -> None:
    """Print how many messages wait in each queue, and how many failed."""
    stack = connect(None, local=True)
    queues = {"waiting": stack.queues, "failed": stack.dead_letter_queues}
    counts = {title: {name: messages(stack, [url]) for name, url in urls.items()} for title, urls in queues.items()}
    if as_json:
        click.echo(json.dumps(counts))
        return
    for title, found in counts.items():
        for name, count in found.items():
            click.echo(f"{title:8} {count:6} {name}")
