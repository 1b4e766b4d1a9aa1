"""AWS clients, made once per process and kept; a forked child makes its own."""

import functools
import logging
import os
import threading
from typing import TYPE_CHECKING, Any, cast

from handlers import start

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def s3() -> "S3Client":
    """Return this process's S3 client."""
    return cast("S3Client", _client("s3"))


def sns() -> "SNSClient":
    """Return this process's SNS client."""
    return cast("SNSClient", _client("sns"))


def sqs() -> "SQSClient":
    """Return this process's SQS client."""
    return cast("SQSClient", _client("sqs"))


def dynamodb() -> "DynamoDBClient":
    """Return this process's DynamoDB client."""
    return cast("DynamoDBClient", _client("dynamodb"))


def events() -> "EventBridgeClient":
    """Return this process's EventBridge client."""
    return cast("EventBridgeClient", _client("events"))


MAX_CONNECTIONS = 64
"""More than the threads of a batch need at once, so that no connection is closed and reopened."""

READ_SHARE, SHORTEST_READ_S, DEFAULT_TIMEOUT_S = 1 / 8, 2.0, 60
"""A read times out after this share of the function's time-out, so that its retries end before that."""

# Several threads may request a client at the same time, but boto3 cannot create two at the same time.
_making = threading.Lock()


def _client(service: str) -> Any:
    with _making:
        return _made(service, os.getpid())


@functools.cache
def _made(service: str, _process_id: int) -> Any:
    """Make a client; the process is part of the key, because two processes cannot share one connection."""
    # The import is slow: a process that calls no service should not pay for it.
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=3,
        read_timeout=_read_timeout_s(),
        retries={"mode": "standard", "total_max_attempts": 4},
        tcp_keepalive=True,
        max_pool_connections=MAX_CONNECTIONS,
        # A range has no checksum to check. Uploads have one, a CRC-32: it takes less time than the SHA-256 that signs a
        # body without a checksum, and a bucket with Object Lock's default retention demands one.
        response_checksum_validation="when_required",
    )
    client = _session().create_client(service, config=config)
    # A function needs nothing else before its first event.
    start.end()
    return client


def _read_timeout_s() -> float:
    """Return the seconds that a service may stay silent: a stalled read must not use up a batch's time."""
    return max(SHORTEST_READ_S, READ_SHARE * float(os.environ.get("FUNCTION_TIMEOUT_S", DEFAULT_TIMEOUT_S)))


@functools.cache
def _session() -> Any:
    """Return the session that makes clients: botocore's, because boto3 takes longer to import.

    On Lambda it keeps libraries from logging below WARNING. Where logs are JSON, Lambda sets the root logger to the
    functions' level; at DEBUG botocore logs hundreds of lines a picture, with the session token of the function's role.
    """
    import botocore.session  # noqa: PLC0415

    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        logging.getLogger().setLevel(logging.WARNING)

    return botocore.session.get_session()
