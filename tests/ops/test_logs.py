"""Failures in the functions' logs."""

import json
from typing import Any

from ops.logs import Failure, failure_of, last_failures, log_group
from ops.stack import DeployedStack
from tests.ops.conftest import Pipeline

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


def raised(error: str) -> str:
    return TRACEBACK.replace("ZeroDivisionError", error)


def test_a_failure_has_error_message_and_source_line() -> None:
    """The innermost line of the functions' own code is more helpful than a line in a library."""
    failure = failure_of("pixel-resizer", line())
    assert str(failure) == "pixel-resizer: ZeroDivisionError: division by zero (pixel_resizer.py:30)"


def test_an_error_without_text_has_its_name_only() -> None:
    """The text was that of the log's line: "retry"."""
    failure = failure_of("pixel-resizer", line(exception=TRACEBACK.replace(": division by zero", "")))
    assert str(failure) == "pixel-resizer: ZeroDivisionError (pixel_resizer.py:30)"


def test_an_error_of_a_child_process_is_the_one_that_it_raised() -> None:
    """It is the same kind as at the first delivery, which has no child process, whatever lines its text has."""
    child = TRACEBACK.replace("by zero", "by zero\n of: one\nand: two")
    last = f'  File "/var/task/handlers/isolation.py", line 2, in run\nhandlers.IsolatedWorkError: failed:\n{child}'
    failure = failure_of("pixel-resizer", line(error="IsolatedWorkError", exception=last))
    assert str(failure) == "pixel-resizer: ZeroDivisionError: division by zero (pixel_resizer.py:30)"


def test_lambdas_own_line_about_a_failed_call_is_a_failure() -> None:
    """It has the exception's text apart from its traceback; a process that was killed has no traceback."""
    stack = TRACEBACK.splitlines()[1:-1]
    fields = {"level": "ERROR", "errorType": "ValueError", "errorMessage": "a: b", "requestId": "1"}
    failure = failure_of("job-publisher", json.dumps({**fields, "stackTrace": stack}))
    assert str(failure) == "job-publisher: ValueError: a: b (pixel_resizer.py:30)"
    failure = failure_of("job-publisher", json.dumps({**fields, "errorType": "Runtime.ExitError", "stackTrace": []}))
    assert str(failure) == "job-publisher: Runtime.ExitError: a: b"


def test_other_lines_are_not_failures() -> None:
    """Lambda's own lines, other levels and text that is not JSON are ignored."""
    for text in ("START RequestId: 1", line(level="INFO"), "[1]", "{}"):
        assert failure_of("pixel-resizer", text) is None


class FakeStack:
    """The clients used to find a queue's log group and its lines; `events` are the group's lines."""

    def __init__(self, *events: str) -> None:
        self.events, self.searches = events, list[dict[str, Any]]()

    def client(self, _service: str) -> "FakeStack":
        """Return this object as the client of every service."""
        return self

    def list_event_source_mappings(self, **_: str) -> dict[str, Any]:
        """Return one mapping."""
        return {"EventSourceMappings": [{"FunctionArn": "arn"}]}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        """Return the queue's ARN."""
        return {"Attributes": {"QueueArn": "arn"}}

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        """Return the function's log group."""
        return {"FunctionName": "f", "LoggingConfig": {"LogGroup": "/resizer"}}

    def get_paginator(self, _operation: str) -> "FakeStack":
        """Return this object, which pages through the lines."""
        return self

    def paginate(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return one unfiltered page."""
        self.searches.append(wanted)
        return [{"events": [{"message": event} for event in self.events]}]


def test_the_last_failures_of_messages_are_found_by_their_ids() -> None:
    """One search finds those of all messages; other messages, and earlier failures of the same ones, are skipped."""
    found = FakeStack(
        *(
            line(message_id=name, exception=raised(error))
            for name, error in (("a", "First"), ("a", "Last"), ("b", "Other"))
        ),
        line(message_id="d", exception=raised("One")),
    )
    assert last_failures(found, "/resizer", ["a", "c", "d"], 5) == {  # type: ignore[arg-type]
        "a": "Last: division by zero (pixel_resizer.py:30)",
        "d": "One: division by zero (pixel_resizer.py:30)",
    }
    pattern = '{ $.message_id = "a" || $.message_id = "c" || $.message_id = "d" }'
    assert found.searches == [{"logGroupName": "/resizer", "startTime": 5, "filterPattern": pattern}]


def test_a_queues_log_group_is_that_of_its_function(pipeline: Pipeline) -> None:
    """The event source mapping leads to the log group; a queue without a function has none."""
    assert log_group(FakeStack(), "url") == "/resizer"  # type: ignore[arg-type]
    stack: DeployedStack = pipeline.stack
    assert log_group(stack, stack.queues["resizing"]) is None


def test_a_failure_has_no_control_characters() -> None:
    """A picture's texts may be part of an error, and `local up` prints it to a terminal."""
    failure = Failure(function="f", error="ValueError", text="\x1b[31mred", place="x.py:1")
    assert str(failure) == r"f: ValueError: \x1b[31mred (x.py:1)"
