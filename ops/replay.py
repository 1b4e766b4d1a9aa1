"""Send the events of settled pictures again, with their original ids."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from handlers.events import PictureState, What
from handlers.record import Record
from ops.inventory import Inventory
from ops.stack import DeployedStack


def settled_since(stack: DeployedStack, since: datetime) -> Iterator[Record]:
    """Yield the records that were settled at or after a time.

    Raises: NoRecordsError.
    """
    with Inventory.of(stack, outputs=False) as inventory:
        for record in inventory.records():
            if record.state != "received" and datetime.fromisoformat(record.settled_at) >= since:
                yield record


def replay(stack: DeployedStack, record: Record) -> dict[str, Any] | None:
    """Send a record's event again; return its detail, or None if the picture is not settled.

    Raises: EventRefusedError.
    """
    if record.state == "received":
        return None
    what: What = record.state
    stack.announcer.send(what, PictureState.of(record))
    return stack.announcer.detail(what, PictureState.of(record))
