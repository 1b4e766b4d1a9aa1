"""`presign`: a signed form that uploads one master of a limited size without credentials."""

import shlex
from typing import Any

import click

from components.config import StackConfig
from ops.options import S3Key, check_master, stack_options
from ops.printing import print_json
from ops.stack import DeployedStack

EXPIRES_S = 3600
FILE_NAME = "${filename}"
"""What S3 replaces with the file's name in every field of a form. Source: Amazon S3 API Reference, POST Object."""


@click.command(name="presign")
@click.argument("key", type=S3Key())
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=StackConfig().max_bytes,
    show_default=True,
    help="The largest file that S3 accepts, in bytes.",
)
@click.option(
    "--expires",
    "expires_s",
    type=click.IntRange(1, 604_800),
    default=EXPIRES_S,
    show_default=True,
    help="Seconds for which the form is valid; temporary credentials may end it earlier.",
)
@stack_options
def presign_command(stack: DeployedStack, *, key: str, max_bytes: int, expires_s: int, as_json: bool) -> None:
    """Print how to upload a master without credentials.

    That is a curl command, or with --json the signed form, for one KEY and a limited time.
    """
    check_master(stack, key)
    if FILE_NAME in key:
        raise click.UsageError(
            f"expected a key without {FILE_NAME}, which S3 replaces with the file's name in a form, got {key!r}: "
            "choose another key, or upload with credentials"
        )
    form = presigned_post(stack, key, max_bytes=max_bytes, expires_s=expires_s)
    if as_json:
        print_json(form)
    else:
        click.echo(as_curl(form))


def presigned_post(
    stack: DeployedStack, key: str, *, max_bytes: int, expires_s: int = EXPIRES_S
) -> dict[str, dict[str, str]]:
    """Return the `url` to post to and the `fields` of the form; add an image's `Content-Type`, and `file` last.

    S3 refuses any other key, an empty file, a file of more than `max_bytes`, and an expired form.

    Raises: InvalidJobError, if the key is not a master's.
    """
    stack.layout.path(key)
    form: dict[str, dict[str, str]] = stack.client("s3").generate_presigned_post(
        Bucket=stack.bucket,
        Key=key,
        Conditions=[["content-length-range", 1, max_bytes], ["starts-with", "$Content-Type", "image/"]],
        ExpiresIn=expires_s,
    )
    return form


def as_curl(form: dict[str, Any]) -> str:
    """Return a command that uploads `picture.jpg`."""
    fields = {**form["fields"], "Content-Type": "image/jpeg", "file": "@picture.jpg"}
    return shlex.join(["curl", "--fail", *(word for pair in fields.items() for word in _field(*pair)), form["url"]])


def _field(name: str, value: str) -> tuple[str, str]:
    # --form reads a file if the value begins with @ or <.
    return ("--form" if name == "file" else "--form-string", f"{name}={value}")
