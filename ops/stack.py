"""A deployed stack as the commands see it: its clients, its resources' names, its layout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from components.branches import BRANCHES, ImageBranch
from handlers.job import Layout


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
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

    def files(self, key: str, branch: ImageBranch) -> Sequence[str]:
        """Return the keys of the files that a branch makes of a master.

        Raises: NameTooLongError.
        """
        return branch.keys(self.layout, key, self.sizes)

    def prefixes(self) -> Sequence[str]:
        """Return the key prefixes of what the pipeline writes: outputs and reasons."""
        outputs = (found for row in BRANCHES if (found := row.prefix_in(self.layout)))
        return (*outputs, self.layout.rejected)
