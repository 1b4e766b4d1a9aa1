"""What watches a running stack: its alarms, their recipients, and one dashboard."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import alarms, dashboard, policies
from components.alarms import Alarm
from components.branch import Branch
from components.config import StackConfig
from components.fanout import Fanout
from components.publisher import Publisher

UNHEARD = (
    "expected alarmEmail or alarmTopic in a stack with protectData, got neither, so that alarms notify nobody: set one "
    "with `pulumi config set alarmEmail you@example.com`"
)


@dataclass(frozen=True, kw_only=True)
class WatchArgs:
    """What is watched."""

    config: StackConfig
    fanout: Fanout
    publisher: Publisher


class Watch(pulumi.ComponentResource):
    """The alarms of every branch, of the topic and of the publisher, and the stack's dashboard."""

    dashboard_name: pulumi.Output[str]
    """The physical name of the dashboard."""

    def __init__(self, name: str, args: WatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Watch", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        actions = self._recipients()
        for alarm in self._alarms():
            self._alarm(alarm, actions)
        self.dashboard_name = self._dashboard()
        self.register_outputs({"dashboard_name": self.dashboard_name})

    def _recipients(self) -> list[pulumi.Input[str]]:
        """Return the topics that alarms notify: the configured one, a new one for the configured address, or none."""
        config = self._args.config
        if config.alarm_topic:
            return [config.alarm_topic]
        if not config.alarm_email:
            if config.protect_data:
                pulumi.warn(UNHEARD)
            return []
        topic = aws.sns.Topic(f"{self._name}-alarms", opts=self._child)
        account = aws.get_caller_identity_output().account_id
        policy = aws.sns.TopicPolicy(
            f"{self._name}-alarms-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, account).apply(
                lambda found: _alarms_policy(*found, tls_only=config.tls_only)
            ),
            opts=self._child,
        )
        aws.sns.TopicSubscription(
            f"{self._name}-alarms-email",
            topic=policy.arn,
            protocol="email",
            endpoint=config.alarm_email,
            opts=self._child,
        )
        return [topic.arn]

    def _alarms(self) -> list[Alarm]:
        fanout, publisher, timeout_s = self._args.fanout, self._args.publisher, self._args.config.timeout_s
        functions = [publisher.function, *(branch.function for branch in fanout.branches.values())]
        return [
            *(alarm for name, branch in fanout.branches.items() for alarm in self._branch_alarms(name, branch)),
            *alarms.topic_alarms("topic", fanout.topic_name),
            alarms.queue_not_empty(
                "job-publisher-failed", publisher.failed.name, "Uploads did not become jobs", "uploads-without-jobs"
            ),
            *alarms.function_alarms("job-publisher", publisher.function.name, timeout_s),
            *alarms.event_alarms("job-publisher", publisher.function.name),
            *(alarms.rule_alarms("job-publisher-rule", publisher.rule_name) if publisher.rule_name else ()),
            *([alarms.unsent_events([each.service for each in functions])] if self._args.config.events else ()),
        ]

    def _branch_alarms(self, name: str, branch: Branch) -> list[Alarm]:
        config = self._args.config
        return [
            alarms.queue_not_empty(
                f"{name}-dead-letters", branch.dead_letters.name, "A worker failed on messages for good", "dead-letters"
            ),
            alarms.queue_not_empty(
                f"{name}-undelivered", branch.undelivered.name, "The topic could not fill the queue", "undelivered-jobs"
            ),
            alarms.queue_too_old(f"{name}-queue", branch.queue.name, config.visibility_timeout_s),
            *alarms.function_alarms(name, branch.function.name, config.timeout_s),
            alarms.too_many_rejected(name, branch.function.service),
        ]

    def _alarm(self, alarm: Alarm, actions: list[pulumi.Input[str]]) -> None:
        aws.cloudwatch.MetricAlarm(
            f"{alarm.name}-alarm",
            alarm_description=alarm.description,
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            evaluation_periods=1,
            metric_queries=alarm.queries,
            treat_missing_data="notBreaching",
            alarm_actions=actions,
            ok_actions=actions,
            opts=self._child,
        )

    def _dashboard(self) -> pulumi.Output[str]:
        fanout, publisher = self._args.fanout, self._args.publisher
        branches, region = fanout.branches.values(), aws.get_region_output().region
        body = pulumi.Output.all(
            region=region,
            publisher=publisher.function.name,
            topic=fanout.topic_name,
            functions={branch.function.service: branch.function.name for branch in branches},
            memory_mb=[branch.spec.memory_mb for branch in branches],
            publisher_memory_mb=self._args.config.publisher_memory_mb,
            architecture=self._args.config.architecture,
            queues=[branch.queue.name for branch in branches],
        ).apply(lambda names: dashboard.body(**names))
        return aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard",
            # Dashboards of all regions share one list of names.
            dashboard_name=pulumi.Output.concat(pulumi.get_project(), "-", pulumi.get_stack(), "-", region),
            dashboard_body=body,
            opts=self._child,
        ).dashboard_name


def _alarms_policy(topic_arn: str, account: str, *, tls_only: bool) -> str:
    denied = [policies.tls_only("sns", topic_arn)] if tls_only else []
    return policies.document([policies.notify(topic_arn, account), *denied])
