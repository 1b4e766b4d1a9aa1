"""When a failed message is delivered again: first within seconds, later after the queue's visibility time-out."""

import random
from collections.abc import Callable, Iterable, Mapping

from handlers import clients

FIRST_S = (5.0, 10.0)
"""The first retry comes after a random time between these, because most failures are over by then."""

BATCH = 10  # Source: SQS's API reference, ChangeMessageVisibilityBatch.

NO_TIME = "NoTimeLeft"
"""Stands in for a code of SQS's where the function's time-out was too near for a request."""


def delay_s(deliveries: int, visibility_timeout_s: int) -> int:
    """Return the seconds until a message that failed that many times is delivered again.

    The second retry comes after half of the visibility time-out, later ones after all of it, each a little later at
    random, so that messages that failed together do not come back together. With five deliveries and the function's
    default time-out of 60 s, the first and the last are at least 15 minutes apart: a short outage fills no dead-letter
    queue.
    """
    if deliveries <= 1:
        return round(min(random.uniform(*FIRST_S), visibility_timeout_s))  # noqa: S311 - no secret
    base_s = visibility_timeout_s / 2 if deliveries == 2 else visibility_timeout_s  # noqa: PLR2004
    return round(base_s * random.uniform(1.0, 1.1))  # noqa: S311 - no secret


def schedule(queue_url: str, delays_s: Mapping[str, int], in_time: Callable[[], bool]) -> Iterable[str]:
    """Set the seconds until messages, by receipt handle, are delivered again; return the codes of SQS's refusals.

    Requests are made as long as they are `in_time`: a large batch takes hundreds.
    """
    handles = list(delays_s)
    refused: list[str] = []
    for start in range(0, len(handles), BATCH):
        if not in_time():
            return [*refused, NO_TIME]
        entries = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": delays_s[handle]}
            for number, handle in enumerate(handles[start : start + BATCH])
        ]
        answer = clients.sqs().change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)  # type: ignore[arg-type]
        refused += [failure["Code"] for failure in answer.get("Failed", [])]
    return refused
