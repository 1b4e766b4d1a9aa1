"""A topic and its branches: every message published is delivered to each branch's queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies
from components.branch import Branch, BranchArgs, BranchSpec
from components.config import StackConfig
from components.key import key_arn
from components.lambda_package import LambdaPackage
from components.names import checked_name


@dataclass(frozen=True, kw_only=True)
class FanoutArgs:
    """What one fan-out needs: its branches, and what they share.

    `prefix` goes before the logical names of the branches' resources, the fan-out's own name and a
    dash unless given: a URN holds the types of a resource's parents, not their names, so branches
    of the same name in two fan-outs need it. `""` keeps names short in a program with one.
    """

    config: StackConfig
    package: LambdaPackage
    branches: Sequence[BranchSpec]
    prefix: str | None = None


class Fanout(pulumi.ComponentResource):
    """One topic, any number of branches."""

    topic_arn: pulumi.Output[str]
    """The ARN of the topic to publish jobs to, once its policy is in force."""
    topic_name: pulumi.Output[str]
    """The physical name of the topic."""
    key_arn: pulumi.Output[str] | None
    """The ARN of the key that jobs are encrypted with, None for SQS's own."""
    branches: Mapping[str, Branch]
    """The branches by name."""
    queues: Mapping[str, pulumi.Output[str]]
    """The URLs of the branches' queues by name."""
    dead_letter_queues: Mapping[str, pulumi.Output[str]]
    """The URLs of the queues for what a worker failed on, and for what the topic could not deliver, by name."""

    def __init__(self, name: str, args: FanoutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Fanout", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        prefix = f"{name}-" if args.prefix is None else args.prefix
        self.key_arn = key_arn(f"{name}-key", args.config, self._child)
        topic = aws.sns.Topic(checked_name("topic", name), kms_master_key_id=self.key_arn, opts=self._child)
        self.topic_name = topic.name
        self.topic_arn = self._topic_arn(name, topic, tls_only=args.config.tls_only)
        self.branches = {spec.name: self._branch(spec, args, prefix) for spec in args.branches}
        self.queues = {name: branch.queue.url for name, branch in self.branches.items()}
        self.dead_letter_queues = {
            queue: url
            for name, branch in self.branches.items()
            for queue, url in (
                (name, branch.dead_letters.url),
                (f"{name}-undelivered", branch.undelivered.url),
            )
        }
        self.register_outputs({"topic_arn": self.topic_arn, "queues": self.queues})

    def _branch(self, spec: BranchSpec, args: FanoutArgs, prefix: str) -> Branch:
        return Branch(
            prefix + spec.name,
            BranchArgs(
                config=args.config,
                package=args.package,
                topic_arn=self.topic_arn,
                spec=spec,
                prefix=prefix,
                key_arn=self.key_arn,
            ),
            self._child,
        )

    def _topic_arn(self, name: str, topic: aws.sns.Topic, *, tls_only: bool) -> pulumi.Output[str]:
        """Return the topic's ARN, once its policy is in force."""
        if not tls_only:
            return topic.arn
        policy = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: policies.document([policies.tls_only("sns", arn)])),
            opts=self._child,
        )
        return policy.arn
