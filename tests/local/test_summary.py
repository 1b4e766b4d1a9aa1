"""What a local run prints."""

from pathlib import Path
from typing import Any

from costs.console import text_console
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
    "unaccounted": {},
    "functions": {FUNCTION: FIGURES},
    "rejections": [{"key": KEY, "message": "no picture", "branch": "resizing"}],
    "events": {"ids": 1, "counts": {"Picture rejected": 1}, "p50_s": 0.5, "p95_s": 0.5, "without": []},
    "seconds": {"start": 0.1},
}


def printed(width: int, out: str = "out", **facts: Any) -> str:
    """Return what is printed on a console of this width, without the lines of the tables."""
    console = text_console(width)
    with console.capture() as capture:
        print_summary({**SUMMARY, **facts}, Path(out), console)
    return capture.get()


def test_a_single_master_is_counted_in_the_singular() -> None:
    """The title of the first table counts masters."""
    assert "1 master, 2.5 images per second" in printed(200)


def test_events_are_counted_by_what_became_of_the_picture() -> None:
    """The line lacks the words that all types of events share."""
    assert "Events: 1 rejected; half came within 0.5 s of the upload, 95 % within 0.5 s\n" in printed(200)


def test_pictures_without_an_event_are_counted() -> None:
    """One that is unaccounted for has no event either, and is named below."""
    events = {**SUMMARY["events"], "without": ["master/a.jpg", "master/b.jpg", "master/c.jpg"]}
    text = printed(200, events=events, unaccounted={"master/a.jpg": ["resizing"]})
    assert "\nNo event for 2 pictures, such as master/b.jpg\nUnaccounted for: master/a.jpg " in text


def test_long_names_are_wrapped_and_not_cut() -> None:
    """A key or function that is wider than its column continues on the next line."""
    assert "…" not in printed(80)


def test_names_are_printed_as_they_are() -> None:
    """In a folder, a key or a reason, `[red]` and `:cat:` are neither a style nor an emoji, and `[/b]` is no error."""
    name = "[red]:cat:[/b].jpg"
    rejections = [{"key": name, "message": f"no {name}", "branch": "resizing"}]
    text = printed(200, name, unaccounted={name: ["resizing"]}, rejections=rejections)
    assert text.count(name) == 5
    assert f"Results: {name}/report.html, {name}/summary.json\nUnaccounted for: {name} (missing: resizing)\n" in text
