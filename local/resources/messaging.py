"""SNS, SQS and EventBridge."""

from collections.abc import Mapping
from typing import Any

from local.emulator import Emulator
from local.resources.arguments import arguments

SPARE_S = 5


def topic(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a topic."""
    arn = emulator.client("sns").create_topic(Name=name, Attributes=arguments(inputs, "kmsMasterKeyId"))["TopicArn"]
    return {"id": arn, "arn": arn, "name": name}


def topic_policy(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Attach a topic's policy."""
    emulator.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return {"id": inputs["arn"], "arn": inputs["arn"]}


def subscription(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Subscribe a queue to a topic."""
    raw = str(bool(inputs.get("rawMessageDelivery"))).lower()
    arn = emulator.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        Attributes={"RawMessageDelivery": raw, **arguments(inputs, "redrivePolicy")},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return {"id": arn, "arn": arn, "topic": inputs["topic"]}


def queue(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a queue."""
    numbers = {
        "MessageRetentionPeriod": inputs.get("messageRetentionSeconds"),
        "VisibilityTimeout": _visibility_s(inputs.get("visibilityTimeoutSeconds")),
    }
    attributes = {key: str(int(value)) for key, value in numbers.items() if value is not None}
    if inputs.get("kmsMasterKeyId"):
        attributes["KmsMasterKeyId"] = inputs["kmsMasterKeyId"]
    else:
        attributes["SqsManagedSseEnabled"] = str(bool(inputs.get("sqsManagedSseEnabled"))).lower()
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {"id": url, "url": url, "arn": arn, "name": name}


def _visibility_s(deployed_s: float | None) -> float | None:
    """Return the local visibility time-out: one function time-out instead of six, to retry soon after a crash."""
    return None if deployed_s is None else deployed_s / 6 + SPARE_S


def _attribute(attribute: str, key: str) -> Any:
    """Return the creator of a resource that is one attribute of a queue, whose value is the input `key`."""

    def create(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        emulator.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={attribute: inputs[key]})
        return {"id": inputs["queueUrl"], "queueUrl": inputs["queueUrl"]}

    return create


def event_rule(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a rule on the default bus."""
    arn = emulator.client("events").put_rule(Name=name, EventPattern=inputs["eventPattern"])["RuleArn"]
    return {"id": name, "name": name, "arn": arn}


def event_target(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Let a rule start a function."""
    target = {"Id": name, **arguments(inputs, "arn", "retryPolicy", "deadLetterConfig")}
    emulator.client("events").put_targets(Rule=inputs["rule"], Targets=[target])
    return {"id": name, "targetId": name}


CREATORS = {
    "aws:cloudwatch/eventRule:EventRule": event_rule,
    "aws:cloudwatch/eventTarget:EventTarget": event_target,
    "aws:sns/topic:Topic": topic,
    "aws:sns/topicPolicy:TopicPolicy": topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": subscription,
    "aws:sqs/queue:Queue": queue,
    "aws:sqs/queuePolicy:QueuePolicy": _attribute("Policy", "policy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _attribute("RedriveAllowPolicy", "redriveAllowPolicy"),
    "aws:sqs/redrivePolicy:RedrivePolicy": _attribute("RedrivePolicy", "redrivePolicy"),
}
