"""Reads new lines of the logs, each once: for the live page, for new failures, and to save all."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.emulator import Emulator
from ops.logs import failure_of, fields_of, log_events
from ops.text import printable

OVERLAP_MS = 2_000
"""How much later than another function's line an earlier line may arrive."""
EVERY_S = 1.0
"""How often failures are looked for, at most."""


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One JSON line of a function's log, and the line itself."""

    function: str
    fields: Mapping[str, Any]
    line: str


@dataclass(kw_only=True)
class Journal:
    """Reads log groups, by function, continuing where the last call stopped."""

    logs: Any
    groups: Mapping[str, str]
    _seen: dict[str, dict[str, int]] = field(default_factory=dict)

    def news(self) -> list[JournalEntry]:
        """Return the JSON lines since the last call, in the order of their times."""
        entries = (
            JournalEntry(function=function, fields=fields, line=line)
            for function, line in self.lines()
            if (fields := fields_of(line))
        )
        return sorted(entries, key=lambda entry: str(entry.fields.get("timestamp", "")))

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield every line since the last call, function by function."""
        for function, group in self.groups.items():
            for line in self._new_lines(group):
                yield function, line

    def _new_lines(self, group: str) -> Iterator[str]:
        seen = self._seen.setdefault(group, {})
        start_ms = max(seen.values(), default=0) - OVERLAP_MS
        for event in log_events(self.logs, group, startTime=max(0, start_ms)):
            # The emulator's events have no ids.
            name = f"{event['logStreamName']} {event['timestamp']} {event['message']}"
            if name not in seen:
                seen[name] = event["timestamp"]
                yield event["message"].rstrip("\n")
        horizon_ms = max(seen.values(), default=0) - 2 * OVERLAP_MS
        self._seen[group] = {event: time_ms for event, time_ms in seen.items() if time_ms >= horizon_ms}


class FailureWatch:
    """Finds failures of new kinds in the logs of the functions and of the emulator; `groups` are as in the journal."""

    def __init__(self, emulator: Emulator, groups: dict[str, str]) -> None:
        self._emulator, self._journal = emulator, Journal(logs=emulator.client("logs"), groups=groups)
        self._seen: set[tuple[str, ...]] = set()
        self._looked = 0.0

    def news(self, every_s: float = EVERY_S) -> Iterator[str]:
        """Yield the first failure of each new kind: function, error and place; read the logs only once in `every_s`."""
        if time.monotonic() - self._looked < every_s:
            return
        for warning in self._emulator.warnings():
            if (warning,) not in self._seen:
                self._seen.add((warning,))
                yield printable(warning)
        for function, line in self._journal.lines():
            failure = failure_of(function, line)
            if failure and (kind := (function, failure.error, failure.place)) not in self._seen:
                self._seen.add(kind)
                yield str(failure)
        self._looked = time.monotonic()


def write_logs(logs: Any, groups: dict[str, str], folder: Path) -> None:
    """Write each function's log to `folder/FUNCTION.log`."""
    folder.mkdir(parents=True, exist_ok=True)
    for function, group in groups.items():
        lines = Journal(logs=logs, groups={function: group}).lines()
        (folder / f"{function}.log").write_text("".join(f"{line}\n" for _, line in lines), encoding="utf-8")
