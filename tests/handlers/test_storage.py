"""What the functions read and write; against moto, whose conditional writes answer as S3's do."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest

from handlers import clients, storage
from handlers import master as masters
from handlers.errors import NameTakenError
from handlers.job import MAX_SEQUENCER_DIGITS, Job
from handlers.master import Master, MasterGoneError
from handlers.ownership import Claim
from tests.handlers.conftest import BUCKET, TABLE, Stack

HEADERS = {"ContentType": "image/jpeg", "CacheControl": "no-store"}
KEYS = [
    "master/cat.png",
    "master/my cat.png",
    "master/two  spaces.png",
    "master/ends in a space ",
    "master/käse/猫.png",
    "master/1+1=2.png",
    "master/100%.png",
    "master/a%20b.png",
    "master/tab\there.png",
    "master/=?utf-8?q?trick?=.png",
    "master/" + "x" * 1000,
    "master/" + "猫" * 330,
]


def write(master: Master, key: str = "converted/cat.jpg", body: bytes = b"jpeg") -> bool:
    return storage.write_output(master, key, body, headers=HEADERS, marks={})


def record(master: Master, name: str = "cat", **fields: Any) -> bool:
    return storage.write_record(master, TABLE, name, fields)


# Masters


def test_a_master_is_fetched_as_it_is(stack: Stack) -> None:
    """Size, ETag, time and bytes are S3's own."""
    etag = stack.upload("master/cat.png", b"picture")
    master = masters.fetch(Job(bucket=BUCKET, key="master/cat.png", sequencer="0A"))
    assert master.claim == Claim(key="master/cat.png", etag=etag, sequencer="0A")
    assert (master.size_bytes, master.body.read()) == (7, b"picture")
    assert master.last_modified == stack.get("master/cat.png")["LastModified"]


def test_the_newest_state_of_a_master_is_fetched(stack: Stack) -> None:
    """A job of an older state works on what is there now, not on what its event named."""
    stack.upload("master/cat.png", b"old")
    stack.upload("master/cat.png", b"new")
    assert masters.fetch(Job(bucket=BUCKET, key="master/cat.png", etag="old")).body.read() == b"new"


@pytest.mark.usefixtures("stack")
def test_a_master_that_was_deleted_is_gone() -> None:
    """A missing object has an error of its own, which is no failure."""
    with pytest.raises(MasterGoneError, match=r"master/cat\.png is no longer in the bucket"):
        masters.fetch(Job(bucket=BUCKET, key="master/cat.png"))


@pytest.mark.usefixtures("stack")
def test_a_bucket_that_is_missing_is_no_deleted_master() -> None:
    """A wrong bucket is our fault, and must not look like a master that is gone."""
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchBucket"):
        masters.fetch(Job(bucket="another", key="master/cat.png"))


def test_a_master_is_current_until_it_changes(stack: Stack) -> None:
    """The master in the bucket is compared by ETag."""
    master = stack.master("master/cat.png", b"old")
    before = master.is_current()
    stack.upload("master/cat.png", b"new")
    assert (before, master.is_current()) == (True, False)


def test_a_deleted_master_is_not_current(stack: Stack) -> None:
    """What is gone is not current, and no error."""
    master = stack.master("master/cat.png", b"old")
    stack.s3.delete_object(Bucket=BUCKET, Key="master/cat.png")
    assert master.is_current() is False


# Outputs


def test_an_output_names_its_master(stack: Stack) -> None:
    """Type, caching and user metadata (key, etag, sequencer, marks) are the output's."""
    master = stack.master("master/cat.png", b"picture", sequencer="0A")
    storage.write_output(master, "converted/cat.jpg", b"jpeg", headers=HEADERS, marks={"salvaged": "true"})
    found = stack.get("converted/cat.jpg")
    assert (found["ContentType"], found["CacheControl"], found["Body"].read()) == ("image/jpeg", "no-store", b"jpeg")
    assert found["Metadata"] == {
        "key": "master/cat.png",
        "etag": master.claim.etag,
        "sequencer": "0A",
        "salvaged": "true",
    }


@pytest.mark.parametrize("key", KEYS)
def test_an_output_knows_its_master_again(stack: Stack, key: str) -> None:
    """Whatever letters a key has, its owner replaces its own output."""
    write(stack.master(key, b"old", "01"), body=b"old")
    assert write(stack.master(key, b"new", "02"), body=b"new") is True
    assert stack.read("converted/cat.jpg") == b"new"


@pytest.mark.parametrize("key", KEYS)
def test_another_master_is_told_from_it(stack: Stack, key: str) -> None:
    """Whatever letters a key has, another master does not take its output."""
    write(stack.master(key, b"first", "01"), body=b"first")
    with pytest.raises(NameTakenError):
        write(stack.master("master/other.png", b"second", "02"), body=b"second")
    assert stack.read("converted/cat.jpg") == b"first"


@pytest.mark.parametrize("key", KEYS)
def test_metadata_is_printable_and_fits(stack: Stack, key: str) -> None:
    """S3 carries user metadata as headers, 2 KB in all."""
    write(stack.master(key, b"picture", "0" * MAX_SEQUENCER_DIGITS))
    metadata = stack.get("converted/cat.jpg")["Metadata"]
    assert all(value.isascii() and value.isprintable() for value in metadata.values())
    assert sum(len(name) + len(value) for name, value in metadata.items()) <= 2048


@pytest.mark.parametrize("key", KEYS)
def test_metadata_has_no_spaces_that_a_proxy_would_drop(stack: Stack, key: str) -> None:
    """HTTP lets whoever passes a header on shorten runs of spaces and strip its ends; moto does not show it."""
    write(stack.master(key, b"picture"))
    metadata = stack.get("converted/cat.jpg")["Metadata"]
    assert [value for value in metadata.values() if "  " in value or value != value.strip()] == []


def test_an_older_state_does_not_replace_a_newer(stack: Stack) -> None:
    """The job of an older event, late, writes nothing."""
    old = stack.master("master/cat.png", b"old", "01")
    write(stack.master("master/cat.png", b"new", "02"), body=b"new")
    assert write(old, body=b"old") is False
    assert stack.read("converted/cat.jpg") == b"new"


def test_an_output_that_names_no_master_is_not_overwritten(stack: Stack) -> None:
    """What somebody put there by hand is not ours."""
    stack.s3.put_object(Bucket=BUCKET, Key="converted/cat.jpg", Body=b"by hand")
    with pytest.raises(NameTakenError):
        write(stack.master("master/cat.png", b"picture"))
    assert stack.read("converted/cat.jpg") == b"by hand"


def test_an_output_deleted_between_look_and_write_is_written(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers 404 to a conditional write whose object is gone: the worker looks again."""
    write(stack.master("master/cat.png", b"old", "01"))
    look = storage._ObjectSlot.owner

    def look_and_delete(slot: Any, claim: Claim) -> Claim | None:
        owner = look(slot, claim)
        stack.s3.delete_object(Bucket=BUCKET, Key="converted/cat.jpg")
        return owner

    monkeypatch.setattr(storage._ObjectSlot, "owner", look_and_delete)
    assert write(stack.master("master/cat.png", b"new", "02"), body=b"new") is True
    assert stack.read("converted/cat.jpg") == b"new"


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
def test_a_write_that_was_raced_is_tried_again(stack: Stack, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """S3 answers 409 or 412 where another conditional write was faster."""
    master = stack.master("master/cat.png", b"picture", "01")
    answers = iter([_error(code, {"ConditionalRequestConflict": 409, "PreconditionFailed": 412}[code])])
    _put_first_answers(monkeypatch, answers)
    assert write(master) is True


@pytest.mark.parametrize(("code", "status"), [("NoSuchBucket", 404), ("SlowDown", 503), ("AccessDenied", 403)])
def test_a_write_that_s3_refuses_is_an_error(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    """What is no answer to a condition is neither tried again here nor taken for another master's name."""
    master = stack.master("master/cat.png", b"picture", "01")
    _put_first_answers(monkeypatch, iter([_error(code, status)]))
    with pytest.raises(botocore.exceptions.ClientError, match=code):
        write(master)


def _error(code: str, status: int) -> botocore.exceptions.ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(response, "PutObject")


def _put_first_answers(monkeypatch: pytest.MonkeyPatch, errors: Iterator[Exception]) -> None:
    client = clients.s3()
    put = client.put_object

    def answer(**arguments: Any) -> Any:
        for error in errors:
            raise error
        return put(**arguments)

    monkeypatch.setattr(client, "put_object", answer)


# Records


def test_a_record_names_its_master(stack: Stack) -> None:
    """Key, etag and sequencer stand beside the record's fields."""
    master = stack.master("master/cat.png", b"picture", "0A")
    record(master, width=7, has_alpha=False)
    assert stack.item("cat") == {
        "name": {"S": "cat"},
        "key": {"S": "master/cat.png"},
        "etag": {"S": master.claim.etag},
        "sequencer": {"S": "0A"},
        "width": {"N": "7"},
        "has_alpha": {"BOOL": False},
    }


def test_a_newer_record_replaces_an_older_whole(stack: Stack) -> None:
    """No field of the older state stays."""
    record(stack.master("master/cat.png", b"old", "01"), camera="X100")
    assert record(stack.master("master/cat.png", b"new", "02"), width=7) is True
    item = stack.item("cat")
    assert item
    assert "camera" not in item


def test_an_older_record_does_not_replace_a_newer(stack: Stack) -> None:
    """The job of an older event, late, records nothing."""
    old = stack.master("master/cat.png", b"old", "01")
    record(stack.master("master/cat.png", b"new", "02"), state="new")
    assert record(old, state="old") is False
    item = stack.item("cat")
    assert item
    assert item["state"] == {"S": "new"}


@pytest.mark.parametrize("sequencers", [("01", None), (None, "02"), (None, None)])
def test_records_of_jobs_by_hand_replace_and_are_replaced(
    stack: Stack, sequencers: tuple[str | None, str | None]
) -> None:
    """Where a job has no sequencer, the state that is in the bucket wins."""
    record(stack.master("master/cat.png", b"old", sequencers[0]), state="old")
    assert record(stack.master("master/cat.png", b"new", sequencers[1]), state="new") is True
    item = stack.item("cat")
    assert item
    assert item["state"] == {"S": "new"}


def test_another_masters_record_is_not_replaced(stack: Stack) -> None:
    """Two masters of one name do not share a record."""
    record(stack.master("master/cat.png", b"png", "01"), format="PNG")
    with pytest.raises(NameTakenError, match=r"master/cat\.png owns the name"):
        record(stack.master("master/cat.jpg", b"jpeg", "02"), format="JPEG")


def test_an_item_that_names_no_master_is_not_replaced(stack: Stack) -> None:
    """What somebody put there by hand is not ours."""
    stack.dynamodb.put_item(TableName=TABLE, Item={"name": {"S": "cat"}})
    with pytest.raises(NameTakenError):
        record(stack.master("master/cat.png", b"picture"))


# Rejections


def test_a_reason_is_readable_and_names_its_master(stack: Stack) -> None:
    """A rejection is JSON in plain letters, with the state that it is about."""
    master = stack.master("master/käse.png", b"picture", "0A")
    storage.write_rejection(master, "rejected/käse.png/resizing.json", {"message": "zu groß"})
    found = stack.get("rejected/käse.png/resizing.json")
    text = found["Body"].read().decode()
    assert found["ContentType"] == "application/json"
    assert "zu groß" in text
    assert json.loads(text) == {
        "message": "zu groß",
        "key": "master/käse.png",
        "etag": master.claim.etag,
        "sequencer": "0A",
    }


def test_a_reason_about_an_older_state_does_not_replace_a_newer(stack: Stack) -> None:
    """The newest state's reason stays."""
    old = stack.master("master/cat.png", b"old", "01")
    new = stack.master("master/cat.png", b"new", "02")
    assert storage.write_rejection(new, "rejected/r.json", {"message": "new"}) is True
    assert storage.write_rejection(old, "rejected/r.json", {"message": "old"}) is False
    assert stack.rejection("rejected/r.json")["message"] == "new"


def test_of_two_states_with_the_same_bytes_the_newer_reason_stays(stack: Stack) -> None:
    """Where the master in the bucket tells nothing, the sequencers do."""
    old, new = (stack.master("master/cat.png", b"same", sequencer) for sequencer in ("01", "02"))
    assert storage.write_rejection(new, "rejected/r.json", {"message": "new"}) is True
    assert storage.write_rejection(old, "rejected/r.json", {"message": "old"}) is False
    assert stack.rejection("rejected/r.json")["message"] == "new"


def test_a_newer_reason_replaces_an_older(stack: Stack) -> None:
    """The newest state's reason is the one that stands there."""
    for body, sequencer in ((b"old", "01"), (b"new", "02")):
        master = stack.master("master/cat.png", body, sequencer)
        storage.write_rejection(master, "rejected/r.json", {"message": sequencer})
    assert stack.rejection("rejected/r.json")["message"] == "02"


@pytest.mark.parametrize("gone", [False, True], ids=["replaced", "deleted"])
def test_no_reason_is_written_about_a_state_that_is_gone(stack: Stack, gone: bool) -> None:  # noqa: FBT001
    """A reason in an empty place would accuse a newer state that may be good."""
    old = stack.master("master/cat.png", b"old", "01")
    if gone:
        stack.s3.delete_object(Bucket=BUCKET, Key="master/cat.png")
    else:
        stack.upload("master/cat.png", b"new")
    assert storage.write_rejection(old, "rejected/r.json", {"message": "old"}) is False
    assert stack.outputs() == []


@pytest.mark.parametrize("metadata", [{}, {"key": "uploads/cat.png", "etag": "e", "sequencer": "FF"}])
def test_a_reason_replaces_what_is_not_its_masters(stack: Stack, metadata: dict[str, str]) -> None:
    """Only the pipeline writes there: neither a file by hand nor another prefix's master keeps a reason out."""
    stack.s3.put_object(Bucket=BUCKET, Key="rejected/r.json", Body=b"by hand", Metadata=metadata)
    master = stack.master("master/cat.png", b"picture", "0A")
    assert storage.write_rejection(master, "rejected/r.json", {"message": "ours"}) is True
    assert stack.rejection("rejected/r.json")["message"] == "ours"
    assert stack.get("rejected/r.json")["Metadata"]["key"] == "master/cat.png"


def test_a_reason_that_comes_after_the_look_is_not_replaced_unseen(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even over a file by hand, a write is conditional: a newer reason that was faster stays."""
    stack.upload("rejected/r.json", b"by hand")
    old, new = (stack.master("master/cat.png", b"same", sequencer) for sequencer in ("01", "02"))
    look = storage._RejectionSlot.owner

    def look_and_lose(slot: Any, claim: Claim) -> Claim | None:
        owner = look(slot, claim)
        monkeypatch.setattr(storage._RejectionSlot, "owner", look)
        storage.write_rejection(new, "rejected/r.json", {"message": "new"})
        return owner

    monkeypatch.setattr(storage._RejectionSlot, "owner", look_and_lose)
    assert storage.write_rejection(old, "rejected/r.json", {"message": "old"}) is False
    assert stack.rejection("rejected/r.json")["message"] == "new"


def test_a_refusal_is_written_whoever_sent_it(stack: Stack) -> None:
    """A message that names no master has a reason without one, and a second delivery writes it again."""
    for _ in range(2):
        storage.write_refusal(BUCKET, "rejected/.messages/id/b.json", {"message": "no job"})
    assert stack.rejection("rejected/.messages/id/b.json") == {"message": "no job"}


def test_a_refusal_holds_what_utf8_cannot(stack: Stack) -> None:
    """Half of a surrogate pair, which JSON can escape and UTF-8 cannot encode, keeps no reason from being written."""
    storage.write_refusal(BUCKET, "rejected/.messages/id/b.json", {"body": "zu groß: \ud800"})
    assert stack.rejection("rejected/.messages/id/b.json") == {"body": "zu groß: \ud800"}
    assert "zu groß: \\ud800" in stack.read("rejected/.messages/id/b.json").decode()
