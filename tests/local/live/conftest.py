"""A stack in memory for the live page, by moto, and log lines as its functions write them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.branches import BRANCHES
from handlers.layout import Layout
from handlers.record import Outcome, Record
from local.journal import JournalEntry
from ops.stack import DeployedStack
from tests.in_memory import account, make_queue, make_table

BUCKET = "images"
SECOND = "2026-01-02 03:04:{:06.3f}+0000"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedStack]:
    """Create a bucket and all queues."""
    with account(monkeypatch, BUCKET) as clients:
        names = [branch.name for branch in BRANCHES]
        failed = [*names, *(f"{name}-undelivered" for name in names), "job-publisher-failed"]
        yield DeployedStack(
            client=clients,
            bucket=BUCKET,
            table="records",
            topic="topic",
            queues={name: make_queue(clients, name) for name in names},
            dead_letter_queues={name: make_queue(clients, f"{name}-dead") for name in failed},
            layout=Layout(),
            sizes=("thumbnail", "large"),
            pictures=make_table(clients("dynamodb"), "pictures"),
        )


def record(
    stack: DeployedStack,
    key: str,
    generation: int = 1,
    further: str = "",
    branches: Mapping[str, Outcome] | None = None,
) -> None:
    """Write a picture's record with its JPEGs, with the large size in a further format, or with other outcomes."""
    name = stack.layout.name(key)
    sizes = [f"{size}.jpg" for size in stack.sizes] + ([f"large.{further}"] if further else [])
    files = {"format-conversion": ["converted/{name}.jpg"], "resizing": [f"resized/{{name}}/{size}" for size in sizes]}
    facts = {"width": 1, "height": 1, "bytes": 1}
    branches = branches or {
        branch: Outcome(state="written", outputs=dict.fromkeys(files.get(branch, ()), facts)) for branch in stack.queues
    }
    found = Record(
        name=name, key=key, etag="e", generation=generation, state="complete", branches=branches, received_at="now"
    )
    stack.client("dynamodb").put_item(TableName=stack.pictures, Item=found.as_item())


def entry(function: str, message: str, key: str | None, second: float, **fields: Any) -> JournalEntry:
    """Return a line of a function's log."""
    text = {"level": "INFO", "message": message, "timestamp": SECOND.format(second).replace(".", ","), **fields}
    found = {**text, "key": key} if key else text
    return JournalEntry(function=function, fields=found, line=json.dumps(found))
