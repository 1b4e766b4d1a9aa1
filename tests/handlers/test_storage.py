"""What the functions write and remove, against moto, whose conditional writes respond like S3's."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest

from handlers import clients, storage
from handlers.errors import NameTakenError
from handlers.marks import Mark, mark_of_object
from handlers.record import next_generation
from handlers.storage import Place
from tests.handlers.conftest import BUCKET, TABLE, Stack

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
    "master/delete\x7f.png",
    "master/=?utf-8?q?trick?=.png",
    "master/" + "x" * 1000,
    "master/" + "猫" * 330,
]
OUTPUT, REASON = "converted/cat.jpg", "rejected/cat.png/resizing.json"


def mark(generation: int, key: str = "master/cat.png", etag: str = "e") -> Mark:
    return Mark(key=key, etag=etag, generation=generation, recipe="r")


def place(key: str = OUTPUT, master_key: str = "master/cat.png") -> Place:
    return Place(s3=clients.s3(), bucket=BUCKET, key=key, master_key=master_key)


def write(generation: int, body: bytes = b"jpeg", key: str = "master/cat.png") -> bool:
    return place(master_key=key).write(body, mark(generation, key), ContentType="image/jpeg")


def write_item(generation: int, **fields: Any) -> bool:
    return storage.write_item(clients.dynamodb(), TABLE, {"name": "cat", **fields}, mark(generation))


# Outputs


def test_an_output_names_its_master(stack: Stack) -> None:
    """The output has its content type and user metadata: key, etag, generation, recipe and any extras."""
    place().write(b"jpeg", mark(7), ContentType="image/jpeg", Metadata={"salvaged": "true"})
    found = stack.get(OUTPUT)
    assert (found["ContentType"], found["Body"].read()) == ("image/jpeg", b"jpeg")
    assert found["Metadata"] == {
        "key": "master/cat.png",
        "etag": "e",
        "generation": "7",
        "recipe": "r",
        "salvaged": "true",
    }


@pytest.mark.parametrize("key", KEYS)
def test_a_mark_is_read_as_it_was_written(stack: Stack, key: str) -> None:
    """A worker on the same master reads the mark as it was written, whatever characters the key has."""
    write(1, key=key)
    assert mark_of_object(stack.get(OUTPUT), key) == mark(1, key)


@pytest.mark.parametrize("key", KEYS)
def test_a_mark_is_not_taken_for_another_masters(stack: Stack, key: str) -> None:
    """A worker on another master does not read the mark as its own, whatever characters the key has."""
    write(1, key=key)
    found = mark_of_object(stack.get(OUTPUT), "master/other.png")
    assert found
    assert found.key != "master/other.png"


@pytest.mark.parametrize("key", KEYS)
def test_metadata_is_printable_and_at_most_2_kb(stack: Stack, key: str) -> None:
    """User metadata is printable ASCII of at most 2 KB, because S3 sends it as headers."""
    write(next_generation(0), key=key)
    metadata = stack.get(OUTPUT)["Metadata"]
    assert all(value.isascii() and value.isprintable() for value in metadata.values())
    assert sum(len(name) + len(value) for name, value in metadata.items()) <= 2048


@pytest.mark.parametrize("key", KEYS)
def test_metadata_has_no_spaces_that_a_proxy_would_drop(stack: Stack, key: str) -> None:
    """Values have no outer or repeated spaces, which an HTTP proxy may strip or shorten; moto does neither."""
    write(1, key=key)
    metadata = stack.get(OUTPUT)["Metadata"]
    assert [value for value in metadata.values() if "  " in value or value != value.strip()] == []


@pytest.mark.parametrize("generation", [2, 3])
def test_the_same_or_a_higher_generation_replaces_an_output(stack: Stack, generation: int) -> None:
    """A job delivered twice writes twice, because the first attempt may have been interrupted."""
    write(2, b"before")
    assert write(generation, b"after") is True
    assert stack.read(OUTPUT) == b"after"


def test_a_lower_generation_does_not_replace_an_output(stack: Stack) -> None:
    """A late job of an older generation writes nothing."""
    write(2, b"new")
    assert write(1, b"old") is False
    assert stack.read(OUTPUT) == b"new"


def test_an_output_with_a_sequencer_is_replaced(stack: Stack) -> None:
    """An output with a sequencer and no generation counts as generation 0, whichever master it names."""
    marks = {"key": "master/cat.jpg", "etag": "e", "sequencer": "0A"}
    stack.s3.put_object(Bucket=BUCKET, Key=OUTPUT, Body=b"before", Metadata=marks)
    assert write(1, b"after") is True
    assert stack.read(OUTPUT) == b"after"


def test_an_output_without_a_mark_is_not_overwritten(stack: Stack) -> None:
    """An object or item that the pipeline did not write is not replaced."""
    stack.s3.put_object(Bucket=BUCKET, Key=OUTPUT, Body=b"by hand")
    with pytest.raises(NameTakenError, match=r"converted/cat\.jpg, got an object that the pipeline did not write"):
        write(1)
    assert stack.read(OUTPUT) == b"by hand"


def test_an_output_deleted_between_look_and_write_is_written(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker retries when S3 responds 404 to a conditional write because the object is gone."""
    write(1, b"old")
    look = Place.look

    def look_and_delete(place: Place) -> Any:
        seen = look(place)
        stack.s3.delete_object(Bucket=BUCKET, Key=OUTPUT)
        return seen

    monkeypatch.setattr(Place, "look", look_and_delete)
    assert write(2, b"new") is True
    assert stack.read(OUTPUT) == b"new"


def test_an_object_that_keeps_changing_raises_contention_error(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 20 conflicts the write raises ContentionError, and the delivery fails."""
    write(1)
    conflict = _error("PreconditionFailed", 412)
    _put_first_answers(monkeypatch, iter([conflict] * 100))
    with pytest.raises(storage.ContentionError, match="changed 20 times"):
        write(2)
    assert stack.read(OUTPUT) == b"jpeg"


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
def test_a_write_that_lost_a_race_is_retried(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A write is retried when S3 responds 409 or 412 because another conditional write was faster."""
    answers = iter([_error(code, {"ConditionalRequestConflict": 409, "PreconditionFailed": 412}[code])])
    _put_first_answers(monkeypatch, answers)
    assert write(1) is True


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(("code", "status"), [("NoSuchBucket", 404), ("SlowDown", 503), ("AccessDenied", 403)])
def test_an_error_other_than_a_failed_condition_is_raised(
    monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    """An error other than a failed condition is raised: it is neither retried nor taken for a newer output."""
    _put_first_answers(monkeypatch, iter([_error(code, status)]))
    with pytest.raises(botocore.exceptions.ClientError, match=code):
        write(1)


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


# Removing


@pytest.mark.parametrize(("generation", "removed"), [(1, False), (2, False), (3, True)])
def test_only_lower_generations_are_removed(stack: Stack, generation: int, removed: bool) -> None:  # noqa: FBT001
    """A generation removes only what has a lower generation."""
    write(2)
    assert place().remove_below(generation) is removed
    assert (OUTPUT not in stack.outputs()) is removed


def test_an_object_without_a_mark_is_not_removed(stack: Stack) -> None:
    """An object without a mark is kept, whatever the generation."""
    stack.s3.put_object(Bucket=BUCKET, Key=OUTPUT, Body=b"by hand")
    assert place().remove_below(99) is False
    assert stack.outputs() == [OUTPUT]


@pytest.mark.usefixtures("stack")
def test_removing_a_missing_object_returns_false() -> None:
    """Removing a missing object returns False, without an error."""
    assert place().remove_below(99) is False


def test_an_output_replaced_during_a_removal_is_kept(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The removal is conditional on the ETag seen, so that a newer output written in between is kept."""
    write(1, b"old")
    look, raced = Place.look, iter([None])

    def look_and_replace(place: Place) -> Any:
        seen = look(place)
        for _ in raced:
            write(5, b"new")
        return seen

    monkeypatch.setattr(Place, "look", look_and_replace)
    conditions: list[str] = []
    delete = clients.s3().delete_object

    def deleting(**arguments: Any) -> Any:
        # moto does not support conditional deletes; S3 and the emulator of the end-to-end tests do.
        conditions.append(arguments.pop("IfMatch"))
        if conditions[-1] != stack.get(OUTPUT)["ETag"]:
            raise _error("PreconditionFailed", 412)
        return delete(**arguments)

    monkeypatch.setattr(clients.s3(), "delete_object", deleting)
    assert place().remove_below(3) is False
    assert (stack.read(OUTPUT), len(conditions)) == (b"new", 1)


# Items


def test_an_item_names_its_master(stack: Stack) -> None:
    """The item has its own fields and key, etag, generation and recipe."""
    write_item(7, width=7, has_alpha=False)
    assert stack.item("cat") == {
        "name": {"S": "cat"},
        "key": {"S": "master/cat.png"},
        "etag": {"S": "e"},
        "generation": {"N": "7"},
        "recipe": {"S": "r"},
        "width": {"N": "7"},
        "has_alpha": {"BOOL": False},
    }


def test_a_newer_item_keeps_no_field_of_an_older_one(stack: Stack) -> None:
    """No field of the older state is kept."""
    write_item(1, camera="X100")
    assert write_item(2, width=7) is True
    item = stack.item("cat")
    assert item
    assert "camera" not in item


def test_an_older_item_does_not_replace_a_newer_one(stack: Stack) -> None:
    """A late job of an older generation writes no item."""
    write_item(2, state="new")
    assert write_item(1, state="old") is False
    item = stack.item("cat")
    assert item
    assert item["state"] == {"S": "new"}


def test_an_item_with_a_sequencer_is_replaced(stack: Stack) -> None:
    """An item with a sequencer and no generation counts as generation 0."""
    before = {name: {"S": name} for name in ("name", "key", "etag", "sequencer")}
    stack.dynamodb.put_item(TableName=TABLE, Item={**before, "name": {"S": "cat"}})
    assert write_item(1) is True


@pytest.mark.usefixtures("stack")
def test_an_item_without_a_mark_is_not_replaced(stack: Stack) -> None:
    """An object or item that the pipeline did not write is not replaced."""
    stack.dynamodb.put_item(TableName=TABLE, Item={"name": {"S": "cat"}})
    with pytest.raises(NameTakenError, match="did not write"):
        write_item(1)


@pytest.mark.parametrize(("generation", "removed"), [(2, False), (3, True)])
def test_only_items_of_lower_generations_are_removed(
    stack: Stack,
    generation: int,
    removed: bool,  # noqa: FBT001
) -> None:
    """A generation removes only what has a lower generation."""
    write_item(2)
    assert storage.remove_item_below(clients.dynamodb(), TABLE, "cat", generation) is removed
    assert (stack.item("cat") is None) is removed


# Reasons


def test_a_reason_is_readable_json_with_its_state(stack: Stack) -> None:
    """The reason is unescaped UTF-8 JSON, with the ETag and generation that it is about."""
    storage.write_reason(place(REASON), {"message": "zu groß"}, mark(3))
    found = stack.get(REASON)
    text = found["Body"].read().decode()
    assert found["ContentType"] == "application/json"
    assert "zu groß" in text
    assert json.loads(text) == {"message": "zu groß", "etag": "e", "generation": 3}


def test_an_older_reason_does_not_replace_a_newer_one(stack: Stack) -> None:
    """The newest generation's reason is kept, in whatever order reasons are written."""
    assert storage.write_reason(place(REASON), {"message": "new"}, mark(2)) is True
    assert storage.write_reason(place(REASON), {"message": "old"}, mark(1)) is False
    assert stack.rejection(REASON)["message"] == "new"


def test_a_reason_overwrites_an_object_put_there_by_hand(stack: Stack) -> None:
    """A reason overwrites a file put there by hand, because the prefix is the pipeline's own."""
    stack.s3.put_object(Bucket=BUCKET, Key=REASON, Body=b"by hand")
    assert storage.write_reason(place(REASON), {"message": "ours"}, mark(1)) is True
    assert stack.rejection(REASON)["message"] == "ours"


def test_a_refusal_of_a_lone_surrogate_is_written(stack: Stack) -> None:
    """The reason is written even for a lone surrogate, which JSON can escape and UTF-8 cannot encode."""
    storage.write_refusal(clients.s3(), BUCKET, "rejected/.messages/id/b.json", {"body": "zu groß: \ud800"})
    assert stack.rejection("rejected/.messages/id/b.json") == {"body": "zu groß: \ud800"}
    assert "zu groß: \\ud800" in stack.read("rejected/.messages/id/b.json").decode()
