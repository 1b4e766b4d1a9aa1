"""`make smoke STACK=dev`: deploy into an AWS account, upload and replace masters, audit, and destroy the stack.

It costs cents, and creates one KMS key, which is deleted a week later. It runs only on a stack without resources.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from benchmarks.memory.boundary import costliest_png
from benchmarks.photos import drawn
from components.branches import BRANCHES
from components.stack_file import ROOT
from ops.audit import Account, audit
from ops.connect import connect
from ops.stack import DeployedStack
from tests.engine.cli import PulumiFailedError, PulumiStack

PREFIX = "smoke/"
TIMEOUT_S = 300
NOTICED_S = 600
"""Twice the time that S3 usually takes until it sends the events of a new notification."""
POLL_S = 5
KEY_KEPT_DAYS = 7
"""The shortest period that KMS allows."""
PHOTO_PX = (1200, 800)
# A third more pixels than `maxPixels` by default, in the form that needs the most memory, in a file of 2 MB.
TOO_LARGE_PX = (10_000, 8_500)


class SmokeError(Exception):
    """The stack cannot be used, or a picture has an unexpected outcome."""


@dataclass(frozen=True, kw_only=True)
class SmokeUpload:
    """A master, its storage options, and its expected outcome in the branches that decode: `done` or `rejected`."""

    name: str
    body: Callable[[], bytes]
    outcome: str
    storage: Mapping[str, str] = field(default_factory=dict)


def photo() -> bytes:
    """Return a photograph as JPEG."""
    return drawn(PHOTO_PX)


def uploads(kms_key: str) -> list[SmokeUpload]:
    """Return four masters: a good one, one too large, one encrypted with an inaccessible key, and an archived one."""
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    return [
        SmokeUpload(name="good.jpg", body=photo, outcome="done"),
        SmokeUpload(name="too-large.png", body=lambda: costliest_png(*TOO_LARGE_PX), outcome="rejected"),
        SmokeUpload(name="encrypted.jpg", body=photo, outcome="rejected", storage=encrypted),
        SmokeUpload(name="archived.jpg", body=photo, outcome="rejected", storage={"StorageClass": "GLACIER"}),
    ]


def upload(stack: DeployedStack, masters: list[SmokeUpload]) -> None:
    """Upload the masters to the stack's bucket."""
    for master in masters:
        key = f"{stack.layout.master}{PREFIX}{master.name}"
        stack.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=master.body(), **master.storage)


def upload_until_noticed(
    stack: DeployedStack, master: SmokeUpload, timeout_s: float = NOTICED_S, poll_s: float = POLL_S
) -> None:
    """Upload a master again and again until it has a record, because a new bucket sends no events at first.

    Source: S3's user guide, "Using Amazon SQS, Amazon SNS, and Lambda".

    Raises: SmokeError, if it has none after `timeout_s`.
    """
    name = stack.layout.name(f"{stack.layout.master}{PREFIX}{master.name}")
    deadline = time.monotonic() + timeout_s
    while stack.records.read(name) is None:
        if time.monotonic() > deadline:
            raise SmokeError(
                f"expected a record of {master.name} within {timeout_s:.0f} s, got none: see job-publisher's log"
            )
        upload(stack, [master])
        time.sleep(poll_s)


def faults(masters: list[SmokeUpload], accounts: list[Account]) -> list[str]:
    """Return a line for each master that does not have its expected outcome yet."""
    by_name = {account.key.rpartition("/")[2]: account for account in accounts}
    return [fault for master in masters if (fault := _fault(master, by_name.get(master.name)))]


def wait(stack: DeployedStack, masters: list[SmokeUpload], timeout_s: float = TIMEOUT_S) -> None:
    """Wait until each master has its expected outcome.

    Raises: SmokeError, if a master has another outcome after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while found := faults(masters, list(audit(stack, PREFIX))):
        if time.monotonic() > deadline:
            raise SmokeError("\n".join(found))
        time.sleep(min(POLL_S, timeout_s))


def empty(stack: DeployedStack) -> None:
    """Delete all objects and versions of the bucket, because S3 deletes only empty buckets."""
    s3 = stack.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=stack.bucket):
        for entry in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            s3.delete_object(Bucket=stack.bucket, Key=entry["Key"], VersionId=entry["VersionId"])


def smoke(pulumi: PulumiStack, find: Callable[[], DeployedStack]) -> None:
    """Deploy, upload, audit and destroy; `find` returns the deployed stack.

    Raises: SmokeError, PulumiFailedError.
    """
    if resources := pulumi.resources():
        raise SmokeError(
            f"expected a stack without resources, got {pulumi.name} with {len(resources)}, which would be destroyed: "
            "make another with `pulumi stack init`"
        )
    try:
        pulumi.up()
        stack = find()
        try:
            with inaccessible_key(stack.client("kms")) as kms_key:
                masters = uploads(kms_key)
                upload_until_noticed(stack, masters[0])
                upload(stack, masters)
                wait(stack, masters)
                # S3 refuses the first write of each output of another state, because the output is there.
                upload(stack, masters[:1])
                wait(stack, masters)
        finally:
            empty(stack)
    finally:
        pulumi.destroy()


@contextlib.contextmanager
def inaccessible_key(kms: Any) -> Iterator[str]:
    """Yield the id of a key that no function may use, and schedule its deletion."""
    key: str = kms.create_key(Description="PixelCascade smoke test: may be deleted")["KeyMetadata"]["KeyId"]
    try:
        yield key
    finally:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_KEPT_DAYS)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.smoke", description=__doc__)
    parser.add_argument("--stack", required=True, help="a stack in an account of yours, without resources")
    name = parser.parse_args(arguments).stack
    try:
        smoke(
            PulumiStack(name=name, folder=ROOT, environment=os.environ),
            lambda: connect(name, local=False),
        )
    except (SmokeError, PulumiFailedError, click.ClickException) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("All four masters have the expected outcome, and the stack is destroyed.\n")
    return 0


def _fault(master: SmokeUpload, account: Account | None) -> str:
    states = account.states if account else {}
    wrong = [branch.name for branch in BRANCHES if branch.decodes and states.get(branch.name) != master.outcome]
    if account and account.accounted_for and not wrong:
        return ""
    got = ", ".join(f"{branch} {state}" for branch, state in states.items()) or "nothing"
    return (
        f"{master.name}: expected {master.outcome}, got {got}: see `python -m ops audit --all` and the functions' logs"
    )


if __name__ == "__main__":
    sys.exit(main())
