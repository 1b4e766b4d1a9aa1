"""A stack's monitoring: its alarms, their recipients, and one dashboard."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components import alarms, dashboard, policies
from components.alarms import Alarm, make_alarms
from components.branches import BRANCHES
from components.config import StackConfig
from components.fanout import Fanout
from components.names import joined_name
from components.publisher import Publisher

UNHEARD = (
    "expected alarmEmail or alarmTopic in a stack with protectData, got neither, so that alarms notify nobody: set one "
    "with `pulumi config set alarmEmail you@example.com`"
)


class Watch(pulumi.ComponentResource):
    """The alarms of all branches, the topic and the publisher, and the stack's dashboard."""

    alarm_topic_arns: Sequence[pulumi.Input[str]]
    """The ARNs of the topics that the alarms notify; other fan-outs can use them too."""
    dashboard_name: pulumi.Output[str]
    """The physical name of the dashboard."""

    def __init__(
        self,
        name: str,
        config: StackConfig,
        fanout: Fanout,
        publisher: Publisher,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pixelcascade:index:Watch", name, None, opts)
        self._name, self._config, self._fanout, self._publisher = name, config, fanout, publisher
        self._child = pulumi.ResourceOptions(parent=self)
        self.alarm_topic_arns = self._recipients()
        make_alarms(self._alarms(), {"topic_arns": self.alarm_topic_arns}, self._child, runbooks=True)
        self.dashboard_name = self._dashboard()
        self.register_outputs({"dashboard_name": self.dashboard_name})

    def _recipients(self) -> list[pulumi.Input[str]]:
        """Return the topics that alarms notify: the configured one, a new one for the configured address, or none."""
        config = self._config
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
        fanout, publisher = self._fanout, self._publisher
        services = [publisher.service, *fanout.services.values()]
        return [
            *fanout.branch_alarms,
            *(alarms.too_many_rejected(branch, service) for branch, service in fanout.services.items()),
            *alarms.topic_alarms("topic", fanout.topic_name),
            *publisher.metric_alarms,
            *([alarms.unsent_events(services)] if self._config.events else ()),
        ]

    def _dashboard(self) -> pulumi.Output[str]:
        config, fanout, publisher = self._config, self._fanout, self._publisher
        region = aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        body = pulumi.Output.all(
            region=region,
            publisher=publisher.function_name,
            topic=fanout.topic_name,
            functions={service: fanout.function_names[branch] for branch, service in fanout.services.items()},
            memory_mb=[row.memory_mb(config) for row in BRANCHES],
            publisher_memory_mb=config.publisher_memory_mb,
            architecture=config.architecture,
            queues=list(fanout.queue_names.values()),
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
