"""What lies in the queues of failures: which picture, and the error that it died of."""

import json
from collections.abc import Mapping
from typing import Any

from ops.stack import DeployedStack

MOST = 10
UNKNOWN = "the error is not in the functions' logs"


def letters(stack: DeployedStack, queue: str, errors: Mapping[str, str]) -> list[dict[str, str]]:
    """Look at the first messages of a queue of failures and leave them there; `errors` are by message id."""
    answer = stack.client("sqs").receive_message(
        QueueUrl=stack.dead_letter_queues[queue], MaxNumberOfMessages=MOST, VisibilityTimeout=0
    )
    return [letter(message, errors) for message in answer.get("Messages", ())]


def letter(message: Mapping[str, Any], errors: Mapping[str, str]) -> dict[str, str]:
    """Return a message's picture and error: the worker's of a job, Lambda's own of an event of the publisher."""
    body = _parsed(message["Body"])
    response = _dictionary(body.get("responsePayload"))
    told = response.get("errorMessage") and f"{response.get('errorType', 'Error')}: {response['errorMessage']}"
    return {
        "id": message["MessageId"],
        "what": str(body.get("key") or _event_key(body) or message["Body"][:80]),
        "error": str(told or errors.get(message["MessageId"], UNKNOWN)),
    }


def _event_key(body: Mapping[str, Any]) -> str | None:
    """Return the key in the S3 event of a failed invocation's record."""
    records = _dictionary(body.get("requestPayload")).get("Records")
    try:
        return str(records[0]["s3"]["object"]["key"]) if records else None
    except (KeyError, IndexError, TypeError):
        return None


def _parsed(text: str) -> dict[str, Any]:
    try:
        return _dictionary(json.loads(text))
    except ValueError:
        return {}


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
