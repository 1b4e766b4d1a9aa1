"""Redriving failed messages."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.errors import InvalidJobError
from ops import queues
from ops import redrive as module
from ops.letters import explained_letters
from ops.queues import depth
from ops.redrive import redrive, waiting
from ops.stack import DeployedStack
from tests.in_memory import make_queue
from tests.ops.conftest import BRANCHES, BUCKET, Pipeline

JOB = json.dumps({"bucket": BUCKET, "key": "master/cat.png"})
EVENT = {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": "master/my+cat.png"}}}]}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll queues once, without waiting for messages."""
    monkeypatch.setitem(queues.RECEIVE, "WaitTimeSeconds", 0)


def fail(pipeline: Pipeline, queue: str, body: str = JOB) -> None:
    """Put a message into a failure queue."""
    pipeline.client("sqs").send_message(QueueUrl=pipeline.stack.dead_letter_queues[queue], MessageBody=body)


def test_failed_messages_are_counted_by_queue(pipeline: Pipeline) -> None:
    """Every failure queue is listed, including empty ones."""
    fail(pipeline, "resizing")
    assert waiting(pipeline.stack) == {**dict.fromkeys(pipeline.stack.dead_letter_queues, 0), "resizing": 1}
    assert waiting(pipeline.stack, "resizing") == {"resizing": 1}


def test_messages_that_another_reader_hides_are_counted(pipeline: Pipeline) -> None:
    """A redrive that failed hides messages for a minute; they are still in the queue."""
    fail(pipeline, "resizing")
    next(queues.received(pipeline.client("sqs"), pipeline.stack.dead_letter_queues["resizing"]))
    assert waiting(pipeline.stack)["resizing"] == 1


def test_a_message_is_deleted_only_when_it_is_done(pipeline: Pipeline) -> None:
    """A redrive that fails to send a message leaves it in the queue."""
    fail(pipeline, "resizing")
    messages = queues.taken(pipeline.client("sqs"), pipeline.stack.dead_letter_queues["resizing"])
    next(messages)
    assert waiting(pipeline.stack, "resizing") == {"resizing": 1}
    assert list(messages) == []
    assert waiting(pipeline.stack, "resizing") == {"resizing": 0}


@pytest.mark.parametrize("kind", ["", "-undelivered"])
def test_another_fanouts_messages_go_back_too(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A program may export the queues of a second fan-out; no picture waits for that fan-out's branches."""
    monkeypatch.setattr(module, "_move", no_moves)
    url = {name: make_queue(pipeline.stack.client, name) for name in ("indexing", "failed", "undelivered")}
    stack = replace(
        pipeline.stack,
        queues={"indexing": url["indexing"], **pipeline.stack.queues},
        dead_letter_queues={"indexing": url["failed"], "indexing-undelivered": url["undelivered"]},
    )
    assert stack.reconciler.branches == list(BRANCHES)
    pipeline.client("sqs").send_message(QueueUrl=stack.dead_letter_queues[f"indexing{kind}"], MessageBody="report 7")
    assert [letter["what"] for letter in explained_letters(stack, f"indexing{kind}")] == ["report 7"]
    assert redrive(stack, f"indexing{kind}") == 1
    assert pipeline.bodies(url["indexing"]) == ["report 7"]


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("kind", ["", "-undelivered"])
def test_a_message_goes_back_to_its_branchs_queue(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, branch: str, kind: str
) -> None:
    """Without message moves, and for undelivered messages, each message is sent and then deleted."""
    monkeypatch.setattr(module, "_move", no_moves)
    fail(pipeline, branch + kind)
    assert redrive(pipeline.stack, branch + kind) == 1
    assert pipeline.bodies(pipeline.stack.queues[branch]) == [JOB]
    assert set(waiting(pipeline.stack).values()) == {0}


def no_moves(_stack: DeployedStack, _source: str) -> int:
    """Raise the error of an SQS without message moves."""
    raise ClientError({"Error": {"Code": "InvalidAction"}}, "StartMessageMoveTask")


def test_any_other_error_of_a_move_is_raised(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a missing operation has a fallback; a missing permission is an error."""

    def denied(_stack: DeployedStack, _source: str) -> int:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "StartMessageMoveTask")

    monkeypatch.setattr(module, "_move", denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        redrive(pipeline.stack, "resizing")


class MovingSqs:
    """A fake SQS with message moves: a task runs for one poll, may be cancelling for another, and moves two."""

    def __init__(self, end: str = "COMPLETED") -> None:
        self.started: list[str] = []
        self._statuses = iter(["RUNNING", "CANCELLING", end])

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        """Return the queue's ARN."""
        return {"Attributes": {"QueueArn": "arn:aws:sqs:eu-central-1:123456789012:dead"}}

    def start_message_move_task(self, *, SourceArn: str) -> None:  # noqa: N803 boto3's word
        """Record the start of a move."""
        self.started.append(SourceArn)

    def list_message_move_tasks(self, **_: Any) -> dict[str, Any]:
        """Return the state of the move."""
        return {"Results": [{"Status": next(self._statuses), "ApproximateNumberOfMessagesMoved": 2}]}


def test_sqs_moves_the_dead_letters(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is started once and polled until it ends."""
    sqs = MovingSqs()
    monkeypatch.setattr(module, "POLL_S", 0)
    stack = DeployedStack(**{**vars(pipeline.stack), "client": lambda _: sqs})
    assert redrive(stack, "resizing") == 2
    assert sqs.started == ["arn:aws:sqs:eu-central-1:123456789012:dead"]


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED"])
def test_a_failed_move_is_an_error(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """The error gives the end state, the number of moved messages, and what to do."""
    sqs = MovingSqs(end)
    monkeypatch.setattr(module, "POLL_S", 0)
    stack = DeployedStack(**{**vars(pipeline.stack), "client": lambda _: sqs})
    with pytest.raises(module.MoveFailedError, match=f"got {end} after 2 .*redrive again"):
        redrive(stack, "resizing")


FROM_EVENTBRIDGE = {"source": "aws.s3", "detail": {"bucket": {"name": BUCKET}, "object": {"key": "master/my cat.png"}}}


@pytest.mark.parametrize("body", [{"requestPayload": EVENT}, {"requestPayload": FROM_EVENTBRIDGE}, FROM_EVENTBRIDGE])
def test_a_failed_event_is_published(pipeline: Pipeline, body: dict[str, Any]) -> None:
    """Lambda's record contains the event; EventBridge stores one that it could not deliver as it is."""
    pipeline.upload("my cat.png")
    fail(pipeline, "job-publisher-failed", json.dumps(body))
    assert redrive(pipeline.stack, "job-publisher-failed") == 1
    assert pipeline.published() == ["master/my cat.png"]
    assert waiting(pipeline.stack)["job-publisher-failed"] == 0


def s3_event(bucket: str, key: str) -> str:
    """Return Lambda's record of a failed event about one object."""
    return json.dumps({"requestPayload": {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}})


UNREADABLE = [
    ("no JSON", "expected a record with the event that failed, got 'no JSON'"),
    ("5", "expected a record with the event that failed, got '5'"),
    ('{"hello": "world"}', "expected a record with the event that failed, got "),
    ('{"requestPayload": {}}', "expected an S3 event with bucket and key, got {}"),
    (s3_event("another", "master/my+cat.png"), "got one of 'another'"),
    (s3_event(BUCKET, "other/cat.png"), "expected an object below master/"),
]


@pytest.mark.parametrize(("body", "expected"), UNREADABLE)
def test_an_unreadable_record_stays_in_the_queue(pipeline: Pipeline, body: str, expected: str) -> None:
    """A message without an event of the stack is an error and stays, for all to see; the others are sent back."""
    pipeline.upload("my cat.png")
    fail(pipeline, "job-publisher-failed", body)
    fail(pipeline, "job-publisher-failed", json.dumps({"requestPayload": EVENT}))
    with pytest.raises(InvalidJobError, match=r"1 message was sent back, 1 stays in the queue: delete") as caught:
        redrive(pipeline.stack, "job-publisher-failed")
    assert expected in str(caught.value)
    url = pipeline.stack.dead_letter_queues["job-publisher-failed"]
    assert (depth(pipeline.client("sqs"), url), pipeline.published()) == ((1, 0), ["master/my cat.png"])
    with pytest.raises(InvalidJobError, match="0 messages were sent back, 1 stays"):
        redrive(pipeline.stack, "job-publisher-failed")
