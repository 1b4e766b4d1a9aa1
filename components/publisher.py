"""The job-publisher and its trigger: it keeps the record of each picture and publishes its jobs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import policies
from components.branches import BRANCHES, ImageBranch
from components.config import StackConfig
from components.fanout import Fanout
from components.function import Function, FunctionArgs
from components.lambda_package import LambdaPackage
from components.picture_record import RecordAccess, record_settings
from components.queue import Queue, QueueArgs
from components.storage import ImageBucket, PictureTable

MAX_EVENT_AGE_S = 6 * 3600
"""How long Lambda tries to start the function for an event: the longest that it offers.

Source: Lambda's API reference, PutFunctionEventInvokeConfig.
"""

MAX_EVENT_RETRIES = 185
"""How often EventBridge tries to start the function. Source: EventBridge's user guide, retry policy, default."""


@dataclass(frozen=True, kw_only=True)
class PublisherArgs:
    """What the publisher needs: the bucket to watch, the records to keep, and the fan-out to publish to.

    `rows` are all the branches that a picture has to wait for until it is complete.
    """

    config: StackConfig
    package: LambdaPackage
    bucket: ImageBucket
    pictures: PictureTable
    fanout: Fanout
    rows: Sequence[ImageBranch] = BRANCHES


class Publisher(pulumi.ComponentResource):
    """A function that S3 calls for each object that appears or goes below the master prefix."""

    function: Function
    """The function."""
    failed: Queue
    """The queue for the events that the function failed on, after Lambda's two retries."""
    rule_name: pulumi.Output[str] | None
    """The rule that passes on the events of a bucket that the stack does not own; None where it owns its bucket."""

    def __init__(self, name: str, args: PublisherArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Publisher", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        # Never under the fan-out's key: an event must be kept just when that key refuses the publisher.
        rule = self._rule() if args.config.bucket else None
        self.rule_name = rule.name if rule else None
        queue = QueueArgs(tls_only=args.config.tls_only, rules=[rule.arn] if rule else [])
        self.failed = Queue(f"{name}-failed", queue, self._child)
        self.function = self._function(self.failed)
        self._keep_failures(self.function, self.failed)
        if rule:
            self._follow(rule, self.function, self.failed)
        else:
            self._trigger(self.function)
        self.register_outputs({"function_name": self.function.name, "failed_queue_url": self.failed.url})

    def _function(self, failed: Queue) -> Function:
        args, config = self._args, self._args.config
        topic_arn, key_arn = args.fanout.topic_arn, args.fanout.key_arn
        keys = [key_arn.apply(policies.encrypt)] if key_arn else []
        access = RecordAccess(config=config, bucket=args.bucket, pictures=args.pictures)
        return Function(
            self._name,
            FunctionArgs(
                config=config,
                package=self._args.package,
                handler="handlers.job_publisher.handler",
                memory_mb=config.publisher_memory_mb,
                statements=[
                    topic_arn.apply(policies.publish),
                    failed.arn.apply(policies.send),
                    *keys,
                    *access.statements(settle=False),
                ],
                environment={
                    "BUCKET": args.bucket.name,
                    "PICTURES_TABLE": args.pictures.name,
                    "TOPIC_ARN": topic_arn,
                    "SETTINGS": json.dumps(record_settings(config, pulumi.get_stack(), args.rows)),
                },
            ),
            self._child,
        )

    def _keep_failures(self, function: Function, failed: Queue) -> None:
        aws.lambda_.FunctionEventInvokeConfig(
            f"{self._name}-failures",
            function_name=function.name,
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=MAX_EVENT_AGE_S,
            destination_config={"on_failure": {"destination": failed.arn}},
            opts=self._child,
        )

    def _trigger(self, function: Function) -> None:
        bucket = self._args.bucket
        # A bucket's ARN names no account: without it, the next owner of a deleted bucket's name could call.
        account = aws.get_caller_identity_output().account_id
        permission = self._permission(function, "s3", bucket.arn, account)
        aws.s3.BucketNotification(
            f"{self._name}-trigger",
            bucket=bucket.name,
            lambda_functions=[
                {
                    "lambda_function_arn": function.arn,
                    # Not Put alone: large files arrive as CompleteMultipartUpload, copies as Copy. What a lifecycle
                    # rule expires is no deletion, and has an event of another name.
                    "events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                    "filter_prefix": self._args.config.master_prefix,
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )

    def _rule(self) -> aws.cloudwatch.EventRule:
        """Make the rule for the events of a bucket that the stack does not own: its notification is somebody else's."""
        bucket, prefix = self._args.bucket, self._args.config.master_prefix
        return aws.cloudwatch.EventRule(
            f"{self._name}-rule",
            event_pattern=bucket.name.apply(lambda name: json.dumps(event_pattern(name, prefix))),
            opts=self._child,
        )

    def _follow(self, rule: aws.cloudwatch.EventRule, function: Function, failed: Queue) -> None:
        permission = self._permission(function, "events", rule.arn)
        aws.cloudwatch.EventTarget(
            f"{self._name}-target",
            rule=rule.name,
            arn=function.arn,
            retry_policy={"maximum_event_age_in_seconds": MAX_EVENT_AGE_S, "maximum_retry_attempts": MAX_EVENT_RETRIES},
            dead_letter_config={"arn": failed.arn},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, failed]),
        )

    def _permission(
        self,
        function: Function,
        service: str,
        source_arn: pulumi.Input[str],
        source_account: pulumi.Input[str] | None = None,
    ) -> aws.lambda_.Permission:
        return aws.lambda_.Permission(
            f"{self._name}-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal=f"{service}.amazonaws.com",
            source_arn=source_arn,
            source_account=source_account,
            opts=self._child,
        )


def event_pattern(bucket: str, prefix: str) -> dict[str, Any]:
    """Return what EventBridge matches: objects of a bucket that appear or are deleted below a prefix.

    What a lifecycle rule expires is no deletion. Source: S3's user guide, "EventBridge event message structure".
    """
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {
            "bucket": {"name": [bucket]},
            "object": {"key": [{"prefix": prefix}]},
            "reason": [{"anything-but": "Lifecycle Expiration"}],
        },
    }
