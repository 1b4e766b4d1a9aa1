"""job-publisher: one job on the topic for each object that appears below the master prefix.

Event: S3's `ObjectCreated` notification, by asynchronous invocation.
Environment: `TOPIC_ARN`.
Writes: SNS messages, one JSON job each.
"""

import itertools
import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import clients
from handlers.errors import PixelCascadeError
from handlers.job import Job, jobs_of

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef

BATCH = 10  # Source: SNS's API reference, PublishBatch.

logger = Logger()


class PublishError(PixelCascadeError):
    """SNS did not take every job; Lambda calls again with the same event."""


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Publish the event's jobs.

    Raises: PublishError, and whatever SNS raises: publishing a job twice is harmless, losing one is not.
    """
    jobs = jobs_of(event)
    while batch := list(itertools.islice(jobs, BATCH)):
        publish(batch)
        for job in batch:
            logger.info("published", extra={"key": job.key, "bytes": job.size})


def publish(jobs: list[Job]) -> None:
    """Publish at most ten jobs in one request.

    Raises: PublishError, naming what SNS refused.
    """
    entries: list[PublishBatchRequestEntryTypeDef] = [
        {"Id": str(number), "Message": job.to_json()} for number, job in enumerate(jobs)
    ]
    response = clients.sns().publish_batch(TopicArn=os.environ["TOPIC_ARN"], PublishBatchRequestEntries=entries)
    if refused := response.get("Failed"):
        reasons = ", ".join(f"{jobs[int(entry['Id'])].key}: {entry['Code']}" for entry in refused)
        raise PublishError(f"SNS refused {len(refused)} of {len(jobs)} jobs: {reasons}")
