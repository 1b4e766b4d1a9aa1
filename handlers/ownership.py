"""Who owns an output: the first master of a name, and of its versions the newest.

Deliveries come twice, late and in any order, and workers run side by side. Nobody locks: a write says
what it expects to find (nothing, or exactly what was seen), the store refuses it otherwise, and the
worker looks again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from handlers.errors import NameTakenError, PixelCascadeError
from handlers.job import newer_or_same

# Each refusal means that somebody else has just written; so many in a row mean that something is wrong.
MAX_TRIES = 20


class ContentionError(PixelCascadeError):
    """A slot kept changing while this worker tried to write to it; a later delivery will find it quiet."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Which state of which master an output was made from; without a sequencer where the job had none."""

    key: str
    etag: str
    sequencer: str | None = None


class Slot(Protocol):
    """A place for one output, in whatever store."""

    def write(self, claim: Claim, expected: Claim | None) -> bool:
        """Write if the slot still is as last seen (None: empty), else leave it and return False."""

    def owner(self, claim: Claim) -> Claim | None:
        """Look at the slot that would not take `claim`: whose it is, None where it is empty."""


def write_newest(slot: Slot, claim: Claim, is_current: Callable[[], bool]) -> bool:
    """Write to `slot` unless a newer state of the same master has; return whether it was written.

    `is_current` tells whether the master in the bucket still is the one that `claim` names.

    Raises: NameTakenError, where another master owns the slot; ContentionError, which is worth a retry.
    """
    owner: Claim | None = None
    for _ in range(MAX_TRIES):
        if slot.write(claim, owner):
            # What was replaced may have come back with the same bytes, which a store cannot tell apart.
            if owner is not None and not is_current():
                raise ContentionError(f"{claim.key} was replaced while its outputs were written")
            return True
        owner = slot.owner(claim)
        if owner is None:
            continue
        if owner.key != claim.key:
            raise NameTakenError(
                f"expected one master per name, got {claim.key} although {owner.key} owns the name: "
                "upload it under another name, or set naming to full"
            )
        if not _may_replace(claim, owner, is_current):
            return False
    raise ContentionError(f"the outputs of {claim.key} changed {MAX_TRIES} times while they were written")


def _may_replace(claim: Claim, owner: Claim, is_current: Callable[[], bool]) -> bool:
    if claim.sequencer and owner.sequencer:
        return newer_or_same(claim.sequencer, owner.sequencer)
    return is_current()
