"""CloudWatch alarms as components make them: on by default, and notifying the topics that they are given."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.alarms import Alarm


class AlarmSettings(TypedDict):
    """Whether there are alarms, and whom they notify."""

    enabled: NotRequired[bool]
    """Whether alarms are made, true by default."""
    topic_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """The ARNs of the topics that an alarm notifies when it goes off, and when it is over; none by default."""


def make_alarms(
    alarms: Iterable[Alarm],
    settings: AlarmSettings,
    opts: pulumi.ResourceOptions,
    *,
    tags: Mapping[str, pulumi.Input[str]] | None = None,
    runbooks: bool = False,
) -> None:
    """Make alarms, unless the settings say that there are none; with `runbooks` each names this project's."""
    if not settings.get("enabled", True):
        return
    actions = list(settings.get("topic_arns", ()))
    for alarm in alarms:
        aws.cloudwatch.MetricAlarm(
            f"{alarm.name}-alarm",
            alarm_description=alarm.description if runbooks else alarm.meaning,
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
