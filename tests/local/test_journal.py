"""The journal, which returns each log line once, and what it finds: new failures, and all lines."""

import json
from pathlib import Path
from typing import Any

from local.journal import OVERLAP_MS, FailureWatch, Journal, write_logs
from tests.ops import test_logs as failing


class FakeLogs:
    """A fake with the responses of the emulator's log groups."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked_ms: list[int] = []
        self.warned: list[str] = []

    def get_paginator(self, _: str) -> "FakeLogs":
        """Return this object, which pages through the events."""
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> list[dict[str, Any]]:  # noqa: N803 as boto3 has it
        """Return a group's events since a time, on two pages."""
        self.asked_ms.append(startTime)
        found = [event for event in self.events if event["group"] == logGroupName and event["timestamp"] >= startTime]
        return [{"events": found[:1]}, {"events": found[1:]}]

    def client(self, _service: str) -> "FakeLogs":
        """Return this object, as the emulator's client."""
        return self

    def warnings(self) -> list[str]:
        """Return the emulator's warnings."""
        return self.warned

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


def test_each_kind_of_failure_is_reported_once() -> None:
    """Retries of one bug are reported once; another source line is another kind."""
    logs = FakeLogs()
    for time_ms in range(3):
        logs.log("group", time_ms, failing.line())
    watch = FailureWatch(logs, {"pixel-resizer": "group"})  # type: ignore[arg-type]
    assert len(list(watch.news(0))) == 1
    assert list(watch.news(0)) == []
    logs.log("group", 3, failing.line(exception=failing.TRACEBACK.replace("line 30", "line 31")))
    assert list(watch.news(0)) == ["pixel-resizer: ZeroDivisionError: division by zero (pixel_resizer.py:31)"]


def test_each_warning_of_the_emulator_is_reported_once() -> None:
    """No function has a log of a delivery that fails."""
    logs = FakeLogs()
    watch = FailureWatch(logs, {})  # type: ignore[arg-type]
    logs.warned += ["queue one denies", "queue one denies", "queue two denies"]
    assert list(watch.news(0)) == ["queue one denies", "queue two denies"]
    assert list(watch.news(0)) == []


def test_each_functions_log_is_written_to_a_file(tmp_path: Path) -> None:
    """All lines of a function are written to one file."""
    logs = FakeLogs()
    logs.log("group", 1, "one")
    logs.log("group", 2, "two")
    write_logs(logs, {"pixel-resizer": "group"}, tmp_path / "logs")
    assert (tmp_path / "logs" / "pixel-resizer.log").read_text() == "one\ntwo\n"
