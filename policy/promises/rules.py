"""All rules: those about data and logs, and the lists of the modules about messages and access."""

# ruff: noqa: D401 - a check's docstring is the promise that Pulumi shows, not what the check does.

from collections.abc import Iterator

from . import access, delivery
from .model import Resource, Rule, StackResources

BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def buckets_are_private(bucket: Resource, stack: StackResources) -> Iterator[str]:
    """A bucket blocks public access with all four of S3's settings."""
    blocks = stack.where("BucketPublicAccessBlock", "bucket", bucket.props["bucket"])
    if not any(all(block.props.get(way) for way in BLOCKS) for block in blocks):
        yield f"it is not private: add a BucketPublicAccessBlock with {', '.join(BLOCKS)}"


def objects_are_their_buckets(bucket: Resource, stack: StackResources) -> Iterator[str]:
    """Access lists are off: policies alone decide who may read an object."""
    controls = stack.where("BucketOwnershipControls", "bucket", bucket.props["bucket"])
    if [control.props["rule"]["objectOwnership"] for control in controls] != ["BucketOwnerEnforced"]:
        yield "its objects may have other owners: set BucketOwnerEnforced"


def buckets_are_encrypted(bucket: Resource, stack: StackResources) -> Iterator[str]:
    """A bucket sets how its objects are encrypted."""
    if not stack.where("BucketServerSideEncryptionConfiguration", "bucket", bucket.props["bucket"]):
        yield "it has no encryption setting for its objects"


def queues_are_encrypted(queue: Resource, _stack: StackResources) -> Iterator[str]:
    """A queue has SQS's encryption or a key."""
    if not queue.props.get("sqsManagedSseEnabled") and not queue.props.get("kmsMasterKeyId"):
        yield "it is not encrypted: set sqsManagedSseEnabled or kmsMasterKeyId"


def logs_are_kept_for_a_time(logs: Resource, _stack: StackResources) -> Iterator[str]:
    """A log group has a retention; without one its logs are kept, and billed, for ever."""
    if not logs.props.get("retentionInDays"):
        yield "it is kept for ever: set retentionInDays"


def functions_log_into_the_stacks_groups(function: Resource, stack: StackResources) -> Iterator[str]:
    """A function logs into a log group of its stack; the one that Lambda creates would outlive the stack."""
    group = (function.props.get("loggingConfig") or {}).get("logGroup")
    if not group or not stack.where("LogGroup", "name", group):
        yield "its log group is not one of the stack's"


RULES = (
    Rule(delivery.messages_stay_hidden_long_enough, ("EventSourceMapping",)),
    Rule(delivery.failures_become_dead_letters, ("EventSourceMapping",)),
    Rule(delivery.dead_letters_come_from_one_queue, ("RedrivePolicy",)),
    Rule(delivery.dead_letters_outlive_messages, ("Queue",)),
    Rule(delivery.failures_ring, ("Queue",)),
    Rule(delivery.subscriptions_are_raw, ("TopicSubscription",)),
    Rule(delivery.batches_fail_in_part, ("EventSourceMapping",)),
    Rule(delivery.concurrency_is_bounded, ("EventSourceMapping",)),
    Rule(delivery.uploads_that_fail_are_kept, ("BucketNotification",)),
    Rule(access.nothing_is_allowed_everywhere, ("RolePolicy", "QueuePolicy", "TopicPolicy", "BucketPolicy")),
    Rule(access.only_named_callers_are_let_in, ("QueuePolicy", "TopicPolicy", "BucketPolicy", "Key")),
    Rule(access.plain_http_is_denied, ("Bucket", "Topic", "Queue")),
    Rule(access.functions_have_roles_of_their_own, ("Function",)),
    Rule(access.roles_have_one_policy, ("Role",)),
    Rule(access.callers_are_named_by_arn_and_account, ("Permission",)),
    Rule(access.outputs_start_nothing, ("BucketNotification",)),
    Rule(buckets_are_private, ("Bucket",)),
    Rule(objects_are_their_buckets, ("Bucket",)),
    Rule(buckets_are_encrypted, ("Bucket",)),
    Rule(queues_are_encrypted, ("Queue",)),
    Rule(logs_are_kept_for_a_time, ("LogGroup",)),
    Rule(functions_log_into_the_stacks_groups, ("Function",)),
)
