"""What a run reads from the stack: the functions' durations, and the files of a picture."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from components.branches import BRANCHES
from local import results


class FakeLogs:
    """A log group with one stream per invocation."""

    def __init__(self, **streams: list[str]) -> None:
        self.streams = streams

    def get_paginator(self, _operation: str) -> "FakeLogs":
        """Return this object, which pages through the lines."""
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        """Return one page."""
        lines = [(stream, line) for stream, found in self.streams.items() for line in found]
        return [{"events": [{"logStreamName": stream, "message": line} for stream, line in lines]}]


def test_cold_starts_are_counted_separately() -> None:
    """The function's own log line marks the first invocation of a process."""
    report = "REPORT RequestId: 1\tDuration: {} ms\tBilled Duration: {} ms"
    logs = FakeLogs(
        a=['{"message": "written", "cold_start": true}', report.format(1500, 1500)],
        b=['{"message": "written"}', report.format(100, 100)],
        c=["START", report.format(300, 300)],
    )
    found = results.durations(logs, "group", 0)
    assert found == {
        "invocations": 3,
        "cold_starts": 1,
        "cold_median_ms": 1500,
        "median_ms": 200,
        "max_ms": 300,
        "total_ms": 1900,
    }


def test_only_existing_further_formats_are_listed(tmp_path: Path) -> None:
    """Only files that exist are listed, after the JPEG of their size."""
    for file in ("small.jpg", "large.jpg", "large.webp"):
        (tmp_path / "resized/cat").mkdir(parents=True, exist_ok=True)
        (tmp_path / "resized/cat" / file).touch()
    prefixes = ("converted/", "resized/", "rejected/")
    stack: Any = SimpleNamespace(
        files=lambda *_: ["resized/cat/small.jpg", "resized/cat/large.jpg"],
        prefixes=lambda: prefixes,
        sizes=["small", "large"],
    )
    branch = next(row for row in BRANCHES if row.per_size)
    labels = [label for label, _, _ in results._files(stack, "master/cat.jpg", branch, tmp_path)]
    assert labels == ["small", "large", "large webp"]


def test_outputs_that_a_disk_cannot_hold_side_by_side_have_a_place_each(tmp_path: Path) -> None:
    """In S3, a key may be another's folder, and an output's name is longer than its master's."""
    long = "x" * 252 + ".jpg"
    keys = (
        "a.jpg",
        "a.jpg/b.jpg",
        "a.jpg_/b.jpg",
        "a.webp/b.jpg",
        long,
        "y" + long,
        "z" * 251 + ".jpg/b.jpg",
        "../a.jpg",
    )
    places = [results._inside(tmp_path, key) for key in keys]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(exist_ok=False)
    assert all(place.is_relative_to(tmp_path) and place.suffix == ".jpg" for place in places)


def test_a_reason_is_where_it_is_in_the_bucket(tmp_path: Path) -> None:
    """No output is beside a reason, so its folder keeps the master's name."""
    assert results._inside(tmp_path, "bad.jpg/resizing.json") == tmp_path / "bad.jpg" / "resizing.json"
