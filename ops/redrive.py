"""Send back the messages of the failure queues, once the cause is fixed."""

import contextlib
import time

from botocore.exceptions import ClientError

from handlers.errors import InvalidJobError, PixelCascadeError
from handlers.job import masters_of
from ops.letters import event_in
from ops.logs import fields_of
from ops.queues import messages, received, taken
from ops.stack import DeployedStack

POLL_S = 0.5
PUBLISHER = "job-publisher-failed"
UNDELIVERED = "-undelivered"
# AWS's error codes for an operation that does not exist: the emulator cannot move messages.
UNKNOWN_OPERATION = {"InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"}


class MoveFailedError(PixelCascadeError):
    """SQS did not move all messages; the message says how many it moved, and why it stopped."""


def waiting(stack: DeployedStack, only: str | None = None) -> dict[str, int]:
    """Return the number of messages in each failure queue, or in one, by name, with those that a reader hides."""
    return {name: messages(stack, [url]) for name, url in stack.dead_letter_queues.items() if only in {None, name}}


def redrive(stack: DeployedStack, queue: str) -> int:
    """Send the messages of one failure queue back to where they failed, and return how many.

    Dead letters and undelivered jobs go to their branch's queue. For an event that the publisher failed on, the masters
    are reconciled. A message is deleted only after it was sent.
    """
    if queue == PUBLISHER:
        return _reconcile_events(stack, stack.dead_letter_queues[queue])
    source, target = stack.dead_letter_queues[queue], stack.queues[queue.removesuffix(UNDELIVERED)]
    if not queue.endswith(UNDELIVERED):
        try:
            return _move(stack, source)
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNKNOWN_OPERATION:
                raise
    # Source: SQS's API reference, StartMessageMoveTask: not from queues whose messages come from SNS or Lambda.
    return _forward(stack, source, target)


def _move(stack: DeployedStack, source: str) -> int:
    """Have SQS move a dead-letter queue's messages back to their source queue.

    Raises: MoveFailedError.
    """
    sqs = stack.client("sqs")
    arn = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.start_message_move_task(SourceArn=arn)
    while True:
        task = sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"][0]
        if task["Status"] not in {"RUNNING", "CANCELLING"}:
            break
        time.sleep(POLL_S)
    moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
    if task["Status"] != "COMPLETED":
        raise MoveFailedError(
            f"{source}: expected SQS to move all messages, got {task['Status']} after {moved:,} "
            f"({task.get('FailureReason', 'no reason given')}): the others are still there; fix the cause "
            "and redrive again"
        )
    return moved


def _forward(stack: DeployedStack, source: str, target: str) -> int:
    """Send each message of one queue to another."""
    sqs, count = stack.client("sqs"), 0
    for message in taken(sqs, source):
        sqs.send_message(QueueUrl=target, MessageBody=message["Body"])
        count += 1
    return count


def _reconcile_events(stack: DeployedStack, source: str) -> int:
    """Reconcile the masters of the events that the publisher failed on, as the publisher does.

    Raises: InvalidJobError, after all others, for messages without an event of this stack.
    """
    sqs = stack.client("sqs")
    count, refused = 0, dict[str, tuple[str, InvalidJobError]]()
    for message in received(sqs, source):
        try:
            _reconcile_masters(stack, message["Body"])
        except InvalidJobError as error:
            refused[message["MessageId"]] = message["ReceiptHandle"], error
            continue
        count += 1
        sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
    for handle, _ in refused.values():  # The next redrive finds them at once.
        with contextlib.suppress(sqs.exceptions.MessageNotInflight):
            sqs.change_message_visibility(QueueUrl=source, ReceiptHandle=handle, VisibilityTimeout=0)
    if refused:
        sent = f"{count:,} {'message was' if count == 1 else 'messages were'} sent back"
        stay = f"{len(refused):,} {'stays' if len(refused) == 1 else 'stay'} in the queue"
        _, first = next(iter(refused.values()))
        raise InvalidJobError(f"{first}. {sent}, {stay}: delete what is not an event of this stack") from first
    return count


def _reconcile_masters(stack: DeployedStack, record: str) -> None:
    """Reconcile the masters of one event.

    Raises: InvalidJobError.
    """
    event = event_in(fields_of(record))
    if not isinstance(event, dict):
        raise InvalidJobError(f"expected a record with the event that failed, got {record[:200]!r}")
    for bucket, key in masters_of(event):
        if bucket != stack.bucket:
            raise InvalidJobError(f"expected an event of bucket {stack.bucket!r}, got one of {bucket!r}")
        stack.reconciler.reconcile(key)
