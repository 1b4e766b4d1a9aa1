"""The events of a run's pictures, which a separate queue receives from the emulator's EventBridge."""

import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers.events import SOURCE
from local.emulator import Emulator

NAME = "received-events"
LONGEST_S = "43200"
POLL_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One event: its type, its id, its master, and when it was sent."""

    what: str
    id: str
    key: str
    sent: datetime


class EventQueue:
    """Receives every event of the deployed program, from its own creation on."""

    def __init__(self, emulator: Emulator) -> None:
        self._notices: list[Notice] = []
        self._sqs = emulator.client("sqs")
        # Received messages are hidden instead of deleted.
        self._url = self._sqs.create_queue(QueueName=NAME, Attributes={"VisibilityTimeout": LONGEST_S})["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        events = emulator.client("events")
        events.put_rule(Name=NAME, EventPattern=json.dumps({"source": [SOURCE]}))
        events.put_targets(Rule=NAME, Targets=[{"Id": NAME, "Arn": attributes["QueueArn"]}])

    def drain(self) -> list[Notice]:
        """Return the events that have arrived so far."""
        while self._receive():
            pass
        return self._notices

    def wait(self, masters: int, longest_s: float) -> None:
        """Wait until there are events of so many masters, or for the longest time."""
        deadline = time.monotonic() + longest_s
        while len({notice.key for notice in self._notices}) < masters and time.monotonic() < deadline:
            if not self._receive():
                time.sleep(POLL_S)

    def _receive(self) -> bool:
        """Receive some events; return whether there were any."""
        messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        self._notices += [_notice(json.loads(message["Body"])) for message in messages]
        return bool(messages)


def _notice(event: Mapping[str, Any]) -> Notice:
    detail = event["detail"]
    return Notice(
        what=event["detail-type"], id=detail["id"], key=detail["key"], sent=datetime.fromisoformat(detail["time"])
    )


def summary(notices: Iterable[Notice], uploaded: Mapping[str, float]) -> dict[str, Any]:
    """Return how many events there were by type, how many ids, the seconds from upload to event, and who had none.

    `uploaded` has the time of each master's upload, in seconds since 1970; the first event of a master counts.
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
        "without": sorted(uploaded.keys() - first.keys()),
    }
