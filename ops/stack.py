"""A deployed stack as the commands see it: its clients, its resources' names, its layout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.job import Layout

CONVERSION, RESIZING, EXTRACTION = "format-conversion", "resizing", "metadata-extraction"
BRANCHES = (CONVERSION, RESIZING, EXTRACTION)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack; `client` returns the client of a service, such as `s3`, and keeps it."""

    client: Callable[[str], Any]
    bucket: str
    table: str
    layout: Layout
    sizes: Sequence[str]

    def outputs(self, key: str) -> Mapping[str, Sequence[str]]:
        """Return the keys of a master's pictures by branch.

        Raises: NameTooLongError.
        """
        return {
            CONVERSION: [self.layout.converted_key(key)],
            RESIZING: [self.layout.resized_key(key, size) for size in self.sizes],
        }
