"""The mark in an output's metadata: the state of the master that it was made from, and the generation."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from handlers.attributes import attributes

# S3 allows 2 KB of user metadata in all; a longer key is replaced by its hash.
MAX_METADATA_BYTES = 1_500
PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The state of a master that an output was made from, and how.

    `generation` is the record's, or 0 for outputs of stacks that had no records; `recipe` is the hash of the settings,
    or empty if it is not known.
    """

    key: str
    etag: str
    generation: int = 0
    recipe: str = ""

    def as_metadata(self) -> dict[str, str]:
        """Return the mark as an object's user metadata."""
        marks = {**vars(self), "key": as_header(self.key)}
        return {name: str(value) for name, value in marks.items() if value != ""}

    def as_item(self) -> dict[str, Any]:
        """Return the mark as attributes of a DynamoDB item."""
        return attributes({name: value for name, value in vars(self).items() if value or name == "generation"})


def mark_of_object(found: Mapping[str, Any] | None, key: str) -> Mark | None:
    """Read the mark in S3's answer about an object; return None if it is gone, or the pipeline did not write it.

    `key` is the master being processed: it is compared with a mark that has only the hash of a key.
    """
    metadata: Mapping[str, str] = found["Metadata"] if found else {}
    owner = metadata.get("key", "")
    if not owner:
        return None
    generation = metadata.get("generation", "")
    return Mark(
        key=key if owner == as_header(key) else unquote(owner),
        etag=metadata.get("etag", ""),
        generation=int(generation) if generation.isdecimal() else 0,
        recipe=metadata.get("recipe", ""),
    )


def mark_of_item(item: Mapping[str, Any]) -> Mark | None:
    """Read an item's mark; return None for an item that the pipeline did not write."""
    key, etag, recipe = (item.get(name, {}).get("S", "") for name in ("key", "etag", "recipe"))
    if not key:
        return None
    return Mark(key=key, etag=etag, generation=int(item.get("generation", {}).get("N", 0)), recipe=recipe)


def as_header(key: str) -> str:
    """Return a key as user metadata: URL-encoded as HTTP requires, or hashed if it is too long for S3."""
    encoded = re.sub(" (?= |$)", "%20", quote(key, safe=PRINTABLE))
    if len(encoded) <= MAX_METADATA_BYTES:
        return encoded
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
