"""Failures are reported as they happen, once per kind and source line."""

from collections.abc import Iterator
from typing import Any

from local import failures
from local.failures import FailureWatch
from tests.ops.test_logs import TRACEBACK, line


class Logs:
    """A log service with the lines of one group."""

    def __init__(self, *messages: str) -> None:
        self.messages = list(messages)

    def get_paginator(self, _operation: str) -> "Logs":
        """Return this object, which pages through the lines."""
        return self

    def paginate(self, *, startTime: int, **_: str) -> Iterator[dict[str, Any]]:  # noqa: N803 as boto3 has it
        """Yield one page, with a line per millisecond."""
        lines = enumerate(self.messages)
        found = [
            {"logStreamName": "1", "timestamp": time, "message": text} for time, text in lines if time >= startTime
        ]
        yield {"events": found}


def test_each_kind_of_failure_is_reported_once(monkeypatch: Any) -> None:
    """Retries of one bug are reported once; another source line is another kind."""
    monkeypatch.setattr(failures, "EVERY_S", 0)
    logs = Logs(line(), line(), line())
    watch = FailureWatch(logs, {"pixel-resizer": "group"})
    assert len(list(watch.news())) == 1
    assert list(watch.news()) == []
    logs.messages.append(line(exception=TRACEBACK.replace("line 30", "line 31")))
    assert [failure.place for failure in watch.news()] == ["pixel_resizer.py:31"]


def test_each_functions_log_is_written_to_a_file(tmp_path: Any) -> None:
    """All lines of a function are written to one file."""
    failures.write_logs(Logs("one\n", "two"), {"pixel-resizer": "group"}, tmp_path / "logs")
    assert (tmp_path / "logs" / "pixel-resizer.log").read_text() == "one\ntwo\n"
