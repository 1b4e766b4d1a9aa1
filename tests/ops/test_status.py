"""A picture's status: what it says about branches without an outcome, and about masters without a record."""

import dataclasses
import json
from typing import Any

import pytest

from handlers.reconcile import NAME_TAKEN
from handlers.record import Record
from ops.status import UnknownPictureError, find, status
from tests.ops.conftest import BUCKET, BUT_RESIZING, PICTURES, Pipeline

KEY = "master/cat.png"
TIME = "2026-01-02T03:04:05Z"


def put(pipeline: Pipeline, **changes: Any) -> Record:
    """Change the record of a picture whose sizes are not made yet."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"), BUT_RESIZING)
    before = pipeline.record("cat.png")
    assert before
    record = dataclasses.replace(before, **changes)
    pipeline.client("dynamodb").put_item(TableName=PICTURES, Item=record.as_item())
    return record


def take_name(pipeline: Pipeline, key: str) -> None:
    """Write the reason of a master whose name another one owns."""
    reason = {"error": "NameTakenError", "message": "taken", "time": TIME}
    where = pipeline.stack.layout.rejected_key(key, NAME_TAKEN)
    pipeline.client("s3").put_object(Bucket=BUCKET, Key=where, Body=json.dumps(reason))


@pytest.mark.parametrize(("state", "expected"), [("received", "waiting"), ("complete", "missing")])
def test_a_branch_without_an_outcome_waits_only_if_the_picture_does(
    pipeline: Pipeline, state: str, expected: str
) -> None:
    """A branch that was added after the picture was settled is missing: nothing will come of waiting for it."""
    put(pipeline, state=state)
    assert status(pipeline.stack, KEY).branches["resizing"] == {"state": expected}


def test_a_deleted_picture_has_no_outcomes(pipeline: Pipeline) -> None:
    """The outcomes in the record are those of the master that is gone."""
    put(pipeline, state="deleted")
    found = status(pipeline.stack, KEY)
    assert (found.state, found.settled, found.branches) == ("deleted", True, {})


def test_a_rejected_name_has_the_time_of_its_reason(pipeline: Pipeline) -> None:
    """The owner's record has the owner's times, so those of the other master are its reason's."""
    put(pipeline)
    pipeline.upload("cat.gif")
    take_name(pipeline, "master/cat.gif")
    found = status(pipeline.stack, "master/cat.gif")
    assert (found.received_at, found.settled_at) == (TIME, TIME)


def test_a_rejected_name_ends_with_its_master(pipeline: Pipeline) -> None:
    """The reason of a deleted master stays with `deletions: keep`; the owner may be another one since then."""
    put(pipeline)
    take_name(pipeline, "master/cat.gif")
    assert status(pipeline.stack, "master/cat.gif").key == KEY


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("cat", "master/cat.png"),
        ("cat.png", "master/cat.png"),
        ("cat.gif", "master/cat.png"),
        ("cat.v2", "master/cat.v2.png"),
        ("dog.v2", "master/dog.v2"),
    ],
)
def test_a_name_with_a_dot_finds_its_picture(pipeline: Pipeline, asked: str, found: str) -> None:
    """Without its last dot it is another picture's name, which counts only where that picture has this key."""
    for path in ("cat.png", "cat.v2.png", "dog.v2", "dog.v2.png"):
        pipeline.finish(path, pipeline.upload(path))
    assert find(pipeline.stack, asked).key == found


@pytest.mark.parametrize(
    ("folder", "option"), [("master/2024/", " --prefix 2024/"), ("2024/", " --prefix 2024/"), ("master/", "")]
)
def test_a_folder_is_not_a_picture(folder: str, option: str, pipeline: Pipeline) -> None:
    """The error says how to list its pictures, whether or not a console made a marker for it."""
    pipeline.client("s3").put_object(Bucket=BUCKET, Key="master/2024/")
    expected = f"expected a picture, got the folder '{folder}': list its pictures with "
    with pytest.raises(UnknownPictureError, match=f"{expected}`python -m ops audit --all{option}`"):
        status(pipeline.stack, folder)
