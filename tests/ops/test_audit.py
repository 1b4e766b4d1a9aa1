"""The audit's states of masters."""

import dataclasses
import itertools
import json
from collections import Counter
from typing import Any

import pytest
from botocore.client import BaseClient

from handlers.record import Outcome
from ops.audit import Account, audit, rejected
from ops.inventory import Inventory
from tests.ops.conftest import BRANCHES, BUCKET, TABLE, Pipeline


def states(pipeline: Pipeline, path: str) -> dict[str, str]:
    """Return a master's state by branch."""
    (found,) = [found for found in audit(pipeline.stack) if found.key == f"master/{path}"]
    return found.states


def test_a_finished_master_is_done(pipeline: Pipeline) -> None:
    """A branch is done if its outputs and its record are from the master's current state."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    assert states(pipeline, "cat.png") == dict.fromkeys(BRANCHES, "done")


def test_an_untouched_master_is_missing(pipeline: Pipeline) -> None:
    """Without any output, every branch is missing."""
    pipeline.upload("cat.png")
    assert states(pipeline, "cat.png") == dict.fromkeys(BRANCHES, "missing")


def test_one_size_of_two_is_missing(pipeline: Pipeline) -> None:
    """A branch is done only if all of its outputs exist."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.client("s3").delete_object(Bucket=BUCKET, Key="resized/cat/large.jpg")
    assert states(pipeline, "cat.png")["resizing"] == "missing"


def test_an_output_of_an_older_state_is_stale(pipeline: Pipeline) -> None:
    """A master that was uploaded again is stale until its outputs are new."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.upload("cat.png", b"another picture")
    assert states(pipeline, "cat.png") == dict.fromkeys(BRANCHES, "stale")


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_rejection_accounts_for_a_branch(pipeline: Pipeline, branch: str) -> None:
    """A rejection accounts for the branch that wrote it, and only this branch has a reason."""
    etag = pipeline.upload("cat.png")
    pipeline.reject("cat.png", etag, branch)
    others = tuple(name for name in BRANCHES if name != branch)
    pipeline.finish("cat.png", etag, others)
    (found,) = audit(pipeline.stack)
    assert found.states == {**dict.fromkeys(others, "done"), branch: "rejected"}
    reason = {"key": "master/cat.png", "branch": branch, "error": "NotAnImageError", "message": "no picture"}
    assert list(found.rejections) == [reason]


def test_branches_may_be_accounted_for_in_different_ways() -> None:
    """A master is accounted for if its branches are done, outdated or rejected."""
    states = dict(zip(BRANCHES, itertools.cycle(("done", "outdated", "rejected")), strict=False))
    assert Account(key="master/cat.png", etag="e", states=states).accounted_for
    assert not Account(key="master/cat.png", etag="e", states={**states, "more": "stale"}).accounted_for


def test_an_output_of_older_settings_is_outdated(pipeline: Pipeline) -> None:
    """An outdated output is accounted for: it is valid, but made with other settings."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"), recipe="before")
    (found,) = audit(pipeline.stack)
    assert (found.states, found.accounted_for) == (dict.fromkeys(BRANCHES, "outdated"), True)


def test_a_new_size_makes_older_outputs_outdated(pipeline: Pipeline) -> None:
    """The expected files are those in the record, not those of the current settings."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"), recipe="before")
    size = {"width": 1, "height": 1, "bytes": 1}
    outcome = Outcome(state="written", recipe="before", outputs={"resized/{name}/small.jpg": size})
    pipeline.settle("cat.png", found_etag(pipeline), {"resizing": outcome})
    pipeline.client("s3").delete_object(Bucket=BUCKET, Key="resized/cat/large.jpg")
    assert states(pipeline, "cat.png")["resizing"] == "outdated"


def found_etag(pipeline: Pipeline) -> str:
    record = pipeline.record("cat.png")
    assert record
    return record.etag


def test_only_a_deep_audit_finds_changes_made_by_hand(pipeline: Pipeline) -> None:
    """Only a deep audit, with a request per object, finds an output that was overwritten by hand."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.client("s3").put_object(Bucket=BUCKET, Key="converted/cat.jpg", Body=b"by hand")
    pipeline.client("dynamodb").delete_item(TableName=TABLE, Key={"name": {"S": "cat"}})
    (shallow,), (deep,) = audit(pipeline.stack), audit(pipeline.stack, deep=True)
    assert shallow.states == dict.fromkeys(BRANCHES, "done")
    missing = dict.fromkeys(("format-conversion", "metadata-extraction"), "missing")
    assert deep.states == {**dict.fromkeys(BRANCHES, "done"), **missing}


def test_outputs_without_a_living_master_are_orphans(pipeline: Pipeline) -> None:
    """Outputs of a deleted master and outputs without a record are orphans."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.make_outputs("2024/gone.png", "e", ("format-conversion",))
    with Inventory.of(pipeline.stack) as inventory:
        assert list(inventory.orphans()) == [("converted/2024/gone.jpg", "2024/gone")]


def test_an_audit_takes_few_requests(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit needs only listings and a scan, and no request per picture."""
    for number in range(30):
        pipeline.finish(f"{number}.png", pipeline.upload(f"{number}.png"))
    count: Counter[str] = Counter()
    call: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: BaseClient, operation: str, arguments: Any) -> Any:
        count[operation] += 1
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    assert len(list(audit(pipeline.stack))) == 30
    prefixes = pipeline.stack.prefixes()
    assert count == {"Scan": 4, "ListObjectsV2": len(["master/", *prefixes])}


def test_a_rejection_of_an_older_state_is_stale(pipeline: Pipeline) -> None:
    """A rejection of an earlier upload does not account for the current one."""
    pipeline.reject("cat.png", pipeline.upload("cat.png"), "resizing")
    pipeline.upload("cat.png", b"another picture")
    assert states(pipeline, "cat.png")["resizing"] == "stale"


@pytest.mark.parametrize(("written", "state"), [(True, "rejected"), (False, "missing")])
def test_a_master_whose_name_is_taken_needs_a_written_reason(
    pipeline: Pipeline,
    written: bool,  # noqa: FBT001
    state: str,
) -> None:
    """The second master with a name has one rejection for all branches."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    etag = pipeline.upload("cat.gif")
    if written:
        pipeline.write_reason("cat.gif", etag, "name-taken", "NameTakenError")
    (found,) = [found for found in audit(pipeline.stack) if found.key == "master/cat.gif"]
    assert found.states == dict.fromkeys(BRANCHES, state)
    assert [reason["error"] for reason in found.rejections] == ["NameTakenError"] * written


def test_the_reason_of_a_master_whose_name_is_taken_may_have_expired(pipeline: Pipeline) -> None:
    """S3 deletes it after `rejectedDays`, and the master is accounted for all the same."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.upload("cat.gif")
    expiring = dataclasses.replace(pipeline.stack, rejected_days=30)
    assert [found.accounted_for for found in audit(expiring)] == [True, True]


def test_only_masters_under_the_prefix_are_audited(pipeline: Pipeline) -> None:
    """The prefix is relative to the masters' prefix."""
    pipeline.upload("2024/cat.png")
    pipeline.upload("2025/cat.png")
    assert [found.key for found in audit(pipeline.stack, "2025/")] == ["master/2025/cat.png"]


@pytest.mark.parametrize("prefix", ["2024/cat.png", "2024/cat.", "2024/c", "2024/cat.v2"])
def test_a_prefix_may_end_in_an_extension(pipeline: Pipeline, prefix: str) -> None:
    """A master's outputs are found although their keys do not have its extension; others' are no orphans of it."""
    for path in ("2024/cat.png", "2024/cat.v2.png"):
        pipeline.finish(path, pipeline.upload(path))
    pipeline.make_outputs("2024/catalogue.png", "e", ("format-conversion",))
    found = list(audit(pipeline.stack, prefix))
    assert found
    assert all(account.states == dict.fromkeys(BRANCHES, "done") for account in found)
    with Inventory.of(pipeline.stack, prefix) as inventory:
        assert len(list(inventory.orphans())) == (prefix == "2024/c")


def test_folder_markers_are_not_masters(pipeline: Pipeline) -> None:
    """The objects that consoles create for folders are not masters."""
    pipeline.client("s3").put_object(Bucket=BUCKET, Key="master/2024/")
    assert list(audit(pipeline.stack)) == []


def test_only_rejections_of_the_newest_state_are_listed(pipeline: Pipeline) -> None:
    """A master that was replaced or deleted after its rejection is not listed."""
    for branch in BRANCHES:
        pipeline.reject("bad.png", pipeline.upload("bad.png"), branch)
    pipeline.reject("replaced.png", pipeline.upload("replaced.png"), "resizing")
    pipeline.upload("replaced.png", b"another picture")
    pipeline.reject("deleted.png", pipeline.upload("deleted.png"), "resizing")
    pipeline.client("s3").delete_object(Bucket=BUCKET, Key="master/deleted.png")
    assert [reason["key"] for reason in rejected(pipeline.stack)] == ["master/bad.png"] * len(BRANCHES)


@pytest.mark.parametrize(
    "wrong", [{"key": 5}, {"key": ""}, {"key": None}, {"etag": 5}, {"error": None}, {"message": ["x"]}, {"branch": 1}]
)
def test_an_object_that_is_no_reason_is_skipped(pipeline: Pipeline, wrong: dict[str, Any]) -> None:
    """Others may write JSON below the prefix of the reasons, too."""
    etag = pipeline.upload("bad.png")
    reason = {"key": "master/bad.png", "branch": BRANCHES[0], "error": "BrokenImageError", "message": "x", "etag": etag}
    for folder, found in (("a", {**reason, **wrong}), ("b", reason)):
        body = json.dumps(found)
        pipeline.client("s3").put_object(Bucket=BUCKET, Key=f"rejected/{folder}/resizing.json", Body=body)
    assert list(rejected(pipeline.stack)) == [reason]
