"""The log bytes per picture in the estimate, compared with what the functions print."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from components.branches import BRANCHES
from costs import logs
from costs.estimate import BRANCH_METRICS
from handlers import format_converter, job_publisher, start, worker
from tests.costs.measured import handler_of
from tests.handlers.conftest import BUCKET, Context, Stack, job, sqs_event
from tests.handlers.pictures import picture

KEY = "master/2024/IMG_1234.jpg"
MESSAGE_ID = "8f507cfc-0000-4697-b07a-ac58fc914c95"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1"


def printed(logger: Logger, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return the stream of a logger in a warm process, with a trace as on Lambda."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    start.described()  # The first invocation of a process also logs its cold start.
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


@pytest.mark.parametrize("handler", list(map(handler_of, BRANCHES)), ids=[row.task for row in BRANCHES])
def test_a_worker_logs_about_the_estimated_bytes(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    handler: Callable[..., Any],
) -> None:
    """One line per picture and one line of metrics per batch are within 20 % of the estimate."""
    stream = printed(worker.logger, monkeypatch)
    stack.upload(KEY, picture())
    event = sqs_event(job(KEY))
    event["Records"][0]["messageId"] = MESSAGE_ID
    handler(event, Context())
    metrics = capsys.readouterr().out
    assert len(stream.getvalue()) == pytest.approx(logs.PICTURE_BYTES, rel=0.2)
    assert len(metrics) == pytest.approx(logs.BATCH_BYTES, rel=0.2)


def test_a_batch_has_the_estimated_number_of_metrics(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Each combination of a metric's name and a set of dimensions is billed as a metric."""
    stack.upload(KEY, picture())
    format_converter.handler(sqs_event(job(KEY)), Context())
    (line,) = capsys.readouterr().out.splitlines()
    (directive,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    assert len(directive["Metrics"]) * len(directive["Dimensions"]) == BRANCH_METRICS


def test_the_publisher_logs_about_the_estimated_bytes(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line per event is within 20 % of the estimate."""
    stream = printed(job_publisher.logger, monkeypatch)
    stack.upload(KEY, picture())
    entry = {"key": KEY, "size": 3_600_000, "eTag": "d" * 32}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": entry}}
    job_publisher.handler({"Records": [record]}, Context())
    assert len(stream.getvalue()) == pytest.approx(logs.JOB_BYTES, rel=0.2)
    assert len(stack.published()) == 1
