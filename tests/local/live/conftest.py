"""A stack in memory for the live page, by moto, and the lines that its functions would log."""

import functools
import json
from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws

from components.branches import BRANCHES
from handlers.job import Layout
from local.journal import JournalEntry
from ops.stack import DeployedStack

REGION: Final = "eu-central-1"
BUCKET = "images"
SECOND = "2026-01-02 03:04:{:06.3f}+0000"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedStack]:
    """Make a bucket and all queues."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = functools.cache(lambda service: boto3.client(service, region_name=REGION))
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        names = [branch.name for branch in BRANCHES]
        failed = [*names, *(f"{name}-undelivered" for name in names), "job-publisher-failed"]
        yield DeployedStack(
            client=client,
            bucket=BUCKET,
            table="records",
            topic="topic",
            queues={name: _queue(client, name) for name in names},
            dead_letter_queues={name: _queue(client, f"{name}-dead") for name in failed},
            layout=Layout(),
            sizes=("thumbnail", "large"),
        )


def _queue(client: Any, name: str) -> str:
    url: str = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def entry(function: str, message: str, key: str | None, second: float, **fields: Any) -> JournalEntry:
    """Return a line of a function's log."""
    text = {"level": "INFO", "message": message, "timestamp": SECOND.format(second).replace(".", ","), **fields}
    found = {**text, "key": key} if key else text
    return JournalEntry(function=function, fields=found, line=json.dumps(found))
