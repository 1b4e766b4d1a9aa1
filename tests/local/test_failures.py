"""Failures are named as they happen: once for each kind, with the place that raised them."""

import json
from collections.abc import Iterator
from typing import Any

from local import failures
from local.failures import FailureWatch, failure_of

TRACEBACK = """Traceback (most recent call last):
  File "/var/task/handlers/worker.py", line 120, in _record
    outcome = run()
  File "/var/task/handlers/pixel_resizer.py", line 30, in resize
    keys[None]
  File "/opt/python/PIL/Image.py", line 7, in open
    fail()
ZeroDivisionError: division by zero
"""


def line(**changes: Any) -> str:
    entry = {"level": "ERROR", "message": "retry", "error": "ZeroDivisionError", "exception": TRACEBACK}
    return json.dumps({**entry, **changes})


class Logs:
    """A log service with the lines of one group."""

    def __init__(self, *messages: str) -> None:
        self.messages = list(messages)

    def get_paginator(self, _operation: str) -> "Logs":
        """Return what pages through the lines."""
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        """Yield one page."""
        yield {"events": [{"message": message} for message in self.messages]}


def test_a_failure_names_error_text_and_the_functions_own_line() -> None:
    """A line in the functions tells more than one in a library."""
    failure = failure_of("pixel-resizer", line())
    assert str(failure) == "pixel-resizer: ZeroDivisionError: division by zero (pixel_resizer.py:30)"


def test_other_lines_are_no_failures() -> None:
    """Lambda's own lines, other levels and what is no JSON."""
    for text in ("START RequestId: 1", line(level="INFO"), "[1]", "{}"):
        assert failure_of("pixel-resizer", text) is None


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
