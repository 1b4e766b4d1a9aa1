"""What the functions write: outputs in S3, records in DynamoDB."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote, unquote

from handlers import clients
from handlers.master import Master, status_of
from handlers.ownership import Claim, write_newest

# S3 takes 2 KB of user metadata in all; a key that needs more is named by its hash.
MAX_METADATA_BYTES = 1_500
# What S3 answers to a conditional write: what was to be replaced is gone, another write was faster, or is done.
CHANGED = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def write_output(
    master: Master, key: str, body: bytes, *, headers: Mapping[str, str], marks: Mapping[str, str]
) -> bool:
    """Write one output of a master; return whether it is now the newest master's.

    `headers` are S3's own (`ContentType`, `CacheControl`), `marks` are user metadata of the output.

    Raises: NameTakenError.
    """
    slot = _ObjectSlot(master.bucket, key, body, headers, marks)
    return write_newest(slot, master.claim, master.is_current)


def write_record(master: Master, table: str, name: str, fields: Mapping[str, Any]) -> bool:
    """Write a master's item; return whether it is now the newest master's.

    Raises: NameTakenError.
    """
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415 only one function of four needs it

    item = TypeSerializer().serialize({**fields, "name": name})["M"]
    return write_newest(_ItemSlot(table, item), master.claim, master.is_current)


def write_rejection(master: Master, key: str, reason: Mapping[str, Any]) -> bool:
    """Write why a master was rejected, unless it was replaced or deleted since; return whether it was written."""
    # Asked first: a reason that fills an empty place would stay there, whatever became of the newer state.
    if not master.is_current():
        return False
    body = _as_json({**reason, **vars(master.claim)})
    slot = _RejectionSlot(master.bucket, key, body, {"ContentType": "application/json"}, {})
    return write_newest(slot, master.claim, master.is_current)


def write_refusal(bucket: str, key: str, reason: Mapping[str, Any]) -> None:
    """Write why a message that is not a job of this stack was refused."""
    clients.s3().put_object(Bucket=bucket, Key=key, Body=_as_json(reason), ContentType="application/json")


def claim_of_object(metadata: Mapping[str, str], key: str) -> Claim:
    """Read from an object's user metadata which master it was made from; `key` is the master being worked on.

    An object that names no master belongs to none, and must not be overwritten.
    """
    owner = metadata.get("key", "")
    return Claim(
        key=key if owner == _as_header(key) else unquote(owner),
        etag=metadata.get("etag", ""),
        sequencer=metadata.get("sequencer"),
    )


def claim_of_item(item: Mapping[str, Any]) -> Claim:
    """Read whose item this is; one that names no master is nobody's, so never to be overwritten."""
    key, etag, sequencer = (item.get(name, {}).get("S", "") for name in ("key", "etag", "sequencer"))
    return Claim(key=key, etag=etag, sequencer=sequencer or None)


@dataclass
class _ObjectSlot:
    """An object in S3, whose user metadata names its master."""

    bucket: str
    key: str
    body: bytes
    headers: Mapping[str, str]
    marks: Mapping[str, str]
    seen_etag: str = ""

    def write(self, claim: Claim, expected: Claim | None) -> bool:
        s3 = clients.s3()
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": self.seen_etag}
        try:
            s3.put_object(
                Bucket=self.bucket,
                Key=self.key,
                Body=self.body,
                Metadata={**_as_metadata(claim), **self.marks},
                **self.headers,  # type: ignore[arg-type]
                **condition,  # type: ignore[arg-type]
            )
        except s3.exceptions.ClientError as error:
            if status_of(error) in CHANGED and error.response["Error"]["Code"] != "NoSuchBucket":
                return False
            raise
        return True

    def owner(self, claim: Claim) -> Claim | None:
        s3 = clients.s3()
        try:
            head = s3.head_object(Bucket=self.bucket, Key=self.key)
        except s3.exceptions.ClientError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise
        self.seen_etag = head["ETag"]
        return claim_of_object(head["Metadata"], claim.key)


class _RejectionSlot(_ObjectSlot):
    """A reason to reject a master; only this pipeline writes there, so what is not this master's may be replaced."""

    def owner(self, claim: Claim) -> Claim | None:
        owner = super().owner(claim)
        if owner is None or owner.key == claim.key:
            return owner
        return Claim(key=claim.key, etag="")


@dataclass
class _ItemSlot:
    """An item in DynamoDB, whose attributes name its master."""

    table: str
    item: Mapping[str, Any]
    seen: Claim | None = None

    def write(self, claim: Claim, expected: Claim | None) -> bool:
        dynamodb = clients.dynamodb()
        owner = {name: {"S": value} for name, value in vars(claim).items() if value}
        try:
            dynamodb.put_item(
                TableName=self.table,
                Item={**self.item, **owner},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_item_condition(expected),
            )
        except dynamodb.exceptions.ConditionalCheckFailedException as error:
            old = cast("dict[str, Any]", error.response).get("Item")
            self.seen = claim_of_item(old) if old else None
            return False
        return True

    def owner(self, _claim: Claim) -> Claim | None:
        return self.seen


def _as_json(reason: Mapping[str, Any]) -> bytes:
    """Return a reason as JSON in plain letters; what UTF-8 cannot encode, half of a pair, becomes JSON's own escape."""
    return json.dumps(reason, ensure_ascii=False).encode(errors="backslashreplace")


def _item_condition(expected: Claim | None) -> dict[str, Any]:
    if expected is None:
        return {"ConditionExpression": "attribute_not_exists(#name)", "ExpressionAttributeNames": {"#name": "name"}}
    condition = "#key = :key AND #etag = :etag AND "
    condition += "sequencer = :sequencer" if expected.sequencer else "attribute_not_exists(sequencer)"
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#key": "key", "#etag": "etag"},
        "ExpressionAttributeValues": {f":{k}": {"S": v} for k, v in vars(expected).items() if v},
    }


def _as_metadata(claim: Claim) -> dict[str, str]:
    marks = {"key": _as_header(claim.key), "etag": claim.etag, "sequencer": claim.sequencer}
    return {name: value for name, value in marks.items() if value}


def _as_header(key: str) -> str:
    """Return a key as user metadata: URL-encoded where HTTP could not carry it, hashed where S3 would not hold it."""
    encoded = re.sub(" (?= |$)", "%20", quote(key, safe=PRINTABLE))
    if len(encoded) <= MAX_METADATA_BYTES:
        return encoded
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
