"""job-publisher: one job on the topic for each object that appears below the master prefix.

Event: S3's `ObjectCreated` notification, by asynchronous invocation.
Environment: `TOPIC_ARN`.
Writes: SNS messages, one JSON job each.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import clients, topic
from handlers.job import jobs_of

logger = Logger()


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Publish the event's jobs; whatever this raises, Lambda calls again with the same event.

    Raises: InvalidJobError, PublishError, and what SNS raises.
    """
    for batch in topic.publish(clients.sns(), os.environ["TOPIC_ARN"], jobs_of(event)):
        for job in batch:
            logger.info("published", extra={"key": job.key, "bytes": job.size})
