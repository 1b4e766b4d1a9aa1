"""The current state for the live page: journeys, queue depths and dead letters of the running stack."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any

from components.branches import BRANCHES
from local.journal import Journal
from local.live.journeys import PUBLISHER, Journeys
from ops.letters import letters
from ops.queues import depth
from ops.redrive import UNDELIVERED
from ops.stack import DeployedStack

FRESH_S = 0.3
"""How long one snapshot serves every open page."""


class Observer:
    """Reads a stack's state on demand, from any thread, and uploads masters to it."""

    def __init__(self, stack: DeployedStack, groups: Mapping[str, str]) -> None:
        self.stack = stack
        self._journal = Journal(logs=stack.client("logs"), groups=groups)
        self._journeys = Journeys(stack=stack)
        self._lock = threading.Lock()
        self._snapshot: dict[str, Any] = {}
        self._looked = float("-inf")

    def snapshot(self) -> dict[str, Any]:
        """Return what there is to show."""
        with self._lock:
            if time.monotonic() - self._looked > FRESH_S:
                self._snapshot = self._look()
                self._looked = time.monotonic()
            return self._snapshot

    def upload(self, key: str, body: IO[bytes], content_type: str) -> None:
        """Upload a master."""
        with self._lock:
            self._journeys.upload(key, datetime.now(UTC))
        self.stack.client("s3").upload_fileobj(body, self.stack.bucket, key, ExtraArgs={"ContentType": content_type})

    def _look(self) -> dict[str, Any]:
        for entry in self._journal.news():
            self._journeys.add(entry)
        self._journeys.read_silent()
        sqs = self.stack.client("sqs")
        failed = {name: sum(depth(sqs, url)) for name, url in self.stack.dead_letter_queues.items()}
        dead = {name: letters(self.stack, name, self._journeys.errors) for name, count in failed.items() if count}
        failed_steps: dict[str, set[str]] = {}
        for name, found in dead.items():
            for letter in found:
                failed_steps.setdefault(letter["what"], set()).add(name.removesuffix(UNDELIVERED))
        return {
            "branches": [self._branch(branch.name, failed) for branch in BRANCHES],
            "publisher": {"name": PUBLISHER, "dead": failed.get(f"{PUBLISHER}-failed", 0)},
            "pictures": self._journeys.plain(failed_steps),
            "failures": [{"text": text, "count": count} for text, count in self._journeys.failures.items()],
            "dead": [{"queue": name, "count": failed[name], "letters": found} for name, found in dead.items()],
        }

    def _branch(self, name: str, failed: Mapping[str, int]) -> dict[str, Any]:
        found = depth(self.stack.client("sqs"), self.stack.queues[name])
        dead = sum(count for queue, count in failed.items() if queue in {name, name + UNDELIVERED})
        return {"name": name, **found._asdict(), "dead": dead}
