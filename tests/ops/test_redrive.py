"""Sending back what failed."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.errors import InvalidJobError
from ops import queues
from ops import redrive as module
from ops.queues import depth
from ops.redrive import redrive, waiting
from ops.stack import DeployedStack
from tests.ops.conftest import BRANCHES, BUCKET, Pipeline

JOB = json.dumps({"bucket": BUCKET, "key": "master/cat.png"})
EVENT = {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": "master/my+cat.png"}}}]}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at a queue once, without waiting for more."""
    monkeypatch.setitem(queues.RECEIVE, "WaitTimeSeconds", 0)


def fail(pipeline: Pipeline, queue: str, body: str = JOB) -> None:
    """Put a message into a queue of failures."""
    pipeline.client("sqs").send_message(QueueUrl=pipeline.stack.dead_letter_queues[queue], MessageBody=body)


def test_what_waits_is_counted_by_queue(pipeline: Pipeline) -> None:
    """Every queue of failures is named, those with nothing in them too."""
    fail(pipeline, "resizing")
    assert waiting(pipeline.stack) == {**dict.fromkeys(pipeline.stack.dead_letter_queues, 0), "resizing": 1}


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("kind", ["", "-undelivered"])
def test_a_message_goes_back_to_its_branchs_queue(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, branch: str, kind: str
) -> None:
    """Where SQS has no message moves, and where the topic could not deliver, each is sent on and then deleted."""
    monkeypatch.setattr(module, "_move", no_moves)
    fail(pipeline, branch + kind)
    assert redrive(pipeline.stack, branch + kind) == 1
    assert pipeline.bodies(pipeline.stack.queues[branch]) == [JOB]
    assert set(waiting(pipeline.stack).values()) == {0}


def no_moves(_stack: DeployedStack, _source: str) -> int:
    """Answer as an SQS that has no message moves."""
    raise ClientError({"Error": {"Code": "InvalidAction"}}, "StartMessageMoveTask")


def test_any_other_refusal_of_a_move_comes_out(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a missing operation is worked around: a missing permission is told."""

    def denied(_stack: DeployedStack, _source: str) -> int:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "StartMessageMoveTask")

    monkeypatch.setattr(module, "_move", denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        redrive(pipeline.stack, "resizing")


class MovingSqs:
    """SQS as far as message moves go: a task that runs for one look and has moved two messages."""

    def __init__(self, end: str = "COMPLETED") -> None:
        self.started: list[str] = []
        self._statuses = iter(["RUNNING", end])

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        """Say what the queue is called."""
        return {"Attributes": {"QueueArn": "arn:aws:sqs:eu-central-1:123456789012:dead"}}

    def start_message_move_task(self, *, SourceArn: str) -> None:  # noqa: N803 boto3's word
        """Start to move."""
        self.started.append(SourceArn)

    def list_message_move_tasks(self, **_: Any) -> dict[str, Any]:
        """Say how the move is going."""
        return {"Results": [{"Status": next(self._statuses), "ApproximateNumberOfMessagesMoved": 2}]}


def test_dead_letters_are_moved_by_sqs_itself(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is started once, and watched until it has ended."""
    sqs = MovingSqs()
    monkeypatch.setattr(module, "POLL_S", 0)
    stack = DeployedStack(**{**vars(pipeline.stack), "client": lambda _: sqs})
    assert redrive(stack, "resizing") == 2
    assert sqs.started == ["arn:aws:sqs:eu-central-1:123456789012:dead"]


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED"])
def test_a_move_that_does_not_end_well_is_an_error(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """It says how it ended, after how many messages, and what to do."""
    sqs = MovingSqs(end)
    monkeypatch.setattr(module, "POLL_S", 0)
    stack = DeployedStack(**{**vars(pipeline.stack), "client": lambda _: sqs})
    with pytest.raises(module.MoveFailedError, match=f"got {end} after 2 .*redrive again"):
        redrive(stack, "resizing")


def test_an_event_that_became_no_job_is_published(pipeline: Pipeline) -> None:
    """The event is in the record that Lambda leaves; its keys are URL-encoded."""
    pipeline.upload("my cat.png")
    fail(pipeline, "job-publisher-failed", json.dumps({"requestPayload": EVENT}))
    assert redrive(pipeline.stack, "job-publisher-failed") == 1
    assert pipeline.published() == ["master/my cat.png"]
    assert waiting(pipeline.stack)["job-publisher-failed"] == 0


def test_a_record_that_nobody_can_read_stays(pipeline: Pipeline) -> None:
    """What is not understood is told, and not deleted."""
    fail(pipeline, "job-publisher-failed", json.dumps({"hello": "world"}))
    with pytest.raises(InvalidJobError, match="expected a record with the event"):
        redrive(pipeline.stack, "job-publisher-failed")
    url = pipeline.stack.dead_letter_queues["job-publisher-failed"]
    assert depth(pipeline.client("sqs"), url).in_work == 1
