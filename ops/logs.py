"""Read failures from the functions' logs."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.stack import DeployedStack
from ops.text import printable

_RAISED = re.compile(r'^  File ".*\n(?:[ \t].*\n)*(?:[\w.<>]+\.)?(\w+)(?:: (.*))?$', re.MULTILINE)
"""The exception's line after the frames of a traceback; an error of a child process ends with the child's traceback."""
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One failure of a function: the error, its text, and the file and line that raised it, if known."""

    function: str
    error: str
    text: str
    place: str

    @property
    def what(self) -> str:
        """The failure's text without the function's name."""
        return self.error + (f": {self.text}" if self.text else "") + (f" ({self.place})" if self.place else "")

    def __str__(self) -> str:
        return printable(f"{self.function}: {self.what}")


def failure_of(function: str, line: str) -> Failure | None:
    """Return the failure that a line of a function's log reports, None for any other line."""
    entry = fields_of(line)
    if entry.get("level") != "ERROR":
        return None
    # Lambda's own line about a failed call has other fields than the functions' lines, and frames only.
    exception, frames = str(entry.get("exception", "")), "\n".join(map(str, entry.get("stackTrace", ())))
    error = entry.get("error") or entry.get("exception_name") or entry.get("errorType", "Error")
    logged = error, entry.get("errorMessage", entry.get("message", ""))
    error, text = (_RAISED.findall(exception) or [logged])[-1]
    places = _PLACE.findall(exception or frames)
    # The last place in the functions' own code is more useful than one in a library.
    own = [place for place in places if "handlers" in place[0]] or places
    return Failure(
        function=function,
        error=str(error),
        text=str(text),
        place=f"{Path(own[-1][0]).name}:{own[-1][1]}" if own else "",
    )


def log_group(stack: DeployedStack, queue_url: str) -> str | None:
    """Return the log group of the function that a queue's messages go to, or None."""
    arn = stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    functions = stack.client("lambda")
    mappings = functions.list_event_source_mappings(EventSourceArn=arn["Attributes"]["QueueArn"])["EventSourceMappings"]
    if not mappings:
        return None
    found = functions.get_function_configuration(FunctionName=mappings[0]["FunctionArn"])
    return str(found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{found['FunctionName']}")


def log_events(logs: Any, group: str, **wanted: Any) -> Iterator[dict[str, Any]]:
    """Yield the events of a log group; `wanted` narrows them, as FilterLogEvents has it."""
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, **wanted):
        yield from page["events"]


def last_failures(stack: DeployedStack, group: str, message_ids: Sequence[str], since_ms: int) -> dict[str, str]:
    """Return, by message id, the last failure that a function has logged of each since a time (ms since 1970)."""
    found = {}
    # Source: CloudWatch Logs' user guide, "Filter pattern syntax": a compound expression over fields of JSON.
    pattern = " || ".join(f'$.message_id = "{message_id}"' for message_id in message_ids)
    for event in log_events(stack.client("logs"), group, startTime=since_ms, filterPattern=f"{{ {pattern} }}"):
        # The emulator returns every line for such a pattern.
        message_id = fields_of(event["message"]).get("message_id")
        if message_id in message_ids and (failure := failure_of(group, event["message"])):
            found[str(message_id)] = failure.what
    return found


def fields_of(line: str) -> dict[str, Any]:
    """Return the fields of a line that is a JSON object, no fields for any other line."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
