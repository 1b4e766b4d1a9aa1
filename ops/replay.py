"""Send the events of settled pictures again, with their original ids."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from handlers.events import PictureState, What
from handlers.record import Record
from ops.inventory import Inventory
from ops.stack import DeployedStack
from ops.status import find, taken


class Event(NamedTuple):
    """What became of a master."""

    what: What
    state: PictureState


def settled_since(stack: DeployedStack, since: datetime) -> Iterator[Record]:
    """Yield the records that were settled at or after a time.

    Raises: NoRecordsError.
    """
    with Inventory.of(stack, outputs=False) as inventory:
        for record in inventory.records():
            if record.state != "received" and datetime.fromisoformat(record.settled_at) >= since:
                yield record


def event_of(record: Record) -> Event | None:
    """Return the event of a picture, or None if it is not settled."""
    return None if record.state == "received" else Event(record.state, PictureState.of(record))


def event_of_key(stack: DeployedStack, key: str) -> Event | None:
    """Return the event of a picture as `ops.status.find` finds it, also that of a master whose name another one owns.

    Raises: UnknownPictureError, NoRecordsError.
    """
    record = find(stack, key)
    reason = taken(stack, record, key)
    if reason is None:
        return event_of(record)
    state = PictureState(
        key=reason["key"],
        name=record.name,
        generation=reason.get("generation", record.generation),
        error=str(reason.get("error", "")),
        message=str(reason.get("message", "")),
    )
    return Event("rejected", state)


def replay(stack: DeployedStack, event: Event) -> dict[str, Any]:
    """Send an event again; return its detail.

    Raises: EventRefusedError.
    """
    stack.announcer.send(*event)
    return stack.announcer.detail(*event)
