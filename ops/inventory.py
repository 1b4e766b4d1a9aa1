"""A stack's records and keys, from a scan and listings, kept in a file instead of in memory."""

import errno
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from components.branches import BRANCHES, ImageBranch
from handlers.reconcile import NAME_TAKEN
from handlers.record import Record
from ops.listing import list_objects
from ops.stack import DeployedStack

SEGMENTS = 4
"""Parts of a table that are scanned in parallel."""


class Inventory:
    """The records of a stack by name, and the keys of its outputs and reasons."""

    def __init__(self, stack: DeployedStack, database: sqlite3.Connection) -> None:
        self._stack, self._database = stack, database

    @classmethod
    @contextmanager
    def of(cls, stack: DeployedStack, prefix: str = "", *, outputs: bool = True) -> Iterator[Self]:
        """Yield the current inventory of the masters whose path begins with `prefix`.

        Without `outputs`, which take most of the requests, it has only the records and the reasons.

        Raises: NoRecordsError; OSError, if the disk is full.
        """
        with tempfile.TemporaryDirectory(prefix="pixelcascade-") as folder:
            database = sqlite3.connect(Path(folder, "inventory.db"), isolation_level=None)
            try:
                database.executescript(
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                    "CREATE TABLE records (name TEXT PRIMARY KEY, item TEXT) WITHOUT ROWID;"
                    "CREATE TABLE files (key TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;"
                )
                found = cls(stack, database)
                found._fill(prefix, outputs=outputs)
                yield found
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder) from error
                raise
            finally:
                database.close()

    def record(self, name: str) -> Record | None:
        """Return a picture's record."""
        row = self._database.execute("SELECT item FROM records WHERE name = ?", (name,)).fetchone()
        return Record.from_item(json.loads(row[0])) if row else None

    def records(self) -> Iterator[Record]:
        """Yield every record, ordered by name."""
        for (item,) in self._database.execute("SELECT item FROM records ORDER BY name"):
            yield Record.from_item(json.loads(item))

    def has(self, key: str) -> bool:
        """Return whether an output or a reason exists."""
        return bool(self._database.execute("SELECT 1 FROM files WHERE key = ?", (key,)).fetchone())

    def orphans(self) -> Iterator[tuple[str, str]]:
        """Yield key and name of each output whose name has no living owner."""
        query = (
            "SELECT key, name FROM files LEFT JOIN records USING (name) WHERE files.name IS NOT NULL AND "
            "(item IS NULL OR json_extract(item, '$.state.S') = 'deleted') ORDER BY key"
        )
        yield from self._database.execute(query)

    def _fill(self, prefix: str, *, outputs: bool) -> None:
        stack, insert = self._stack, self._database.executemany
        table = stack.records.table
        with ThreadPoolExecutor(SEGMENTS) as threads:
            scans = [_scan(stack, table, segment) for segment in range(SEGMENTS)]
            # One page of each segment at a time, so that memory does not grow with the table.
            while pages := [page for page in threads.map(lambda scan: next(scan, None), scans) if page is not None]:
                rows = ((item["name"]["S"], json.dumps(item)) for page in pages for item in page)
                insert("INSERT OR REPLACE INTO records VALUES (?, ?)", rows)
        for row in BRANCHES if outputs else ():
            if (below := row.prefix_in(stack.layout)) is not None:
                listed = list_objects(stack, below + _beginning_of_names(prefix))
                paths = ((key, key[len(below) :]) for key, _ in listed)
                # An output of a path that begins otherwise may be one of these masters', but is no orphan of theirs.
                files = ((key, name_of(row, path) if path.startswith(prefix) else None) for key, path in paths)
                insert("INSERT OR REPLACE INTO files VALUES (?, ?)", files)
        reasons = (
            (key, None)
            for key, _ in list_objects(stack, stack.layout.rejected + prefix)
            if key.endswith(f"/{NAME_TAKEN}.json")
        )
        insert("INSERT OR REPLACE INTO files VALUES (?, ?)", reasons)


def name_of(row: ImageBranch, path: str) -> str | None:
    """Return the name of the picture that a branch's file shows, from the path below the branch's prefix."""
    return path.rpartition("/" if row.per_size else ".")[0] or None


def _beginning_of_names(prefix: str) -> str:
    """Return what the names of all masters whose path begins with `prefix` begin with: they may lack its extension."""
    folder, slash, file = prefix.rpartition("/")
    return folder + slash + (file.rpartition(".")[0] or file)


def _scan(stack: DeployedStack, table: str, segment: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of one segment of a table."""
    pages = stack.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table, Segment=segment, TotalSegments=SEGMENTS, ConsistentRead=True):
        yield page["Items"]
