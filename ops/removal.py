"""Remove outputs without an owner, or everything about one picture."""

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from components.branches import BRANCHES
from handlers.errors import PixelCascadeError
from handlers.marks import mark_of_object
from handlers.reconcile import NAME_TAKEN
from handlers.record import Record
from handlers.storage import CHANGED, status_of
from ops.inventory import Inventory, name_of
from ops.listing import head
from ops.stack import DeployedStack
from ops.text import command


class BusyPictureError(PixelCascadeError):
    """A picture is still being processed, so a worker could write again what is removed."""


def orphans(stack: DeployedStack, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield key and name of each object below a branch's prefix whose name has no living owner.

    Some may not be outputs of the pipeline: check them with `orphan`.

    Raises: NoRecordsError.
    """
    with Inventory.of(stack, prefix) as inventory:
        yield from inventory.orphans()


def orphan(stack: DeployedStack, key: str, name: str) -> str | None:
    """Return the quoted ETag of an output that the pipeline wrote and whose name has no owner, else None."""
    found = head(stack, key)
    if found is None or mark_of_object(found, key) is None:
        return None
    record = stack.records.read(name)
    # A master may be older than the records.
    if (record is not None and record.lives) or any(stack.reconciler.masters(name)):
        return None
    return str(found["ETag"])


def sweep(stack: DeployedStack, key: str, name: str) -> bool:
    """Remove one orphan, unless it changes or its name gets an owner; return whether it was removed."""
    etag = orphan(stack, key, name)
    if etag is None:
        return False
    return _removed(stack, key, IfMatch=etag)


def _removed(stack: DeployedStack, key: str, **only: str) -> bool:
    """Remove an object, or only a version or a state of it; return whether it was still there."""
    try:
        stack.client("s3").delete_object(Bucket=stack.bucket, Key=key, **only)
    except ClientError as error:
        if status_of(error) in CHANGED:
            return False
        raise
    return True


class Erased(NamedTuple):
    """The number of objects (versions and delete markers included) and items that were removed."""

    objects: int
    items: int


def erase(stack: DeployedStack, key: str) -> Erased:
    """Remove a master, its outputs, reasons, metadata item and record, with all versions.

    If another master has its name, or gets it now, that one's outputs, item and record stay.

    Raises: BusyPictureError, NoRecordsError, InvalidJobError.
    """
    name = stack.layout.name(key)
    record = stack.records.read(name)
    if record is not None and record.state == "received":
        raise BusyPictureError(
            f"expected a picture that is settled, got {key!r}, which is being processed: wait for it with "
            f"{command('status', key, '--watch')}, or send it back with `redrive` if `letters` "
            "lists it; then erase it"
        )
    owns = record is None or record.key == key or not record.lives
    objects = _remove_versions(stack, key)
    objects += sum(_remove_versions(stack, reason) for reason in _reasons(stack, key))
    made = _made_before(stack, key)
    # From here on no worker writes: a job in flight finds no master.
    after = stack.reconciler.reconcile(key) if owns else record
    if after is None or not after.lives:
        made[name] = after
    objects += sum(_remove_versions(stack, output) for one in made for output in _outputs(stack, one))
    items = sum(_remove_items(stack, *one) for one in made.items())
    if name not in made:
        objects += sum(_remove_made_from(stack, key, output) for output in _outputs(stack, name))
        items += _remove_item_of(stack, key, name)
    return Erased(objects=objects, items=items)


def _made_before(stack: DeployedStack, key: str) -> dict[str, Record | None]:
    """Return the record, by name, that a master has from before the setting `naming` was changed, if it has one."""
    name = replace(stack.layout, full_names=not stack.layout.full_names).name(key)
    record = stack.records.read(name) if name != stack.layout.name(key) else None
    return {name: record} if record is not None and record.key == key else {}


def _remove_items(stack: DeployedStack, name: str, record: Record | None) -> int:
    dynamodb, key = stack.client("dynamodb"), {"name": {"S": name}}
    tables = [stack.table, *([stack.pictures] if record else [])]
    return sum(
        "Attributes" in dynamodb.delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD") for table in tables
    )


def _remove_item_of(stack: DeployedStack, master: str, name: str) -> int:
    """Remove a name's item if it was made from a master; return how many were removed."""
    dynamodb = stack.client("dynamodb")
    try:
        dynamodb.delete_item(
            TableName=stack.table,
            Key={"name": {"S": name}},
            ConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues={":key": {"S": master}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return 0
    return 1


def _remove_made_from(stack: DeployedStack, master: str, key: str) -> int:
    """Remove an output's versions that were made from a master; return how many were removed."""
    count = 0
    for entry in _versions(stack, key):
        if entry["Key"] != key or "ETag" not in entry:  # A delete marker was made from nothing.
            continue
        # Without versioning, another master's output may take the object's place meanwhile.
        lone = entry["IsLatest"] and entry["VersionId"] == "null"
        version = {} if lone else {"VersionId": entry["VersionId"]}
        found = head(stack, key, **version)
        mark = mark_of_object(found, master)
        if found and mark and mark.key == master:
            count += _removed(stack, key, **({"IfMatch": found["ETag"]} if lone else version))
    return count


def _remove_versions(stack: DeployedStack, key: str) -> int:
    """Remove an object, its versions and its delete markers; return how many there were.

    The current one goes last: without it, an older version of a master would be current, and be processed.
    """
    found = sorted((entry for entry in _versions(stack, key) if entry["Key"] == key), key=itemgetter("IsLatest"))
    for entry in found:
        # An object from before versioning has the id "null"; without an id, S3 would only add a delete marker.
        stack.client("s3").delete_object(Bucket=stack.bucket, Key=key, VersionId=entry["VersionId"])
    return len(found)


def _reasons(stack: DeployedStack, key: str) -> set[str]:
    """Return the keys of a master's reasons: also a former branch's, and those of a path that was cut."""
    below = f"{stack.layout.rejected}{stack.layout.path(key)}/"
    whole = (reason for reason in _versioned_keys(stack, below) if "/" not in reason[len(below) :])
    return {*whole, *(stack.layout.rejected_key(key, name) for name in (NAME_TAKEN, *stack.branches))}


def _outputs(stack: DeployedStack, name: str) -> list[str]:
    found = []
    for row in BRANCHES:
        if (below := row.prefix_in(stack.layout)) is not None:
            keys = _versioned_keys(stack, below + name)
            found += [key for key in keys if name_of(row, key[len(below) :]) == name]
    return found


def _versioned_keys(stack: DeployedStack, prefix: str) -> list[str]:
    """Return every key below a prefix, also those that only have old versions."""
    return list(dict.fromkeys(entry["Key"] for entry in _versions(stack, prefix)))


def _versions(stack: DeployedStack, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield every version and delete marker below a prefix."""
    for page in stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=stack.bucket, Prefix=prefix):
        yield from (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
