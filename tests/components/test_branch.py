"""`Branch`: queue, dead-letter queues, subscription, function and mapping, wired to each other."""

import json

import pytest

from tests.recording import Recorded, arn, queue_url, recorded, statements

BRANCHES = ["format-conversion", "metadata-extraction", "resizing"]


def one(kind: str, name: str, **settings: str) -> Recorded:
    return recorded(**settings).mocks.one(kind, name)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("EventSourceMapping", 1),
        ("Function", 1),
        ("Queue", 3),
        ("QueuePolicy", 3),
        ("RedriveAllowPolicy", 1),
        ("RedrivePolicy", 1),
        ("TopicSubscription", 1),
    ],
)
@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_makes_exactly_its_parts(branch: str, kind: str, count: int) -> None:
    """A branch has one of each part, and three queues."""
    names = [name for name in recorded().mocks.names(kind) if name.startswith((f"{branch}-", WORKERS[branch]))]
    assert len(names) == count


WORKERS = {
    "format-conversion": "format-converter",
    "metadata-extraction": "metadata-extractor",
    "resizing": "pixel-resizer",
}


def test_messages_stay_hidden_while_lambda_may_work_on_them() -> None:
    """Visibility is six time-outs and the window."""
    queue = one("Queue", "resizing-queue", timeoutS="20", batchWindowS="4")
    assert queue.inputs["visibilityTimeoutSeconds"] == 6 * 20 + 4


def test_a_message_that_fails_too_often_goes_to_the_branchs_dead_letters() -> None:
    """The redrive policy names the branch's own dead-letter queue and the stack's count."""
    redrive = one("RedrivePolicy", "resizing-redrive", maxReceives="7")
    assert redrive.inputs["queueUrl"] == queue_url("resizing-queue")
    assert json.loads(redrive.inputs["redrivePolicy"]) == {
        "deadLetterTargetArn": arn("Queue", "resizing-dead-letters"),
        "maxReceiveCount": 7,
    }


def test_only_the_branchs_queue_may_send_dead_letters() -> None:
    """Redrive is allowed by queue, to the one queue."""
    allow = one("RedriveAllowPolicy", "resizing-redrive-allow")
    assert allow.inputs["queueUrl"] == queue_url("resizing-dead-letters")
    assert json.loads(allow.inputs["redriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [arn("Queue", "resizing-queue")],
    }


def test_messages_are_delivered_raw() -> None:
    """The queue gets the job itself, not SNS's envelope."""
    subscription = one("TopicSubscription", "resizing-subscription")
    assert subscription.inputs["rawMessageDelivery"] is True


def test_the_subscription_joins_the_topic_and_the_queue() -> None:
    """The branch's queue is subscribed to the fan-out's topic."""
    inputs = one("TopicSubscription", "resizing-subscription").inputs
    assert (inputs["protocol"], inputs["topic"], inputs["endpoint"]) == (
        "sqs",
        arn("Topic", "new-image-uploaded"),
        arn("Queue", "resizing-queue"),
    )


def test_what_cannot_be_delivered_is_kept() -> None:
    """The subscription has dead letters of its own."""
    inputs = one("TopicSubscription", "resizing-subscription").inputs
    assert json.loads(inputs["redrivePolicy"]) == {"deadLetterTargetArn": arn("Queue", "resizing-undelivered")}


@pytest.mark.parametrize("queue", ["resizing-queue", "resizing-undelivered"])
def test_the_topic_is_let_into_both_queues_that_it_fills(queue: str) -> None:
    """Each queue that SNS sends to says so, for this topic alone."""
    (deliver,) = [
        s for s in statements(one("QueuePolicy", f"{queue}-policy").inputs["policy"]) if s["Effect"] == "Allow"
    ]
    assert (deliver["Resource"], deliver["Condition"]) == (
        arn("Queue", queue),
        {"ArnEquals": {"aws:SourceArn": arn("Topic", "new-image-uploaded")}},
    )


@pytest.mark.parametrize("queue", ["resizing-queue", "resizing-undelivered"])
def test_a_queue_lets_the_topic_in_before_it_is_subscribed(queue: str) -> None:
    """SNS drops, without a word, what a queue's policy does not let in."""
    subscription, policy = one("TopicSubscription", "resizing-subscription"), one("QueuePolicy", f"{queue}-policy")
    assert recorded().depends(subscription, on=policy)


def test_the_mapping_joins_the_queue_and_the_function() -> None:
    """The branch's function empties the branch's queue."""
    inputs = one("EventSourceMapping", "resizing-mapping").inputs
    assert (inputs["eventSourceArn"], inputs["functionName"]) == (
        arn("Queue", "resizing-queue"),
        arn("Function", "pixel-resizer"),
    )


def test_a_batch_may_fail_in_part() -> None:
    """Lambda is told to read the ids of what failed."""
    inputs = one("EventSourceMapping", "resizing-mapping").inputs
    assert inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]


def test_batch_window_and_concurrency_are_the_stacks() -> None:
    """The stack's settings shape the mapping."""
    inputs = one("EventSourceMapping", "resizing-mapping", batchSize="25", batchWindowS="3", maxConcurrency="7").inputs
    assert inputs["batchSize"] == 25
    assert inputs["maximumBatchingWindowInSeconds"] == 3
    assert inputs["scalingConfig"] == {"maximumConcurrency": 7}


def test_the_worker_is_told_its_branch() -> None:
    """A worker signs its rejections with the branch's name."""
    assert one("Function", "pixel-resizer").inputs["environment"]["variables"]["BRANCH"] == "resizing"
