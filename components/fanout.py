"""A topic and its branches: every message published is delivered to each branch's queue."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import policies
from components.alarms import AlarmSettings, make_alarms, topic_alarms
from components.branch import Branch, BranchArgs, DeliverySettings
from components.errors import ArgumentError
from components.function import FunctionSettings
from components.key import LATEST_DAYS, Key
from components.names import checked_name
from components.worker import BranchSpec

SHARED = ("functions", "delivery", "alarms", "tls_only", "tags")
"""The arguments that a fan-out passes to each branch."""


class FanoutArgs(TypedDict):
    """One fan-out: its branches and the settings that they share."""

    branches: Sequence[BranchSpec]
    """The branches; each gets every message."""
    functions: NotRequired[FunctionSettings]
    """Settings that the branches' functions share: code, runtime, memory, time-out, logs."""
    delivery: NotRequired[DeliverySettings]
    """How Lambda takes messages from the queues."""
    topic_arn: NotRequired[pulumi.Input[str]]
    """The ARN of an existing topic, instead of a new one."""
    key_arn: NotRequired[pulumi.Input[str]]
    """The ARN of a KMS key for the topic and the queues, which SNS must be allowed to use."""
    create_key: NotRequired[bool]
    """Whether to create a KMS key for the topic and the queues, false by default."""
    key_deletion_days: NotRequired[int]
    """The deletion window of a created key in days, from 7 to 30, 30 by default."""
    alarms: NotRequired[AlarmSettings]
    """The alarms on the topic, the queues and the functions: on by default, without a topic to notify."""
    tls_only: NotRequired[bool]
    """Whether a new topic and the queues deny requests without TLS, true by default."""
    prefix: NotRequired[str]
    """Prefix of the branches' logical names; the default is the fan-out's name and a dash."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags for every resource that the fan-out creates."""


class Fanout(pulumi.ComponentResource):
    """One SNS topic and any number of branches, each with a queue, dead-letter queues, a function and alarms."""

    topic_arn: pulumi.Output[str]
    """The ARN of the topic to publish to, available once its policy is in force and every branch is subscribed."""
    topic_name: pulumi.Output[str]
    """The physical name of the topic."""
    key_arn: pulumi.Output[str] | None
    """The ARN of the KMS key, if there is one."""
    queue_urls: Mapping[str, pulumi.Output[str]]
    """The URLs of the branches' queues, by branch."""
    queue_names: Mapping[str, pulumi.Output[str]]
    """The physical names of the branches' queues, by branch."""
    dead_letter_queue_urls: Mapping[str, pulumi.Output[str]]
    """The URLs of the failure queues: `<branch>` for its function, `<branch>-undelivered` for the topic."""
    dead_letter_queue_names: Mapping[str, pulumi.Output[str]]
    """The physical names of the failure queues, by the same keys."""
    function_names: Mapping[str, pulumi.Output[str]]
    """The physical names of the functions, by branch."""
    services: Mapping[str, str]
    """The service names in the logs and metrics of new functions, by branch."""

    def __init__(self, name: str, args: FanoutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Fanout", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.key_arn = self._key()
        topic_arn, self.topic_name = self._topic()
        branches = {spec["name"]: self._branch(spec, topic_arn) for spec in self._specs()}
        # SNS discards what is published before a queue is subscribed.
        subscribed = [branch.topic_arn for branch in branches.values()]
        self.topic_arn = pulumi.Output.all(topic_arn, *subscribed).apply(lambda arns: arns[0])

        self.queue_urls = {name: branch.queue_url for name, branch in branches.items()}
        self.queue_names = {name: branch.queue_name for name, branch in branches.items()}
        self.dead_letter_queue_urls = {
            **{name: branch.dead_letter_queue_url for name, branch in branches.items()},
            **{f"{name}-undelivered": branch.undelivered_queue_url for name, branch in branches.items()},
        }
        self.dead_letter_queue_names = {
            **{name: branch.dead_letter_queue_name for name, branch in branches.items()},
            **{f"{name}-undelivered": branch.undelivered_queue_name for name, branch in branches.items()},
        }
        self.function_names = {name: branch.function_name for name, branch in branches.items()}
        self.services = {name: branch.service for name, branch in branches.items() if branch.service}
        # Not declared above, where it would be an output of the package for other languages.
        self.branch_alarms = [alarm for branch in branches.values() for alarm in branch.metric_alarms]
        alarms = topic_alarms(name, self.topic_name)
        make_alarms(alarms, args.get("alarms", {}), self._child, tags=args.get("tags"))
        self.register_outputs({"topic_arn": self.topic_arn, "queue_urls": self.queue_urls})

    def _specs(self) -> list[BranchSpec]:
        specs: Any = self._args["branches"]
        if isinstance(specs, pulumi.Output):
            raise ArgumentError(
                f"The fan-out {self._name}: expected a list of branches, got an output: put outputs into the branches"
            )
        if not isinstance(specs, list | tuple):
            raise ArgumentError(
                f"The fan-out {self._name}: expected a list of branches, got {type(specs).__name__}: pass a list"
            )
        for number, spec in enumerate(specs, 1):
            if not isinstance(spec, Mapping) or "name" not in spec:
                raise ArgumentError(
                    f"The fan-out {self._name}: expected branches with a name each, got branch {number} without "
                    "one: give it a name"
                )
        names = [spec["name"] for spec in specs]
        if len(names) > len(set(names)):
            raise ArgumentError(
                f"The fan-out {self._name}: expected branches of different names, got {', '.join(names)}: rename one"
            )
        functions = [spec.get("function_name", spec["name"]) for spec in specs if "handler" in spec]
        if len(functions) > len(set(functions)):
            raise ArgumentError(
                f"The fan-out {self._name}: expected functions of different names, got {', '.join(functions)}: set "
                "function_name in one of the branches"
            )
        return list(specs)

    def _key(self) -> pulumi.Output[str] | None:
        args = self._args
        if args.get("create_key") and args.get("key_arn"):
            raise ArgumentError(
                f"The fan-out {self._name}: expected create_key or key_arn, got both: remove one of them"
            )
        if args.get("create_key"):
            days = int(args.get("key_deletion_days", LATEST_DAYS))
            return Key(f"{self._name}-key", days, args.get("tags"), self._child).arn
        return pulumi.Output.from_input(args["key_arn"]) if args.get("key_arn") else None

    def _topic(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Return the topic's ARN, once its policy is in force, and its name."""
        if "topic_arn" in self._args:
            arn = pulumi.Output.from_input(self._args["topic_arn"])
            return arn, arn.apply(lambda arn: arn.rpartition(":")[2])
        tags = self._args.get("tags")
        topic = aws.sns.Topic(
            checked_name("topic", self._name), kms_master_key_id=self.key_arn, tags=tags, opts=self._child
        )
        if not self._args.get("tls_only", True):
            return topic.arn, topic.name
        policy = aws.sns.TopicPolicy(
            f"{self._name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: policies.document([policies.tls_only("sns", arn)])),
            opts=self._child,
        )
        return policy.arn, topic.name

    def _branch(self, spec: BranchSpec, topic_arn: pulumi.Output[str]) -> Branch:
        prefix = self._args.get("prefix", f"{self._name}-")
        args: BranchArgs = {"spec": spec, "topic_arn": topic_arn, "prefix": prefix}
        if self.key_arn:
            args["key_arn"] = self.key_arn
        shared = {key: self._args[key] for key in SHARED if key in self._args}  # type: ignore[literal-required]
        args.update(shared)  # type: ignore[typeddict-item]
        return Branch(prefix + spec["name"], args, self._child)
