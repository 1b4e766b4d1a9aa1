"""The messages: a job, as the publisher sends it, and S3's events, with their URL-encoded keys."""

import json
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import unquote_plus

from handlers.errors import InvalidJobError
from handlers.layout import MAX_KEY_BYTES
from handlers.record import next_generation

AHEAD_MS = 24 * 3_600_000
"""How far a generation may be ahead of the clock: until the clock reaches it, no upload can replace its outputs."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A generation of a master to process, or, if `deleted`, whose outputs to remove.

    A job without a generation was published by hand, or by a stack that had no records: its worker reconciles first.
    `branches` names the branches that process it; empty means all.
    """

    bucket: str
    key: str
    etag: str | None = None
    name: str | None = None
    generation: int | None = None
    branches: tuple[str, ...] = ()
    deleted: bool = False

    def to_json(self) -> str:
        """Return the message: the fields that are set, as one JSON object."""
        return json.dumps({name: value for name, value in asdict(self).items() if value})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a message; unknown fields are ignored.

        Raises: InvalidJobError, if the text is not a JSON object, or S3 could not have sent a field's value.
        """
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidJobError(f"expected {_FORM}, got a message that cannot be read as JSON ({error})") from error
        if not isinstance(fields, dict):
            raise InvalidJobError(f"expected {_FORM}, got a JSON {type(fields).__name__}")
        values = {name: fields[name] for name in _TYPES if fields.get(name) is not None}
        for name, value in values.items():
            _check(name, value)
        if not values.get("bucket") or not values.get("key"):
            raise InvalidJobError(f"expected {_FORM}, got only {reprlib.repr(sorted(fields))}")
        if values.get("generation") and not values.get("etag") and not values.get("deleted"):
            raise InvalidJobError(f"expected {_FORM}, got a generation without etag")
        return cls(**{**values, "branches": tuple(values.get("branches", ()))})


_TYPES: Mapping[str, type[Any]] = {
    "bucket": str,
    "key": str,
    "etag": str,
    "name": str,
    "generation": int,
    "branches": list,
    "deleted": bool,
}
_FORM = "an object with bucket and key and, where known, etag, name, generation, branches and deleted"


def _check(name: str, value: Any) -> None:
    """Refuse a field of the wrong type, or with a value that S3 never sends, such as text longer than a key."""
    got = f"got {name} {reprlib.repr(value)}"
    if type(value) is not _TYPES[name]:
        raise InvalidJobError(f"expected {_FORM}, {got}")
    if name == "generation" and not 0 < value <= next_generation(0) + AHEAD_MS:
        raise InvalidJobError(f"expected a generation from 1, at most a day ahead of the clock, in milliseconds, {got}")
    if name == "etag" and not (value.isascii() and value.isprintable()):
        raise InvalidJobError(f"expected an etag of printable ASCII, {got}")
    if isinstance(value, str | list):
        for text in [value] if isinstance(value, str) else value:
            _check_text(text, got)


def _check_text(text: Any, got: str) -> None:
    if not isinstance(text, str):
        raise InvalidJobError(f"expected {_FORM}, {got}")
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidJobError(f"expected text that UTF-8 can encode, {got}") from error
    if size_bytes > MAX_KEY_BYTES:
        raise InvalidJobError(f"expected at most {MAX_KEY_BYTES:,} bytes, {got} of {size_bytes:,}")


def masters_of(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield bucket and key of each object that an event is about; folder markers are skipped.

    S3's own notifications have URL-encoded keys (`+` for a space); events from EventBridge have the keys as they are.
    Sources: S3's user guide, "Event message structure" and "EventBridge event message structure".

    Raises: InvalidJobError, if the event is not from S3.
    """
    try:
        if "detail" in event:
            found = [(event["detail"]["bucket"]["name"], event["detail"]["object"]["key"])]
        else:
            records = [record["s3"] for record in event.get("Records") or [event]]
            found = [(entry["bucket"]["name"], unquote_plus(entry["object"]["key"])) for entry in records]
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidJobError(f"expected an S3 event with bucket and key, got {reprlib.repr(event)}") from error
    for bucket, key in found:
        if not isinstance(key, str):
            raise InvalidJobError(f"expected an S3 event with bucket and key, got {reprlib.repr(event)}")
        if not key.endswith("/"):
            yield bucket, key
