"""One picture's state, outputs or reasons, and times, from its record (or its reason, if another owns the name)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.branches import BRANCHES
from handlers.errors import InvalidJobError, PixelCascadeError
from handlers.reconcile import NAME_TAKEN
from handlers.record import Record
from ops.audit import read_json
from ops.listing import head, near_keys
from ops.stack import DeployedStack
from ops.text import command


class UnknownPictureError(PixelCascadeError):
    """No picture with that name was ever received."""


class UnrecordedPictureError(UnknownPictureError):
    """A picture was uploaded, and job-publisher has not recorded it."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """A picture's status; `branches` has the outcome of each, `waiting` where there is none yet."""

    name: str
    key: str
    state: str
    generation: int
    received_at: str
    settled_at: str
    branches: dict[str, dict[str, Any]]

    @property
    def settled(self) -> bool:
        """Whether nothing will change without another upload or a deletion."""
        return self.state != "received"


def status(stack: DeployedStack, key: str) -> Status:
    """Return the status of a picture, as `find` finds it.

    Raises: UnknownPictureError, NoRecordsError.
    """
    record = find(stack, key)
    reason = taken(stack, record, key)
    return _loser(record, reason) if reason else _status(record)


def taken(stack: DeployedStack, record: Record, key: str) -> Mapping[str, Any] | None:
    """Return why a master is rejected whose name the owner of the record has, or None for the owner itself."""
    master = _whole(stack, key)
    reason = read_json(stack, stack.layout.rejected_key(master, NAME_TAKEN)) if record.key != master else None
    if reason is None or head(stack, master) is None:  # With `deletions: keep` a reason outlives its master.
        return None
    return {**reason, "key": master}


def find(stack: DeployedStack, key: str) -> Record:
    """Return the record of a picture by its master's key, that key without the prefix, or its name.

    Raises: UnknownPictureError, NoRecordsError.
    """
    if key.endswith("/"):
        folder = _whole(stack, key).removeprefix(stack.layout.master)
        listing = command("audit", "--all", *(["--prefix", folder] if folder else []))
        raise UnknownPictureError(f"expected a picture, got the folder {key!r}: list its pictures with {listing}")
    names, whole = dict.fromkeys(_names(stack, key)), _whole(stack, key)
    records = (record for name in names if (record := stack.records.read(name)) is not None)
    if (first := next(records, None)) is not None:
        # The name `cat.v2` may be that of `cat.v2.png`, while a master `cat.v2` would have the name `cat`.
        second = next(records, None) if first.key != whole else None
        return first if second is None or head(stack, whole) else second
    if names and head(stack, whole):
        raise UnrecordedPictureError(
            f"expected a picture with a record, got {key!r}, which was uploaded but has none: see "
            f"{command('letters')}, fix the cause, then run {command('backfill', '--missing')}; a new bucket sends "
            "no events in its first minutes"
        )
    raise UnknownPictureError(
        f"expected a picture that was uploaded to {stack.bucket}, got {key!r}, which is not there"
        f"{near_keys(stack, key)}: check the key"
    )


def _names(stack: DeployedStack, key: str) -> Iterator[str]:
    try:
        yield stack.layout.name(_whole(stack, key))
    except InvalidJobError:
        return
    yield key


def _whole(stack: DeployedStack, key: str) -> str:
    """Return the key of a master that may lack the prefix."""
    return key if key.startswith(stack.layout.master) else stack.layout.master + key


def _loser(record: Record, reason: Mapping[str, Any]) -> Status:
    """Return the status of a master whose name another master owns: no branch processes it."""
    time = str(reason.get("time", ""))
    facts = {"state": "rejected", "error": reason.get("error", ""), "message": reason.get("message", "")}
    return Status(
        name=record.name,
        key=reason["key"],
        state="rejected",
        generation=record.generation,
        received_at=time,
        settled_at=time,
        branches={NAME_TAKEN: facts},
    )


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
