"""A stack's monitoring: its alarms, their recipients, and one dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import alarms, dashboard, policies
from components.alarms import Alarm
from components.config import StackConfig
from components.metric_alarms import WatchedBranch, branch_alarms, make_alarms, publisher_alarms
from components.names import joined_name

UNHEARD = (
    "expected alarmEmail or alarmTopic in a stack with protectData, got neither, so that alarms notify nobody: set one "
    "with `pulumi config set alarmEmail you@example.com`"
)


@dataclass(frozen=True, kw_only=True)
class WatchArgs:
    """What to watch, by physical names; `services` and `memory_mb` are in the order of `branches`."""

    config: StackConfig
    topic: pulumi.Input[str]
    branches: Sequence[WatchedBranch]
    services: Sequence[str]
    memory_mb: Sequence[int]
    publisher: pulumi.Input[str]
    publisher_service: str
    failed_events: pulumi.Input[str]
    rule: pulumi.Input[str] | None


class Watch(pulumi.ComponentResource):
    """The alarms of all branches, the topic and the publisher, and the stack's dashboard."""

    alarm_topic_arns: Sequence[pulumi.Input[str]]
    """The ARNs of the topics that the alarms notify; other fan-outs can use them too."""
    dashboard_name: pulumi.Output[str]
    """The physical name of the dashboard."""

    def __init__(self, name: str, args: WatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Watch", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.alarm_topic_arns = self._recipients()
        make_alarms(self._alarms(), {"topic_arns": self.alarm_topic_arns}, self._child, runbooks=True)
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
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self)).account_id
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
        args = self._args
        publisher = publisher_alarms(
            "job-publisher",
            function=args.publisher,
            failed=args.failed_events,
            rule=args.rule,
            timeout_s=args.config.timeout_s,
        )
        watched = zip(args.branches, args.services, strict=True)
        return [
            *(alarm for branch in args.branches for alarm in branch_alarms(branch)),
            *(alarms.too_many_rejected(branch.name, service) for branch, service in watched),
            *alarms.topic_alarms("topic", args.topic),
            *publisher,
            *([alarms.unsent_events([args.publisher_service, *args.services])] if args.config.events else ()),
        ]

    def _dashboard(self) -> pulumi.Output[str]:
        args, region = self._args, aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        functions = [branch.function for branch in args.branches]
        body = pulumi.Output.all(
            region=region,
            publisher=args.publisher,
            topic=args.topic,
            functions=dict(zip(args.services, functions, strict=True)),
            memory_mb=list(args.memory_mb),
            publisher_memory_mb=args.config.publisher_memory_mb,
            architecture=args.config.architecture,
            queues=[branch.queue for branch in args.branches],
        ).apply(lambda names: dashboard.body(**names))
        return aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard",
            # Dashboards of all regions share one namespace.
            dashboard_name=region.apply(lambda region: joined_name(pulumi.get_project(), pulumi.get_stack(), region)),
            dashboard_body=body,
            opts=self._child,
        ).dashboard_name


def _alarms_policy(topic_arn: str, account: str, *, tls_only: bool) -> str:
    denied = [policies.tls_only("sns", topic_arn)] if tls_only else []
    return policies.document([policies.notify(topic_arn, account), *denied])
