"""Prepare an existing bucket for a stack that will not own it: add EventBridge to its notifications."""

from typing import Any


def notification(s3: Any, bucket: str) -> dict[str, Any]:
    """Return a bucket's notification configuration."""
    found: dict[str, Any] = s3.get_bucket_notification_configuration(Bucket=bucket)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def add_eventbridge(s3: Any, bucket: str) -> bool:
    """Make a bucket send its events to EventBridge too; return whether that changed anything.

    The other destinations stay: S3 replaces the whole configuration, so the existing one is sent back with it. S3 does
    not check them: it would send each a test event, and refuse the whole configuration if one of them is gone.
    """
    found = notification(s3, bucket)
    if "EventBridgeConfiguration" in found:
        return False
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={**found, "EventBridgeConfiguration": {}},
        SkipDestinationValidation=True,
    )
    return True
