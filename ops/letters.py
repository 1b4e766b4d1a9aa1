"""The messages in the failure queues: which picture, and why it failed."""

from collections.abc import Mapping
from typing import Any

from handlers.errors import InvalidJobError
from handlers.job import masters_of
from ops.logs import fields_of, last_failures, log_group
from ops.stack import DeployedStack

MOST = 10
WAIT_S = 1
UNKNOWN = "the function logged no error: a process that is killed or times out cannot log one"
UNSAID = "neither Lambda nor the topic gave a reason"


def letters(stack: DeployedStack, queue: str, errors: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the first messages of a failure queue, which stay there; `errors` are by message id."""
    return [letter(message, errors) for message in _first_messages(stack, queue)]


def explained_letters(stack: DeployedStack, queue: str) -> list[dict[str, str]]:
    """Return the first messages of a failure queue, each with the last error that its function logged."""
    messages, source = _first_messages(stack, queue), stack.queues.get(queue)
    errors = dict[str, str]()
    if messages and source and (group := log_group(stack, source)):
        since_ms = min(int(message["Attributes"]["SentTimestamp"]) for message in messages)
        errors = last_failures(stack, group, [message["MessageId"] for message in messages], since_ms)
    return [letter(message, errors, UNKNOWN if source else UNSAID) for message in messages]


def letter(message: Mapping[str, Any], errors: Mapping[str, str], default: str = UNKNOWN) -> dict[str, str]:
    """Return a message's picture and error: a worker's for a job, Lambda's or EventBridge's for an event."""
    body = fields_of(message["Body"])
    response = body.get("responsePayload")
    response = response if isinstance(response, dict) else {}
    attributes = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    said = response.get("errorMessage") and f"{response.get('errorType', 'Error')}: {response['errorMessage']}"
    said = said or attributes.get("ERROR_MESSAGE") or attributes.get("ErrorMessage")
    return {
        "id": message["MessageId"],
        "what": str(body.get("key") or _event_key(body) or message["Body"][:80]),
        "error": str(said or errors.get(message["MessageId"], default)),
    }


def _first_messages(stack: DeployedStack, queue: str) -> list[dict[str, Any]]:
    """Return up to `MOST` messages, which stay visible.

    They are spread over servers: a request that does not wait may find none of a few, one that waits not all of them.
    Source: SQS's developer guide, "Amazon SQS short and long polling".
    """
    found: dict[str, dict[str, Any]] = {}
    while len(found) < MOST:
        answer = stack.client("sqs").receive_message(
            QueueUrl=stack.dead_letter_queues[queue],
            MaxNumberOfMessages=MOST,
            VisibilityTimeout=0,
            WaitTimeSeconds=WAIT_S,
            AttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        new = {message["MessageId"]: message for message in answer.get("Messages", [])}
        if new.keys() <= found.keys():
            break
        found.update(new)
    return list(found.values())[:MOST]


def event_in(body: Mapping[str, Any]) -> Any:
    """Return the S3 event in a message: from the record of a failed invocation, or as EventBridge stores it.

    Source: Lambda's developer guide, "Asynchronous invocation", invocation record.
    """
    return body if "detail" in body else body.get("requestPayload")


def _event_key(body: Mapping[str, Any]) -> str | None:
    try:
        return next((key for _, key in masters_of(event_in(body))), None)
    except InvalidJobError:
        return None
