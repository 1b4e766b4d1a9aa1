"""One branch of a fan-out: subscription, queue, dead-letter queues, function and mapping."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components import policies
from components.config import StackConfig
from components.function import Function, FunctionArgs
from components.lambda_package import LambdaPackage
from components.queue import Queue, QueueArgs


@dataclass(frozen=True, kw_only=True)
class BranchSpec:
    """What tells one branch from the next: its name, its worker's entry point, memory, permissions, environment.

    With `republishes` the worker may publish to the fan-out's topic, whose ARN it gets as `TOPIC_ARN`.
    """

    name: str
    handler: str
    memory_mb: int
    statements: Sequence[pulumi.Input[policies.Statement]] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    republishes: bool = False

    @property
    def function_name(self) -> str:
        """The worker's logical name: `handlers.format_converter.handler` -> `format-converter`."""
        return self.handler.split(".")[-2].replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class BranchArgs:
    """What one branch needs.

    `prefix` goes before the logical name of its function. `key_arn` is the key of its queues, but for the one that
    takes what SNS could not deliver: it must accept a job just when that key refuses.
    """

    config: StackConfig
    package: LambdaPackage
    topic_arn: pulumi.Input[str]
    spec: BranchSpec
    prefix: str = ""
    key_arn: pulumi.Output[str] | None = None


class Branch(pulumi.ComponentResource):
    """A queue that the topic fills and a function that empties it."""

    spec: BranchSpec
    """What the branch was made from."""
    queue: Queue
    """The queue that the topic fills."""
    dead_letters: Queue
    """The queue for messages that the function failed on too often."""
    undelivered: Queue
    """The queue for messages that the topic could not deliver."""
    function: Function
    """The function that empties the queue."""

    def __init__(self, name: str, args: BranchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Branch", name, None, opts)
        self._name, self._args, self.spec = name, args, args.spec
        self._child = pulumi.ResourceOptions(parent=self)
        self.queue = self._queue(
            "queue",
            visibility_timeout_s=args.config.visibility_timeout_s,
            topics=[args.topic_arn],
            key_arn=args.key_arn,
        )
        self.dead_letters = self._queue("dead-letters", key_arn=args.key_arn)
        self.undelivered = self._queue("undelivered", topics=[args.topic_arn])
        self._redrive(self.queue, self.dead_letters)
        self._subscribe(self.queue, self.undelivered)
        self.function = self._function(self.queue)
        self._map(self.queue, self.function)
        self.register_outputs({"queue_url": self.queue.url, "dead_letter_queue_url": self.dead_letters.url})

    def _queue(
        self,
        role: str,
        *,
        visibility_timeout_s: int | None = None,
        topics: Sequence[pulumi.Input[str]] = (),
        key_arn: pulumi.Output[str] | None = None,
    ) -> Queue:
        args = QueueArgs(
            visibility_timeout_s=visibility_timeout_s,
            topics=topics,
            tls_only=self._args.config.tls_only,
            key_arn=key_arn,
        )
        return Queue(f"{self._name}-{role}", args, self._child)

    def _redrive(self, queue: Queue, dead_letters: Queue) -> None:
        """Name each queue in the other's policy; two resources, because inline on both sides is a cycle."""
        aws.sqs.RedrivePolicy(
            f"{self._name}-redrive",
            queue_url=queue.url,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": self._args.config.max_receives}
            ),
            opts=self._child,
        )
        aws.sqs.RedriveAllowPolicy(
            f"{self._name}-redrive-allow",
            queue_url=dead_letters.url,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
            ),
            opts=self._child,
        )

    def _subscribe(self, queue: Queue, undelivered: Queue) -> None:
        aws.sns.TopicSubscription(
            f"{self._name}-subscription",
            topic=self._args.topic_arn,
            protocol="sqs",
            endpoint=queue.arn,
            raw_message_delivery=True,
            redrive_policy=undelivered.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn})),
            # SNS drops, without a word, what the queue's policy does not let in.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[queue, undelivered]),
        )

    def _function(self, queue: Queue) -> Function:
        args, spec = self._args, self._args.spec
        use_key = policies.encrypt if spec.republishes else policies.decrypt
        keys = [args.key_arn.apply(use_key)] if args.key_arn else []
        topic = [pulumi.Output.from_input(args.topic_arn).apply(policies.publish)] if spec.republishes else []
        topic_arn = {"TOPIC_ARN": args.topic_arn} if spec.republishes else {}
        return Function(
            args.prefix + spec.function_name,
            FunctionArgs(
                config=args.config,
                package=args.package,
                handler=spec.handler,
                memory_mb=spec.memory_mb,
                statements=[queue.arn.apply(policies.consume), *keys, *topic, *spec.statements],
                environment={**spec.environment, **topic_arn, "BRANCH": spec.name, "QUEUE_URL": queue.url},
            ),
            self._child,
        )

    def _map(self, queue: Queue, function: Function) -> None:
        config = self._args.config
        aws.lambda_.EventSourceMapping(
            f"{self._name}-mapping",
            event_source_arn=queue.arn,
            function_name=function.arn,
            batch_size=config.batch_size,
            maximum_batching_window_in_seconds=config.batch_window_s,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": config.max_concurrency},
            opts=self._child,
        )
