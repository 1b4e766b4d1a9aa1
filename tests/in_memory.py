"""A stack's bucket, queues and tables in this process's memory, by moto."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws
from moto.core.base_backend import BaseBackend
from moto.core.botocore_stubber import BotocoreStubber

REGION: Final = "eu-central-1"
Clients = Callable[[str], Any]

# moto lists the patterns of a service's URLs again for each call, which takes a quarter of the call.
_urls = functools.cached_property(BaseBackend.urls.fget)  # type: ignore[attr-defined]
_urls.__set_name__(BaseBackend, "urls")
BaseBackend.urls = _urls  # type: ignore[method-assign,assignment]

_one_at_a_time, _process_request = threading.RLock(), BotocoreStubber.process_request


def _process_alone(stubber: BotocoreStubber, request: Any) -> Any:
    with _one_at_a_time:
        return _process_request(stubber, request)


# moto's tables are not safe for threads: a read fails if another thread adds an attribute meanwhile.
BotocoreStubber.process_request = _process_alone  # type: ignore[method-assign,assignment]


@functools.cache
def client(service: str) -> Any:
    """Return a client, which all tests of a process share: to make one takes 0.2 s, and moto serves any."""
    return _session().client(service)  # type: ignore[call-overload]


@functools.cache
def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)  # noqa: S106


@contextmanager
def account(monkeypatch: pytest.MonkeyPatch, bucket: str) -> Iterator[Clients]:
    """Create an account with a bucket; yield a function that returns clients."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield client


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
