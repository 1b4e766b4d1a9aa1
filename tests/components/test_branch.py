"""`Branch`: queue, dead-letter queues, subscription, function and mapping, connected to each other."""

import json

import pytest

from tests.recording import WORKERS, Recorded, arn, queue_url, recorded, statements


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
@pytest.mark.parametrize("branch", WORKERS)
def test_a_branch_creates_exactly_its_resources(branch: str, kind: str, count: int) -> None:
    """A branch has one of each part, and three queues."""
    names = [name for name in recorded().mocks.names(kind) if name.startswith((f"{branch}-", WORKERS[branch]))]
    assert len(names) == count


def test_visibility_is_six_time_outs_plus_the_window() -> None:
    """The visibility time-out is six function time-outs plus the batch window."""
    queue = one("Queue", "resizing-queue", timeoutS="20", batchWindowS="4")
    assert queue.inputs["visibilityTimeoutSeconds"] == 6 * 20 + 4


def test_repeated_failures_go_to_the_branchs_dead_letter_queue() -> None:
    """The redrive policy names the branch's own dead-letter queue and the stack's maximum number of receives."""
    redrive = one("RedrivePolicy", "resizing-redrive", maxReceives="7")
    assert redrive.inputs["queueUrl"] == queue_url("resizing-queue")
    assert json.loads(redrive.inputs["redrivePolicy"]) == {
        "deadLetterTargetArn": arn("Queue", "resizing-dead-letters"),
        "maxReceiveCount": 7,
    }


def test_only_the_branchs_queue_may_send_dead_letters() -> None:
    """The dead-letter queue accepts messages from one source queue."""
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


def test_the_subscription_connects_the_topic_to_the_queue() -> None:
    """The branch's queue is subscribed to the fan-out's topic."""
    inputs = one("TopicSubscription", "resizing-subscription").inputs
    assert (inputs["protocol"], inputs["topic"], inputs["endpoint"]) == (
        "sqs",
        arn("Topic", "new-image-uploaded"),
        arn("Queue", "resizing-queue"),
    )


def test_undelivered_messages_go_to_their_own_queue() -> None:
    """The subscription has its own dead-letter queue."""
    inputs = one("TopicSubscription", "resizing-subscription").inputs
    assert json.loads(inputs["redrivePolicy"]) == {"deadLetterTargetArn": arn("Queue", "resizing-undelivered")}


@pytest.mark.parametrize("queue", ["resizing-queue", "resizing-undelivered"])
def test_only_the_topic_may_send_to_the_branchs_queues(queue: str) -> None:
    """The policy of each queue that SNS sends to allows this topic only."""
    (deliver,) = [
        s for s in statements(one("QueuePolicy", f"{queue}-policy").inputs["policy"]) if s["Effect"] == "Allow"
    ]
    assert (deliver["Resource"], deliver["Condition"]) == (
        arn("Queue", queue),
        {"ArnEquals": {"aws:SourceArn": arn("Topic", "new-image-uploaded")}},
    )


@pytest.mark.parametrize("queue", ["resizing-queue", "resizing-undelivered"])
def test_the_queue_policy_exists_before_the_subscription(queue: str) -> None:
    """SNS silently drops messages that a queue's policy does not allow."""
    subscription, policy = one("TopicSubscription", "resizing-subscription"), one("QueuePolicy", f"{queue}-policy")
    assert recorded().depends(subscription, on=policy)


def test_the_mapping_connects_the_queue_to_the_function() -> None:
    """The branch's function consumes the branch's queue."""
    inputs = one("EventSourceMapping", "resizing-mapping").inputs
    assert (inputs["eventSourceArn"], inputs["functionName"]) == (
        arn("Queue", "resizing-queue"),
        arn("Function", "pixel-resizer"),
    )


def test_the_mapping_accepts_partial_batch_failures() -> None:
    """Lambda reads the ids of the failed messages from the response."""
    inputs = one("EventSourceMapping", "resizing-mapping").inputs
    assert inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_mapping_follows_the_settings() -> None:
    """The mapping uses the stack's settings."""
    inputs = one("EventSourceMapping", "resizing-mapping", batchSize="25", batchWindowS="3", maxConcurrency="7").inputs
    assert inputs["batchSize"] == 25
    assert inputs["maximumBatchingWindowInSeconds"] == 3
    assert inputs["scalingConfig"] == {"maximumConcurrency": 7}


def test_the_environment_has_the_workers_branch() -> None:
    """A worker writes the branch's name into its rejections."""
    assert one("Function", "pixel-resizer").inputs["environment"]["variables"]["BRANCH"] == "resizing"
