"""One branch of a fan-out: subscription, queue, dead-letter queues, function and mapping."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import alarms, policies
from components.alarms import Alarm, AlarmSettings, make_alarms
from components.delivery import DEFAULT_BATCH_SIZE, DEFAULT_MAX_CONCURRENCY, DEFAULT_MAX_RECEIVES, visibility_timeout_s
from components.function import Function, FunctionSettings
from components.queue import Queue, QueueArgs
from components.worker import BranchSpec, Worker, checked, existing_worker, settings_of, timeout_of


class DeliverySettings(TypedDict):
    """How Lambda takes messages from a queue, and when a failing message becomes a dead letter."""

    batch_size: NotRequired[int]
    """The maximum number of messages per invocation, 10 by default. Above 10, Lambda requires a batch window."""
    batch_window_seconds: NotRequired[int]
    """How long Lambda waits to fill a batch, in seconds, 0 by default."""
    max_concurrency: NotRequired[int]
    """The maximum number of concurrent invocations, from 2 to 1,000, 10 by default."""
    max_receives: NotRequired[int]
    """How many times a message is delivered before it becomes a dead letter, 5 by default."""


class BranchArgs(TypedDict):
    """One branch of a topic: a fan-out's or any other."""

    topic_arn: pulumi.Input[str]
    """The ARN of the topic that fills the queue."""
    spec: BranchSpec
    """The branch's name and function."""
    functions: NotRequired[FunctionSettings]
    """Settings that a new function shares with those of other branches."""
    prefix: NotRequired[str]
    """Prefix of the function's logical name, if the branch sets that name."""
    delivery: NotRequired[DeliverySettings]
    """How Lambda takes messages from the queue."""
    alarms: NotRequired[AlarmSettings]
    """The alarms on the queues and the function."""
    key_arn: NotRequired[pulumi.Input[str]]
    """The ARN of a KMS key for the queues; by default, SQS manages the encryption."""
    tls_only: NotRequired[bool]
    """Whether the queues deny requests without TLS, true by default."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags for every resource that the branch creates."""


class Branch(pulumi.ComponentResource):
    """A queue that a topic fills, a function that processes it, and queues for what either could not deliver."""

    topic_arn: pulumi.Output[str]
    """The ARN of the topic, available once the queue is subscribed to it."""
    queue_url: pulumi.Output[str]
    """The URL of the queue that the topic fills."""
    queue_name: pulumi.Output[str]
    """The physical name of that queue."""
    dead_letter_queue_url: pulumi.Output[str]
    """The URL of the queue for messages that the function failed to process."""
    dead_letter_queue_name: pulumi.Output[str]
    """The physical name of that queue."""
    undelivered_queue_url: pulumi.Output[str]
    """The URL of the queue for messages that the topic could not deliver."""
    undelivered_queue_name: pulumi.Output[str]
    """The physical name of that queue."""
    function_arn: pulumi.Output[str]
    """The ARN of the function that processes the queue."""
    function_name: pulumi.Output[str]
    """The physical name of that function."""
    service: str | None
    """The service name in the logs and metrics of a new function."""

    def __init__(self, name: str, args: BranchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Branch", name, None, opts)
        self._name, self._args, self._spec = name, args, args["spec"]
        self._delivery = args.get("delivery", DeliverySettings())
        self._child = pulumi.ResourceOptions(parent=self)
        self._timeout_s = timeout_of(self._spec, args.get("functions"))
        window_s = int(self._delivery.get("batch_window_seconds", 0))
        self._visibility_timeout_s = visibility_timeout_s(self._timeout_s, window_s)

        queue, dead_letters, undelivered = self._queues()
        self._redrive(queue, dead_letters)
        self.topic_arn = self._subscribe(queue, undelivered).topic
        worker = self._worker(queue)
        self._map(queue, worker)

        self.queue_url, self.queue_name = queue.url, queue.name
        self.dead_letter_queue_url, self.dead_letter_queue_name = dead_letters.url, dead_letters.name
        self.undelivered_queue_url, self.undelivered_queue_name = undelivered.url, undelivered.name
        self.function_arn, self.function_name, self.service = worker.arn, worker.name, worker.service
        # Not declared above, where it would be an output of the package for other languages.
        self.metric_alarms = self._alarms()
        make_alarms(self.metric_alarms, args.get("alarms", {}), self._child, tags=args.get("tags"))
        self.register_outputs({"queue_url": self.queue_url, "dead_letter_queue_url": self.dead_letter_queue_url})

    def _queues(self) -> tuple[Queue, Queue, Queue]:
        timeout_s, topics, key_arn = self._visibility_timeout_s, [self._args["topic_arn"]], self._args.get("key_arn")
        return (
            self._queue("queue", QueueArgs(visibility_timeout_s=timeout_s, topics=topics, key_arn=key_arn)),
            self._queue("dead-letters", QueueArgs(key_arn=key_arn)),
            # Without the key: it must accept what SNS could not deliver because of that key.
            self._queue("undelivered", QueueArgs(topics=topics)),
        )

    def _queue(self, role: str, args: QueueArgs) -> Queue:
        args = replace(args, tls_only=self._args.get("tls_only", True), tags=self._args.get("tags"))
        return Queue(f"{self._name}-{role}", args, self._child)

    def _redrive(self, queue: Queue, dead_letters: Queue) -> None:
        """Name each queue in the other's policy; two resources, because inline on both sides is a cycle."""
        receives = int(self._delivery.get("max_receives", DEFAULT_MAX_RECEIVES))
        aws.sqs.RedrivePolicy(
            f"{self._name}-redrive",
            queue_url=queue.url,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": receives}
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

    def _subscribe(self, queue: Queue, undelivered: Queue) -> aws.sns.TopicSubscription:
        return aws.sns.TopicSubscription(
            f"{self._name}-subscription",
            topic=self._args["topic_arn"],
            protocol="sqs",
            endpoint=queue.arn,
            raw_message_delivery=True,
            redrive_policy=undelivered.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn})),
            # SNS silently drops messages that the queue's policy does not allow yet.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[queue, undelivered]),
        )

    def _worker(self, queue: Queue) -> Worker:
        spec = checked(self._spec)
        if "existing_function" in spec:
            return existing_worker(self._name, spec["existing_function"], self._statements(queue), self)
        topic_arn = {"TOPIC_ARN": self._args["topic_arn"]} if spec.get("publishes") else {}
        own_name = spec.get("function_name")
        function = Function(
            self._args.get("prefix", "") + own_name if own_name else self._name,
            {
                "settings": settings_of(spec, self._args.get("functions")),
                "handler": spec["handler"],
                "statements": self._statements(queue),
                "environment": {
                    **spec.get("environment", {}),
                    **topic_arn,
                    "BRANCH": spec["name"],
                    "QUEUE_URL": queue.url,
                },
                "tags": self._args.get("tags", {}),
            },
            self._child,
        )
        return Worker(arn=function.arn, name=function.name, service=function.service)

    def _statements(self, queue: Queue) -> list[pulumi.Input[policies.Statement]]:
        spec, topic_arn, key_arn = self._spec, self._args["topic_arn"], self._args.get("key_arn")
        publishes = spec.get("publishes", False)
        use_key = policies.encrypt if publishes else policies.decrypt
        keys = [pulumi.Output.from_input(key_arn).apply(use_key)] if key_arn else []
        topic = [pulumi.Output.from_input(topic_arn).apply(policies.publish)] if publishes else []
        return [queue.arn.apply(policies.consume), *keys, *topic, *spec.get("statements", ())]

    def _map(self, queue: Queue, worker: Worker) -> None:
        delivery = self._delivery
        aws.lambda_.EventSourceMapping(
            f"{self._name}-mapping",
            event_source_arn=queue.arn,
            function_name=worker.arn,
            batch_size=delivery.get("batch_size", DEFAULT_BATCH_SIZE),
            maximum_batching_window_in_seconds=delivery.get("batch_window_seconds", 0),
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": delivery.get("max_concurrency", DEFAULT_MAX_CONCURRENCY)},
            tags=self._args.get("tags"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=worker.ready),
        )

    def _alarms(self) -> list[Alarm]:
        name, letters, undelivered = self._name, self.dead_letter_queue_name, self.undelivered_queue_name
        return [
            alarms.queue_not_empty(
                f"{name}-dead-letters", letters, "A worker failed on messages for good", "dead-letters"
            ),
            alarms.queue_not_empty(
                f"{name}-undelivered", undelivered, "The topic could not fill the queue", "undelivered-jobs"
            ),
            alarms.queue_too_old(f"{name}-queue", self.queue_name, self._visibility_timeout_s),
            *alarms.function_alarms(name, self.function_name, self._timeout_s),
        ]
