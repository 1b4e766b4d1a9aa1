"""`Queue`: retention, encryption and senders; the local run shows whether SQS enforces them."""

import pytest

from tests.recording import arn, recorded, statements

DAY_S = 24 * 3600


def test_a_work_queue_keeps_messages_for_four_days() -> None:
    """This applies to queues with a visibility time-out."""
    queue = recorded().mocks.one("Queue", "resizing-queue")
    assert queue.inputs["messageRetentionSeconds"] == 4 * DAY_S


@pytest.mark.parametrize("name", ["resizing-dead-letters", "resizing-undelivered", "job-publisher-failed"])
def test_dead_letters_are_kept_for_two_weeks(name: str) -> None:
    """Their retention is longer, because a message's age counts from when it was first sent."""
    assert recorded().mocks.one("Queue", name).inputs["messageRetentionSeconds"] == 14 * DAY_S


def test_every_queue_is_encrypted() -> None:
    """Each queue uses SQS's own encryption."""
    assert all(queue.inputs["sqsManagedSseEnabled"] is True for queue in recorded().mocks.of_type("Queue"))


def test_a_queue_without_topics_allows_no_sender() -> None:
    """The policy of the dead-letter queue only denies plain HTTP."""
    policy = recorded().mocks.one("QueuePolicy", "resizing-dead-letters-policy").inputs["policy"]
    assert [(found["Effect"], found["Resource"]) for found in statements(policy)] == [
        ("Deny", [arn("Queue", "resizing-dead-letters")])
    ]


def test_a_queue_without_topics_needs_no_policy_for_plain_http() -> None:
    """Where plain HTTP is allowed, a queue without senders needs no policy."""
    assert "resizing-dead-letters-policy" not in recorded("local").mocks.names("QueuePolicy")


def test_the_topic_may_send_where_plain_http_is_allowed() -> None:
    """The queues of the local stack lack only the deny statement."""
    policy = recorded("local").mocks.one("QueuePolicy", "resizing-queue-policy").inputs["policy"]
    assert [found["Effect"] for found in statements(policy)] == ["Allow"]
