"""Promises about messages: none is lost or redelivered too early, and failures raise an alarm."""

# ruff: noqa: D401 - a check's docstring is the promise that Pulumi shows, not what the check does.

import json
from collections.abc import Iterator

from .model import Resource, StackResources, listed

DEAD_LETTER_RETENTION_S = 14 * 24 * 3600  # The longest that SQS keeps a message.
# Source: Lambda's developer guide, "Using Lambda with Amazon SQS", queue configuration.
VISIBILITY_PER_TIMEOUT = 6
LEAST_RECEIVES = 5


def messages_stay_hidden_long_enough(mapping: Resource, stack: StackResources) -> Iterator[str]:
    """A queue hides a message for six time-outs of its function and the batch window."""
    window_s = mapping.props.get("maximumBatchingWindowInSeconds") or 0
    for queue in stack.where("Queue", "arn", mapping.props["eventSourceArn"]):
        for function in _functions(mapping, stack):
            needed_s = VISIBILITY_PER_TIMEOUT * function.props["timeout"] + window_s
            hidden_s = queue.props.get("visibilityTimeoutSeconds") or 30
            if hidden_s < needed_s:
                yield f"{queue.name}: expected a visibility timeout of at least {needed_s:g} s, got {hidden_s:g} s"


def failures_become_dead_letters(mapping: Resource, stack: StackResources) -> Iterator[str]:
    """Each queue that a function empties has dead letters of its own, after five deliveries or more."""
    for queue in stack.where("Queue", "arn", mapping.props["eventSourceArn"]):
        redrives = stack.where("RedrivePolicy", "queueUrl", queue.props["url"])
        if len(redrives) != 1:
            yield f"{queue.name}: expected one redrive policy, got {len(redrives)}"
        for redrive in redrives:
            received = json.loads(redrive.props["redrivePolicy"])["maxReceiveCount"]
            if received < LEAST_RECEIVES:
                yield f"{queue.name}: expected a maxReceiveCount of at least {LEAST_RECEIVES}, got {received}"


def dead_letters_come_from_one_queue(redrive: Resource, stack: StackResources) -> Iterator[str]:
    """A dead-letter queue accepts messages from its own source queue alone, by name."""
    target = json.loads(redrive.props["redrivePolicy"])["deadLetterTargetArn"]
    sources = [queue.props["arn"] for queue in stack.where("Queue", "url", redrive.props["queueUrl"])]
    for queue in stack.where("Queue", "arn", target):
        found = [
            json.loads(allow.props["redriveAllowPolicy"])
            for allow in stack.where("RedriveAllowPolicy", "queueUrl", queue.props["url"])
        ]
        if found != [{"redrivePermission": "byQueue", "sourceQueueArns": sources}]:
            yield f"{queue.name} accepts dead letters of other queues than its own"


def dead_letters_outlive_messages(queue: Resource, stack: StackResources) -> Iterator[str]:
    """A failure queue keeps messages for fourteen days, any other for less: a moved message keeps its age."""
    kept_s = queue.props.get("messageRetentionSeconds") or 0
    if queue.props["arn"] in failure_queues(stack):
        if kept_s != DEAD_LETTER_RETENTION_S:
            yield f"expected a retention of {DEAD_LETTER_RETENTION_S} s for failures, got {kept_s:g} s"
    elif kept_s >= DEAD_LETTER_RETENTION_S:
        yield f"it keeps messages for {kept_s:g} s, as long as dead letters, which would expire on arrival"


def failures_ring(queue: Resource, stack: StackResources) -> Iterator[str]:
    """Each failure queue has an alarm on its first message."""
    if queue.props["arn"] not in failure_queues(stack):
        return
    for alarm in stack.of("MetricAlarm"):
        metrics = [alarm.props, *(query.get("metric") or {} for query in alarm.props.get("metricQueries") or ())]
        watched = [
            (metric.get("metricName"), (metric.get("dimensions") or {}).get("QueueName"), alarm.props.get("threshold"))
            for metric in metrics
        ]
        if ("ApproximateNumberOfMessagesVisible", queue.props["name"], 0) in watched:
            return
    yield "no alarm watches it"


def subscriptions_are_raw(subscription: Resource, _stack: StackResources) -> Iterator[str]:
    """A queue gets a job as it was published, and keeps what the topic could not deliver."""
    if subscription.props["protocol"] != "sqs":
        return
    if not subscription.props.get("rawMessageDelivery"):
        yield "messages arrive in SNS's envelope: set rawMessageDelivery"
    if not json.loads(subscription.props.get("redrivePolicy") or "{}").get("deadLetterTargetArn"):
        yield "undeliverable messages are dropped: set a redrive policy"


def batches_fail_in_part(mapping: Resource, _stack: StackResources) -> Iterator[str]:
    """A function reports the messages that it failed on, so that the rest of the batch is deleted."""
    if "ReportBatchItemFailures" not in listed(mapping.props.get("functionResponseTypes")):
        yield "one failed message fails its batch: set ReportBatchItemFailures"


def concurrency_is_bounded(mapping: Resource, stack: StackResources) -> Iterator[str]:
    """A mapping has a maximum concurrency, not above the function's reserved concurrency."""
    bound = (mapping.props.get("scalingConfig") or {}).get("maximumConcurrency")
    if not bound:
        yield "it has no maximumConcurrency: one backlog could use up the account's concurrency"
        return
    for function in _functions(mapping, stack):
        reserved = function.props.get("reservedConcurrentExecutions")
        if reserved is not None and 0 <= reserved < bound:
            yield f"expected a maximumConcurrency of at most {reserved:g}, as {function.name} reserves, got {bound:g}"


def uploads_that_fail_are_kept(trigger: Resource, stack: StackResources) -> Iterator[str]:
    """An event that a function failed on goes into a queue."""
    for rule in trigger.props.get("lambdaFunctions") or []:
        for function in stack.where("Function", "arn", rule["lambdaFunctionArn"]):
            if not _failure_destinations(stack, function):
                yield f"events that {function.name} fails on are dropped: set a failure destination"


def failure_queues(stack: StackResources) -> set[str]:
    """Return the ARNs of the queues for failures."""
    redrives = [found.props["redrivePolicy"] for found in stack.of("RedrivePolicy")]
    redrives += [found.props.get("redrivePolicy") or "{}" for found in stack.of("TopicSubscription")]
    targets = {json.loads(policy).get("deadLetterTargetArn") for policy in redrives} - {None}
    return targets | {arn for function in stack.of("Function") for arn in _failure_destinations(stack, function)}


def _failure_destinations(stack: StackResources, function: Resource) -> list[str]:
    configs = stack.where("FunctionEventInvokeConfig", "functionName", function.props["name"], function.props["arn"])
    failures = [(config.props.get("destinationConfig") or {}).get("onFailure") or {} for config in configs]
    return [failure["destination"] for failure in failures if failure.get("destination")]


def _functions(mapping: Resource, stack: StackResources) -> list[Resource]:
    name = mapping.props["functionName"]
    return [*stack.where("Function", "arn", name), *stack.where("Function", "name", name)]
