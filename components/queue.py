"""An SQS queue with its policy: encrypted, TLS only, open only to the named topics and EventBridge rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies
from components.names import checked_name

# SQS keeps a message's age across queues, so a dead letter must be kept longer than a message.
# Source: SQS's developer guide, "Dead-letter queues", message retention periods.
RETENTION_S = 4 * 24 * 3600
DEAD_LETTER_RETENTION_S = 14 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class QueueArgs:
    """One queue. Without `visibility_timeout_s` it stores failures; `Branch` computes that of a work queue."""

    visibility_timeout_s: int | None = None
    topics: Sequence[pulumi.Input[str]] = ()
    rules: Sequence[pulumi.Input[str]] = ()
    tls_only: bool = True
    key_arn: pulumi.Input[str] | None = None
    tags: Mapping[str, pulumi.Input[str]] | None = None


class Queue(pulumi.ComponentResource):
    """A queue and its policy."""

    arn: pulumi.Output[str]
    """The queue's ARN."""
    name: pulumi.Output[str]
    """The queue's physical name."""
    url: pulumi.Output[str]
    """The queue's URL, once its policy is in force, so that nothing is sent earlier."""

    def __init__(self, name: str, args: QueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Queue", name, None, opts)
        keeps_dead_letters = args.visibility_timeout_s is None
        queue = aws.sqs.Queue(
            checked_name("queue", name),
            message_retention_seconds=DEAD_LETTER_RETENTION_S if keeps_dead_letters else RETENTION_S,
            visibility_timeout_seconds=args.visibility_timeout_s,
            # These two settings exclude each other.
            sqs_managed_sse_enabled=None if args.key_arn else True,
            kms_master_key_id=args.key_arn,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn, self.name, self.url = queue.arn, queue.name, queue.url
        if args.topics or args.rules or args.tls_only:
            policy = aws.sqs.QueuePolicy(
                f"{name}-policy",
                queue_url=queue.url,
                policy=pulumi.Output.all(queue.arn, list(args.topics), list(args.rules)).apply(
                    lambda arns: policies.document(_statements(*arns, tls_only=args.tls_only))
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.url = policy.queue_url
        self.register_outputs({"arn": self.arn, "url": self.url})


def _statements(
    queue_arn: str, topic_arns: Sequence[str], rule_arns: Sequence[str], *, tls_only: bool
) -> list[policies.Statement]:
    statements = [policies.deliver(arn, queue_arn) for arn in topic_arns]
    statements += [policies.deliver(arn, queue_arn, "events") for arn in rule_arns]
    return [*statements, policies.tls_only("sqs", queue_arn)] if tls_only else statements
