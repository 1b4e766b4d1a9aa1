"""What the functions write and remove: outputs and reasons in S3, items in DynamoDB, each with its generation.

Messages arrive twice, late and in any order, and workers run in parallel. There are no locks: a write has a condition
(nothing is there, or exactly what was seen), the store refuses it otherwise, and the worker looks again. An existing
output of a higher generation stays; one of a lower generation is replaced.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from handlers.attributes import attributes
from handlers.errors import NameTakenError, PixelCascadeError
from handlers.marks import Mark, mark_of_item, mark_of_object
from handlers.record import now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

# Each refusal means that another worker has just written; so many in a row mean that something is wrong.
MAX_TRIES = 20

# Characters of a focal point that are read: two fractions of nine digits have fewer.
MAX_FOCAL_POINT = 40

# S3's answers if a condition does not hold: the object is gone, is being written, or was written by another.
CHANGED = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}


class ContentionError(PixelCascadeError):
    """An object or a record kept changing while it was written; a later delivery will succeed."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A key in S3 where the pipeline writes or removes an object; `master_key` is the master being processed."""

    s3: "S3Client"
    bucket: str
    key: str
    master_key: str

    def look(self) -> tuple[str, Mark | None] | None:
        """Return the object's ETag, quoted, and its mark, or None if there is no object."""
        found = head(self.s3, self.bucket, self.key)
        return (found["ETag"], mark_of_object(found, self.master_key)) if found else None

    def write(self, body: bytes, mark: Mark, *, foreign: bool = False, **options: Any) -> bool:
        """Write the object unless one of a higher generation is there; return whether it was written.

        `options` are S3's (`ContentType`, `CacheControl`), with further user metadata as `Metadata`. An object that the
        pipeline did not write is replaced only with `foreign`.

        Raises: NameTakenError, for such an object; ContentionError, after which a retry may succeed.
        """
        options["Metadata"] = {**mark.as_metadata(), **options.get("Metadata", {})}
        condition = {"IfNoneMatch": "*"}
        for _ in range(MAX_TRIES):
            if self._changed(self.s3.put_object, Body=body, **options, **condition):
                return True
            seen = self.look()
            if seen is None:
                condition = {"IfNoneMatch": "*"}
                continue
            etag, found = seen
            if found is None and not foreign:
                raise NameTakenError(
                    f"expected a free key or an earlier output at {self.key}, got an object that the pipeline did not "
                    "write: move it to another prefix"
                )
            if found is not None and found.generation > mark.generation:
                return False
            condition = {"IfMatch": etag}
        raise ContentionError(f"{self.key} changed {MAX_TRIES} times while it was written")

    def remove_below(self, generation: int) -> bool:
        """Remove the object if the pipeline wrote it in a lower generation; return whether it was removed.

        Raises: ContentionError.
        """
        for _ in range(MAX_TRIES):
            seen = self.look()
            if seen is None:
                return False
            etag, found = seen
            if found is None or found.generation >= generation:
                return False
            if self._changed(self.s3.delete_object, IfMatch=etag):
                return True
        raise ContentionError(f"{self.key} changed {MAX_TRIES} times while it was removed")

    def _changed(self, call: Any, **options: Any) -> bool:
        """Make a conditional call; return False if S3 refuses it because the object has changed."""
        try:
            call(Bucket=self.bucket, Key=self.key, **options)
        except self.s3.exceptions.ClientError as error:
            if status_of(error) in CHANGED and error.response["Error"]["Code"] != "NoSuchBucket":
                return False
            raise
        return True


def reason_of(branch: str, error: str, message: str, **fields: str) -> dict[str, str]:
    """Return the reason why a master is rejected or a message is refused, as it is written."""
    return {**fields, "branch": branch, "error": error, "message": message, "time": now()}


def write_reason(place: Place, reason: Mapping[str, Any], mark: Mark) -> bool:
    """Write why a master is rejected, unless the reason of a newer state is there; return whether it was written."""
    body = _as_json({**reason, "etag": mark.etag, "generation": mark.generation})
    return place.write(body, mark, foreign=True, ContentType="application/json")


def write_refusal(s3: "S3Client", bucket: str, key: str, reason: Mapping[str, Any]) -> None:
    """Write the reason why a message that is not a job of this stack is refused."""
    s3.put_object(Bucket=bucket, Key=key, Body=_as_json(reason), ContentType="application/json")


def write_item(dynamodb: "DynamoDBClient", table: str, fields: Mapping[str, Any], mark: Mark) -> bool:
    """Write a master's item unless one of a higher generation is there; return whether it was written.

    Raises: NameTakenError, if the pipeline did not write the item that has this name.
    """
    try:
        dynamodb.put_item(
            TableName=table,
            Item={**attributes(fields), **mark.as_item()},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ConditionExpression=f"attribute_not_exists(#name) OR ({_LOWER} OR generation = :generation)",
            **_naming(mark.generation, "#name", "#key"),
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        old = cast("dict[str, Any]", error.response).get("Item", {})
        if mark_of_item(old) is None:
            raise NameTakenError(
                f"expected a free name or an earlier item in {table}, got an item {fields['name']!r} that the "
                "pipeline did not write: upload the master under another name"
            ) from error
        return False
    return True


def remove_item_below(dynamodb: "DynamoDBClient", table: str, name: str, generation: int) -> bool:
    """Remove an item if the pipeline wrote it in a lower generation; return whether the condition held."""
    try:
        dynamodb.delete_item(
            TableName=table,
            Key={"name": {"S": name}},
            ConditionExpression=_LOWER,
            **_naming(generation, "#key"),
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


# An item without a generation is from a stack that had no records; the pipeline did not write one without a key.
_LOWER = "(attribute_exists(#key) AND (attribute_not_exists(generation) OR generation < :generation))"


def _naming(generation: int, *names: str) -> dict[str, Any]:
    return {
        "ExpressionAttributeNames": {name: name.removeprefix("#") for name in names},
        "ExpressionAttributeValues": {":generation": {"N": str(generation)}},
    }


def keys_below(s3: "S3Client", bucket: str, prefix: str, after: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield key and ETag (without quotes) of every object below a prefix, in the order of the keys.

    Starts after the key `after`, and skips folder markers.
    """
    start = {"StartAfter": after} if after else {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **start):  # type: ignore[arg-type]
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield entry["Key"], entry["ETag"].strip('"')


def head(s3: "S3Client", bucket: str, key: str, **version: str) -> "HeadObjectOutputTypeDef | None":
    """Return S3's answer about an object, or None if there is none."""
    try:
        return s3.head_object(Bucket=bucket, Key=key, **version)  # type: ignore[arg-type]
    except s3.exceptions.ClientError as error:
        if status_of(error) == HTTPStatus.NOT_FOUND:
            return None
        raise


def etag_of(response: Any) -> str:
    """Return a response's ETag without quotes."""
    return str(response["ETag"]).strip('"')


def focal_point_of(response: Any) -> str:
    """Return the focal point in an object's user metadata, unchecked; empty if there is none."""
    return str(response.get("Metadata", {}).get("focal-point", ""))[:MAX_FOCAL_POINT]


def status_of(error: Any) -> int:
    """Return the HTTP status of an error."""
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _as_json(reason: Mapping[str, Any]) -> bytes:
    """Return a reason as JSON in UTF-8; a lone surrogate, which UTF-8 cannot encode, is escaped."""
    return json.dumps(reason, ensure_ascii=False).encode(errors="backslashreplace")
