"""Alarms: pure functions from the names of resources to the alarms that watch them, and how these are created.

`docs/operations.md` explains what each alarm means and what to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi_aws.cloudwatch import MetricAlarmMetricQueryArgsDict as Query
from pulumi_aws.cloudwatch import MetricAlarmMetricQueryMetricArgsDict as Metric

NAMESPACE = "PixelCascade"
PERIOD_S = 300
# The shares of the time-out, and of all pictures, above which an alarm fires.
SLOW_SHARE = 0.8
REJECTED_SHARE = 0.2
# Per period. A few throttles are retried without harm, and one rejection of one picture would be a share of 100 %.
TOLERATED_THROTTLES = 10
FEWEST_IMAGES = 10


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm on one metric, or on the first of several expressions; it fires above its threshold.

    `runbook` is the anchor of its section in `docs/operations.md`.
    """

    name: str
    meaning: str
    runbook: str
    threshold: float = 0
    queries: Sequence[Query]


class AlarmSettings(TypedDict):
    """Whether to create alarms, and which topics they notify."""

    enabled: NotRequired[bool]
    """Whether to create alarms, true by default."""
    topic_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """The ARNs of the topics to notify when an alarm starts and when it ends; none by default."""


def make_alarms(
    found: Iterable[Alarm],
    settings: AlarmSettings,
    opts: pulumi.ResourceOptions,
    *,
    tags: Mapping[str, pulumi.Input[str]] | None = None,
    runbooks: bool = False,
) -> None:
    """Create alarms if the settings enable them; with `runbooks`, each description names this project's runbook.

    The descriptions begin with project and stack, because an alarm's email shows neither its tags nor its resources.
    """
    if not settings.get("enabled", True):
        return
    actions = list(settings.get("topic_arns", ()))
    stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
    for alarm in found:
        runbook = f"; runbook: docs/operations.md#{alarm.runbook}" if runbooks else ""
        aws.cloudwatch.MetricAlarm(
            f"{alarm.name}-alarm",
            alarm_description=f"{stack}: {alarm.meaning}{runbook}",
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            evaluation_periods=1,
            metric_queries=alarm.queries,
            treat_missing_data="notBreaching",
            alarm_actions=actions,
            ok_actions=actions,
            tags=tags,
            opts=opts,
        )


def queue_not_empty(name: str, queue: pulumi.Input[str], meaning: str, runbook: str) -> Alarm:
    """Watch a queue that should be empty."""
    return Alarm(
        name=f"{name}-not-empty",
        meaning=meaning,
        runbook=runbook,
        queries=_single("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=queue),
    )


def queue_too_old(name: str, queue: pulumi.Input[str], visibility_timeout_s: int) -> Alarm:
    """Watch the age of a queue's oldest message: it should be less than the time until a retry."""
    return Alarm(
        name=f"{name}-too-old",
        meaning="Messages wait longer than one retry takes",
        runbook="messages-are-too-old",
        threshold=visibility_timeout_s,
        queries=_single("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName=queue),
    )


def function_alarms(name: str, function: pulumi.Input[str], timeout_s: int) -> list[Alarm]:
    """Watch a function's errors, throttles and duration."""
    return [
        Alarm(
            name=f"{name}-errors",
            meaning="Whole invocations fail",
            runbook="a-function-fails",
            queries=_single("AWS/Lambda", "Errors", "Sum", FunctionName=function),
        ),
        Alarm(
            name=f"{name}-throttles",
            meaning="Invocations are refused because concurrency is used up",
            runbook="a-function-is-throttled",
            threshold=TOLERATED_THROTTLES,
            queries=_single("AWS/Lambda", "Throttles", "Sum", FunctionName=function),
        ),
        Alarm(
            name=f"{name}-slow",
            meaning="Invocations come near the time-out",
            runbook="a-function-is-slow",
            threshold=1000 * SLOW_SHARE * timeout_s,
            queries=_single("AWS/Lambda", "Duration", "Maximum", FunctionName=function),
        ),
    ]


def event_alarms(name: str, function: pulumi.Input[str]) -> list[Alarm]:
    """Watch for events of S3 that a function never got, and failed events that could not be stored."""
    return [
        Alarm(
            name=f"{name}-events-dropped",
            meaning="Lambda gave up on events",
            runbook="uploads-without-jobs",
            queries=_single("AWS/Lambda", "AsyncEventsDropped", "Sum", FunctionName=function),
        ),
        Alarm(
            name=f"{name}-events-lost",
            meaning="Failed events could not be kept",
            runbook="events-are-lost",
            queries=_single("AWS/Lambda", "DestinationDeliveryFailures", "Sum", FunctionName=function),
        ),
    ]


def rule_alarms(name: str, rule: pulumi.Input[str]) -> list[Alarm]:
    """Watch for events that the target of an EventBridge rule never got, and failed ones that could not be stored."""
    return [
        Alarm(
            name=f"{name}-failed",
            meaning="EventBridge gave up on events",
            runbook="uploads-without-jobs",
            queries=_single("AWS/Events", "FailedInvocations", "Sum", RuleName=rule),
        ),
        Alarm(
            name=f"{name}-lost",
            meaning="Failed events could not be kept",
            runbook="events-are-lost",
            queries=_single("AWS/Events", "InvocationsFailedToBeSentToDlq", "Sum", RuleName=rule),
        ),
    ]


def unsent_events(services: Sequence[str]) -> Alarm:
    """Watch for events of pictures that EventBridge refuses, from all functions that send them."""
    total: Query = {"id": "unsent", "expression": "SUM(FILL(METRICS(), 0))", "label": "unsent", "return_data": True}
    metrics: list[Query] = [
        {"id": f"m{number}", "metric": _metric(NAMESPACE, "UnsentEvent", "Sum", service=service), "return_data": False}
        for number, service in enumerate(services)
    ]
    return Alarm(
        name="events-unsent",
        meaning="EventBridge refuses events of pictures",
        runbook="events-are-not-sent",
        queries=[total, *metrics],
    )


def too_many_rejected(name: str, service: str) -> Alarm:
    """Watch the share of pictures that a worker rejects."""
    rejected = _metric(NAMESPACE, "RejectedImage", "Sum", service=service)
    images = _metric(NAMESPACE, "RejectedImage", "SampleCount", service=service)
    share = f"IF(images >= {FEWEST_IMAGES}, rejected / images, 0)"
    return Alarm(
        name=f"{name}-rejected",
        meaning="Many pictures are rejected",
        runbook="many-pictures-are-rejected",
        threshold=REJECTED_SHARE,
        # Without samples there were no pictures, so there is no share and no alarm.
        queries=[
            {"id": "share", "expression": share, "label": "rejected share", "return_data": True},
            {"id": "rejected", "metric": rejected, "return_data": False},
            {"id": "images", "metric": images, "return_data": False},
        ],
    )


def topic_alarms(name: str, topic: pulumi.Input[str]) -> list[Alarm]:
    """Watch for notifications of a topic that could not be delivered, and those that were lost."""
    return [
        Alarm(
            name=f"{name}-undelivered",
            meaning="The topic could not deliver",
            runbook="the-topic-cannot-deliver",
            queries=_single("AWS/SNS", "NumberOfNotificationsFailed", "Sum", TopicName=topic),
        ),
        Alarm(
            name=f"{name}-lost",
            meaning="The topic could not keep what it could not deliver",
            runbook="jobs-are-lost",
            queries=_single("AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq", "Sum", TopicName=topic),
        ),
    ]


def _single(namespace: str, name: str, statistic: str, **dimensions: pulumi.Input[str]) -> list[Query]:
    return [{"id": "metric", "metric": _metric(namespace, name, statistic, **dimensions), "return_data": True}]


def _metric(namespace: str, name: str, statistic: str, **dimensions: pulumi.Input[str]) -> Metric:
    return {
        "namespace": namespace,
        "metric_name": name,
        "stat": statistic,
        "period": PERIOD_S,
        "dimensions": dimensions,
    }
