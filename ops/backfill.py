"""Process masters again whose outputs are missing, outdated or rejected, and record those that have no record yet."""

import json
import math
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import click

from components.branches import BRANCHES, ImageBranch
from costs.bill import total
from costs.calls import SQS_BATCH, request_lines
from handlers.errors import NameTakenError, PixelCascadeError
from handlers.record import MAX_MESSAGE, Outcome, Record, now
from ops.audit import audit, files_of, marks, read_json
from ops.inventory import Inventory
from ops.listing import head, list_objects
from ops.stack import DeployedStack

ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
"""The storage classes whose objects S3 returns only after they were restored."""


class ArchivedMastersError(PixelCascadeError):
    """Some masters were left alone, because S3 has archived them; the others were processed.

    The workers would reject their pictures and, with `follow`, remove the outputs.
    """


@dataclass(frozen=True, kw_only=True)
class BackfillPlan:
    """What a backfill would do: masters, requests, their price, and at most how many pictures each branch repeats.

    The price is US dollars, without the functions' time.
    """

    masters: int
    requests: Mapping[str, int]
    dollars: float
    again: Mapping[str, int]

    @classmethod
    def of(cls, stack: DeployedStack, work: Sequence["Task"]) -> Self:
        """Add up the requests of some tasks."""
        # Each master is read once and its job is delivered once, however many branches process it again.
        alike = Counter(tuple(task.branches) or tuple(row.name for row in BRANCHES) for task in work)
        lines = [
            line
            for branches, jobs in alike.items()
            for line in request_lines(jobs, sizes=stack.sized_files, per_batch=SQS_BATCH, redone=branches)
        ]
        requests: Counter[str] = Counter()
        for line in lines:
            requests[line.price.name] += math.ceil(line.count)
        return cls(
            masters=len(work),
            requests=dict(requests),
            dollars=total(lines),
            again=dict(Counter(branch for branches in alike.elements() for branch in branches)),
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """A master to reconcile; `branches` process it again in a new generation, none if reconciling is enough."""

    key: str
    branches: Collection[str] = ()


def every(stack: DeployedStack, prefix: str, after: str | None = None) -> Iterator[Task]:
    """Yield every master whose path begins with `prefix`, starting after the key `after`."""
    for key, _ in list_objects(stack, stack.layout.master + prefix, after):
        yield Task(key=key)


def in_state(
    stack: DeployedStack,
    prefix: str,
    states: Collection[str],
    branch: str | None = None,
    after: str | None = None,
    *,
    deep: bool = False,
) -> Iterator[Task]:
    """Yield the masters that have a branch in one of these states of the audit, with those branches."""
    for account in audit(stack, prefix, after, deep=deep):
        branches = [name for name, state in account.states.items() if state in states and branch in {None, name}]
        if branches:
            yield Task(key=account.key, branches=branches)


def backfill(stack: DeployedStack, work: Iterable[Task], *, per_second: float) -> int:
    """Reconcile masters, at most `per_second` unless that is 0; return how many jobs were published.

    If the record is settled and the task names branches, they process the master again in a new generation, which keeps
    the outcomes of the others. Current outputs are not written again.

    Raises: PublishError, EventRefusedError, ContentionError, NoRecordsError; ArchivedMastersError, after all others.
    """
    reconciler, count, started, archived = stack.reconciler, 0, time.monotonic(), list[str]()
    for number, task in enumerate(work, start=1):
        record = reconciler.reconcile(task.key)
        if record is not None and record.state == "received":
            count += 1
        elif record is not None and record.settled and record.key == task.key and task.branches:
            if _archived(stack, task.key):
                archived.append(task.key)
            elif reconciler.redo(record, task.branches):
                count += 1
        if per_second:
            time.sleep(max(0.0, started + number / per_second - time.monotonic()))
    if archived:
        raise ArchivedMastersError(
            f"expected masters that S3 returns, got {len(archived):,} in an archived storage class, the first of them "
            f"{archived[0]}: restore them and run the command again. {count:,} jobs of others were published"
        )
    return count


def _archived(stack: DeployedStack, key: str) -> bool:
    """Return whether S3 has archived a master, and has no restored copy.

    Source: S3's API reference, HeadObject, x-amz-storage-class, x-amz-archive-status and x-amz-restore.
    """
    found = head(stack, key) or {}
    restored = 'ongoing-request="false"' in found.get("Restore", "")
    return not restored and (found.get("StorageClass") in ARCHIVES or "ArchiveStatus" in found)


def register(stack: DeployedStack, prefix: str) -> int:
    """Record pictures from before there were records; return how many. No output is made and no event is sent.

    A picture is recorded if each branch has left an output or a reason for its newest state. It counts as outdated,
    because its recipe is not known.
    """
    records, count = stack.records, 0
    with Inventory.of(stack, prefix, outputs=False) as inventory:
        for key, etag in list_objects(stack, stack.layout.master + prefix):
            name = stack.layout.name(key)
            if inventory.record(name) is not None:
                continue
            outcomes = {row.name: _outcome_of_before(stack, row, key, etag) for row in BRANCHES}
            known = {branch: outcome for branch, outcome in outcomes.items() if outcome is not None}
            if len(known) == len(outcomes):
                count += records.put(_of_before(name, key, etag, known), None)
    return count


def _of_before(name: str, key: str, etag: str, outcomes: dict[str, Outcome]) -> Record:
    """Return the record of a picture from before there were records: its generation is 0."""
    record = Record(
        name=name,
        key=key,
        etag=etag,
        generation=0,
        state="received",
        branches=outcomes,
        reasons=True,
        received_at=now(),
        settled_at=now(),
    )
    return replace(record, state=record.verdict)


def _outcome_of_before(stack: DeployedStack, row: ImageBranch, key: str, etag: str) -> Outcome | None:
    """Return a branch's outcome for a state of a master, or None if it left nothing for that state."""
    left = list(marks(stack, row, key, files_of(stack, row, key, None)))
    if left and all(mark is not None and (mark.key, mark.etag) == (key, etag) for mark in left):
        return Outcome(state="written")
    reason = read_json(stack, stack.layout.rejected_key(key, row.name))
    if reason and reason.get("etag") == etag and reason.get("error") != NameTakenError.__name__:
        return Outcome(
            state="rejected", error=str(reason.get("error")), message=str(reason.get("message"))[:MAX_MESSAGE]
        )
    return None


@dataclass(frozen=True)
class Bookmark:
    """A file with the last key that a backfill has reconciled, so that it can continue from there.

    A `selection` is what the backfill goes through: the bucket, and the options that select masters.
    """

    path: Path

    def read(self, selection: Mapping[str, Any]) -> str | None:
        """Return the key to continue after, or None to begin; the bookmark of another selection is ignored.

        Raises: click.UsageError, if the file is not a bookmark.
        """
        if not self.path.exists():
            return None
        try:
            kept = json.loads(self.path.read_text())
            return kept["key"] if kept["selection"] == selection else None
        except (ValueError, KeyError, TypeError) as error:
            raise click.UsageError(
                f"--resume: expected a file that a backfill wrote, got {self.path}: name another"
            ) from error

    def kept(self, selection: Mapping[str, Any], work: Iterable[Task]) -> Iterator[Task]:
        """Yield the tasks; store the key of each, atomically, when it is done, and remove the file at the end."""
        unfinished = self.path.with_name(f".{self.path.name}.new")
        for task in work:
            yield task
            unfinished.write_text(json.dumps({"selection": selection, "key": task.key}))
            unfinished.replace(self.path)
        self.path.unlink(missing_ok=True)
