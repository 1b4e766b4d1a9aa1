"""The progress of each picture: uploaded, published, and the outcome of each branch.

Log lines come first and have the times. The record of a picture completes what they leave out.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from components.branches import BRANCHES, ImageBranch
from handlers.record import Record
from local.journal import JournalEntry
from local.labels import label
from local.pages.units import human_ms
from local.timeline import logged_at
from ops.logs import failure_of
from ops.stack import DeployedStack

PUBLISHER = "job-publisher"
WORKERS = {branch.function_name: branch for branch in BRANCHES}
MOST = 200
"""The most pictures to keep; the oldest are dropped first."""
SILENT_S = 2.0
"""The emulator may keep the last lines of a call until the function's next one: after this time the record is read."""
READS = 10
"""The most records to read at once of pictures without news."""


@dataclass(kw_only=True)
class Journey:
    """One generation of a master; `steps` is by branch: the outcome, and the time when it was logged, if it was.

    `heard` is when the picture last had news, by the monotonic clock.
    `files` are the keys of what a branch has made, `reasons` the branches that rejected it, by error and message.
    """

    started: datetime
    uploaded: bool = False
    generation: int | None = None
    published: datetime | None = None
    steps: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    heard: float = field(default_factory=time.monotonic)

    @property
    def state(self) -> str:
        """The state on the page: `on its way`, `rejected` or `done`."""
        if self.reasons:
            return "rejected"
        return "done" if self.finished else "on its way"

    @property
    def finished(self) -> bool:
        """Whether the outcome of every branch is known."""
        return len(self.steps) == len(BRANCHES)

    def finish(
        self, branch: str, outcome: str, files: list[str], reason: tuple[str, str], logged: datetime | None = None
    ) -> None:
        """Add the outcome of a branch; a late line may repeat a reason of its record in more words."""
        self.steps[branch] = (outcome, logged)
        self.files[branch] = files
        if outcome == "rejected" and not any(branch in branches for branches in self.reasons.values()):
            self.reasons.setdefault(reason, []).append(branch)


@dataclass(kw_only=True)
class Journeys:
    """The journeys of the latest pictures by key, the newest last; the errors of messages by id; failures by kind."""

    stack: DeployedStack
    by_key: dict[str, Journey] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def upload(self, key: str, time: datetime) -> None:
        """Begin the journey of a picture that was uploaded on the page."""
        self._begin(key, time).uploaded = True

    def add(self, entry: JournalEntry) -> None:
        """Update the journeys by a line of a function's log."""
        failure = failure_of(entry.function, entry.line)
        if failure:
            self.failures[str(failure)] += 1
            self.errors[str(entry.fields.get("message_id"))] = failure.what
        key = entry.fields.get("key")
        if isinstance(key, str) and "timestamp" in entry.fields:
            self._step(key, logged_at(entry.fields["timestamp"]), entry)

    def read_silent(self) -> None:
        """Take the outcomes of pictures without news from their records."""
        now = time.monotonic()
        waiting = [(key, found) for key, found in self.by_key.items() if found.generation and not found.finished]
        silent = [(key, found) for key, found in waiting if now - found.heard > SILENT_S]
        for key, journey in silent[:READS]:
            journey.heard = now
            record = self._record(key, journey)
            if record is None:
                continue
            for branch, found in record.branches.items():
                if branch not in journey.steps:
                    journey.finish(branch, found.state, self._files(record, branch), (found.error, found.message))

    def _begin(self, key: str, time: datetime) -> Journey:
        """Begin a journey, which replaces an earlier one of the same key."""
        self.by_key.pop(key, None)
        journey = self.by_key[key] = Journey(started=time)
        while len(self.by_key) > MOST:
            del self.by_key[next(iter(self.by_key))]
        return journey

    def _step(self, key: str, logged: datetime, entry: JournalEntry) -> None:
        owner = entry.fields.get("owner", key)
        journey, generation = self.by_key.get(key), entry.fields.get("generation")
        if entry.function == PUBLISHER and owner == key and entry.fields.get("state", "received") != "received":
            # Nothing new was found, or the master is gone. The same file, uploaded again, is as far as its record.
            if journey and journey.generation is None and logged >= journey.started:
                journey.generation = generation
            return
        if journey is None and entry.fields.get("message") == "kept":
            return  # A job for other branches, such as one that warms a worker up.
        # A line may come twice, or before the publisher's line of the same generation.
        if journey is None or (generation and journey.generation and generation > journey.generation):
            journey = self._begin(key, logged)
        if generation and journey.generation and generation < journey.generation:
            return
        journey.generation = generation or journey.generation
        journey.heard = time.monotonic()
        if entry.function == PUBLISHER:
            journey.published = logged
            if owner != key:
                journey.reasons["NameTakenError", f"{owner} owns the name"] = []
        elif entry.function in WORKERS:
            branch, outcome = WORKERS[entry.function].name, str(entry.fields.get("message"))
            files = self._files(self._record(key, journey), branch) if outcome == "written" else []
            reason = (str(entry.fields.get("error", "")), str(entry.fields.get("reason", "")))
            journey.finish(branch, outcome, files, reason, logged)

    def plain(self, dead: Mapping[str, Collection[str]] = MappingProxyType({})) -> list[dict[str, Any]]:
        """Return the journeys for the page, the newest first; `dead` are the failed steps of keys in failure queues."""
        return [self._plain(key, journey, dead.get(key, ())) for key, journey in reversed(self.by_key.items())]

    def _plain(self, key: str, journey: Journey, dead: Collection[str]) -> dict[str, Any]:
        published = "published" if journey.published else ""
        steps = [{"name": PUBLISHER, **_state(journey, published, journey.published)}]
        for branch in BRANCHES:
            waiting = "failed" if branch.name in dead else published and "waiting"
            outcome, time = journey.steps.get(branch.name, (waiting, None))
            steps.append({"name": branch.name, **_state(journey, outcome, time)})
        return {
            "key": key,
            "name": self.stack.layout.path(key),
            "started": journey.started.astimezone(UTC).isoformat(),
            "state": "failed" if dead else journey.state,
            "steps": steps,
            "files": [
                {"label": self._label(file, branch), "key": file}
                for branch in BRANCHES
                for file in journey.files.get(branch.name, ())
            ],
            "recorded": any(
                branch.records and journey.steps.get(branch.name, ("",))[0] == "written" for branch in BRANCHES
            ),
            "reasons": [
                {"branches": [row.name for row in BRANCHES if row.name in branches], "error": error, "message": message}
                for (error, message), branches in journey.reasons.items()
            ],
        }

    def _files(self, record: Record | None, branch: str) -> list[str]:
        """Return the keys of the files that a picture's record names for a branch, size by size, JPEG first."""
        outcome = record.branches.get(branch) if record else None
        files = outcome.named(record.name).get("outputs", {}) if record and outcome else {}
        return sorted(files, key=lambda file: (self._place(file), not file.endswith(".jpg"), file))

    def _record(self, key: str, journey: Journey) -> Record | None:
        """Return the record of a picture, None if it is another generation's or another master's."""
        record = self.stack.records.read(self.stack.layout.name(key))
        return record if record and record.key == key and journey.generation in {None, record.generation} else None

    def _label(self, file: str, branch: ImageBranch) -> str:
        """Return a file's label, with the format of a size unless it is a JPEG."""
        path = PurePosixPath(file)
        name = label(branch, str(branch.prefix_in(self.stack.layout)).strip("/"), path.stem)
        return f"{name} {path.suffix[1:]}" if branch.per_size and path.suffix != ".jpg" else name

    def _place(self, file: str) -> int:
        """Return the position of a file's size among the stack's sizes, the last for any other file."""
        size = PurePosixPath(file).stem
        return self.stack.sizes.index(size) if size in self.stack.sizes else len(self.stack.sizes)


def _state(journey: Journey, outcome: str, time: datetime | None) -> Mapping[str, str]:
    """Return a step's outcome, and the time from the upload to it, if both are known."""
    after_ms = 1000 * max(0.0, (time - journey.started).total_seconds()) if time else 0.0
    return {"outcome": outcome, "after": human_ms(after_ms) if time and journey.uploaded else ""}
