"""One picture: its state, its outputs or reasons, and when; from its record alone."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from components.branches import BRANCHES
from handlers.errors import InvalidJobError, PixelCascadeError
from handlers.record import Record
from ops.stack import DeployedStack


class UnknownPictureError(PixelCascadeError):
    """No picture of that name was ever received."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What is known of a picture; `branches` says of each what became of its work, `waiting` where it is not done."""

    name: str
    key: str
    state: str
    generation: int
    received_at: str
    settled_at: str
    branches: dict[str, dict[str, Any]]

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen without an upload or a deletion."""
        return self.state != "received"

    def as_dict(self) -> dict[str, Any]:
        """Return the status for a program."""
        return asdict(self)


def status(stack: DeployedStack, key: str) -> Status:
    """Return the status of a picture, as `find` finds it.

    Raises: UnknownPictureError, NoRecordsError.
    """
    return _status(find(stack, key))


def find(stack: DeployedStack, key: str) -> Record:
    """Return the record of a picture by its master's key, that key without the prefix, or its name.

    Raises: UnknownPictureError, NoRecordsError.
    """
    for name in _names(stack, key):
        record = stack.records.read(name)
        if record is not None:
            return record
    raise UnknownPictureError(
        f"expected a picture that was uploaded to {stack.bucket}, got {key!r}, which has no record: check the key, or "
        "run `python -m ops backfill`"
    )


def _names(stack: DeployedStack, key: str) -> Iterator[str]:
    whole = key if key.startswith(stack.layout.master) else stack.layout.master + key
    try:
        yield stack.layout.name(whole)
    except InvalidJobError:
        return
    yield key


def _status(record: Record) -> Status:
    branches = {
        branch.name: record.branches[branch.name].named(record.name)
        if branch.name in record.branches
        else {"state": "waiting" if record.state == "received" else "missing"}
        for branch in BRANCHES
    }
    return Status(
        name=record.name,
        key=record.key,
        state=record.state,
        generation=record.generation,
        received_at=record.received_at,
        settled_at=record.settled_at,
        branches=branches if record.lives else {},
    )
