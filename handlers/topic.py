"""Publish jobs to the topic, ten in a request."""

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from handlers.errors import PixelCascadeError
from handlers.job import Job

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef

BATCH = 10  # Source: SNS's API reference, PublishBatch.


class PublishError(PixelCascadeError):
    """SNS did not accept every job of a batch; all must be published again, because a lost job is not harmless."""


def publish(sns: "SNSClient", topic_arn: str, jobs: Iterable[Job]) -> Iterator[list[Job]]:
    """Publish jobs; yield each batch of at most ten once SNS has accepted it.

    Raises: PublishError, which names the jobs that SNS refused.
    """
    waiting = iter(jobs)
    while batch := list(itertools.islice(waiting, BATCH)):
        entries: list[PublishBatchRequestEntryTypeDef] = [
            {"Id": str(number), "Message": job.to_json()} for number, job in enumerate(batch)
        ]
        response = sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=entries)
        if refused := response.get("Failed"):
            reasons = ", ".join(f"{batch[int(entry['Id'])].key}: {entry['Code']}" for entry in refused)
            raise PublishError(f"SNS refused {len(refused)} of {len(batch)} jobs: {reasons}")
        yield batch
