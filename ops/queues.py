"""What is in a queue: how many messages, and which."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ops.stack import DeployedStack

COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
RECEIVE = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 60, "WaitTimeSeconds": 1}


class Depth(NamedTuple):
    """How many messages of a queue wait, and how many are in work."""

    waiting: int
    in_work: int


def depth(sqs: Any, url: str) -> Depth:
    """Count the messages of a queue."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
    return Depth(*(int(found[name]) for name in COUNTS))


def messages(stack: DeployedStack, urls: Iterable[str]) -> int:
    """Return the number of messages in some queues, including those in flight."""
    return sum(sum(depth(stack.client("sqs"), url)) for url in urls)


def received(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    """Yield the messages that are in a queue, until a look finds none; they stay, hidden for a minute."""
    while messages := sqs.receive_message(QueueUrl=url, **RECEIVE).get("Messages"):
        yield from messages


def taken(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    """Yield the messages that are in a queue, and delete each once the next is asked for."""
    for message in received(sqs, url):
        yield message
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
