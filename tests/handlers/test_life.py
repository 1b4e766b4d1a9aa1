"""A branch's part in a picture's life: settling, cleaning up, deleting, and jobs without a generation."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.branches import BRANCHES
from handlers import format_converter, metadata_extractor, pixel_resizer
from handlers.errors import BrokenImageError
from handlers.record import Outcome, Record, next_generation
from handlers.storage import Place
from tests.handlers.conftest import BUCKET, PICTURES, TABLE, Context, Stack, configure, failures, job, sqs_event
from tests.handlers.pictures import picture

KEY, BRANCH = "master/cat.jpg", "resizing"
REASON = f"rejected/cat.jpg/{BRANCH}.json"
SIZES = ["resized/cat/large.jpg", "resized/cat/medium.jpg", "resized/cat/thumbnail.jpg"]
OTHERS = {row.name: Outcome(state="written") for row in BRANCHES if row.name != BRANCH}


@pytest.fixture
def follow(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Delete outputs when their master is deleted."""
    configure(monkeypatch, deletions="follow")
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    return stack


def run(*jobs: Any) -> list[str]:
    return failures(pixel_resizer.handler(sqs_event(*jobs), Context()))


def record(stack: Stack) -> Record:
    found = stack.record(KEY)
    assert found
    return found


def put(stack: Stack, **changes: Any) -> None:
    """Change the record as another process would."""
    stack.dynamodb.put_item(TableName=PICTURES, Item=Record(**{**vars(record(stack)), **changes}).as_item())


def raise_throttled(*_: object) -> None:
    raise ClientError({"Error": {"Code": "SlowDown"}}, "DeleteObject")


def test_an_outcome_has_its_outputs_and_its_recipe(stack: Stack) -> None:
    """The record has each file's size and the recipe that it was made with."""
    assert run(stack.receive(KEY, picture((200, 100)))) == []
    outcome = record(stack).branches[BRANCH]
    assert (outcome.state, outcome.recipe) == ("written", "recipe")
    assert outcome.outputs["resized/{name}/medium.jpg"] == {
        "width": 500,
        "height": 250,
        "bytes": len(stack.read("resized/cat/medium.jpg")),
    }
    assert (record(stack).state, stack.events()) == ("received", [])


def test_what_a_newer_version_recorded_is_ignored(stack: Stack) -> None:
    """While a stack is updated, functions of two versions read the same record."""
    run(stack.receive(KEY, picture()))
    before = record(stack)
    item = before.as_item()
    item["newer"] = item["branches"]["M"][BRANCH]["M"]["newer"] = {"S": "unknown"}
    stack.dynamodb.put_item(TableName=PICTURES, Item=item)
    assert record(stack) == before


def test_the_record_has_a_shortened_message(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record has a shortened message, because updates are billed by item size; the reason has the full message."""

    def reject(*_: object, **__: object) -> None:
        raise BrokenImageError("x" * 5_000)

    monkeypatch.setattr("handlers.imaging.open_picture", reject)
    run(stack.receive(KEY, b"bytes"))
    outcome = record(stack).branches[BRANCH]
    assert (outcome.state, outcome.error, outcome.message) == ("rejected", "BrokenImageError", "x" * 200)
    assert stack.rejection(REASON)["message"] == "x" * 5_000


@pytest.mark.parametrize(("mine", "state"), [(picture(), "complete"), (b"bad", "rejected")])
def test_the_last_branch_sets_the_state(stack: Stack, mine: bytes, state: str) -> None:
    """One rejection makes the picture rejected, whatever the other branches wrote."""
    run(stack.receive(KEY, mine, branches=OTHERS))
    found = record(stack)
    assert (found.state, found.settled_at > found.received_at) == (state, True)
    assert stack.events() == [(f"Picture {state}", KEY)]


def test_a_job_of_an_older_generation_records_no_outcome(stack: Stack) -> None:
    """A worker whose record now has a newer generation records no outcome: the newer state has its own job."""
    old = stack.receive(KEY, picture(), generation=1)
    put(stack, generation=2)
    assert run(old) == []
    assert record(stack).branches == {}


def test_a_superseded_worker_removes_its_webp(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A superseded worker removes its WebP: the newer state's worker may have looked for it before it was written."""
    configure(monkeypatch, output_formats={"webp": 80})
    late = stack.receive(KEY, picture((400, 300)), generation=1)
    put(stack, generation=2)
    assert run(late) == []
    assert stack.outputs() == SIZES


def test_a_superseded_worker_keeps_the_webp_of_a_kept_outcome(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """When other branches work on the same bytes again, this branch's WebP stays, even if its job comes twice."""
    configure(monkeypatch, output_formats={"webp": 80})
    mine = stack.receive(KEY, picture((400, 300)))
    run(mine)
    written = stack.outputs()
    put(stack, generation=2)
    assert run(mine) == []
    assert stack.outputs() == written
    assert "resized/cat/large.webp" in written


def test_a_good_picture_removes_the_old_reason(stack: Stack) -> None:
    """When a good picture replaces a bad one, the old reason is removed."""
    run(stack.receive(KEY, b"bad", generation=1))
    assert stack.outputs() == [REASON]
    run(stack.receive(KEY, picture(), generation=2, reasons=True))
    assert stack.outputs() == SIZES


def test_a_late_rejection_leaves_no_reason_for_a_written_picture(stack: Stack) -> None:
    """A worker that rejects a picture which its branch has already written removes the reason again."""
    late = stack.receive(KEY, b"bad", generation=1, branches={BRANCH: Outcome(state="written")})
    put(stack, state="complete")
    assert run(late) == []
    assert (stack.outputs(), record(stack).branches[BRANCH].state) == ([], "written")


def test_a_superseded_worker_removes_its_reason(stack: Stack) -> None:
    """A reason about bytes that have been replaced would say that the new ones are bad."""
    late = stack.receive(KEY, b"bad", generation=1)
    put(stack, generation=2)
    assert run(late) == []
    assert stack.outputs() == []


def test_a_superseded_worker_keeps_the_reason_of_a_kept_rejection(stack: Stack) -> None:
    """When other branches work on the same bytes again, this branch's rejection and its reason stay."""
    mine = stack.receive(KEY, b"bad", generation=1)
    run(mine)
    put(stack, generation=2)
    assert run(mine) == []
    assert (stack.outputs(), record(stack).branches[BRANCH].state) == ([REASON], "rejected")


@pytest.mark.parametrize("deletions", ["keep", "follow"])
@pytest.mark.parametrize("body", [picture(), b"bad"], ids=["good", "bad"])
def test_a_former_owners_reason_goes_with_it_only_with_follow(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, deletions: str, body: bytes
) -> None:
    """No deletion goes through the fan-out when another master gets the name at once."""
    configure(monkeypatch, deletions=deletions)
    former = "rejected/cat.png/resizing.json"
    run(stack.receive("master/cat.png", b"bad", generation=1))
    assert stack.outputs() == [former]
    run(stack.receive(KEY, body, generation=2, previous="master/cat.png", reasons=True))
    assert (former in stack.outputs()) == (deletions == "keep")


@pytest.mark.parametrize("deletions", ["keep", "follow"])
def test_a_bad_picture_removes_old_outputs_only_with_follow(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, deletions: str
) -> None:
    """When a bad picture replaces a good one, the old outputs are removed with `follow` and kept with `keep`."""
    configure(monkeypatch, deletions=deletions)
    run(stack.receive(KEY, picture(), generation=1))
    run(stack.receive(KEY, b"bad", generation=2))
    assert stack.outputs() == [REASON, *(SIZES if deletions == "keep" else [])]


def test_old_outputs_are_removed_by_a_retry_after_the_picture_was_settled(
    follow: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 may fail after the branch has settled, and the other branches may have ended when its message comes again."""
    run(follow.receive(KEY, picture(), generation=1))
    bad = follow.receive(KEY, b"bad", generation=2)
    with monkeypatch.context() as patch:
        patch.setattr(Place, "remove_below", raise_throttled)
        assert run(bad) == ["m0"]
    put(follow, state="rejected", branches={**record(follow).branches, **OTHERS})
    assert run(bad) == []
    assert (follow.outputs(), record(follow).branches[BRANCH].state) == ([REASON], "rejected")


@pytest.mark.parametrize("changes", [{"state": "deleted"}, {"key": "master/cat.png"}])
def test_a_superseded_worker_removes_its_outputs(follow: Stack, changes: dict[str, Any]) -> None:
    """Outputs are removed if the master was deleted, or lost its name, while they were being written."""
    mine = follow.receive(KEY, picture(), generation=1)
    put(follow, generation=2, **changes)
    assert run(mine) == []
    assert follow.outputs() == []


def test_a_worker_that_finds_one_newer_file_removes_the_others(follow: Stack) -> None:
    """A deletion in progress may have removed the others' newer states, and will not look at them again."""
    mine = follow.receive(KEY, picture(), generation=1)
    newer = {"key": KEY, "etag": "e", "generation": "2"}
    follow.s3.put_object(Bucket=BUCKET, Key="resized/cat/thumbnail.jpg", Body=b"newer", Metadata=newer)
    put(follow, generation=3, state="deleted")
    assert run(mine) == []
    assert follow.outputs() == ["resized/cat/thumbnail.jpg"]


@pytest.mark.parametrize("changes", [{"state": "deleted"}, {"key": "master/cat.png"}])
def test_a_superseded_worker_keeps_its_outputs_with_keep(stack: Stack, changes: dict[str, Any]) -> None:
    """With `keep`, a deletion removes no outputs, and a new owner of the name replaces them."""
    mine = stack.receive(KEY, picture(), generation=1)
    put(stack, generation=2, **changes)
    assert run(mine) == []
    assert stack.outputs() == SIZES


def test_a_late_job_of_a_former_owner_keeps_the_outputs_of_a_kept_outcome(follow: Stack) -> None:
    """A redrive may bring a former owner's job after other branches have worked on the new owner's picture again."""
    former = follow.receive("master/cat.png", picture(), generation=1)
    follow.s3.delete_object(Bucket=BUCKET, Key="master/cat.png")
    run(follow.receive(KEY, picture(), generation=2))
    put(follow, generation=3)
    assert run(former) == []
    assert (follow.outputs(), record(follow).branches[BRANCH].state) == (SIZES, "written")


def test_a_redelivery_keeps_the_webp_of_a_deleted_master_with_keep(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `keep`, a deletion removes no outputs of any format, even if a job of the master is delivered again."""
    configure(monkeypatch, output_formats={"webp": 80})
    mine = stack.receive(KEY, picture((400, 300)), generation=1)
    run(mine)
    written = stack.outputs()
    stack.s3.delete_object(Bucket=BUCKET, Key=KEY)
    put(stack, generation=2, state="deleted", branches={})
    assert run(mine) == []
    assert (stack.outputs(), len(written)) == (written, 2 * len(SIZES))


def test_a_redelivery_removes_the_outputs_of_a_deleted_master(follow: Stack) -> None:
    """A redelivery finds the master gone, and removes what the first delivery wrote."""
    mine = follow.receive(KEY, picture(), generation=1)
    run(mine)
    follow.s3.delete_object(Bucket=BUCKET, Key=KEY)
    put(follow, generation=2, state="deleted", branches={})
    assert run(mine) == []
    assert follow.outputs() == []


def test_a_deletion_removes_outputs_and_reasons_of_lower_generations(follow: Stack) -> None:
    """Reasons, and sizes that the stack no longer makes, are removed too; other objects beside them are kept."""
    run(follow.receive(KEY, b"bad", generation=1))
    run(follow.receive(KEY, picture(), generation=2))
    assert follow.outputs() == [REASON, *SIZES]
    marks = {"key": KEY, "etag": "e", "sequencer": "0A"}
    follow.s3.put_object(Bucket=BUCKET, Key="resized/cat/dropped.jpg", Body=b"of before", Metadata=marks)
    for kept in ("resized/cat/other/large.jpg", "resized/category/large.jpg"):
        follow.s3.put_object(Bucket=BUCKET, Key=kept, Body=b"another picture's", Metadata=marks)
    follow.s3.put_object(Bucket=BUCKET, Key="resized/cat/by hand.jpg", Body=b"nobody's")
    put(follow, generation=5, state="deleted")
    assert run({"bucket": BUCKET, "key": KEY, "generation": 5, "deleted": True}) == []
    assert follow.outputs() == ["resized/cat/by hand.jpg", "resized/cat/other/large.jpg", "resized/category/large.jpg"]


def test_a_deletion_removes_the_jpeg_and_no_other_that_begins_with_its_key(
    follow: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`master/cat.jpg.png` has its JPEG at `converted/cat.jpg.jpg`, which begins with the key of `cat.jpg`'s."""
    monkeypatch.setenv("BRANCH", "format-conversion")
    format_converter.handler(sqs_event(follow.receive(KEY, picture(), generation=1)), Context())
    format_converter.handler(sqs_event(follow.receive("master/cat.jpg.png", picture(), generation=1)), Context())
    assert follow.outputs() == ["converted/cat.jpg", "converted/cat.jpg.jpg"]
    put(follow, generation=5, state="deleted")
    deleted = {"bucket": BUCKET, "key": KEY, "generation": 5, "deleted": True}
    format_converter.handler(sqs_event(deleted), Context())
    assert follow.outputs() == ["converted/cat.jpg.jpg"]


def test_a_late_deletion_removes_nothing_newer(follow: Stack) -> None:
    """A deletion job that arrives after the master was uploaded again removes nothing."""
    run(follow.receive(KEY, picture(), generation=7))
    assert run({"bucket": BUCKET, "key": KEY, "generation": 5, "deleted": True}) == []
    assert follow.outputs() == SIZES


@pytest.mark.parametrize("generation", [None, 7, 9])
def test_a_deletion_of_a_living_master_removes_nothing(follow: Stack, generation: int | None) -> None:
    """A deletion job that was published by hand removes no outputs, even those of an earlier generation."""
    run(follow.receive(KEY, picture(), generation=5))
    before = record(follow)
    put(follow, generation=7, state="complete", branches=before.branches)
    assert run({"bucket": BUCKET, "key": KEY, "generation": generation, "deleted": True}) == []
    assert follow.outputs() == SIZES


def test_a_deletion_job_removes_nothing_where_outputs_are_kept(stack: Stack) -> None:
    """With `deletions: keep`, a worker may not delete outputs, so a job of before that setting must not fail."""
    run(stack.receive(KEY, picture(), generation=1))
    stack.s3.delete_object(Bucket=BUCKET, Key=KEY)
    put(stack, generation=2, state="deleted", branches={})
    assert run({"bucket": BUCKET, "key": KEY, "generation": 2, "deleted": True}) == []
    assert stack.outputs() == SIZES


def test_a_deletion_removes_the_item(follow: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture's item is removed from the metadata table."""
    monkeypatch.setenv("BRANCH", "metadata-extraction")
    metadata_extractor.handler(sqs_event(follow.receive(KEY, picture(), generation=1)), Context())
    assert follow.item("cat")
    put(follow, generation=5, state="deleted")
    deleted = {"bucket": BUCKET, "key": KEY, "generation": 5, "deleted": True}
    metadata_extractor.handler(sqs_event(deleted), Context())
    assert follow.dynamodb.scan(TableName=TABLE)["Items"] == []


def test_a_job_for_other_branches_is_skipped(stack: Stack) -> None:
    """A branch that the job does not name does nothing."""
    assert run({**stack.receive(KEY, picture()), "branches": ["format-conversion"]}) == []
    assert (stack.outputs(), record(stack).branches) == ([], {})


def test_a_job_by_hand_is_published_with_a_generation(stack: Stack) -> None:
    """The worker creates the record, and publishes the job to all branches."""
    stack.upload(KEY, picture())
    assert run(json.dumps(job(KEY))) == []
    assert stack.outputs() == []
    (published,) = stack.published()
    assert (published["key"], published["generation"]) == (KEY, record(stack).generation)


def test_a_job_by_hand_remakes_missing_outputs(stack: Stack) -> None:
    """Missing outputs are written again in the same generation, without an event."""
    run(stack.receive(KEY, picture(), branches=OTHERS))
    for key in SIZES:
        stack.s3.delete_object(Bucket=BUCKET, Key=key)
    stack.sent.clear()
    before = record(stack)
    assert run(json.dumps(job(KEY))) == []
    assert (stack.outputs(), record(stack), stack.sent, stack.published()) == (SIZES, before, [], [])


@pytest.mark.parametrize("mine", [{}, {BRANCH: Outcome(state="rejected")}], ids=["added later", "rejected"])
def test_a_job_by_hand_makes_nothing_that_was_not_written_before(stack: Stack, mine: dict[str, Outcome]) -> None:
    """A settled picture without an output of this branch is left as it is."""
    run(stack.receive(KEY, b"bad", branches=OTHERS))
    put(stack, state="rejected", branches={**OTHERS, **mine})
    stack.s3.delete_object(Bucket=BUCKET, Key=REASON)
    assert run(json.dumps(job(KEY))) == []
    assert (stack.outputs(), stack.published()) == ([], [])


def test_a_job_by_hand_for_a_master_without_its_name_writes_nothing(stack: Stack) -> None:
    """A master whose name is taken gets no outputs, even if the owner's are missing."""
    run(stack.receive(KEY, picture(), branches=OTHERS))
    for key in SIZES:
        stack.s3.delete_object(Bucket=BUCKET, Key=key)
    loser = "master/cat.png"
    stack.upload(loser, stack.read(KEY))
    assert run(json.dumps(job(loser))) == []
    assert (stack.outputs(), stack.published()) == (["rejected/cat.png/name-taken.json"], [])


def test_generations_grow_even_within_a_millisecond() -> None:
    """A generation is the previous one plus one, or the clock's milliseconds if that is more."""
    far = 10**15
    assert next_generation(far) == far + 1
    assert next_generation(0) > 1_700_000_000_000
