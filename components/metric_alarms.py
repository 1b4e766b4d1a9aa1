"""Create the alarms of a component: on by default, with the topics to notify as an argument."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.alarms import Alarm


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
