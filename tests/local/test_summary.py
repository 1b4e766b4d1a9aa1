"""What a local run prints."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from local.summary import print_summary

KEY = "master/a-folder-with-a-long-name/and-another-one/a-picture-with-a-long-name.jpg"
FUNCTION = "report-requested-indexer"
FIGURES = {"invocations": 1, "cold_starts": 0, "cold_median_ms": 0, "median_ms": 5, "max_ms": 5, "total_ms": 5}
SUMMARY: dict[str, Any] = {
    "masters": 1,
    "images_per_second": 2.5,
    "outputs": 0,
    "records": 0,
    "rejected": 1,
    "unaccounted": [],
    "functions": {FUNCTION: FIGURES},
    "rejections": [{"key": KEY, "message": "no picture", "branch": "resizing"}],
    "events": {"ids": 1, "counts": {"Picture rejected": 1}, "p50_s": 0.5, "p95_s": 0.5},
    "seconds": {"start": 0.1},
}


def printed(width: int) -> str:
    """Return what is printed on a console of this width, without the lines of the tables."""
    console = Console(file=io.StringIO(), width=width)
    print_summary(SUMMARY, Path("out"), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_single_master_is_counted_in_the_singular() -> None:
    """The title of the first table counts masters."""
    assert "1 master, 2.5 images per second" in printed(200)


def test_events_are_counted_by_what_became_of_the_picture() -> None:
    """The line lacks the words that all types of events share."""
    assert "Events: 1 rejected; half came within 0.5 s of the upload, 95 % within 0.5 s\n" in printed(200)


def test_long_names_are_wrapped_and_not_cut() -> None:
    """A key or function that is wider than its column continues on the next line."""
    assert "…" not in printed(80)
