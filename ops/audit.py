"""What became of each master: done, rejected, stale or missing, branch by branch."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from handlers.errors import NameTooLongError
from handlers.ownership import Claim
from handlers.storage import claim_of_item, claim_of_object
from ops.stack import BRANCHES, EXTRACTION, Stack

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


def audit(stack: Stack, prefix: str = "") -> Iterator[Account]:
    """Yield the account of every master whose path begins with `prefix`, in the order of their keys.

    Works through a page of a thousand keys at a time, so that its memory does not grow with the bucket.
    """
    masters = list_objects(stack, stack.layout.master + prefix)
    with ThreadPoolExecutor(THREADS) as threads:
        while page := list(islice(masters, PAGE)):
            yield from threads.map(lambda master: account(stack, *master), page)


def list_objects(stack: Stack, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield key and ETag of every object below a prefix, but for the markers that consoles make for folders."""
    for page in stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=stack.bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield entry["Key"], entry["ETag"].strip('"')


def account(stack: Stack, key: str, etag: str) -> Account:
    """Look up what became of one master, whose newest state has `etag`."""
    states, rejections = {}, []
    for branch in BRANCHES:
        states[branch] = _state(stack, branch, key, etag)
        if states[branch] != "done" and (rejection := _rejection(stack, branch, key, etag)):
            states[branch] = "rejected"
            rejections.append(rejection)
    return Account(key=key, etag=etag, states=states, rejections=rejections)


def _state(stack: Stack, branch: str, key: str, etag: str) -> str:
    claims = list(_claims(stack, branch, key))
    if None in claims or any(claim and claim.key != key for claim in claims):
        return "missing"
    return "done" if all(claim and claim.etag == etag for claim in claims) else "stale"


def _claims(stack: Stack, branch: str, key: str) -> Iterator[Claim | None]:
    """Yield who owns each output that a branch makes of a master, None for one that is not there."""
    if branch == EXTRACTION:
        name = stack.layout.name(key)
        item = stack.client("dynamodb").get_item(TableName=stack.table, Key={"name": {"S": name}}, ConsistentRead=True)
        yield claim_of_item(item["Item"]) if "Item" in item else None
        return
    try:
        outputs = stack.outputs(key)[branch]
    except NameTooLongError:
        yield None
        return
    for output in outputs:
        head = _found(stack.client("s3").head_object, Bucket=stack.bucket, Key=output)
        yield claim_of_object(head["Metadata"], key) if head else None


def _rejection(stack: Stack, branch: str, key: str, etag: str) -> dict[str, Any] | None:
    """Return why a branch rejected a master's newest state, if it did."""
    rejected_key = stack.layout.rejected_key(key, branch)
    response = _found(stack.client("s3").get_object, Bucket=stack.bucket, Key=rejected_key)
    if response is None:
        return None
    reason: dict[str, Any] = json.loads(response["Body"].read())
    return reason if reason["etag"] == etag else None


def _found(call: Any, **arguments: str) -> dict[str, Any] | None:
    """Return what S3 answers, None where there is nothing."""
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            return None
        raise
    return answer
