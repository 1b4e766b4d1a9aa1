"""Making the records and outputs of a stack right: those that are missing, outdated, rejected, or not yet recorded."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import click

from components.branches import BRANCHES, ImageBranch
from costs.bill import Line, total
from costs.calls import request_lines
from handlers import topic
from handlers.errors import NameTakenError
from handlers.record import MAX_MESSAGE, Outcome, Record, now
from ops.audit import Auditor, files_of, marks, read_json
from ops.inventory import Inventory
from ops.listing import list_objects
from ops.stack import DeployedStack


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What a backfill asks of AWS, beside the time that the functions take; `branches` are those that work again."""

    jobs: int
    sizes: int
    branches: Collection[str] = tuple(row.name for row in BRANCHES)

    @property
    def lines(self) -> list[Line]:
        """Requests by part; so many jobs at once fill batches of ten."""
        found = request_lines(self.jobs, sizes=self.sizes, per_batch=topic.BATCH, redone=self.branches)
        return list(found)

    @property
    def counts(self) -> Counter[str]:
        """How many there are of each."""
        found: Counter[str] = Counter()
        for line in self.lines:
            found[line.price.name] += math.ceil(line.count)
        return found

    @property
    def dollars(self) -> float:
        """US dollars for these requests."""
        return total(self.lines)


@dataclass(frozen=True, kw_only=True)
class BackfillPlan:
    """What a backfill would do: how many masters it looks at, what that asks of AWS, and what is made again at most."""

    masters: int
    requests: Mapping[str, int]
    dollars: float
    again: Mapping[str, int]

    @classmethod
    def of(cls, stack: DeployedStack, work: Sequence["Task"]) -> Self:
        """Work out what some tasks come to."""
        # A master is looked at, and its job delivered, once, however many branches work on it again.
        alike = Counter(tuple(task.branches) or tuple(row.name for row in BRANCHES) for task in work)
        asked = [Requests(jobs=count, sizes=stack.sized_files, branches=names) for names, count in alike.items()]
        return cls(
            masters=len(work),
            requests=dict(sum((found.counts for found in asked), Counter[str]())),
            dollars=sum(found.dollars for found in asked),
            again=dict(Counter(branch for branches in alike.elements() for branch in branches)),
        )

    def plain(self) -> dict[str, Any]:
        """Return the plan for a program."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A master to reconcile; `branches` are to work again in a new generation, none where reconciling is enough."""

    key: str
    branches: Collection[str] = ()


def every(stack: DeployedStack, prefix: str, after: str | None = None) -> Iterator[Task]:
    """Yield every master whose path begins with `prefix`, from the key after `after` on."""
    for key, _ in list_objects(stack, stack.layout.master + prefix, after):
        yield Task(key=key)


def in_state(
    stack: DeployedStack, prefix: str, states: Collection[str], branch: str | None = None, after: str | None = None
) -> Iterator[Task]:
    """Yield the masters of which some branches are in one of some of the audit's states, and those branches."""
    with Inventory.of(stack, prefix) as inventory:
        for account in Auditor(stack, inventory).accounts(prefix, after):
            branches = [name for name, state in account.states.items() if state in states and branch in {None, name}]
            if branches:
                yield Task(key=account.key, branches=branches)


def backfill(
    stack: DeployedStack, work: Iterable[Task], *, per_second: float, done: Callable[[Task], None] = lambda _: None
) -> int:
    """Reconcile masters, at most `per_second` unless that is 0; return for how many a job was published.

    Where the record is settled and branches are to work again, they do so in a new generation, which keeps the outcomes
    of the others. What is current is not written again.

    Raises: PublishError, EventRefusedError, ContentionError, NoRecordsError.
    """
    reconciler, count, started = stack.reconciler, 0, time.monotonic()
    for number, task in enumerate(work, start=1):
        record = reconciler.reconcile(task.key)
        if record is not None and record.state == "received":
            count += 1
        elif record is not None and record.settled and record.key == task.key and task.branches:
            count += reconciler.redo(record, task.branches) is not None
        done(task)
        if per_second:
            time.sleep(max(0.0, started + number / per_second - time.monotonic()))
    return count


def register(stack: DeployedStack, prefix: str) -> int:
    """Record what a stack made before it had records; make nothing again, send no event; return how many.

    A picture counts where all its branches have left an output or a reason of its newest state. Without a recipe it
    counts as outdated.
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
    """Return the record of a picture that was settled when there were no records: its generation is 0."""
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
    """Return what a branch left of a master's state, None where it left nothing, or of another state."""
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
    """A file that holds the last key that a backfill has reconciled, so that it can go on from there."""

    path: Path

    def read(self, bucket: str) -> str | None:
        """Return the key to go on after, None to begin; another bucket's bookmark is not this one's.

        Raises: click.UsageError, for a file that is no bookmark, or a folder that is not there.
        """
        if not self.path.parent.is_dir():
            raise click.UsageError(
                f"--resume: expected a file in a folder that exists, got {self.path}: make {self.path.parent}"
            )
        if not self.path.exists():
            return None
        try:
            kept = json.loads(self.path.read_text())
            return kept["key"] if kept["bucket"] == bucket else None
        except (ValueError, KeyError, TypeError) as error:
            raise click.UsageError(
                f"--resume: expected a file that a backfill wrote, got {self.path}: name another"
            ) from error

    def write(self, bucket: str, key: str) -> None:
        """Keep where the backfill is; whole or not at all."""
        unfinished = self.path.with_name(f".{self.path.name}.new")
        unfinished.write_text(json.dumps({"bucket": bucket, "key": key}))
        unfinished.replace(self.path)

    def remove(self) -> None:
        """Forget: the backfill is through."""
        self.path.unlink(missing_ok=True)
