"""Preparing a bucket that a stack is to use and does not own: EventBridge is added to what it notifies."""

from typing import Any


def notification(s3: Any, bucket: str) -> dict[str, Any]:
    """Return a bucket's notification configuration."""
    found: dict[str, Any] = s3.get_bucket_notification_configuration(Bucket=bucket)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def add_eventbridge(s3: Any, bucket: str) -> bool:
    """Have a bucket send its events to EventBridge too; return whether that was not so already.

    Every other destination stays: S3 replaces the configuration whole, so the one that is there is sent back with it.
    """
    found = notification(s3, bucket)
    if "EventBridgeConfiguration" in found:
        return False
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={**found, "EventBridgeConfiguration": {}}
    )
    return True
