"""The wire format of a job, S3's URL-encoded keys, and every key that the pipeline reads or writes."""

import hashlib
import json
import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import unquote_plus

from handlers.errors import InvalidJobError, NameTooLongError

MAX_KEY_BYTES = 1024  # Source: S3's user guide, "Naming Amazon S3 objects".

# Three times what S3's have, and short enough for an output's metadata.
MAX_SEQUENCER_DIGITS = 64


@dataclass(frozen=True, kw_only=True)
class Job:
    """One master to work on; `sequencer` orders the events of one key (hexadecimal digits)."""

    bucket: str
    key: str
    etag: str | None = None
    size: int | None = None
    sequencer: str | None = None
    version_id: str | None = None

    def to_json(self) -> str:
        """Return the message: the fields that are known, as one JSON object."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a message; unknown fields are ignored.

        Raises: InvalidJobError, where the text cannot be read as a JSON object, or a field is not as S3's.
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
        return cls(**values)


_TYPES = {"bucket": str, "key": str, "etag": str, "size": int, "sequencer": str, "version_id": str}
_FORM = "an object with bucket and key and, where known, etag, size, sequencer and version_id"


def _check(name: str, value: Any) -> None:
    """Refuse a field of the wrong type, or one that S3 would not have made: none of its texts is longer than a key."""
    got = f"got {name} {reprlib.repr(value)}"
    if type(value) is not _TYPES[name]:
        raise InvalidJobError(f"expected {_FORM}, {got}")
    if not isinstance(value, str):
        return
    if name == "sequencer" and not re.fullmatch(rf"[0-9A-Fa-f]{{0,{MAX_SEQUENCER_DIGITS}}}", value):
        raise InvalidJobError(f"expected at most {MAX_SEQUENCER_DIGITS} hexadecimal digits, {got}")
    try:
        size_bytes = len(value.encode())
    except UnicodeEncodeError as error:
        raise InvalidJobError(f"expected text that UTF-8 can encode, {got}") from error
    if size_bytes > MAX_KEY_BYTES:
        raise InvalidJobError(f"expected at most {MAX_KEY_BYTES:,} bytes, {got} of {size_bytes:,}")


def jobs_of(event: Mapping[str, Any]) -> Iterator[Job]:
    """Yield one job for each object in an S3 event; folder markers are skipped.

    Source: S3's user guide, "Event message structure"; keys are URL-encoded with `+` for a space.

    Raises: InvalidJobError, where the event is not S3's.
    """
    for record in event.get("Records") or [event]:
        try:
            bucket, entity = record["s3"]["bucket"]["name"], record["s3"]["object"]
            key = unquote_plus(entity["key"])
        except (KeyError, TypeError) as error:
            raise InvalidJobError(f"expected an S3 event notification, got one without {error}") from error
        if not key.endswith("/"):
            yield Job(
                bucket=bucket,
                key=key,
                etag=entity.get("eTag"),
                size=entity.get("size"),
                sequencer=entity.get("sequencer"),
                version_id=entity.get("versionId"),
            )


def newer_or_same(sequencer: str, other: str) -> bool:
    """Tell whether `sequencer` is not older than `other`, of the same key.

    Source: S3's user guide, "Event message structure": compare as text, right-padded with zeros.
    """
    length = max(len(sequencer), len(other))
    return sequencer.upper().ljust(length, "0") >= other.upper().ljust(length, "0")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things lie in the bucket: the prefixes, and how a master's key becomes a name."""

    master: str = "master/"
    converted: str = "converted/"
    resized: str = "resized/"
    rejected: str = "rejected/"
    full_names: bool = False

    def path(self, key: str) -> str:
        """Return the key below the master prefix: `master/2024/cat.png` -> `2024/cat.png`.

        Raises: InvalidJobError, where the key is no master's.
        """
        path = key.removeprefix(self.master)
        if not key.startswith(self.master) or not path or path.endswith("/"):
            raise InvalidJobError(f"expected an object below {self.master}, got key {key!r}")
        return path

    def name(self, key: str) -> str:
        """Return the name of a master's outputs: `master/2024/cat.png` -> `2024/cat`, or `2024/cat.png` in full."""
        path = self.path(key)
        if self.full_names:
            return path
        folder, slash, file = path.rpartition("/")
        stem, dot, _ = file.rpartition(".")
        return folder + slash + (stem if dot and stem else file)

    def converted_key(self, key: str) -> str:
        """Return the key of a master's JPEG: `master/cat.png` -> `converted/cat.jpg`."""
        return _fitting(f"{self.converted}{self.name(key)}.jpg")

    def resized_key(self, key: str, size: str) -> str:
        """Return the key of one size of a master: `master/cat.png` -> `resized/cat/large.jpg`."""
        return _fitting(f"{self.resized}{self.name(key)}/{size}.jpg")

    def rejected_key(self, key: str, branch: str) -> str:
        """Return the key of a branch's reason to reject a master: `rejected/cat.png/resizing.json`.

        A path too long for S3 is cut; a hash of the whole path keeps it unique.
        """
        path, ending = self.path(key), f"/{branch}.json"
        room = MAX_KEY_BYTES - len(f"{self.rejected}{ending}".encode())
        if len(path.encode()) > room:
            digest = hashlib.sha256(path.encode()).hexdigest()
            path = path.encode()[: room - len(digest) - 1].decode(errors="ignore") + "." + digest
        return f"{self.rejected}{path}{ending}"

    def refused_key(self, message_id: str, branch: str) -> str:
        """Return the key of a branch's reason to refuse a message that is no job of this stack."""
        return f"{self.rejected}.messages/{message_id}/{branch}.json"


def _fitting(key: str) -> str:
    if len(key.encode()) > MAX_KEY_BYTES:
        raise NameTooLongError(
            f"expected an output's key of at most {MAX_KEY_BYTES} bytes, got {len(key.encode())}: "
            "upload the master under a shorter key"
        )
    return key
