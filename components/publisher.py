"""A function that S3 invokes for each object and that publishes to a topic, and a queue for its failures."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import alarms, policies
from components.alarms import Alarm, AlarmSettings, make_alarms
from components.function import DEFAULT_TIMEOUT_S, Function, FunctionSettings
from components.queue import Queue, QueueArgs

MAX_EVENT_AGE_S = 6 * 3600
"""How long Lambda tries to start the function for an event: the maximum.

Source: Lambda's API reference, PutFunctionEventInvokeConfig.
"""

MAX_EVENT_RETRIES = 185
"""How often EventBridge tries to start the function. Source: EventBridge's user guide, retry policy, default."""


class PublisherArgs(TypedDict):
    """The bucket to watch, the topic to publish to, and the function between them."""

    bucket_name: pulumi.Input[str]
    """The name of the bucket."""
    bucket_arn: pulumi.Input[str]
    """The ARN of the bucket."""
    key_prefix: str
    """Prefix of the object keys to watch, such as `uploads/`."""
    event_bridge: NotRequired[bool]
    """Whether events come through EventBridge instead of the bucket's notification, which is replaced otherwise."""
    topic_arn: pulumi.Input[str]
    """The ARN of the topic; the function gets it as `TOPIC_ARN`."""
    topic_key_arn: NotRequired[pulumi.Input[str]]
    """The ARN of the topic's KMS key, if it has one."""
    handler: pulumi.Input[str]
    """The entry point, as the runtime names it: `module.function` in Python."""
    function: FunctionSettings
    """The function's code and how it runs."""
    statements: NotRequired[Sequence[pulumi.Input[Mapping[str, Any]]]]
    """IAM statements for the function's role. Publishing to the topic needs none."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables for the function."""
    alarms: NotRequired[AlarmSettings]
    """The alarms on the function and the failure queue: on by default, without a topic to notify."""
    tls_only: NotRequired[bool]
    """Whether the failure queue denies requests without TLS, true by default."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags for every resource that the publisher creates."""


class Publisher(pulumi.ComponentResource):
    """A function that S3 invokes for each object created or removed below a prefix, and a queue for its failures."""

    function_arn: pulumi.Output[str]
    """The function's ARN."""
    function_name: pulumi.Output[str]
    """The function's physical name."""
    service: str
    """The service name in the function's logs and metrics."""
    failed_queue_url: pulumi.Output[str]
    """The URL of the queue for events that the function failed to process, after two retries."""
    failed_queue_name: pulumi.Output[str]
    """The physical name of that queue."""
    rule_name: pulumi.Output[str] | None
    """The name of the EventBridge rule, if there is one."""

    def __init__(self, name: str, args: PublisherArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Publisher", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        rule = self._rule() if args.get("event_bridge") else None
        failed = self._failed(rule)
        function = self._function(failed)
        self._keep_failures(function, failed)
        if rule:
            self._follow(rule, function, failed)
        else:
            self._trigger(function)
        self.function_arn, self.function_name, self.service = function.arn, function.name, function.service
        self.failed_queue_url, self.failed_queue_name = failed.url, failed.name
        self.rule_name = rule.name if rule else None
        # Not declared above, where it would be an output of the package for other languages.
        self.metric_alarms = self._alarms()
        make_alarms(self.metric_alarms, args.get("alarms", {}), self._child, tags=args.get("tags"))
        self.register_outputs({"function_name": self.function_name, "failed_queue_url": self.failed_queue_url})

    def _failed(self, rule: aws.cloudwatch.EventRule | None) -> Queue:
        """Create the failure queue, without the topic's key: it must store events that fail because of that key."""
        args = QueueArgs(
            tls_only=self._args.get("tls_only", True), rules=[rule.arn] if rule else [], tags=self._args.get("tags")
        )
        return Queue(f"{self._name}-failed", args, self._child)

    def _function(self, failed: Queue) -> Function:
        args = self._args
        topic_arn = pulumi.Output.from_input(args["topic_arn"])
        key_arn = args.get("topic_key_arn")
        keys = [pulumi.Output.from_input(key_arn).apply(policies.encrypt)] if key_arn else []
        return Function(
            self._name,
            {
                "handler": args["handler"],
                "settings": args["function"],
                "statements": [
                    topic_arn.apply(policies.publish),
                    failed.arn.apply(policies.send),
                    *keys,
                    *args.get("statements", ()),
                ],
                "environment": {**args.get("environment", {}), "TOPIC_ARN": topic_arn},
                "tags": args.get("tags", {}),
            },
            self._child,
        )

    def _alarms(self) -> list[Alarm]:
        name, function, failed = self._name, self.function_name, self.failed_queue_name
        timeout_s = int(self._args["function"].get("timeout_seconds", DEFAULT_TIMEOUT_S))
        return [
            alarms.queue_not_empty(f"{name}-failed", failed, "Uploads did not become jobs", "uploads-without-jobs"),
            *alarms.function_alarms(name, function, timeout_s),
            *alarms.event_alarms(name, function),
            *(alarms.rule_alarms(f"{name}-rule", self.rule_name) if self.rule_name else ()),
        ]

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
        # A bucket's ARN names no account: without it, the next owner of a deleted bucket's name could call.
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self)).account_id
        permission = self._permission(function, "s3", self._args["bucket_arn"], account)
        aws.s3.BucketNotification(
            f"{self._name}-trigger",
            bucket=self._args["bucket_name"],
            lambda_functions=[
                {
                    "lambda_function_arn": function.arn,
                    # Not only Put: large files arrive as CompleteMultipartUpload, copies as Copy. Expiry by a
                    # lifecycle rule is not a deletion, and has an event of another name.
                    "events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                    "filter_prefix": self._args["key_prefix"],
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )

    def _rule(self) -> aws.cloudwatch.EventRule:
        """Create the rule for a bucket whose notification belongs to somebody else."""
        bucket, prefix = pulumi.Output.from_input(self._args["bucket_name"]), self._args["key_prefix"]
        return aws.cloudwatch.EventRule(
            f"{self._name}-rule",
            event_pattern=bucket.apply(lambda name: json.dumps(event_pattern(name, prefix))),
            tags=self._args.get("tags"),
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

    Expiry by a lifecycle rule is not a deletion. Source: S3's user guide, "EventBridge event message structure".
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
