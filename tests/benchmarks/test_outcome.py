"""A load run's outcome: each fault is found and counted under its own kind."""

import pytest

from benchmarks.masters import Upload
from benchmarks.outcome import LoadOutcome, assess, assess_records
from ops.audit import Account
from ops.inventory import Inventory
from tests.ops.conftest import BRANCHES, Pipeline, pipeline

__all__ = ["pipeline"]

CAT = Upload(path="cat.png", contents=(b"cat",))
TWIN = Upload(path="cat.gif", contents=(b"twin",))
KILLER = Upload(path="crashes-0.png", contents=(b"killer",))


def account(upload: Upload, state: str, **others: str) -> Account:
    """Return an account with one state in every branch but those named."""
    states = dict.fromkeys(BRANCHES, state) | {name.replace("_", "-"): other for name, other in others.items()}
    rejections = [{"key": upload.path}] if "rejected" in states.values() else []
    return Account(key=f"master/{upload.path}", etag="e", states=states, rejections=rejections)


def outcome_of(
    pipeline: Pipeline, uploads: list[Upload], accounts: list[Account], letters: dict[str, list[str]] | None = None
) -> LoadOutcome:
    """Assess a run against a stack in memory."""
    return assess(pipeline.stack, uploads, accounts, letters or {})


def test_a_done_master_adds_no_finding(pipeline: Pipeline) -> None:
    """A master that is done in every branch adds no finding."""
    assert outcome_of(pipeline, [CAT], [account(CAT, "done")]) == LoadOutcome(masters=1)


def test_a_missing_output_is_lost(pipeline: Pipeline) -> None:
    """The finding names the master and the branch."""
    outcome = outcome_of(pipeline, [CAT], [account(CAT, "done", resizing="missing")])
    assert outcome.lost == ["master/cat.png: resizing"]


def test_an_old_output_is_stale(pipeline: Pipeline) -> None:
    """An output of an earlier state does not count as an output."""
    outcome = outcome_of(pipeline, [CAT], [account(CAT, "done", resizing="stale")])
    assert outcome.stale == ["master/cat.png: resizing"]


def test_twins_have_one_owner(pipeline: Pipeline) -> None:
    """One twin is done in every branch, and the other is rejected."""
    outcome = outcome_of(pipeline, [CAT, TWIN], [account(CAT, "done"), account(TWIN, "rejected")])
    assert (outcome.wrong_owner, outcome.rejections) == ([], 1)


def test_twins_that_share_a_name_are_wrong(pipeline: Pipeline) -> None:
    """The record prevents one twin's JPEG beside the other's sizes."""
    accounts = [account(CAT, "done", resizing="rejected"), account(TWIN, "rejected", resizing="done")]
    assert outcome_of(pipeline, [CAT, TWIN], accounts).wrong_owner == ["cat"]


@pytest.mark.parametrize("state", ["done", "rejected"])
def test_twins_with_two_owners_or_none_are_wrong(pipeline: Pipeline, state: str) -> None:
    """The finding is the name that they share."""
    outcome = outcome_of(pipeline, [CAT, TWIN], [account(CAT, state), account(TWIN, state)])
    assert outcome.wrong_owner == ["cat"]


def test_a_good_picture_among_the_dead_letters_is_reported(pipeline: Pipeline) -> None:
    """Only killers may become dead letters."""
    letters = {"resizing": ["master/cat.png"]}
    assert outcome_of(pipeline, [CAT], [account(CAT, "done")], letters).good_in_dlq == ["master/cat.png: resizing"]


def test_a_killer_is_a_dead_letter_of_every_branch(pipeline: Pipeline) -> None:
    """A killer that is missing from a branch's dead letters counts as lost."""
    letters = {branch: ["master/crashes-0.png"] for branch in BRANCHES}
    outcome = outcome_of(pipeline, [KILLER], [account(KILLER, "missing")], letters)
    assert (outcome.lost, outcome.dead_letters) == ([], len(BRANCHES))
    del letters["resizing"]
    assert outcome_of(pipeline, [KILLER], [account(KILLER, "missing")], letters).lost == [
        "master/crashes-0.png: resizing"
    ]


def test_a_deleted_master_is_not_missing(pipeline: Pipeline) -> None:
    """Nothing is missing, whether the job ran before or after the deletion."""
    deleted = Upload(path="gone.png", contents=(b"gone",), deleted=True)
    assert outcome_of(pipeline, [deleted], []) == LoadOutcome(masters=1)


def assessed_records(pipeline: Pipeline, ids: set[str]) -> LoadOutcome:
    """Assess the records of a stack in memory against event ids."""
    outcome = LoadOutcome()
    with Inventory.of(pipeline.stack) as inventory:
        assess_records(pipeline.stack, outcome, inventory.records(), ids)
    return outcome


def test_a_settled_picture_with_its_event_adds_no_finding(pipeline: Pipeline) -> None:
    """Its event was received, and its outputs are its own."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    outcome = assessed_records(pipeline, {"images/master/cat.png/1/complete"})
    assert outcome == LoadOutcome(events=1)


def test_a_settled_picture_without_its_event_is_reported(pipeline: Pipeline) -> None:
    """An event of another generation does not count."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    assert assessed_records(pipeline, {"images/master/cat.png/2/complete"}).events_missing == ["cat"]


def test_an_output_of_another_master_is_mixed(pipeline: Pipeline) -> None:
    """The record names the owner, so an output with another master's key is a mix-up."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    marks = {"key": "master/cat.gif", "etag": "e"}
    pipeline.client("s3").put_object(Bucket="images", Key="converted/cat.jpg", Metadata=marks)
    assert assessed_records(pipeline, set()).mixed == ["master/cat.png: format-conversion"]


def test_a_missing_recorded_output_was_deleted_by_mistake(pipeline: Pipeline) -> None:
    """The record says that the output was written."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.client("s3").delete_object(Bucket="images", Key="resized/cat/small.jpg")
    assert assessed_records(pipeline, set()).wrong_deletions == ["master/cat.png: resizing"]
