"""Journeys of pictures, derived from log lines."""

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.record import Outcome
from local.live import journeys
from local.live.journeys import WORKERS, Journeys
from ops.stack import DeployedStack
from tests.local.live.conftest import entry, record

KEY = "master/2024/cat.png"
START = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)


@pytest.fixture
def found(stack: DeployedStack) -> Journeys:
    """Return the journeys of a new stack with one record."""
    record(stack, KEY)
    return Journeys(stack=stack)


def outcomes(picture: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["outcome"], step["after"]) for step in picture["steps"]]


def test_a_picture_passes_through_every_step(found: Journeys) -> None:
    """A picture is uploaded, published and written by each branch; every step shows its time since the upload."""
    found.upload(KEY, START)
    (picture,) = found.plain()
    assert (picture["name"], picture["state"]) == ("2024/cat.png", "on its way")
    assert outcomes(picture) == [("", "")] * (1 + len(WORKERS))
    found.add(entry("job-publisher", "published", KEY, 0.25))
    assert outcomes(found.plain()[0]) == [("published", "250 ms"), *[("waiting", "")] * len(WORKERS)]
    for second, worker in enumerate(WORKERS, start=1):
        assert found.plain()[0]["state"] == "on its way"
        found.add(entry(worker, "written", KEY, second))
    (picture,) = found.plain()
    assert picture["state"] == "done"
    assert outcomes(picture)[1:] == [("written", f"{second}.0 s") for second in range(1, 1 + len(WORKERS))]
    assert [file["label"] for file in picture["files"]] == ["converted", "thumbnail", "large"]
    assert picture["files"][1]["key"] == "resized/2024/cat/thumbnail.jpg"
    assert picture["recorded"]


def test_an_upload_from_elsewhere_is_shown_without_times(found: Journeys) -> None:
    """The upload time is unknown, so no times are shown; the order of the two logs does not matter."""
    found.add(entry("format-converter", "written", KEY, 2))
    found.add(entry("job-publisher", "published", KEY, 1))
    (picture,) = found.plain()
    assert outcomes(picture)[:2] == [("published", ""), ("written", "")]


def test_rejections_with_one_reason_are_one_entry(found: Journeys) -> None:
    """Branches with the same reason are one entry."""
    found.upload(KEY, START)
    for worker in WORKERS:
        found.add(entry(worker, "rejected", KEY, 1, error="NotAnImageError", reason="it is a text"))
    (picture,) = found.plain()
    names = [branch.name for branch in WORKERS.values()]
    assert picture["reasons"] == [{"branches": names, "error": "NotAnImageError", "message": "it is a text"}]
    assert (picture["state"], picture["files"], picture["recorded"]) == ("rejected", [], False)


def test_another_upload_of_a_name_starts_a_new_journey(found: Journeys) -> None:
    """The results of an earlier upload are not shown for a new one."""
    found.add(entry("job-publisher", "reconciled", KEY, 1, generation=1))
    found.add(entry("format-converter", "written", KEY, 2, generation=1))
    record(found.stack, KEY, generation=2)
    found.add(entry("job-publisher", "reconciled", KEY, 3, generation=2))
    assert found.plain()[0]["files"] == []
    found.add(entry("format-converter", "written", KEY, 4, generation=1))
    assert found.plain()[0]["files"] == []


def test_a_second_reconciliation_keeps_the_outcomes(found: Journeys) -> None:
    """The publisher may reconcile twice, or its log line may arrive after a worker's."""
    found.add(entry("format-converter", "written", KEY, 2, generation=1))
    for second in (1, 3):
        found.add(entry("job-publisher", "reconciled", KEY, second, generation=1))
    assert len(found.plain()[0]["files"]) == 1


def test_a_master_whose_name_is_taken_is_rejected(found: Journeys) -> None:
    """The branches get no job; the publisher's line names the owner."""
    found.add(entry("job-publisher", "reconciled", KEY, 1, generation=1, state="complete", owner="master/cat.png"))
    (plain,) = found.plain()
    assert (plain["state"], plain["reasons"][0]["error"]) == ("rejected", "NameTakenError")


def test_a_picture_with_a_dead_letter_is_failed(found: Journeys) -> None:
    """The picture and the step are failed while its message is a dead letter."""
    found.upload(KEY, START)
    found.add(entry("job-publisher", "published", KEY, 1, generation=1))
    (picture,) = found.plain({KEY: {"resizing"}})
    assert picture["state"] == "failed"
    expected = ["failed" if branch.name == "resizing" else "waiting" for branch in WORKERS.values()]
    assert [outcome for outcome, _ in outcomes(picture)[1:]] == expected
    assert found.plain()[0]["state"] == "on its way"


def test_a_failure_is_counted_and_stored_by_message(found: Journeys) -> None:
    """The error, its message and its line are stored for the later dead letter."""
    trace = "Traceback\n  File \"/layer/handlers/worker.py\", line 7, in run\nKeyError: 'oops'"
    for second in (1, 2):
        line = {"level": "ERROR", "error": "KeyError", "exception": trace, "message_id": "7"}
        found.add(entry("pixel-resizer", "retry", None, second, **line))
    assert found.errors == {"7": "KeyError: 'oops' (worker.py:7)"}
    assert found.failures == {"pixel-resizer: KeyError: 'oops' (worker.py:7)": 2}


def test_only_the_latest_pictures_are_kept(found: Journeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of pictures is bounded, and the newest come first."""
    monkeypatch.setattr(journeys, "MOST", 3)
    for number in range(5):
        found.upload(f"master/{number}.png", START)
    assert [picture["name"] for picture in found.plain()] == ["4.png", "3.png", "2.png"]


def test_a_picture_that_is_uploaded_again_comes_first(found: Journeys) -> None:
    """The newest upload is at the top."""
    for name in ("a", "b", "a"):
        found.upload(f"master/{name}.png", START)
    assert [picture["name"] for picture in found.plain()] == ["a.png", "b.png"]


@pytest.mark.parametrize("state", ["complete", "deleted"])
def test_a_picture_without_news_starts_no_journey(found: Journeys, state: str) -> None:
    """The publisher found the record's state unchanged, or the master gone: no job follows."""
    found.add(entry("job-publisher", "reconciled", KEY, 1, generation=1, state=state))
    assert found.plain() == []


def test_the_same_file_uploaded_again_has_the_outcomes_of_its_record(
    found: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher finds nothing new, so no worker logs anything."""
    monkeypatch.setattr(journeys, "SILENT_S", 0.0)
    found.upload(KEY, START)
    found.add(entry("job-publisher", "reconciled", KEY, 1, generation=1, state="complete"))
    found.read_silent()
    (picture,) = found.plain()
    assert picture["state"] == "done"
    assert [file["label"] for file in picture["files"]] == ["converted", "thumbnail", "large"]


def test_a_warm_up_job_starts_no_journey(found: Journeys) -> None:
    """Warm-up jobs do not create a picture."""
    found.add(entry("pixel-resizer", "kept", KEY, 1))
    assert found.plain() == []


def test_every_file_in_the_record_is_shown(found: Journeys) -> None:
    """This includes a size in a further format, if it was kept."""
    record(found.stack, KEY, further="webp")
    found.add(entry("pixel-resizer", "written", KEY, 1, generation=1))
    files = {file["label"]: file["key"] for file in found.plain()[0]["files"]}
    assert list(files) == ["thumbnail", "large", "large webp"]
    assert files["large webp"] == "resized/2024/cat/large.webp"


def test_files_of_another_generation_are_not_shown(found: Journeys) -> None:
    """The record belongs to a newer generation, whose log line has not arrived yet."""
    record(found.stack, KEY, generation=2)
    found.add(entry("pixel-resizer", "written", KEY, 1, generation=1))
    assert found.plain()[0]["files"] == []


def test_the_record_has_what_no_line_has_told(found: Journeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator may keep a call's last lines until the next call; after a while the record is read instead."""
    found.upload(KEY, START)
    found.add(entry("job-publisher", "published", KEY, 1, generation=1))
    found.add(entry("pixel-resizer", "written", KEY, 2, generation=1))
    found.read_silent()
    assert found.plain()[0]["state"] == "on its way"
    monkeypatch.setattr(journeys, "SILENT_S", 0.0)
    found.read_silent()
    (picture,) = found.plain()
    assert picture["state"] == "done"
    assert [file["label"] for file in picture["files"]] == ["converted", "thumbnail", "large"]
    assert outcomes(picture)[1:] == [("written", "2.0 s" if name == "pixel-resizer" else "") for name in WORKERS]
    found.add(entry("format-converter", "written", KEY, 3, generation=1))
    assert outcomes(found.plain()[0])[1] == ("written", "3.0 s")


def test_a_rejection_in_the_record_is_not_repeated_by_its_line(
    found: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record has the start of a long reason, and the line that comes later all of it."""
    monkeypatch.setattr(journeys, "SILENT_S", 0.0)
    rejected = {name: Outcome(state="rejected", error="TooLargeError", message="too") for name in found.stack.queues}
    record(found.stack, KEY, branches=rejected)
    found.add(entry("job-publisher", "published", KEY, 1, generation=1))
    found.read_silent()
    found.add(entry("format-converter", "rejected", KEY, 2, generation=1, error="TooLargeError", reason="too large"))
    (picture,) = found.plain()
    assert (picture["state"], picture["reasons"]) == (
        "rejected",
        [{"branches": list(rejected), "error": "TooLargeError", "message": "too"}],
    )


def test_records_are_read_a_few_at_a_time(found: Journeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pictures on their way do not slow the page down; each has its turn."""
    monkeypatch.setattr(journeys, "SILENT_S", 0.0)
    monkeypatch.setattr(journeys, "READS", 1)
    for name in ("a", "b"):
        record(found.stack, f"master/{name}.png")
        found.add(entry("job-publisher", "published", f"master/{name}.png", 1, generation=1))
    done = []
    for _ in range(2):
        found.read_silent()
        done.append(sorted(picture["name"] for picture in found.plain() if picture["state"] == "done"))
    assert done == [["a.png"], ["a.png", "b.png"]]
