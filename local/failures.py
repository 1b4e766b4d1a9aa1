"""The functions' logs on this machine: prints the first failure of each kind as it happens, and saves all lines."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.journal import Journal
from ops.logs import Failure, failure_of

EVERY_S = 1.0


class FailureWatch:
    """Finds failures of new kinds in the logs; `groups` are log groups by function."""

    def __init__(self, logs: Any, groups: dict[str, str]) -> None:
        self._journal = Journal(logs=logs, groups=groups)
        self._seen: set[tuple[str, str, str]] = set()
        self._looked = 0.0

    def news(self) -> Iterator[Failure]:
        """Yield the first failure of each new kind: function, error and place. Reads the logs once a second at most."""
        if time.monotonic() - self._looked < EVERY_S:
            return
        for function, line in self._journal.lines():
            failure = failure_of(function, line)
            if failure and (kind := (function, failure.error, failure.place)) not in self._seen:
                self._seen.add(kind)
                yield failure
        self._looked = time.monotonic()


def write_logs(logs: Any, groups: dict[str, str], folder: Path) -> None:
    """Write each function's log to `folder/FUNCTION.log`."""
    folder.mkdir(parents=True, exist_ok=True)
    for function, group in groups.items():
        lines = Journal(logs=logs, groups={function: group}).lines()
        (folder / f"{function}.log").write_text("".join(f"{line}\n" for _, line in lines), encoding="utf-8")
