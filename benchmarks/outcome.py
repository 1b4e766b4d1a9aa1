"""The outcome of a load run: the pipeline's audit, compared with the uploads."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.masters import Upload
from components.branches import BRANCHES
from handlers.events import event_id
from handlers.record import Record
from ops.audit import Account, files_of, marks
from ops.letters import letter
from ops.queues import received
from ops.stack import DeployedStack


@dataclass(kw_only=True)
class LoadOutcome:
    """Counts of a run; the lists name what should be empty.

    `events` counts ids; `events_missing` are settled pictures without an event, `mixed` those with outputs of
    another master or state, `wrong_deletions` those of which an output is gone that the record has.
    """

    masters: int = 0
    rejections: int = 0
    dead_letters: int = 0
    events: int = 0
    events_missing: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    wrong_deletions: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    wrong_owner: list[str] = field(default_factory=list)
    good_in_dlq: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """Return the counts, and beside them, as `named`, what should not be there."""
        found = asdict(self)
        named = {name: entries for name, entries in found.items() if isinstance(entries, list)}
        return {**found, **{name: len(entries) for name, entries in named.items()}, "named": named}


def assess(
    stack: DeployedStack, uploads: Iterable[Upload], accounts: Iterable[Account], letters: Mapping[str, list[str]]
) -> LoadOutcome:
    """Compare the outputs with the uploads; `letters` are the dead letters' keys by queue."""
    found, outcome = {account.key: account for account in accounts}, LoadOutcome()
    dead = {(queue, key) for queue, keys in letters.items() for key in keys}
    owners: defaultdict[str, list[Account]] = defaultdict(list)
    for upload in uploads:
        key = stack.layout.master + upload.path
        outcome.masters += 1
        if upload.kills:
            outcome.lost += [f"{key}: {branch.name}" for branch in BRANCHES if (branch.name, key) not in dead]
            continue
        outcome.good_in_dlq += [f"{key}: {queue}" for queue, letter in dead if letter == key]
        if not upload.deleted:
            owners[stack.layout.name(key)].append(found[key])
            outcome.rejections += bool(found[key].rejections)
            outcome.stale += _states(found[key], "stale")
            outcome.lost += [name for name in _states(found[key], "missing") if name not in outcome.good_in_dlq]
    outcome.dead_letters = len(dead)
    outcome.wrong_owner = [name for name, masters in owners.items() if not _owned_by_one(masters)]
    return outcome


def assess_records(stack: DeployedStack, outcome: LoadOutcome, records: Iterable[Record], ids: set[str]) -> None:
    """Compare each settled record with its outputs, and with the ids of the events that were sent."""
    outcome.events = len(ids)
    for record in records:
        if not record.settled:
            continue
        if event_id(stack.bucket, record.key, record.generation, record.state) not in ids:
            outcome.events_missing.append(record.name)
        for branch in BRANCHES:
            written = record.branches.get(branch.name)
            if written is None or written.state != "written":
                continue
            left = list(marks(stack, branch, record.key, files_of(stack, branch, record.key, written)))
            if None in left:
                outcome.wrong_deletions.append(f"{record.key}: {branch.name}")
            elif any(mark and (mark.key, mark.etag) != (record.key, record.etag) for mark in left):
                outcome.mixed.append(f"{record.key}: {branch.name}")


def dead_letters(stack: DeployedStack) -> dict[str, list[str]]:
    """Return the keys of the pictures whose messages are in each failure queue; the messages stay."""
    return {
        name: [letter(message, {})["what"] for message in received(stack.client("sqs"), url)]
        for name, url in stack.dead_letter_queues.items()
    }


def _states(account: Account, state: str) -> list[str]:
    return [f"{account.key}: {branch}" for branch, found in account.states.items() if found == state]


def _owned_by_one(masters: list[Account]) -> bool:
    """Return whether exactly one of the masters of a name owns it, in every branch, and the others are rejected."""
    states = Counter("".join(sorted(set(account.states.values()))) for account in masters)
    return states == Counter({"done": 1, "rejected": len(masters) - 1})
