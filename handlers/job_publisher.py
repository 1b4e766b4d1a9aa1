"""job-publisher: reconciles the record of each picture that an event names, and publishes the picture's job.

Event: S3's `ObjectCreated` and `ObjectRemoved`, by asynchronous invocation, or the same through EventBridge.
Environment: `BUCKET`, `PICTURES_TABLE`, `TOPIC_ARN`, and see `handlers.stack.RecordSettings`.
Writes: the record `<name>`, SNS messages, `rejected/<path>/name-taken.json`, events.
"""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import stack, start
from handlers.job import masters_of
from handlers.stack import RecordSettings

logger = Logger()


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Reconcile the event's masters; after any exception, Lambda retries with the same event.

    Raises: what `handlers.reconcile.Reconciler.reconcile` raises, and InvalidJobError for another bucket.
    """
    settings, cold_start = RecordSettings.from_environment(), start.described()
    for bucket, key in masters_of(event):
        stack.check_bucket(bucket, settings)
        record = stack.reconciler(settings).reconcile(key)
        logger.info("reconciled", extra={"key": key, **stack.described(record), **cold_start})
