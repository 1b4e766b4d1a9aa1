"""The stack that a function belongs to: its settings for records, and what uses them, without the imaging code."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from handlers import clients
from handlers.errors import InvalidJobError
from handlers.events import Events
from handlers.layout import Layout
from handlers.reconcile import Reconciler
from handlers.record import Record, Records


@dataclass(frozen=True, kw_only=True)
class RecordSettings:
    """The settings for records; all but the bucket, table and topic come from `record` in the JSON of `SETTINGS`.

    `branches` are all those that a picture waits for; with `follow`, outputs are deleted with their master.
    """

    bucket: str
    pictures_table: str
    topic_arn: str
    layout: Layout
    stack: str
    branches: tuple[str, ...]
    events: bool
    follow: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the environment.

        Raises: KeyError or TypeError, if the program that deployed the function is not of this version.
        """
        settings = json.loads(environment["SETTINGS"])
        record = settings["record"]
        return cls(
            bucket=environment["BUCKET"],
            pictures_table=environment["PICTURES_TABLE"],
            topic_arn=environment["TOPIC_ARN"],
            layout=Layout(**settings["layout"]),
            branches=tuple(record.pop("branches")),
            **record,
        )


def records(settings: RecordSettings) -> Records:
    """Return the table of the records."""
    return Records(dynamodb=clients.dynamodb(), table=settings.pictures_table)


def events(settings: RecordSettings) -> Events:
    """Return the sender of the stack's events."""
    client = clients.events if settings.events else None
    return Events(client=client, stack=settings.stack, bucket=settings.bucket)


def reconciler(settings: RecordSettings) -> Reconciler:
    """Return the stack's reconciler."""
    return Reconciler(
        s3=clients.s3(),
        sns=clients.sns(),
        records=records(settings),
        events=events(settings),
        bucket=settings.bucket,
        topic_arn=settings.topic_arn,
        layout=settings.layout,
        branches=settings.branches,
        follow=settings.follow,
    )


def check_bucket(bucket: str, settings: RecordSettings) -> None:
    """Check that a message is about this stack's bucket: anyone may have sent it.

    Raises: InvalidJobError.
    """
    if bucket != settings.bucket:
        raise InvalidJobError(f"expected this stack's bucket {settings.bucket!r}, got {bucket!r}")


def described(record: Record | None) -> dict[str, Any]:
    """Return the fields to log about a record."""
    if record is None:
        return {"state": "none"}
    return {"state": record.state, "generation": record.generation, "owner": record.key}
