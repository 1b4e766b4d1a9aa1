"""Telling others: one event on EventBridge's default bus for each picture that is complete, rejected or deleted.

At least once: the same state of a picture may be told again, under the same id. `docs/events.md` has the schema.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from handlers.errors import PixelCascadeError
from handlers.record import Outcome, now

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_events import EventBridgeClient

SOURCE = "pixelcascade"

What = Literal["complete", "rejected", "deleted"]


class EventRefusedError(PixelCascadeError):
    """EventBridge did not take an event; sending it again is harmless, losing it is not."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an event is about: a state of a master, and the outcome by branch."""

    key: str
    name: str
    generation: int
    etag: str = ""
    branches: Mapping[str, Outcome] | None = None
    error: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Events:
    """Sends a stack's events; where the stack sends none, `client` is None."""

    client: "Callable[[], EventBridgeClient] | None"
    stack: str
    bucket: str

    def send(self, what: What, told: Told) -> None:
        """Send an event.

        Raises: EventRefusedError.
        """
        if self.client is None:
            return
        answer = self.client().put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": f"Picture {what}",
                    "Detail": json.dumps(self.detail(what, told), ensure_ascii=False),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            entry = answer["Entries"][0]
            raise EventRefusedError(
                f"EventBridge refused the event of {told.key}: {entry.get('ErrorCode')} {entry.get('ErrorMessage')}"
            )

    def detail(self, what: What, told: Told) -> dict[str, Any]:
        """Return an event's detail; its `id` stays the same when the same state is told again."""
        found = {
            "id": f"{self.bucket}/{told.key}/{told.generation}/{what}",
            "stack": self.stack,
            "bucket": self.bucket,
            "key": told.key,
            "name": told.name,
            "generation": told.generation,
            "time": now(),
            "etag": told.etag,
            "error": told.error,
            "message": told.message,
        }
        detail: dict[str, Any] = {name: value for name, value in found.items() if value != ""}
        if told.branches is not None:
            detail["branches"] = {branch: outcome.named(told.name) for branch, outcome in told.branches.items()}
        return detail
