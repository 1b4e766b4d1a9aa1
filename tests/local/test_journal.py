"""The journal, which returns each log line once."""

import json
from typing import Any

from local.journal import OVERLAP_MS, Journal


class FakeLogs:
    """A fake with the responses of the emulator's log groups."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked_ms: list[int] = []

    def get_paginator(self, _: str) -> "FakeLogs":
        """Return this object, which pages through the events."""
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> list[dict[str, Any]]:  # noqa: N803 as boto3 has it
        """Return a group's events since a time, on two pages."""
        self.asked_ms.append(startTime)
        found = [event for event in self.events if event["group"] == logGroupName and event["timestamp"] >= startTime]
        return [{"events": found[:1]}, {"events": found[1:]}]

    def log(self, group: str, time_ms: int, text: str) -> None:
        """Add a line."""
        self.events.append({"group": group, "logStreamName": "1", "timestamp": time_ms, "message": f"{text}\n"})


def line(time: str) -> str:
    return json.dumps({"timestamp": time})


def test_lines_are_returned_once_and_in_order() -> None:
    """Repeated reads return only new lines, and lines that are not JSON objects are skipped."""
    logs = FakeLogs()
    journal = Journal(logs=logs, groups={"one": "/one", "two": "/two"})
    logs.log("/one", 10_000, line("b"))
    logs.log("/one", 10_000, "START RequestId: 1")
    logs.log("/one", 10_000, "[1]")
    logs.log("/two", 9_000, line("a"))
    assert [(entry.function, entry.fields["timestamp"]) for entry in journal.news()] == [("two", "a"), ("one", "b")]
    assert journal.news() == []
    logs.log("/one", 10_000, line("c"))
    assert [entry.fields["timestamp"] for entry in journal.news()] == ["c"]


def test_old_lines_are_not_read_again() -> None:
    """Each read starts shortly before the newest line."""
    logs = FakeLogs()
    journal = Journal(logs=logs, groups={"one": "/one"})
    logs.log("/one", 50_000, line("a"))
    journal.news()
    journal.news()
    assert logs.asked_ms == [0, 50_000 - OVERLAP_MS]
