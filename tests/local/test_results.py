"""Which folders a run empties: only its own, and only of its results."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.branches import BRANCHES
from local import results
from local.report import REPORT
from local.results import MARKER, RESULTS, SUMMARY, OutputFolderError, clear


def leave_results(folder: Path) -> None:
    """Write the files that a run writes."""
    for name in (results.LOGS, results.MASTERS, *results.FOLDERS):
        (folder / name).mkdir()
        (folder / name / "a.jpg").write_bytes(b"earlier")
    for name in (SUMMARY, REPORT, results.RECORDS, results.TIMES):
        (folder / name).write_text("{}")


@pytest.mark.parametrize("other", [SUMMARY, "converted/mine.jpg", "notes.txt"])
def test_a_folder_without_the_marker_is_left_alone(tmp_path: Path, other: str) -> None:
    """A folder is not a run's just because it contains names that a run uses."""
    (tmp_path / "converted").mkdir()
    (tmp_path / "converted" / "precious.jpg").write_bytes(b"mine")
    (tmp_path / other).write_bytes(b"mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputFolderError, match=r"expected a new or empty folder .* name another"):
        clear(tmp_path, [])
    assert sorted(tmp_path.rglob("*")) == before


def test_an_earlier_run_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """All results of an earlier run are deleted; other files stay."""
    clear(tmp_path, [])
    leave_results(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    clear(tmp_path, [])
    assert not [name for name in RESULTS if (tmp_path / name).exists()]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_interrupted_run_can_be_run_again(tmp_path: Path) -> None:
    """The marker is written before any result."""
    clear(tmp_path / "out", [])
    assert [path.name for path in (tmp_path / "out").iterdir()] == [MARKER]
    (tmp_path / "out" / "converted").mkdir()
    clear(tmp_path / "out", [])
    assert not (tmp_path / "out" / "converted").exists()


def test_a_link_is_removed_but_not_followed(tmp_path: Path) -> None:
    """The target of a link is not the run's to delete."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.jpg").write_bytes(b"mine")
    clear(out, [])
    (out / "converted").symlink_to(elsewhere)
    clear(out, [])
    assert not (out / "converted").is_symlink()
    assert (elsewhere / "precious.jpg").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "way", ["out/resized/a.jpg", "way/resized/a.jpg", "link.jpg", "out/link.jpg", "out/way/other.jpg"]
)
def test_a_master_inside_the_folder_is_refused(tmp_path: Path, way: str) -> None:
    """Otherwise the master would be deleted before it is read, even when reached through a link."""
    out = tmp_path / "out"
    clear(out, [])
    leave_results(out)
    (out / "a.jpg").write_bytes(b"mine")
    (tmp_path / "way").symlink_to(out)
    (tmp_path / "link.jpg").symlink_to(out / "resized" / "a.jpg")
    (tmp_path / "other.jpg").write_bytes(b"mine")
    (out / "link.jpg").symlink_to(tmp_path / "other.jpg")
    (out / "way").symlink_to(tmp_path)
    with pytest.raises(OutputFolderError, match=r"--out: expected a folder without masters, .* name another"):
        clear(out, [tmp_path / "other.jpg", tmp_path / way])
    assert all((out / name).exists() for name in RESULTS)


def test_a_master_beside_the_folder_is_accepted(tmp_path: Path) -> None:
    """A folder whose name starts with the output folder's name is not inside it."""
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "a.jpg").write_bytes(b"mine")
    clear(tmp_path / "out", [tmp_path / "outer" / "a.jpg"])
    assert (tmp_path / "outer" / "a.jpg").exists()


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
    found = results.durations(logs, "group")
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
    (branch,) = (row for row in BRANCHES if row.per_size)
    labels = [label for label, _, _ in results._files(stack, "master/cat.jpg", branch, tmp_path)]
    assert labels == ["small", "large", "large webp"]
