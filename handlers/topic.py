"""Publish a job to the topic."""

from typing import TYPE_CHECKING

from handlers.errors import PixelCascadeError
from handlers.job import Job

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class PublishError(PixelCascadeError):
    """SNS did not accept a job, which must be published again, because a lost job is not harmless."""


def publish(sns: "SNSClient", topic_arn: str, job: Job) -> None:
    """Publish a job.

    Raises: PublishError.
    """
    response = sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=[{"Id": "0", "Message": job.to_json()}])
    if refused := response.get("Failed"):
        raise PublishError(f"SNS refused the job of {job.key}: {refused[0]['Code']}")
