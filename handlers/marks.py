"""What an output says about its master, in its own metadata: which state it was made from, and in which generation."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from handlers.attributes import attributes

# S3 takes 2 KB of user metadata in all; a key that needs more is named by its hash.
MAX_METADATA_BYTES = 1_500
PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A state of a master, and how an output was made of it.

    `generation` is that of the picture's record, 0 for outputs of stacks that had no records; `recipe` is the hash of
    the settings, empty where it is not known.
    """

    key: str
    etag: str
    generation: int = 0
    recipe: str = ""

    def as_metadata(self) -> dict[str, str]:
        """Return the mark as an object's user metadata."""
        marks = {
            "key": as_header(self.key),
            "etag": self.etag,
            "generation": str(self.generation),
            "recipe": self.recipe,
        }
        return {name: value for name, value in marks.items() if value}

    def as_item(self) -> dict[str, Any]:
        """Return the mark as attributes of a DynamoDB item."""
        return attributes({name: value for name, value in vars(self).items() if value or name == "generation"})


def mark_of_object(metadata: Mapping[str, str], key: str) -> Mark | None:
    """Read an object's mark from its user metadata, None for an object that the pipeline did not write.

    `key` is the master being worked on: a mark that holds only the hash of a key is compared with it.
    """
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
    """Read an item's mark, None for an item that the pipeline did not write."""
    key, etag, recipe = (item.get(name, {}).get("S", "") for name in ("key", "etag", "recipe"))
    if not key:
        return None
    return Mark(key=key, etag=etag, generation=int(item.get("generation", {}).get("N", 0)), recipe=recipe)


def as_header(key: str) -> str:
    """Return a key as user metadata: URL-encoded where HTTP could not carry it, hashed where S3 would not hold it."""
    encoded = re.sub(" (?= |$)", "%20", quote(key, safe=PRINTABLE))
    if len(encoded) <= MAX_METADATA_BYTES:
        return encoded
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
