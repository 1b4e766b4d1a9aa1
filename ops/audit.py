"""What became of each master: done, outdated, rejected, stale or missing, branch by branch."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from components.branches import BRANCHES, ImageBranch
from handlers.errors import NameTakenError, NameTooLongError
from handlers.marks import Mark, mark_of_item, mark_of_object
from handlers.reconcile import NAME_TAKEN
from handlers.record import Outcome, Record
from ops.inventory import Inventory
from ops.listing import head, list_objects
from ops.stack import DeployedStack

STATES = ("done", "outdated", "rejected", "stale", "missing")
ACCOUNTED = {"done", "outdated", "rejected"}
THREADS = 8
PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of one master; `states` maps each branch to one of `STATES`."""

    key: str
    etag: str
    states: dict[str, str]
    rejections: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accounted_for(self) -> bool:
        """Whether every branch has processed the master's newest state, or rejected it with a reason."""
        return not self.unaccounted

    @property
    def unaccounted(self) -> list[str]:
        """The branches that have done neither."""
        return [branch for branch, state in self.states.items() if state not in ACCOUNTED]


def audit(stack: DeployedStack, prefix: str = "", after: str | None = None, *, deep: bool = False) -> Iterator[Account]:
    """Yield the account of every master whose path begins with `prefix`, in key order, starting after the key `after`.

    It comes from a scan of the records and listings of the bucket; with `deep`, S3 and DynamoDB are also asked for each
    output.
    """
    with Inventory.of(stack, prefix) as inventory:
        yield from Auditor(stack, inventory, deep=deep).accounts(prefix, after)


class Auditor:
    """Compares a stack's masters with an inventory."""

    def __init__(self, stack: DeployedStack, inventory: Inventory, *, deep: bool = False) -> None:
        self._stack, self._inventory, self._deep = stack, inventory, deep

    def accounts(self, prefix: str = "", after: str | None = None) -> Iterator[Account]:
        """Yield the account of every master whose path begins with `prefix`, in key order."""
        masters = list_objects(self._stack, self._stack.layout.master + prefix, after)
        found = ((key, etag, self._inventory.record(self._stack.layout.name(key))) for key, etag in masters)
        if not self._deep:
            yield from (self._account(*master) for master in found)
            return
        with ThreadPoolExecutor(THREADS) as threads:
            while page := list(islice(found, PAGE)):
                yield from threads.map(lambda master: self._account(*master), page)

    def _account(self, key: str, etag: str, record: Record | None) -> Account:
        if record is not None and record.lives and record.key != key:
            return self._loser(key, etag, record)
        states, rejections = {}, []
        for branch in BRANCHES:
            outcome = record.branches.get(branch.name) if record else None
            states[branch.name] = self._state(branch, record, outcome, key, etag)
            if states[branch.name] == "rejected" and outcome is not None:
                rejections.append(
                    {"key": key, "branch": branch.name, "error": outcome.error, "message": outcome.message}
                )
        return Account(key=key, etag=etag, states=states, rejections=rejections)

    def _loser(self, key: str, etag: str, record: Record) -> Account:
        """Return the account of a master whose name another master owns: its reason may have expired."""
        expires = self._stack.rejected_days > 0
        there = expires or self._there(self._stack.layout.rejected_key(key, NAME_TAKEN))
        states = {branch.name: "rejected" if there else "missing" for branch in BRANCHES}
        message = f"{record.key} owns the name {record.name}"
        rejection = {"key": key, "branch": NAME_TAKEN, "error": NameTakenError.__name__, "message": message}
        return Account(key=key, etag=etag, states=states, rejections=[rejection] if there else [])

    def _state(self, branch: ImageBranch, record: Record | None, outcome: Outcome | None, key: str, etag: str) -> str:
        if record is None or not record.lives:
            return "missing"
        if record.etag != etag:
            return "stale"
        if outcome is None or outcome.state == "rejected":
            return "rejected" if outcome else "missing"
        files = files_of(self._stack, branch, key, outcome)
        if not all(self._marked(branch, key, etag, files) if self._deep else map(self._there, files)):
            return "missing"
        return "done" if outcome.recipe == self._stack.recipes.get(branch.name, outcome.recipe) else "outdated"

    def _there(self, key: str) -> bool:
        if self._deep:
            return head(self._stack, key) is not None
        return self._inventory.has(key)

    def _marked(self, branch: ImageBranch, key: str, etag: str, files: Sequence[str]) -> Iterator[bool]:
        """Yield, for each output of a branch, whether it exists and was made from the master's newest state."""
        for mark in marks(self._stack, branch, key, files):
            yield mark is not None and (mark.key, mark.etag) == (key, etag)


def files_of(stack: DeployedStack, branch: ImageBranch, key: str, outcome: Outcome | None) -> list[str]:
    """Return the keys of a master's files in a branch: those in its outcome, else those that the settings imply."""
    if outcome is not None and outcome.outputs:
        return [stack.layout.named(file, key) for file in outcome.outputs]
    try:
        return list(stack.files(key, branch))
    except NameTooLongError:
        return []


def marks(stack: DeployedStack, branch: ImageBranch, key: str, files: Iterable[str]) -> Iterator[Mark | None]:
    """Yield the marks of the item and the files that a branch made of a master, None for a missing one."""
    if branch.records:
        name = {"name": {"S": stack.layout.name(key)}}
        item = stack.client("dynamodb").get_item(TableName=stack.table, Key=name, ConsistentRead=True)
        yield mark_of_item(item.get("Item", {}))
    for file in files:
        yield mark_of_object(head(stack, file), key)


def rejected(stack: DeployedStack, prefix: str = "") -> Iterator[dict[str, Any]]:
    """Yield the reasons why masters in the bucket are rejected, by path; `prefix` is the beginning of the path.

    A reason that is about an earlier state of its master is left out.
    """
    reasons = (key for key, _ in list_objects(stack, stack.layout.rejected + prefix))
    for _, keys in groupby(reasons, lambda key: key.rpartition("/")[0]):
        wanted: bool | None = None
        for key in keys:
            reason = read_json(stack, key)
            if reason is None or not _is_of_a_master(reason):
                continue
            if wanted is None:
                master = head(stack, reason["key"])
                wanted = bool(master and master["ETag"].strip('"') == reason.get("etag"))
            if wanted:
                yield reason


def _is_of_a_master(reason: Mapping[str, Any]) -> bool:
    """Return whether a JSON object is why a master was rejected, not a message, nor an object that others wrote."""
    texts = all(isinstance(reason.get(name), str) for name in ("key", "etag", "branch", "error", "message"))
    return texts and bool(reason["key"])


def read_json(stack: DeployedStack, key: str) -> dict[str, Any] | None:
    """Return a reason, or None if it is gone or is not a JSON object."""
    s3 = stack.client("s3")
    try:
        reason = json.loads(s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read())
    except (s3.exceptions.NoSuchKey, ValueError):
        return None
    return reason if isinstance(reason, dict) else None
