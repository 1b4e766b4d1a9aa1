"""The events of a run's pictures: a queue of its own receives them from the emulator's EventBridge."""

import json
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers.events import SOURCE
from local.emulator import Emulator

NAME = "received-events"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One event: what happened, under which id, to which master, and when it was sent."""

    what: str
    id: str
    key: str
    sent: datetime


class EventQueue:
    """Receives every event of the deployed program, from its making on."""

    def __init__(self, emulator: Emulator) -> None:
        self._sqs = emulator.client("sqs")
        self._url = self._sqs.create_queue(QueueName=NAME)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        events = emulator.client("events")
        events.put_rule(Name=NAME, EventPattern=json.dumps({"source": [SOURCE]}))
        events.put_targets(Rule=NAME, Targets=[{"Id": NAME, "Arn": attributes["QueueArn"]}])

    def drain(self) -> list[Notice]:
        """Return the events that have arrived since the last time."""
        found: list[Notice] = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(_notice(json.loads(message["Body"])))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found


def _notice(event: Mapping[str, Any]) -> Notice:
    detail = event["detail"]
    return Notice(
        what=event["detail-type"], id=detail["id"], key=detail["key"], sent=datetime.fromisoformat(detail["time"])
    )


def summary(notices: Iterable[Notice], uploaded: Mapping[str, float]) -> dict[str, Any]:
    """Return how many events there were by type, how many ids, and the seconds from upload to event.

    `uploaded` has the time at which each master was uploaded, in seconds since 1970; where a master was told more than
    once, its first event counts.
    """
    received = sorted(notices, key=lambda notice: notice.sent)
    first: dict[str, float] = {}
    for notice in received:
        if notice.key in uploaded:
            first.setdefault(notice.key, notice.sent.astimezone(UTC).timestamp() - uploaded[notice.key])
    waits = sorted(max(0.0, seconds) for seconds in first.values())
    return {
        "counts": dict(Counter(notice.what for notice in received)),
        "ids": len({notice.id for notice in received}),
        "p50_s": round(statistics.median(waits), 2) if waits else None,
        "p95_s": round(waits[min(len(waits) - 1, int(0.95 * len(waits)))], 2) if waits else None,
    }
