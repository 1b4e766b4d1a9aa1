"""A stack's bucket, queues and tables in this process's memory, by moto."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws

REGION: Final = "eu-central-1"
Clients = Callable[[str], Any]


@contextmanager
def account(monkeypatch: pytest.MonkeyPatch, bucket: str) -> Iterator[Clients]:
    """Create an account with a bucket; yield a function that returns clients."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        clients: Clients = functools.cache(lambda service: boto3.client(service, region_name=REGION))
        clients("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield clients


def make_queue(clients: Clients, name: str) -> str:
    """Create a queue; return its URL."""
    url: str = clients("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def make_table(dynamodb: Any, name: str) -> str:
    """Create a table with a picture's name as partition key; return the table's name."""
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name
