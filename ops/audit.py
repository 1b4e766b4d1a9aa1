"""What became of each master: done, rejected, stale or missing, branch by branch."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import groupby, islice
from typing import Any

from botocore.exceptions import ClientError

from components.branches import BRANCHES, ImageBranch
from handlers.errors import NameTooLongError
from handlers.ownership import Claim
from handlers.storage import claim_of_item, claim_of_object
from ops.stack import DeployedStack

STATES = ("done", "rejected", "stale", "missing")
THREADS = 8
PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Account:
    """One master and its fate; `states` is by branch: `done`, `rejected`, `stale` or `missing`."""

    key: str
    etag: str
    states: dict[str, str]
    rejections: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accounted_for(self) -> bool:
        """Whether every branch either did its work on the master's newest state or said why not."""
        return all(state in {"done", "rejected"} for state in self.states.values())


def audit(stack: DeployedStack, prefix: str = "", after: str | None = None) -> Iterator[Account]:
    """Yield the account of every master whose path begins with `prefix`, in the order of their keys after `after`.

    Works through a page of a thousand keys at a time, so that its memory does not grow with the bucket.
    """
    masters = list_objects(stack, stack.layout.master + prefix, after)
    with ThreadPoolExecutor(THREADS) as threads:
        while page := list(islice(masters, PAGE)):
            yield from threads.map(lambda master: account(stack, *master), page)


def rejected(stack: DeployedStack, prefix: str = "") -> Iterator[Account]:
    """Yield the account of every master whose newest state was rejected, by path; `prefix` begins the path.

    What was rejected once and has its outputs by now, or is no longer in the bucket, is left out.
    """
    reasons = (key for key, _ in list_objects(stack, stack.layout.rejected + prefix))
    for _, keys in groupby(reasons, lambda key: key.rpartition("/")[0]):
        reason = _read_json(stack, next(keys))
        master = reason and "key" in reason and _found(_s3(stack).head_object, Bucket=stack.bucket, Key=reason["key"])
        if reason and master:
            found = account(stack, reason["key"], master["ETag"].strip('"'))
            if found.rejections:
                yield found


def list_objects(stack: DeployedStack, prefix: str, after: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield key and ETag of every object below a prefix, but for the markers that consoles make for folders.

    In the order of the keys, from the one after `after` on.
    """
    start = {"StartAfter": after} if after else {}
    pages = _s3(stack).get_paginator("list_objects_v2").paginate(Bucket=stack.bucket, Prefix=prefix, **start)
    for page in pages:
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield entry["Key"], entry["ETag"].strip('"')


def account(stack: DeployedStack, key: str, etag: str) -> Account:
    """Look up what became of one master, whose newest state has `etag`."""
    states, rejections = {}, []
    for branch in BRANCHES:
        states[branch.name] = _state(stack, branch, key, etag)
        if states[branch.name] != "done" and (rejection := _rejection(stack, branch, key, etag)):
            states[branch.name] = "rejected"
            rejections.append(rejection)
    return Account(key=key, etag=etag, states=states, rejections=rejections)


def _state(stack: DeployedStack, branch: ImageBranch, key: str, etag: str) -> str:
    claims = list(_claims(stack, branch, key))
    if None in claims or any(claim and claim.key != key for claim in claims):
        return "missing"
    return "done" if all(claim and claim.etag == etag for claim in claims) else "stale"


def _claims(stack: DeployedStack, branch: ImageBranch, key: str) -> Iterator[Claim | None]:
    """Yield who owns each output that a branch makes of a master, None for one that is not there."""
    if branch.records:
        name = stack.layout.name(key)
        item = stack.client("dynamodb").get_item(TableName=stack.table, Key={"name": {"S": name}}, ConsistentRead=True)
        yield claim_of_item(item["Item"]) if "Item" in item else None
    try:
        files = stack.files(key, branch)
    except NameTooLongError:
        yield None
        return
    for file in files:
        head = _found(_s3(stack).head_object, Bucket=stack.bucket, Key=file)
        yield claim_of_object(head["Metadata"], key) if head else None


def _rejection(stack: DeployedStack, branch: ImageBranch, key: str, etag: str) -> dict[str, Any] | None:
    """Return why a branch rejected a master's newest state, if it did."""
    reason = _read_json(stack, stack.layout.rejected_key(key, branch.name))
    return reason if reason and reason["etag"] == etag else None


def _read_json(stack: DeployedStack, key: str) -> dict[str, Any] | None:
    """Return the JSON object under a key, None where there is none."""
    response = _found(_s3(stack).get_object, Bucket=stack.bucket, Key=key)
    if response is None:
        return None
    value: dict[str, Any] = json.loads(response["Body"].read())
    return value


def _s3(stack: DeployedStack) -> Any:
    return stack.client("s3")


def _found(call: Any, **arguments: str) -> dict[str, Any] | None:
    """Return what S3 answers, None where there is nothing."""
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            return None
        raise
    return answer
