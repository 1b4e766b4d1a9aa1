"""A deployed stack as the commands see it: its clients, its resources' names, its layout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from handlers.job import Layout

CONVERSION, RESIZING, EXTRACTION = "format-conversion", "resizing", "metadata-extraction"
BRANCHES = (CONVERSION, RESIZING, EXTRACTION)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack; `client` returns the client of a service, such as `s3`, and keeps it."""

    client: Callable[[str], Any]
    bucket: str
    table: str
    topic: str
    queues: Mapping[str, str]
    dead_letter_queues: Mapping[str, str]
    layout: Layout
    sizes: Sequence[str]

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, Any], client: Callable[[str], Any]) -> Self:
        """Read a stack from its Pulumi outputs.

        Raises: KeyError, where they are not this project's.
        """
        return cls(
            client=client,
            bucket=outputs["bucket"],
            table=outputs["table"],
            topic=outputs["topic"],
            queues=outputs["queues"],
            dead_letter_queues=outputs["deadLetterQueues"],
            layout=Layout(**outputs["layout"]),
            sizes=outputs["sizes"],
        )

    def outputs(self, key: str, branch: str) -> Sequence[str]:
        """Return the keys of the pictures that a branch makes of a master; the extractor makes none.

        Raises: NameTooLongError.
        """
        if branch == CONVERSION:
            return [self.layout.converted_key(key)]
        return [self.layout.resized_key(key, size) for size in self.sizes] if branch == RESIZING else []
