"""What the audit says of each master."""

import pytest

from ops.audit import audit, rejected
from tests.ops.conftest import BRANCHES, BUCKET, Pipeline


def states(pipeline: Pipeline, path: str) -> dict[str, str]:
    """Return a master's state by branch."""
    (found,) = [found for found in audit(pipeline.stack) if found.key == f"master/{path}"]
    return found.states


def test_a_finished_master_is_done(pipeline: Pipeline) -> None:
    """Outputs and record that name the master and its newest state are what there should be."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    assert states(pipeline, "cat.png") == dict.fromkeys(BRANCHES, "done")


def test_an_untouched_master_is_missing(pipeline: Pipeline) -> None:
    """Nothing from any branch is missing from every branch."""
    pipeline.upload("cat.png")
    assert states(pipeline, "cat.png") == dict.fromkeys(BRANCHES, "missing")


def test_one_size_of_two_is_missing(pipeline: Pipeline) -> None:
    """A branch is done when all of its outputs are there."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.client("s3").delete_object(Bucket=BUCKET, Key="resized/cat/large.jpg")
    assert states(pipeline, "cat.png")["resizing"] == "missing"


def test_an_output_of_an_older_state_is_stale(pipeline: Pipeline) -> None:
    """A master that was uploaded anew is not done until its outputs are new."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.upload("cat.png", b"another picture")
    assert states(pipeline, "cat.png") == dict.fromkeys(BRANCHES, "stale")


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_rejection_accounts_for_a_branch(pipeline: Pipeline, branch: str) -> None:
    """A reason is as good as an output, for the branch that gave it."""
    pipeline.reject("cat.png", pipeline.upload("cat.png"), branch)
    assert states(pipeline, "cat.png") == {**dict.fromkeys(BRANCHES, "missing"), branch: "rejected"}


def test_a_rejection_of_an_older_state_does_not(pipeline: Pipeline) -> None:
    """What was wrong with an earlier upload says nothing of this one."""
    pipeline.reject("cat.png", pipeline.upload("cat.png"), "resizing")
    pipeline.upload("cat.png", b"another picture")
    assert states(pipeline, "cat.png")["resizing"] == "missing"


def test_outputs_of_another_master_are_not_this_ones(pipeline: Pipeline) -> None:
    """The second master of a name has nothing but its rejections."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    pipeline.reject("cat.gif", pipeline.upload("cat.gif"), "resizing", "NameTakenError")
    assert states(pipeline, "cat.gif") == {**dict.fromkeys(BRANCHES, "missing"), "resizing": "rejected"}


def test_only_what_the_prefix_names_is_audited(pipeline: Pipeline) -> None:
    """The prefix is of the path below the masters' own."""
    pipeline.upload("2024/cat.png")
    pipeline.upload("2025/cat.png")
    assert [found.key for found in audit(pipeline.stack, "2025/")] == ["master/2025/cat.png"]


def test_folder_markers_are_no_masters(pipeline: Pipeline) -> None:
    """What consoles make for a folder is not waited for."""
    pipeline.client("s3").put_object(Bucket=BUCKET, Key="master/2024/")
    assert list(audit(pipeline.stack)) == []


def test_the_rejected_are_those_of_the_newest_state(pipeline: Pipeline) -> None:
    """What was rejected and then replaced, finished or deleted is no longer listed."""
    for branch in BRANCHES:
        pipeline.reject("bad.png", pipeline.upload("bad.png"), branch)
    pipeline.reject("replaced.png", pipeline.upload("replaced.png"), "resizing")
    pipeline.upload("replaced.png", b"another picture")
    pipeline.reject("finished.png", pipeline.upload("finished.png"), "resizing")
    pipeline.finish("finished.png", pipeline.upload("finished.png"))
    pipeline.reject("deleted.png", pipeline.upload("deleted.png"), "resizing")
    pipeline.client("s3").delete_object(Bucket=BUCKET, Key="master/deleted.png")
    assert [(found.key, len(found.rejections)) for found in rejected(pipeline.stack)] == [("master/bad.png", 3)]
