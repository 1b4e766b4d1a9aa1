"""Reads new lines of the functions' logs, each once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.logs import fields_of, log_events

OVERLAP_MS = 2_000
"""How much later than another function's line an earlier line may arrive."""


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
    _since_ms: dict[str, int] = field(default_factory=dict)
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
        start_ms = max(0, self._since_ms.get(group, 0) - OVERLAP_MS)
        for event in log_events(self.logs, group, startTime=start_ms):
            # The emulator's events have no ids.
            name = f"{event['logStreamName']} {event['timestamp']} {event['message']}"
            if name not in seen:
                seen[name] = event["timestamp"]
                self._since_ms[group] = max(self._since_ms.get(group, 0), event["timestamp"])
                yield event["message"].rstrip("\n")
        horizon_ms = self._since_ms.get(group, 0) - 2 * OVERLAP_MS
        self._seen[group] = {event: time_ms for event, time_ms in seen.items() if time_ms >= horizon_ms}
