"""Slow uploads down to the publisher's speed, by counting published jobs in an additional queue on the topic.

The emulator calls the publisher at once for each upload, in a new process if the others are busy, and a process takes
longer to start than to publish a job.
"""

import time
from collections.abc import Callable

from components import policies
from handlers.reconcile import NAME_TAKEN
from local.warming import PUBLISHERS
from ops.listing import head
from ops.queues import depth
from ops.stack import DeployedStack

# A publisher that fails is called twice more within this time; after that no job will come.
PATIENCE_S = 15.0
POLL_S = 0.02
JOB_S = 0.2
"""Most jobs take less; after this time the pacer checks whether there is none because the name is taken."""


class UploadPacer:
    """Counts the jobs that reach the topic, and makes uploads wait for them; `look` is called meanwhile."""

    def __init__(self, stack: DeployedStack, look: Callable[[], None] = lambda: None) -> None:
        self._stack, self._look = stack, look
        self._sqs = stack.client("sqs")
        self._url = self._sqs.create_queue(QueueName="local-tap")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = policies.document([policies.deliver(stack.topic, arn)])
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        stack.client("sns").subscribe(TopicArn=stack.topic, Protocol="sqs", Endpoint=arn)
        self._uploaded = self._published = 0
        self._given_up = False

    def pace(self, key: str) -> None:
        """Count the upload of a master, or its deletion, and wait while too many are unpublished."""
        self._uploaded += 1
        self._wait(PUBLISHERS - 1, key)

    def drain(self) -> None:
        """Wait until every upload has become a job."""
        self._wait(0)

    def _wait(self, on_their_way: int, key: str = "") -> None:
        """Wait until at most so many uploads are unpublished, or none has been published for a while."""
        started = time.monotonic()
        deadline = started + PATIENCE_S
        while not self._given_up and self._uploaded - self._published > on_their_way:
            self._look()
            self._given_up = time.monotonic() > deadline
            before, self._published = self._published, depth(self._sqs, self._url).waiting
            if self._published > before:
                deadline = time.monotonic() + PATIENCE_S
            elif key and time.monotonic() > started + JOB_S and self._taken(key):
                self._uploaded, key = self._uploaded - 1, ""
            else:
                time.sleep(POLL_S)

    def _taken(self, key: str) -> bool:
        """Return whether a master's name is taken, so that it has no job."""
        reason = self._stack.layout.rejected_key(key, NAME_TAKEN)
        return head(self._stack, reason) is not None
