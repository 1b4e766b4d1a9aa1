"""Permissions and settings for pictures' records, which the publisher and all workers need."""

from collections.abc import Sequence
from typing import Any

import pulumi

from components import policies
from components.branches import ImageBranch
from components.config import StackConfig
from components.storage import ImageBucket, PictureTable

NAME_TAKEN = "/name-taken.json"
"""The end of the keys of reasons that say that another master owns the name."""


def record_statements(
    config: StackConfig, bucket: ImageBucket, pictures: PictureTable, prefix: str | None = None, *, settle: bool
) -> list[pulumi.Input[policies.Statement]]:
    """Return the permissions of a function that reconciles pictures' records with what is in the bucket.

    It writes outputs below `prefix` and, with `settle`, its outcomes.
    """
    master, rejected, converted = config.master_prefix, config.rejected_prefix, config.converted_prefix
    prefixes = dict.fromkeys((master, rejected, converted, *([prefix] if prefix else [])))
    # A name without a record may have outputs from before there were records; their metadata names the owner.
    of_before = [] if prefix == converted else [bucket.arn.apply(lambda arn: policies.read_objects(arn, converted))]
    events = [pictures.arn.apply(policies.send_events)] if config.events else []
    return [
        bucket.arn.apply(lambda arn: policies.tell_missing(arn, list(prefixes))),
        bucket.arn.apply(lambda arn: policies.read_objects(arn, master)),
        bucket.arn.apply(lambda arn: policies.write_objects(arn, rejected, NAME_TAKEN)),
        bucket.arn.apply(lambda arn: policies.delete_objects(arn, rejected, NAME_TAKEN)),
        *of_before,
        pictures.arn.apply(lambda arn: policies.keep_records(arn, settle=settle)),
        *events,
        *_master_key(config, reads=settle),
    ]


def _master_key(config: StackConfig, *, reads: bool) -> list[policies.Statement]:
    """Return the use of the masters' key: to read, and to write in a bucket that may encrypt by default."""
    key = config.master_kms_key
    if key and config.bucket:
        return [policies.through_s3(policies.encrypt(key))]
    return [policies.through_s3(policies.decrypt(key))] if key and reads else []


def record_settings(config: StackConfig, stack: str, rows: Sequence[ImageBranch]) -> dict[str, Any]:
    """Return the settings for records, as `handlers.stack.RecordSettings` reads them."""
    return {
        "layout": layout(config),
        "record": {
            "stack": stack,
            "branches": [row.name for row in rows],
            "events": config.events,
            "follow": config.deletions == "follow",
        },
    }


def layout(config: StackConfig) -> dict[str, str | bool]:
    """Return the layout of the bucket, by the fields of `handlers.layout.Layout`."""
    return {
        "master": config.master_prefix,
        "converted": config.converted_prefix,
        "resized": config.resized_prefix,
        "rejected": config.rejected_prefix,
        "full_names": config.naming == "full",
    }
