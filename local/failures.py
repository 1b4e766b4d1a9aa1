"""The functions' logs on this machine: the first failure of each kind as it happens, and all lines afterwards."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EVERY_S = 2.0
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One failure of a function: the error, its text, and the file and line that raised it."""

    function: str
    error: str
    text: str
    place: str

    def __str__(self) -> str:
        return f"{self.function}: {self.error}: {self.text} ({self.place})"


@dataclass(kw_only=True)
class FailureWatch:
    """Looks through the logs for failures of a kind that was not seen before; `groups` are log groups by function."""

    logs: Any
    groups: dict[str, str]
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    looked: float = 0.0

    def news(self) -> Iterator[Failure]:
        """Yield the first failure of each new kind: function, error and place; looks every two seconds at most."""
        if time.monotonic() - self.looked < EVERY_S:
            return
        for function, group in self.groups.items():
            for line in lines(self.logs, group):
                failure = failure_of(function, line)
                if failure and (kind := (function, failure.error, failure.place)) not in self.seen:
                    self.seen.add(kind)
                    yield failure
        self.looked = time.monotonic()


def lines(logs: Any, group: str) -> Iterator[str]:
    """Yield the lines of a log group, in order."""
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            yield event["message"].rstrip("\n")


def failure_of(function: str, line: str) -> Failure | None:
    """Return the failure that a line of a function's log tells of, None for any other line."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("level") != "ERROR":
        return None
    traceback = str(entry.get("exception", ""))
    text = traceback.strip().rpartition("\n")[2].partition(": ")[2] or str(entry.get("message", ""))
    places = _PLACE.findall(traceback)
    # The last place in the functions' own code tells more than one in a library.
    own = [place for place in places if "handlers" in place[0]] or places
    file, number = own[-1] if own else ("unknown file", "0")
    error = str(entry.get("error") or entry.get("exception_name", "Error"))
    return Failure(function=function, error=error, text=text, place=f"{Path(file).name}:{number}")


def write_logs(logs: Any, groups: dict[str, str], folder: Path) -> None:
    """Write each function's log to `folder/FUNCTION.log`."""
    folder.mkdir(parents=True, exist_ok=True)
    for function, group in groups.items():
        (folder / f"{function}.log").write_text("".join(f"{line}\n" for line in lines(logs, group)), encoding="utf-8")
