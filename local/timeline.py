"""When each object of a run was written, and what the functions' logs say about each master."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from components.branches import BRANCHES
from ops.logs import fields_of
from ops.stack import DeployedStack


def write_times(stack: DeployedStack, path: Path) -> None:
    """Write when each object of the bucket was written, by key, as UTC in ISO 8601."""
    pages = stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=stack.bucket)
    entries = (entry for page in pages for entry in page.get("Contents", ()))
    times = {entry["Key"]: entry["LastModified"].astimezone(UTC).isoformat() for entry in entries}
    path.write_text(json.dumps(times, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def logged_at(timestamp: str) -> datetime:
    """Return the time of a line of a function's log, whose form is Powertools' own."""
    return datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S,%f%z")


@dataclass(kw_only=True)
class Timeline:
    """When objects and records were written, and the warnings of each master, by key."""

    objects: Mapping[str, datetime]
    records: dict[str, datetime] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, times: Path, logs: Path) -> Self:
        """Read the results of a run."""
        texts = json.loads(times.read_text(encoding="utf-8"))
        found = cls(objects={key: datetime.fromisoformat(text) for key, text in texts.items()})
        for branch in BRANCHES:
            log = (logs / f"{branch.function_name}.log").read_text(encoding="utf-8")
            for line in map(fields_of, log.splitlines()):
                if line.get("message") == "written":
                    found._add(line, records=branch.records)
        return found

    def _add(self, line: Mapping[str, Any], *, records: bool) -> None:
        """Add the facts in a line of a worker's log; `records` is for the worker that writes the record."""
        if records:
            self.records[line["key"]] = logged_at(line["timestamp"])
        seen = self.warnings.setdefault(line["key"], [])
        seen += (warning for warning in line.get("warnings") or () if warning not in seen)

    def seconds(self, master: str, keys: Mapping[str, str]) -> dict[str, float]:
        """Return how long after the master's upload its objects were written, by label; `keys` are theirs."""
        uploaded = self.objects.get(master)
        if uploaded is None:
            return {}
        times = {label: self.objects.get(key) for label, key in keys.items()}
        times["record"] = self.records.get(master)
        return {label: max(0.0, (time - uploaded).total_seconds()) for label, time in times.items() if time}
