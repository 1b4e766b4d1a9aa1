"""Reconciling: the record follows the bucket, whatever the events say and in whatever order they come."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.branches import BRANCHES
from handlers import clients, job_publisher
from handlers.record import Outcome, Record
from handlers.storage import write_reason
from tests.handlers.conftest import BUCKET, PICTURES, Context, Stack, configure

JPG, PNG, GIF = "master/cat.jpg", "master/cat.png", "master/cat.gif"
TAKEN = "rejected/cat.png/name-taken.json"


def notify(*keys: str) -> None:
    """Send the publisher an event about each key."""
    for key in keys:
        job_publisher.handler({"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}, Context())


def record(stack: Stack) -> Record:
    found = stack.record(JPG)
    assert found
    return found


def settled(stack: Stack, state: Any = "complete", **fields: Any) -> None:
    """Set the record's state as if the branches had settled its generation."""
    item = {**vars(record(stack)), "state": state, **fields}
    stack.dynamodb.put_item(TableName=PICTURES, Item=Record(**item).as_item())


def jobs(stack: Stack) -> list[tuple[str, bool]]:
    """Return the key of each published job, and whether it is about a deletion."""
    return [(job["key"], job.get("deleted", False)) for job in stack.published()]


def delete(stack: Stack, key: str) -> None:
    stack.s3.delete_object(Bucket=BUCKET, Key=key)


def test_new_bytes_start_the_next_generation(stack: Stack) -> None:
    """Other bytes under the key start a higher generation, which is at least the clock's milliseconds."""
    stack.upload(JPG, b"old")
    notify(JPG)
    before = record(stack)
    etag = stack.upload(JPG, b"new")
    notify(JPG)
    after = record(stack)
    assert before.generation > 1_700_000_000_000
    assert (after.etag, after.generation > before.generation) == (etag, True)
    assert jobs(stack) == [(JPG, False), (JPG, False)]


@pytest.mark.parametrize(("state", "reasons"), [("complete", False), ("rejected", True), ("received", True)])
def test_a_new_generation_looks_for_reasons_unless_the_last_was_complete(
    stack: Stack, *, state: str, reasons: bool
) -> None:
    """A picture that was complete has no reasons, so its next generation's workers need not look for any."""
    stack.upload(JPG, b"old")
    notify(JPG)
    settled(stack, state)
    stack.upload(JPG, b"new")
    notify(JPG)
    assert record(stack).reasons == reasons


def test_a_new_owner_looks_for_reasons_of_the_last_one(stack: Stack) -> None:
    """The new owner of a name may itself have been rejected before, whatever became of the last owner."""
    stack.upload(JPG)
    notify(JPG)
    settled(stack)
    delete(stack, JPG)
    stack.upload(PNG)
    notify(PNG)
    found = record(stack)
    assert (found.key, found.reasons) == (PNG, True)


def test_the_same_bytes_change_nothing(stack: Stack) -> None:
    """A repeated event, or an upload of the same bytes, leaves a settled picture unchanged."""
    stack.upload(JPG)
    notify(JPG)
    settled(stack)
    before = record(stack)
    stack.upload(JPG)
    notify(JPG, JPG)
    assert record(stack) == before
    assert jobs(stack) == [(JPG, False)]


def test_another_focal_point_starts_a_new_generation(stack: Stack) -> None:
    """The same bytes with another focal point start a new generation, so that the crops are made again."""
    stack.upload(JPG)
    notify(JPG)
    settled(stack)
    before = record(stack)
    stack.s3.put_object(Bucket=BUCKET, Key=JPG, Body=stack.read(JPG), Metadata={"focal-point": "0.3,0.7"})
    notify(JPG)
    after = record(stack)
    assert (after.etag, after.focal_point, after.state) == (before.etag, "0.3,0.7", "received")
    assert after.generation > before.generation
    settled(stack)
    notify(JPG)
    assert record(stack).generation == after.generation


def test_the_job_is_published_until_the_picture_is_settled(stack: Stack) -> None:
    """Each event publishes the job again until the picture is settled, because an earlier process may have failed."""
    stack.upload(JPG)
    notify(JPG, JPG)
    assert jobs(stack) == [(JPG, False), (JPG, False)]


def test_the_job_names_only_branches_without_an_outcome(stack: Stack) -> None:
    """The job names the branches without an outcome."""
    stack.upload(JPG)
    notify(JPG)
    settled(stack, "received", branches={"resizing": Outcome(state="written")})
    stack.published()
    notify(JPG)
    (job,) = stack.published()
    assert job["branches"] == [row.name for row in BRANCHES if row.name != "resizing"]


def test_the_record_is_read_consistently(stack: Stack) -> None:
    """An eventually consistent read could miss a generation that another process has just begun."""
    stack.upload(JPG)
    reads: list[dict[str, Any]] = []

    def look(params: dict[str, Any], **_: Any) -> None:
        reads.append(params)

    clients.dynamodb().meta.events.register("provide-client-params.dynamodb.GetItem", look)
    notify(JPG)
    assert reads
    assert all(read.get("ConsistentRead") for read in reads)


def test_a_late_event_of_a_deleted_master_creates_no_record_or_job(stack: Stack) -> None:
    """For a master missing from S3, no record is created and no job published, but a deletion event is sent."""
    notify(JPG)
    assert (stack.record(JPG), jobs(stack), stack.events()) == (None, [], [("Picture deleted", JPG)])


def test_a_second_master_with_the_same_name_is_rejected(stack: Stack) -> None:
    """The first master keeps the name; the second gets a reason and an event."""
    stack.upload(JPG)
    notify(JPG)
    stack.upload(PNG)
    notify(PNG)
    assert record(stack).key == JPG
    reason = stack.rejection(TAKEN)
    assert (reason["key"], reason["error"]) == (PNG, "NameTakenError")
    assert reason["message"] == (
        "expected one master per name, got master/cat.png although master/cat.jpg owns the name: "
        "upload it under another name, or set naming to full"
    )
    assert stack.events() == [("Picture rejected", PNG)]


def meanwhile(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """Let another process change something just after the publisher has written its first reason."""
    changes = [change]

    def write(*args: Any) -> bool:
        written = write_reason(*args)
        if changes:
            changes.pop()()
        return written

    monkeypatch.setattr("handlers.reconcile.write_reason", write)


def test_a_reason_names_the_owner_that_the_name_has_now(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the name gets another owner while a reason is written, the reason is written again."""
    for key in (JPG, PNG):
        stack.upload(key)
    notify(JPG)

    def pass_on() -> None:
        delete(stack, JPG)
        etag = stack.upload(GIF)
        settled(stack, "received", key=GIF, etag=etag, generation=record(stack).generation + 1)

    meanwhile(monkeypatch, pass_on)
    notify(PNG)
    assert f"although {GIF} owns the name" in stack.rejection(TAKEN)["message"]


def test_a_master_that_gets_its_name_meanwhile_keeps_no_reason(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason of a former owner that is uploaded again is removed if it owns the name by the time it is written."""
    stack.upload(JPG)
    notify(JPG)
    delete(stack, JPG)
    stack.upload(PNG)
    notify(PNG)
    etag = stack.upload(JPG)

    def take_over() -> None:
        settled(stack, "received", key=JPG, etag=etag, generation=record(stack).generation + 1)

    meanwhile(monkeypatch, take_over)
    notify(PNG)
    assert stack.keys("rejected/cat.jpg/") == []


def test_a_name_is_free_after_its_owner_is_deleted(stack: Stack) -> None:
    """After `cat.jpg` is deleted, `cat.png` can be uploaded and owns the name."""
    stack.upload(JPG)
    notify(JPG)
    settled(stack)
    delete(stack, JPG)
    notify(JPG)
    assert record(stack).state == "deleted"
    stack.upload(PNG)
    notify(PNG)
    assert (record(stack).key, record(stack).state) == (PNG, "received")
    assert stack.events() == [("Picture deleted", JPG)]


def test_a_rejected_master_gets_the_name_when_its_owner_is_deleted(stack: Stack) -> None:
    """The loser gets the name without another upload; its reason is removed, and the deletion sends an event."""
    for key in (JPG, PNG):
        stack.upload(key)
        notify(key)
    settled(stack)
    delete(stack, JPG)
    notify(JPG)
    assert (record(stack).key, record(stack).previous) == (PNG, JPG)
    assert stack.outputs() == []
    assert stack.events() == [("Picture rejected", PNG), ("Picture deleted", JPG)]
    assert jobs(stack)[-1] == (PNG, False)


def test_a_former_owner_that_is_uploaded_again_is_rejected(stack: Stack) -> None:
    """A former owner that is uploaded again, after its name went to another master, gets a reason."""
    stack.upload(JPG)
    notify(JPG)
    delete(stack, JPG)
    stack.upload(PNG)
    notify(PNG)
    stack.upload(JPG)
    notify(PNG)
    assert record(stack).key == PNG
    assert stack.rejection("rejected/cat.jpg/name-taken.json")["key"] == JPG


@pytest.mark.parametrize("deletions", ["follow", "keep"])
def test_the_reason_of_a_deleted_master_goes_if_deletions_follow(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, deletions: str
) -> None:
    """It names the uploader's key. With `deletions: keep` it stays, as outputs do."""
    configure(monkeypatch, deletions=deletions)
    for key in (JPG, PNG):
        stack.upload(key)
        notify(key)
    assert TAKEN in stack.keys("rejected/")
    delete(stack, PNG)
    notify(PNG)
    assert (TAKEN in stack.keys("rejected/")) == (deletions == "keep")
    assert record(stack).key == JPG


def test_a_removed_old_version_changes_nothing(stack: Stack) -> None:
    """The removal of an old version also sends `ObjectRemoved`: with the key still there, nothing changes."""
    stack.upload(JPG)
    notify(JPG)
    settled(stack)
    before = record(stack)
    notify(JPG)
    assert (record(stack), stack.events()) == (before, [])


@pytest.mark.parametrize(("deletions", "published"), [("keep", []), ("follow", [(JPG, True)])])
def test_a_deletion_publishes_a_job_only_with_follow(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, deletions: str, published: list[tuple[str, bool]]
) -> None:
    """With `keep`, only the record changes; with `follow`, a deletion job is published and the record expires."""
    configure(monkeypatch, deletions=deletions)
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    stack.upload(JPG)
    notify(JPG)
    settled(stack)
    stack.published()
    delete(stack, JPG)
    notify(JPG)
    item = stack.dynamodb.get_item(TableName=PICTURES, Key={"name": {"S": "cat"}})["Item"]
    assert (jobs(stack), item["state"], "expires" in item) == (published, {"S": "deleted"}, deletions == "follow")


def test_the_record_of_a_deleted_picture_outlives_its_dead_letters(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It expires after 15 days, because a dead letter is kept for 14; the deletion's time is recorded."""
    configure(monkeypatch, deletions="follow")
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    stack.upload(JPG)
    notify(JPG)
    assert record(stack).settled_at == ""
    delete(stack, JPG)
    notify(JPG)
    item = stack.dynamodb.get_item(TableName=PICTURES, Key={"name": {"S": "cat"}})["Item"]
    deleted = datetime.fromisoformat(item["settled_at"]["S"])
    expires = datetime.fromtimestamp(int(item["expires"]["N"]), UTC)
    assert round((expires - deleted) / timedelta(days=1), 2) == 15


def test_without_a_record_the_outputs_determine_the_owner(stack: Stack) -> None:
    """Without a record, the master that the existing outputs name owns the name, as long as it exists."""
    for key in (JPG, PNG):
        stack.upload(key)
    marks = {"key": PNG, "etag": "e", "sequencer": "0A"}
    stack.s3.put_object(Bucket=BUCKET, Key="converted/cat.jpg", Body=b"jpeg", Metadata=marks)
    notify(JPG)
    assert record(stack).key == PNG
    assert stack.rejection("rejected/cat.jpg/name-taken.json")["key"] == JPG


def test_outputs_of_a_deleted_master_do_not_determine_the_owner(stack: Stack) -> None:
    """If the master that the outputs name is gone, the uploaded master gets the name."""
    marks = {"key": PNG, "etag": "e", "sequencer": "0A"}
    stack.s3.put_object(Bucket=BUCKET, Key="converted/cat.jpg", Body=b"jpeg", Metadata=marks)
    stack.upload(JPG)
    notify(JPG)
    assert record(stack).key == JPG


@pytest.mark.parametrize("other", ["master/cat.tar.gz", "master/catalogue.png", "master/cat/one.png", "master/cat./x"])
def test_a_master_with_another_name_does_not_take_over(stack: Stack, other: str) -> None:
    """A key that only shares the beginning has another name."""
    for key in (JPG, other):
        stack.upload(key)
        notify(key)
    delete(stack, JPG)
    notify(JPG)
    assert record(stack).state == "deleted"


def test_a_master_without_an_extension_takes_over(stack: Stack) -> None:
    """A master whose key is the name itself takes it over."""
    for key in (JPG, "master/cat"):
        stack.upload(key)
        notify(key)
    delete(stack, JPG)
    notify(JPG)
    assert record(stack).key == "master/cat"


def test_masters_with_full_names_do_not_collide(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cat.jpg` and `cat.png` have different names."""
    configure(monkeypatch, naming="full")
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    for key in (JPG, PNG):
        stack.upload(key)
        notify(key)
    assert [key for key, _ in jobs(stack)] == [JPG, PNG]
    assert stack.events() == []


def test_a_master_below_a_former_prefix_does_not_keep_its_name(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `masterPrefix` has changed, the functions may not even look at it."""
    stack.upload(JPG)
    notify(JPG)
    configure(monkeypatch, master_prefix="originals/")
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    stack.upload("originals/cat.png", b"moved")
    notify("originals/cat.png")
    assert record(stack).key == "originals/cat.png"
    assert jobs(stack) == [(JPG, False), ("originals/cat.png", False)]
    assert stack.outputs() == ["originals/cat.png"]


def test_a_master_that_naming_has_renamed_does_not_keep_its_name(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `naming` has changed, `cat.jpg` is no longer called `cat`, and gets no reason when its name is taken."""
    stack.upload(JPG)
    notify(JPG)
    configure(monkeypatch, naming="full")
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    stack.upload("master/cat")
    notify("master/cat", JPG)
    assert record(stack).key == "master/cat"
    assert jobs(stack) == [(JPG, False), ("master/cat", False), (JPG, False)]
    assert stack.outputs() == []
