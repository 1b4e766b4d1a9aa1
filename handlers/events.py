"""One event on EventBridge's default bus for each picture that is complete, rejected or deleted.

Delivery is at least once: the event about a state may be sent again, with the same id. `docs/events.md` has the schema.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from handlers.errors import PixelCascadeError
from handlers.record import Outcome, Record, now

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_events import EventBridgeClient

SOURCE = "pixelcascade"

What = Literal["complete", "rejected", "deleted"]


class EventRefusedError(PixelCascadeError):
    """EventBridge did not accept an event, which must be sent again: a duplicate is harmless, a lost event is not."""


@dataclass(frozen=True, kw_only=True)
class PictureState:
    """What an event reports: a state of a master, and the outcome of each branch."""

    key: str
    name: str
    generation: int
    etag: str = ""
    branches: Mapping[str, Outcome] | None = None
    error: str = ""
    message: str = ""

    @classmethod
    def of(cls, record: Record) -> Self:
        """Return the state of a settled picture; a deleted picture has no outcomes."""
        state = cls(key=record.key, name=record.name, generation=record.generation)
        return replace(state, etag=record.etag, branches=record.branches) if record.lives else state


def event_id(bucket: str, key: str, generation: int, what: str) -> str:
    """Return an event's id, which stays the same when the event of a state is sent again."""
    return f"{bucket}/{key}/{generation}/{what}"


@dataclass(frozen=True, kw_only=True)
class Events:
    """Sends a stack's events; `client` is None if the stack sends none."""

    client: "Callable[[], EventBridgeClient] | None"
    stack: str
    bucket: str

    def send(self, what: What, state: PictureState) -> None:
        """Send an event; if EventBridge does not accept it, count it for an alarm.

        Raises: EventRefusedError, and what boto3 raises.
        """
        if self.client is None:
            return
        try:
            self._put(self.client(), what, state)
        except Exception:
            from handlers.metrics import count_unsent  # noqa: PLC0415 - the publisher starts without it

            count_unsent()
            raise

    def _put(self, client: "EventBridgeClient", what: What, state: PictureState) -> None:
        answer = client.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": f"Picture {what}",
                    "Detail": json.dumps(self.detail(what, state), ensure_ascii=False),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            entry = answer["Entries"][0]
            raise EventRefusedError(
                f"EventBridge refused the event of {state.key}: {entry.get('ErrorCode')} {entry.get('ErrorMessage')}"
            )

    def detail(self, what: What, state: PictureState) -> dict[str, Any]:
        """Return an event's detail."""
        found = {
            "id": event_id(self.bucket, state.key, state.generation, what),
            "stack": self.stack,
            "bucket": self.bucket,
            "key": state.key,
            "name": state.name,
            "generation": state.generation,
            "time": now(),
            "etag": state.etag,
            "error": state.error,
            "message": state.message,
        }
        detail: dict[str, Any] = {name: value for name, value in found.items() if value != ""}
        if state.branches is not None:
            detail["branches"] = {branch: outcome.named(state.name) for branch, outcome in state.branches.items()}
        return detail
