"""The alarms of fan-outs, branches and publishers: on by default, with the topics to notify as an argument."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import alarms
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
        aws.cloudwatch.MetricAlarm(
            f"{alarm.name}-alarm",
            alarm_description=f"{stack}: {alarm.description if runbooks else alarm.meaning}",
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


@dataclass(frozen=True, kw_only=True)
class WatchedBranch:
    """What a branch's alarms watch: the physical names of its queues and function, and its times in seconds."""

    name: str
    queue: pulumi.Input[str]
    dead_letters: pulumi.Input[str]
    undelivered: pulumi.Input[str]
    function: pulumi.Input[str]
    timeout_s: int
    visibility_timeout_s: int


def branch_alarms(branch: WatchedBranch) -> list[Alarm]:
    """Watch a branch's queues and its function."""
    name = branch.name
    return [
        alarms.queue_not_empty(
            f"{name}-dead-letters", branch.dead_letters, "A worker failed on messages for good", "dead-letters"
        ),
        alarms.queue_not_empty(
            f"{name}-undelivered", branch.undelivered, "The topic could not fill the queue", "undelivered-jobs"
        ),
        alarms.queue_too_old(f"{name}-queue", branch.queue, branch.visibility_timeout_s),
        *alarms.function_alarms(name, branch.function, branch.timeout_s),
    ]


def publisher_alarms(
    name: str, *, function: pulumi.Input[str], failed: pulumi.Input[str], rule: pulumi.Input[str] | None, timeout_s: int
) -> list[Alarm]:
    """Watch a publisher: its function, its failure queue, and the rule that calls it, if there is one."""
    return [
        alarms.queue_not_empty(f"{name}-failed", failed, "Uploads did not become jobs", "uploads-without-jobs"),
        *alarms.function_alarms(name, function, timeout_s),
        *alarms.event_alarms(name, function),
        *(alarms.rule_alarms(f"{name}-rule", rule) if rule else ()),
    ]
