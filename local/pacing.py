"""Slow uploads down to the publisher's speed, by counting published jobs in an additional queue on the topic.

The emulator calls the publisher at once for each upload, in a new process if the others are busy. Uploading no faster
than jobs are published limits that to a few processes.
"""

import time

from components import policies
from local.deployment import Deployment
from local.warming import PUBLISHERS
from ops.queues import depth

# A publisher that fails is called twice more within this time; after that no job will come.
PATIENCE_S = 15.0
POLL_S = 0.02


class UploadPacer:
    """Counts the jobs that reach the topic, and makes uploads wait for them."""

    def __init__(self, deployment: Deployment) -> None:
        self._sqs = deployment.emulator.client("sqs")
        topic_arn = deployment.outputs["topic"]
        self._url = self._sqs.create_queue(QueueName="local-tap")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = policies.document([policies.deliver(topic_arn, arn)])
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        deployment.emulator.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        self._uploaded = self._published = 0
        self._given_up = False

    def pace(self) -> None:
        """Count one upload, and wait while too many are unpublished."""
        self._uploaded += 1
        self._wait(PUBLISHERS - 1)

    def drain(self) -> None:
        """Wait until every upload has become a job."""
        self._wait(0)

    def _wait(self, on_their_way: int) -> None:
        """Wait until at most so many uploads are unpublished, or none has been published for a while."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._given_up and self._uploaded - self._published > on_their_way:
            self._given_up = time.monotonic() > deadline
            before, self._published = self._published, depth(self._sqs, self._url).waiting
            if self._published > before:
                deadline = time.monotonic() + PATIENCE_S
            else:
                time.sleep(POLL_S)
