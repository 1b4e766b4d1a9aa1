"""Failures are named as they happen: once for each kind, with the place that raised them."""

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
        """Return what pages through the lines."""
        return self

    def paginate(self, *, startTime: int, **_: str) -> Iterator[dict[str, Any]]:  # noqa: N803 as boto3 has it
        """Yield one page: a line a millisecond."""
        lines = enumerate(self.messages)
        found = [
            {"logStreamName": "1", "timestamp": time, "message": text} for time, text in lines if time >= startTime
        ]
        yield {"events": found}


def test_each_kind_is_named_once(monkeypatch: Any) -> None:
    """A thousand retries of one bug are one line; another place is another kind."""
    monkeypatch.setattr(failures, "EVERY_S", 0)
    logs = Logs(line(), line(), line())
    watch = FailureWatch(logs=logs, groups={"pixel-resizer": "group"})
    assert len(list(watch.news())) == 1
    assert list(watch.news()) == []
    logs.messages.append(line(exception=TRACEBACK.replace("line 30", "line 31")))
    assert [failure.place for failure in watch.news()] == ["pixel_resizer.py:31"]


def test_each_functions_log_is_kept(tmp_path: Any) -> None:
    """All lines, one file a function."""
    failures.write_logs(Logs("one\n", "two"), {"pixel-resizer": "group"}, tmp_path / "logs")
    assert (tmp_path / "logs" / "pixel-resizer.log").read_text() == "one\ntwo\n"
