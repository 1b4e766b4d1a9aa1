"""A deployed stack for the commands: its clients, its resources' names, its layout."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from components.branches import BRANCHES, ImageBranch
from handlers.errors import PixelCascadeError
from handlers.events import Events
from handlers.layout import Layout
from handlers.reconcile import Reconciler
from handlers.record import Records


class NoRecordsError(PixelCascadeError):
    """The stack has no table of pictures' records."""


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """One stack; `client` returns the client of a service such as `s3`, the same at each call."""

    client: Callable[[str], Any]
    bucket: str
    table: str
    topic: str
    queues: Mapping[str, str]
    dead_letter_queues: Mapping[str, str]
    layout: Layout
    sizes: Sequence[str]
    output_formats: Sequence[str] = ("jpeg",)
    name: str = ""
    pictures: str = ""
    recipes: Mapping[str, str] = field(default_factory=dict)
    events: bool = True
    follow: bool = False
    rejected_days: int = 0

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, Any], client: Callable[[str], Any]) -> Self:
        """Read a stack from its Pulumi outputs; `client` makes the client of a service.

        Raises: KeyError, if they are not this project's.
        """
        return cls(
            client=functools.cache(client),
            bucket=outputs["bucket"],
            table=outputs["table"],
            topic=outputs["topic"],
            queues=outputs["queues"],
            dead_letter_queues=outputs["deadLetterQueues"],
            layout=Layout(**outputs["layout"]),
            sizes=outputs["sizes"],
            output_formats=outputs.get("outputFormats", ("jpeg",)),
            name=outputs.get("stack", ""),
            pictures=outputs.get("pictures", ""),
            recipes=outputs.get("recipes", {}),
            events=outputs.get("events", True),
            follow=outputs.get("deletions") == "follow",
            rejected_days=outputs.get("rejectedDays", 0),
        )

    @property
    def branches(self) -> Sequence[str]:
        """The names of the pipeline's branches; `queues` may have those of other fan-outs too."""
        return [row.name for row in BRANCHES if row.name in self.queues]

    @property
    def sized_files(self) -> int:
        """The most files that a picture's sizes are written to: one per size and format."""
        return len(self.sizes) * len(self.output_formats)

    @property
    def records(self) -> Records:
        """The table of the pictures' records.

        Raises: NoRecordsError, if the stack was deployed by a version without records.
        """
        if not self.pictures:
            raise NoRecordsError("expected a stack with a table of pictures' records, got none: run `pulumi up` first")
        return Records(dynamodb=self.client("dynamodb"), table=self.pictures)

    @property
    def reconciler(self) -> Reconciler:
        """The reconciler that the stack's functions use, for this stack.

        Raises: NoRecordsError.
        """
        return Reconciler(
            s3=self.client("s3"),
            sns=self.client("sns"),
            records=self.records,
            events=self.announcer,
            bucket=self.bucket,
            topic_arn=self.topic,
            layout=self.layout,
            branches=self.branches,
            follow=self.follow,
        )

    @property
    def announcer(self) -> Events:
        """The sender of the stack's events, which does nothing if the stack has events off."""
        client = (lambda: self.client("events")) if self.events else None
        return Events(client=client, stack=self.name, bucket=self.bucket)

    def files(self, key: str, branch: ImageBranch) -> Sequence[str]:
        """Return the keys of the files that a branch makes of a master.

        Raises: NameTooLongError.
        """
        return branch.keys(self.layout, key, self.sizes)

    def prefixes(self) -> Sequence[str]:
        """Return the key prefixes of what the pipeline writes: outputs and reasons."""
        outputs = (found for row in BRANCHES if (found := row.prefix_in(self.layout)))
        return (*outputs, self.layout.rejected)
