"""Failed messages and their errors."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ops.letters import UNKNOWN, UNSAID, explained_letters, letter, letters
from tests.ops.conftest import Pipeline


def test_a_job_has_its_workers_error(pipeline: Pipeline) -> None:
    """The error is found by the message id, which a dead letter keeps; reading does not remove the message."""
    stack = pipeline.stack
    sqs, url = stack.client("sqs"), stack.dead_letter_queues["resizing"]
    sent = sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"bucket": "images", "key": "master/a.jpg"}))
    errors = {sent["MessageId"]: "KeyError: 'oops' (worker.py:7)"}
    for _ in range(2):
        (found,) = letters(stack, "resizing", errors)
        assert (found["what"], found["error"]) == ("master/a.jpg", "KeyError: 'oops' (worker.py:7)")


def test_an_event_of_the_publisher_has_lambdas_error() -> None:
    """Lambda's record of a failed invocation holds the event and the error."""
    event = {"Records": [{"s3": {"bucket": {"name": "images"}, "object": {"key": "master/my+b%C3%A4r.jpg"}}}]}
    response = {"errorType": "ValueError", "errorMessage": "no topic"}
    body = json.dumps({"requestPayload": event, "responsePayload": response})
    assert letter({"MessageId": "1", "Body": body}, {}) == {
        "id": "1",
        "what": "master/my bär.jpg",
        "error": "ValueError: no topic",
    }


def test_a_message_that_is_not_a_job_is_shown_as_it_is() -> None:
    """The beginning of its body is shown."""
    found = letter({"MessageId": "1", "Body": "x" * 100}, {})
    assert (found["what"], found["error"]) == ("x" * 80, UNKNOWN)


def test_an_undelivered_event_has_eventbridges_error() -> None:
    """The rule of an adopted bucket puts the error into the message's attributes."""
    body = json.dumps({"detail": {"bucket": {"name": "images"}, "object": {"key": "master/c+.jpg"}}})
    attributes = {"ERROR_MESSAGE": {"StringValue": "no permission", "DataType": "String"}}
    found = letter({"MessageId": "1", "Body": body, "MessageAttributes": attributes}, {})
    assert (found["what"], found["error"]) == ("master/c+.jpg", "no permission")


def test_a_message_without_an_error_says_so(pipeline: Pipeline) -> None:
    """A worker that was killed logs no error, and an undelivered message has none."""
    stack = pipeline.stack
    for queue in ("resizing", "resizing-undelivered"):
        stack.client("sqs").send_message(QueueUrl=stack.dead_letter_queues[queue], MessageBody="{}")
    assert [explained_letters(stack, queue)[0]["error"] for queue in ("resizing", "resizing-undelivered")] == [
        UNKNOWN,
        UNSAID,
    ]


class Servers:
    """A queue as SQS has it: its messages are spread over servers, and only a request that waits asks all of them."""

    def __init__(self, count: int) -> None:
        self.messages = [{"MessageId": str(number), "Body": "{}"} for number in range(count)]

    def receive_message(self, **wanted: Any) -> dict[str, Any]:
        """Return the messages of one server."""
        if not wanted.get("WaitTimeSeconds"):
            return {}
        self.messages = [*self.messages[3:], *self.messages[:3]]
        return {"Messages": self.messages[-3:]} if self.messages else {}


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, 1), (8, 8), (20, 10)])
def test_messages_on_all_of_a_queues_servers_are_shown(pipeline: Pipeline, count: int, shown: int) -> None:
    """One request that does not wait may find none of a few messages, and one that waits not all of them."""
    servers = Servers(count)
    stack = replace(pipeline.stack, client=lambda _: servers)
    assert len({found["id"] for found in letters(stack, "resizing", {})}) == shown
